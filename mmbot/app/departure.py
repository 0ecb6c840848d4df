"""One placement on its way out: made ready while its intents are written, sent when they are.

Token, rate budget, body and connection cost an order more time than the rest of its commit takes:
the request waits with all of them at its last gate, `Departure.cleared`, until the journal has
answered (docs/benchmarks.md). Nothing can pass that gate before `release`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from mmbot.domain.events import Event, PlaceNotSent
from mmbot.domain.order import Order
from mmbot.engine.ports import LEAVES_WITHIN_NS, PlaceOrders
from mmbot.engine.risk import Approved
from mmbot.runtime.clock import NS_PER_S, Clock

LOOK_AGAIN_NS: Final = 5_000_000
TICKS_KEPT_MAX: Final = 10_000

Cleared = Callable[[], Awaitable[str]]
Place = Callable[[Sequence[Approved], Cleared], Awaitable[Sequence[Event]]]


class Outbound(Protocol):
    """What a departure needs of the process around it."""

    def start(self, what: str, call: Callable[[], Awaitable[Sequence[Event]]]) -> None: ...

    def tell(self, event: Event) -> None: ...


@dataclass(slots=True)
class TickToTrade:
    """From the arrival of the event to the hand-over of its order to the socket, in us."""

    observe: Callable[[float], object] = float  # told each one in seconds; float: nobody listens
    micros: list[int] = field(default_factory=list)

    def add(self, cause_ns: int, now_ns: int) -> None:
        if not cause_ns:
            return
        self.observe((now_ns - cause_ns) / NS_PER_S)
        if len(self.micros) < TICKS_KEPT_MAX:
            self.micros.append((now_ns - cause_ns) // 1000)

    def summary(self) -> dict[str, int] | None:
        if not self.micros:
            return None
        ordered = sorted(self.micros)
        last = len(ordered) - 1
        p50, p99 = ordered[last // 2], ordered[last * 99 // 100]
        return {"p50": p50, "p99": p99, "count": len(ordered)}


@dataclass(frozen=True, slots=True)
class LastLook:
    """Why an order must not leave now, or "": the engine's word, and the age of its decision."""

    drop_reason: Callable[[Order, int, int], str]
    clock: Clock

    def of(self, placement: PlaceOrders, approved: Approved, now_ns: int) -> str:
        if now_ns - placement.decided_ns > LEAVES_WITHIN_NS:
            return "decided too long ago"
        return self.drop_reason(approved.order, placement.turn, now_ns)

    def again(self, placement: PlaceOrders, going: Sequence[Approved], now_ns: int) -> str:
        """The first reason among all, when they had to wait after the look."""
        reasons = (self.of(placement, one, now_ns) for one in going)
        return next(filter(None, reasons), "")


class Departure:
    """`prepare`, then exactly one of `release` and `withhold`."""

    def __init__(
        self,
        placement: PlaceOrders,
        place: Place | None,
        look: LastLook,
        ticks: TickToTrade,
        outbound: Outbound,
    ) -> None:
        """`place` is None in observe mode."""
        self._placement = placement
        self._place = place
        self._look = look
        self._ticks = ticks
        self._outbound = outbound
        self._going: Sequence[Approved] = ()
        self._gate: asyncio.Future[bool] | None = None  # False: it leaves in another form, or not
        self._looked_ns = 0
        self._over = False  # it failed and said so before its gate was opened
        self._counted = False

    def prepare(self) -> None:
        if self._place is not None:
            self._ready(self._placement.orders)

    def _ready(self, going: Sequence[Approved]) -> None:
        assert self._place is not None
        self._going = going
        self._gate = asyncio.get_running_loop().create_future()
        place, gate = self._place, self._gate

        async def call() -> Sequence[Event]:
            async def cleared() -> str:
                return await self._cleared(gate)

            events = await place(going, cleared)
            if gate.done() and not gate.result():
                return ()  # whoever closed the gate has told
            self._over = not gate.done()
            return events

        self._outbound.start("PlaceOrders", call)

    async def _cleared(self, gate: asyncio.Future[bool]) -> str:
        if not await gate:
            return "withheld"
        now_ns = self._look.clock.now_ns()
        if now_ns - self._looked_ns >= LOOK_AGAIN_NS:
            # Token and rate budget may take seconds: then everything is looked at once more.
            if reason := self._look.again(self._placement, self._going, now_ns):
                return reason
            self._looked_ns = now_ns
        if not self._counted:
            self._counted = True
            self._ticks.add(self._placement.cause_ns, now_ns)
        return ""

    def release(self) -> None:
        """The intents are durable: a last look drops what is no longer right, the rest leaves."""
        if self._over:
            return
        now_ns = self._looked_ns = self._look.clock.now_ns()
        orders, going = self._placement.orders, []
        for approved in orders:
            reason = self._look.of(self._placement, approved, now_ns)
            if self._place is None:
                reason = "observe mode"
            if reason:  # of a resend, too: it may be sent again later
                self._outbound.tell(PlaceNotSent(approved.order.external_id, reason))
            else:
                going.append(approved)
        if len(going) < len(orders):
            self._open(False)  # what was made ready holds too much
            if not going:
                return
            self._gate = None
        if self._gate is None:
            self._ready(going)
        self._open(True)

    def withhold(self, reason: str) -> None:
        """A placement without an intent in time never leaves: its price is old by now."""
        if self._over:
            return
        self._open(False)
        for approved in self._placement.orders:  # of a resend, too: no answer of it is to come
            self._outbound.tell(PlaceNotSent(approved.order.external_id, reason))

    def _open(self, leaves: bool) -> None:
        if self._gate is not None and not self._gate.done():
            self._gate.set_result(leaves)
