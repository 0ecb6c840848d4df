"""A market in which nobody trades is quiet, not stale: what rests goes on resting (fault E2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mmbot.sim.core.orders import Account, Order
from mmbot.sim.faults.faulty_ports import Reply, Sent
from mmbot.sim.faults.kinds import FrameKind, route_kind
from mmbot.sim.faults.plan import Injected
from mmbot.sim.virtual.island import Island
from mmbot.sim.witness.stale_record import HINDERED

NS: Final = 1_000_000_000
SETTLED_NS: Final = 75 * NS  # what happened before is known by then, and what it led to is done
JUDGED_NS: Final = 60 * NS  # longer than a channel may be mute until it is known
SERVER_ERROR: Final = 500  # an exchange that is away is no quiet market
OF_ORDERS: Final = frozenset({"place", "cancel", "order", "report", "orders"})


class Quiet:
    """A tap of the wire, and a hearer of the box. Judges only where nothing else was in the way.

    `whole` tells of an order whether its maker is shown the books of its sport event as they are.
    """

    def __init__(
        self, maker: Account, prefix: str, whole: Callable[[Order], bool], lag_ns: int = 0
    ) -> None:
        """`lag_ns`: by so much lists are late."""
        self.findings: list[str] = []
        self._maker = maker
        self._prefix = prefix
        self._whole = whole
        self._settled_ns = SETTLED_NS + lag_ns
        self._client: Island | None = None
        self._calm_ns: int | None = None  # quiet and undisturbed since; None: not quiet

    def begin(self, now_ns: int) -> None:
        self._calm_ns = now_ns

    def end(self, now_ns: int) -> bool:
        """Whether anything was judged: something of ours rested through a time that counts."""
        calm_ns, self._calm_ns = self._calm_ns, None
        if calm_ns is None or now_ns - calm_ns < self._settled_ns + JUDGED_NS:
            return False
        return any(self._rested(order, calm_ns) for order in self._maker.alive.values())

    def order_changed(self, order: Order, what: str, now_ns: int) -> None:
        if what.startswith(("filled", "taken back")):
            self._hindered(now_ns)
        calm_ns = self._calm_ns
        if calm_ns is None or what != "canceled" or not self._rested(order, calm_ns):
            return
        quiet_ns = now_ns - calm_ns
        if quiet_ns > self._settled_ns and self._whole(order):
            ident = order.request.external_id
            self.findings.append(f"E2: {ident}: pulled after {quiet_ns / NS:.1f} quiet seconds")

    def _rested(self, order: Order, calm_ns: int) -> bool:
        ours = order.request.external_id.startswith(self._prefix)
        return ours and order.created_ns <= calm_ns

    def _hindered(self, now_ns: int) -> None:
        if self._calm_ns is not None:
            self._calm_ns = now_ns

    # --- the wire ------------------------------------------------------------------------------

    def sent(self, request: Sent, now_ns: int) -> None:
        if request.island is not None and request.island is not self._client:
            self._client = request.island
            self._hindered(now_ns)

    def answered(self, request: Sent, reply: Reply, now_ns: int) -> None:
        away = reply[0] >= SERVER_ERROR and request.kind not in OF_ORDERS
        if away or reply[0] in HINDERED:
            self._hindered(now_ns)

    def heard(self, kind: FrameKind, frame: str, now_ns: int) -> None:
        """What a client heard is the judge of staleness's to know."""

    def struck(self, entry: Injected, frame: str) -> None:
        """Only what happens to the stream or the session may be a reason to pull."""
        words = entry.what.split()
        of_route = len(words) > 1 and words[1].startswith("/")
        if (route_kind(words[1]) if of_route else entry.what) not in OF_ORDERS:
            self._hindered(entry.now_ns)
