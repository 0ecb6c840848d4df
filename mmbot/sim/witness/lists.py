"""How long lists may leave an order out: until its client could rightly believe that it is not.

Two lists that are younger than the arrival bound of the last attempt prove absence, ten seconds
apart. One of them may be false. Both may be only where something else has told the client that
the order is there: an answer that its id exists, which a later death did not wipe out.

A fill that is undone they always show: what changed while lists left it out, no later list of what
changed would tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from mmbot.sim.core.orders import Order
from mmbot.sim.faults.faulty_ports import Reply, Sent
from mmbot.sim.faults.kinds import FrameKind, external_ids
from mmbot.sim.faults.plan import Injected
from mmbot.sim.virtual.island import Island

NS: Final = 1_000_000_000
TELLING_NS: Final = (12 + 60 + 2) * NS  # a list that is younger than an attempt by this much
LANDS_WITHIN_NS: Final = 60 * NS
APART_NS: Final = 9 * NS  # less than between two of them
EXISTED: Final = "external_id_existed"
NO_REPLY_NS: Final = 12 * NS  # a client that has died since waits for no reply
KEPT_WITHIN_NS: Final = 60 * NS  # what was heard is on disk by then, even a bad one


class Lists:
    """A tap of the wire. `tell` says of an order whether a list must show it after all."""

    def __init__(self, lag_ns: int, now_ns: Callable[[], int]) -> None:
        """`lag_ns`: of the exchange's reporting copy."""
        self._may_lie_ns = TELLING_NS + APART_NS + lag_ns
        self._now_ns = now_ns
        self._client: Island | None = None
        self._died_ns = 0
        self._sent_ns: dict[str, int] = {}
        self._told_ns: dict[str, int] = {}
        self._answered_ns: dict[str, int] = {}
        self._undone: set[str] = set()  # fills of these orders, or parts of them
        self.findings: list[str] = []

    def order_changed(self, order: Order, what: str, now_ns: int) -> None:
        if what.startswith("taken back"):
            self._undone.add(order.request.external_id)

    def absent(self, ident: str) -> None:
        """The ledger believes lists that this order is not: none that it sent may come yet."""
        since_ns = self._now_ns() - self._sent_ns.get(ident, -LANDS_WITHIN_NS)
        if since_ns < LANDS_WITHIN_NS:
            words = f"absence believed {since_ns / NS:.1f} s after it was sent"
            self.findings.append(f"I1: {ident}: {words}")

    def tell(self, order: Order) -> bool:
        ident = order.request.external_id
        if ident in self._undone:
            return True
        ended = not (order.alive or order.filled_cents)
        if ident in self._told_ns or (ended and ident in self._answered_ns):
            return False
        now_ns = self._now_ns()
        from_ns = self._sent_ns.get(ident, now_ns)
        if from_ns <= self._died_ns:  # a death may be what its last request met
            from_ns = min(from_ns, self._died_ns - NO_REPLY_NS)
        return now_ns >= from_ns + self._may_lie_ns

    def sent(self, request: Sent, now_ns: int) -> None:
        if request.island is not None and request.island is not self._client:
            self._client = request.island
            request.island.on_abandon.append(self._forget)
        if request.kind == "place":
            self._sent_ns.update(dict.fromkeys(external_ids(request.body), now_ns))

    def answered(self, request: Sent, reply: Reply, now_ns: int) -> None:
        if request.kind == "place":
            existing, placed = _said(request, reply)
            self._told_ns.update(dict.fromkeys(existing, now_ns))
            self._answered_ns.update(dict.fromkeys(placed, now_ns))

    def heard(self, kind: FrameKind, frame: str, now_ns: int) -> None:
        """No message tells of these orders while they are left out."""

    def struck(self, entry: Injected, frame: str) -> None:
        """What a fault did to a request shows in its answer."""

    def _forget(self) -> None:
        """The client died, and may not have written down what it heard last."""
        self._died_ns = self._now_ns()
        until_ns = self._died_ns - KEPT_WITHIN_NS
        for told in (self._told_ns, self._answered_ns):
            for ident in [one for one, ns in told.items() if ns >= until_ns]:
                del told[ident]


def _said(request: Sent, reply: Reply) -> tuple[list[str], list[str]]:
    """Of which orders this reply says that their id exists, and of which that they are placed."""
    try:
        answer = msgspec.json.decode(reply[2])
        data = answer["data"]
        failed, placed = data["failed_orders"] or (), data["succeed_orders"]
        existing = [row["request"] for row in failed if EXISTED in row["error"]]
    except ValueError:
        return [], []
    except (KeyError, TypeError):  # no answer to a batch
        ids = external_ids(request.body)
        return ids if EXISTED.encode() in reply[2] and len(ids) == 1 else [], []
    return external_ids(msgspec.json.encode(existing)), external_ids(msgspec.json.encode(placed))
