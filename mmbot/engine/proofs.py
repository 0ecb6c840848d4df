"""What was told of money and not read yet: it counts at once, and a younger read proves it."""

from __future__ import annotations

from collections.abc import Callable
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
ROWS_WAIT_NS: Final = 5 * SECOND_NS  # the message of the same fact comes sooner
TOGETHER_NS: Final = 5 * SECOND_NS  # what one row or result shows happened to all that it touches
# A fill or a result was undone: which, only the orders of the sport event can tell.
REFUND: Final = "REFUND"
TAKEN_BACK: Final = frozenset({REFUND, "VOID", "ADJUSTMENT_REDUCE", "ADJUSTMENT_INCREASE"})
RESTART_SPAN_NS: Final = 3_600 * SECOND_NS  # long before its end a process had read it
LEFT_OUT_NS: Final = 300 * SECOND_NS  # a list may leave one out: what it did not name is read
LISTS_MAX: Final = 4  # asked for after one suspicion; then singly
SINGLY_MAX: Final = 5  # so few orders are not worth a list
APART_NS: Final = SECOND_NS // 5  # of orders that are read one after the other


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
        self._until_ns: dict[ExternalId, int] = {}  # what happened before is proven, by a read
        self._looks: dict[ExternalId, _Look] = {}  # orders that are not proven
        self._suspects: dict[SportEventId, int] = {}  # since when, the latest word
        # Proven before something was undone near them: unless a list of what changed since names
        # them, they probably still are.
        self._near: set[ExternalId] = set()
        self._believed: set[ExternalId] = set()  # no list named these: read once more, later
        self._singly: set[SportEventId] = set()  # of these, those that no list tells
        self._lists = 0  # asked for since
        self.ask_changes: Callable[[int], None] = _nobody

    @property
    def waiting(self) -> int:
        """Orders that are not proven."""
        return len(self._looks)

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
        if not agrees and (ident in self._near or ident in self._believed):
            self._told(ident)
            self._look(ident, now_ns + LOOK_NS)
        if sight.channel == "read" and self._young(ident, sight, now_ns):
            if agrees:
                self._read(ident, sight, now_ns)
            else:
                self._look(ident, now_ns + LOOK_NS)
        elif held != was or (sight.channel == "stream" and not agrees):
            self._told(ident)
            self._since_ns[ident] = now_ns
            self._look(ident, now_ns + (TOLD_NS if agrees else LOOK_NS))
        if was[1] not in {None, held[1]}:
            # Where one result changes others do.
            self.suspect(order.event_id, sight.synced_ns, now_ns)

    def unchanged(self, ident: ExternalId | None, sight: Sight, now_ns: int) -> None:
        """A row of a list agrees with all that we hold of an order."""
        if ident is not None and ident in self._looks and self._young(ident, sight, now_ns):
            self._read(ident, sight, now_ns)

    def listed(self, synced_ns: int, now_ns: int) -> None:
        """A list of all that changed since the one before was taken in, as of `synced_ns`."""
        due_ns = now_ns + LEFT_OUT_NS
        for ident in tuple(self._near):
            if synced_ns > self._reads.to_exchange(self._since_ns[ident]) + CLOCK_MARGIN_NS:
                self._proven(ident)
                self._believed.add(ident)
                self._look(ident, due_ns)
                due_ns += APART_NS
        if self._near and self._lists < LISTS_MAX:
            self._timers.at(now_ns + ROWS_WAIT_NS, "proof")

    def doubt(self, ident: ExternalId, now_ns: int) -> None:
        """What we hold of it was derived: have it read."""
        self._told(ident)
        self._since_ns[ident] = now_ns
        self._look(ident, now_ns + LOOK_NS)

    def row(self, row: Transaction, now_ns: int) -> None:
        if row.kind in TAKEN_BACK and row.from_trading:
            self.suspect(SportEventId(row.event_id), row.created_ns, now_ns, row.kind == REFUND)

    def differs(self, event_id: SportEventId, now_ns: int) -> None:
        """The rows of a market say otherwise than what we hold: whatever it was, they show it."""
        self.suspect(event_id, self._reads.booked_until_ns, now_ns)

    def suspect(
        self, event_id: SportEventId, by_ns: int | None, now_ns: int, singly: bool = False
    ) -> None:
        """Something was undone there: of which orders, only they can tell.

        `by_ns`: it had happened by then (exchange time); None: by now. Rows and reads lag alike, so
        that reads are young enough when the row comes. `singly`: surely a fill of ours, and no list
        is trusted to name it.
        """
        if singly:
            self._singly.add(event_id)
        if event_id not in self._suspects:
            self._timers.at(now_ns + ROWS_WAIT_NS, "proof")
        since_ns = min(now_ns, self._reads.to_ours(by_ns) + TOGETHER_NS) if by_ns else now_ns
        self._suspects[event_id] = max(since_ns, self._suspects.get(event_id, 0))

    def heard(self, ident: ExternalId, at_ns: int) -> None:
        """A journalled word of an order: whether a read proved it is not kept."""
        self._since_ns[ident] = at_ns

    def restart(self, now_ns: int) -> None:
        """What was heard lately is read again, one after the other; heard by now, whatever the
        clock of the former process said."""
        for ident, since_ns in self._since_ns.items():
            self._since_ns[ident] = min(since_ns, now_ns)
        due_ns = now_ns + TOLD_NS
        lately_ns = max(self._since_ns.values(), default=0) - RESTART_SPAN_NS
        for ident, since_ns in self._since_ns.items():
            if since_ns >= lately_ns:
                self._look(ident, due_ns)
                due_ns += APART_NS

    def forget(self, ident: ExternalId) -> None:
        self._since_ns.pop(ident, None)
        self._until_ns.pop(ident, None)
        self._proven(ident)

    def _read(self, ident: ExternalId, sight: Sight, now_ns: int) -> None:
        """A read that is young enough shows what we hold."""
        shown_ns = self._reads.shown_ns(sight.synced_ns, now_ns)
        self._until_ns[ident] = max(shown_ns, self._until_ns.get(ident, 0))
        self._proven(ident)

    def _proven(self, ident: ExternalId) -> None:
        self._looks.pop(ident, None)
        self._told(ident)

    def _told(self, ident: ExternalId) -> None:
        """No longer is it only near to something: there is a word of its own."""
        self._near.discard(ident)
        self._believed.discard(ident)

    def fire(self, ident: ExternalId, now_ns: int) -> None:
        if not ident:
            self._read_suspects(now_ns)
            self._list_near(now_ns)
            return
        look = self._looks.get(ident)
        if look is None or now_ns < look.due_ns:
            return
        order = self._orders.get(ident)
        if order is None or order.order_id is None:
            self._proven(ident)
            return
        readable_ns = self._readable_ns(ident)
        if now_ns >= readable_ns:
            self._reads.later(ident, order.order_id, now_ns)
        look.due_ns = max(now_ns + look.wait_ns, readable_ns)
        look.wait_ns = min(LOOK_MAX_NS, look.wait_ns * 2)
        self._timers.at(look.due_ns, "proof", ident)

    def _young(self, ident: ExternalId, sight: Sight, now_ns: int) -> bool:
        return self._since_ns.get(ident, 0) < self._reads.shown_ns(sight.synced_ns, now_ns)

    def _readable_ns(self, ident: ExternalId) -> int:
        return self._reads.young_ns(self._since_ns.get(ident, 0))

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
        """Where many orders are near, a list tells which were meant, and it proves the others."""
        events, self._suspects = self._suspects, {}
        if not events:
            return
        near = [o for o in self._orders if o.filled_cents and self._touched(o, events)]
        many, alone = len(near) > SINGLY_MAX, self._singly
        self._lists, self._singly = 0, set()
        for order in near:
            ident, since_ns = order.external_id, events[order.event_id]
            self._since_ns[ident] = max(self._since_ns.get(ident, 0), since_ns)
            if not many or order.event_id in alone:
                self._look(ident, now_ns)
                self.fire(ident, now_ns)
                continue
            if ident not in self._looks or ident in self._believed:
                self._near.add(ident)
            # What was told before is proven by the row of such a list, or else when it is due.
            self._look(ident, now_ns + TOLD_NS + self._reads.lag_ns)

    def _touched(self, order: Order, events: dict[SportEventId, int]) -> bool:
        """Unless it was read since."""
        since_ns = events.get(order.event_id)
        return since_ns is not None and since_ns >= self._until_ns.get(order.external_id, 0)

    def _list_near(self, now_ns: int) -> None:
        """Ask for what changed, as soon as a list can be young enough."""
        if not self._near or self._lists >= LISTS_MAX:
            return
        due_ns = max(map(self._readable_ns, self._near))
        if now_ns < due_ns:
            self._timers.at(due_ns, "proof")
            return
        self._lists += 1
        self.ask_changes(now_ns)


def _nobody(now_ns: int) -> None:
    """No list can be asked for; each order is read when its time comes."""
