"""What was told of money and not read yet: it counts at once, and a younger read proves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mmbot.domain.fill import Transaction
from mmbot.domain.ids import ExternalId, SportEventId
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.reading import NO_RESULT_YET, Sight
from mmbot.engine.reads import CLOCK_MARGIN_NS, Reads
from mmbot.engine.timers import Timers

SECOND_NS: Final = 1_000_000_000
LOOK_NS: Final = 2_500_000_000  # longer than the margin between the clocks
LOOK_MAX_NS: Final = 60 * SECOND_NS
TOLD_NS: Final = 70 * SECOND_NS  # by then a list of what changed has proven most of it
LAG_MAX_NS: Final = 300 * SECOND_NS  # reads may be so old, and are waited for
ROWS_WAIT_NS: Final = 5 * SECOND_NS  # the message of the same fact comes sooner
UNSYNCED_NS: Final = 30 * SECOND_NS  # a read without `last_synced_at` may be so old
# A fill or a result was undone: which, only the orders of the sport event can tell.
TAKEN_BACK: Final = frozenset({"REFUND", "VOID", "ADJUSTMENT_REDUCE", "ADJUSTMENT_INCREASE"})
RESTART_SPAN_NS: Final = 3_600 * SECOND_NS  # long before its end a process had read it
RESTART_APART_NS: Final = SECOND_NS // 5  # of the orders that are read again after a start


Held = tuple[int, str | None]


@dataclass(slots=True)
class _Look:
    due_ns: int
    wait_ns: int = LOOK_NS


class Proofs:
    """Of orders with fills. What a message says may be older than what we know, or the last that
    we shall ever hear: only a read that is younger than every word of it tells which.
    """

    def __init__(self, orders: Orders, timers: Timers, reads: Reads) -> None:
        self._orders = orders
        self._timers = timers
        self._reads = reads
        self._since_ns: dict[ExternalId, int] = {}  # of the youngest word that was no such read
        self._looks: dict[ExternalId, _Look] = {}  # orders that are not proven
        self._suspects: dict[SportEventId, int] = {}  # since when, the latest word
        self._lag_ns = 0  # how old the last read was when it came

    def held(self, order: Order) -> Held:
        """What a proof is about: the filled cents and the result."""
        return order.filled_cents, self._orders.result_of(order.external_id)

    def see(
        self, was: Held, ident: ExternalId, report: OrderReport, sight: Sight, now_ns: int
    ) -> None:
        """A report was taken in; before it we held `was`."""
        order = self._orders.get(ident)
        if order is None:
            return
        if not (order.filled_cents or report.filled_cents or ident in self._looks):
            return
        held = self.held(order)
        word = None if report.winning_status in NO_RESULT_YET else report.winning_status
        agrees = order.filled_cents == report.filled_cents and (
            not order.filled_cents or word == held[1]
        )
        if sight.channel == "read" and sight.synced_ns is not None:
            self._lag_ns = max(0, self._reads.to_exchange(now_ns) - sight.synced_ns)
        if sight.channel == "read" and self._young(ident, sight, now_ns):
            if agrees:
                self._looks.pop(ident, None)
            else:
                self._look(ident, now_ns + LOOK_NS)
        elif held != was or (sight.channel == "stream" and not agrees):
            self._since_ns[ident] = now_ns
            self._look(ident, now_ns + (TOLD_NS if agrees else LOOK_NS))
        if was[1] not in {None, held[1]}:
            self.suspect(order.event_id, now_ns)  # where one result changes others do

    def doubt(self, ident: ExternalId, now_ns: int) -> None:
        """What we hold of it was derived: have it read."""
        self._since_ns[ident] = now_ns
        self._look(ident, now_ns + LOOK_NS)

    def row(self, row: Transaction, now_ns: int) -> None:
        if row.kind in TAKEN_BACK and row.from_trading:
            self.suspect(SportEventId(row.event_id), now_ns)

    def suspect(self, event_id: SportEventId, now_ns: int) -> None:
        """Something was undone there: of which orders, only they can tell."""
        if event_id not in self._suspects:
            self._timers.at(now_ns + ROWS_WAIT_NS, "proof")
        self._suspects[event_id] = now_ns

    def heard(self, ident: ExternalId, at_ns: int) -> None:
        """A journalled word of an order: whether a read proved it is not kept."""
        self._since_ns[ident] = at_ns

    def restart(self, now_ns: int) -> None:
        """What was heard lately is read again, one after the other."""
        due_ns = now_ns + TOLD_NS
        lately_ns = max(self._since_ns.values(), default=0) - RESTART_SPAN_NS
        for ident, since_ns in self._since_ns.items():
            if since_ns >= lately_ns:
                self._look(ident, due_ns)
                due_ns += RESTART_APART_NS

    def forget(self, ident: ExternalId) -> None:
        self._since_ns.pop(ident, None)
        self._looks.pop(ident, None)

    def fire(self, ident: ExternalId, now_ns: int) -> None:
        if not ident:
            self._read_suspects(now_ns)
            return
        look = self._looks.get(ident)
        if look is None or now_ns < look.due_ns:
            return
        order = self._orders.get(ident)
        if order is None or order.order_id is None:
            del self._looks[ident]
            return
        readable_ns = self._readable_ns(ident)
        if now_ns >= readable_ns:
            self._reads.later(ident, order.order_id, now_ns)
        look.due_ns = max(now_ns + look.wait_ns, readable_ns)
        look.wait_ns = min(LOOK_MAX_NS, look.wait_ns * 2)
        self._timers.at(look.due_ns, "proof", ident)

    def _young(self, ident: ExternalId, sight: Sight, now_ns: int) -> bool:
        since_ns = self._since_ns.get(ident)
        if since_ns is None:
            return True
        if sight.synced_ns is None:
            return now_ns - since_ns >= UNSYNCED_NS
        return sight.synced_ns > self._reads.to_exchange(since_ns) + CLOCK_MARGIN_NS

    def _readable_ns(self, ident: ExternalId) -> int:
        """Before that no read can be young enough, as old as reads are now."""
        lag_ns = min(LAG_MAX_NS, self._lag_ns) + CLOCK_MARGIN_NS + SECOND_NS
        return self._since_ns.get(ident, 0) + lag_ns

    def _look(self, ident: ExternalId, due_ns: int) -> None:
        look = self._looks.get(ident)
        if look is None:
            self._looks[ident] = _Look(due_ns)
        elif due_ns < look.due_ns:
            look.due_ns = due_ns
        else:
            return
        self._timers.at(due_ns, "proof", ident)

    def _read_suspects(self, now_ns: int) -> None:
        events, self._suspects = self._suspects, {}
        for order in self._orders:
            if order.filled_cents and order.event_id in events:
                ident, since_ns = order.external_id, events[order.event_id]
                self._since_ns[ident] = max(self._since_ns.get(ident, 0), since_ns)
                self._look(ident, now_ns)
                self.fire(ident, now_ns)
