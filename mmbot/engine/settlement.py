"""Results and money rows: each booked once, whichever channel brings it, however often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mmbot.domain.entries import SettlementSeen, TransactionBooked
from mmbot.domain.events import TransactionsRead
from mmbot.domain.fill import Transaction
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.outbox import Outbox
from mmbot.engine.reading import NO_RESULT_YET, Sight
from mmbot.engine.reads import CLOCK_MARGIN_NS, Reads

TAKEN_BACK: Final = "tbd"  # as the exchange says that there is no result
UNSYNCED_NS: Final = 30_000_000_000  # a read without `last_synced_at` may be so old


class Settlement:
    def __init__(
        self,
        orders: Orders,
        out: Outbox,
        reads: Reads,
        on_row: Callable[[Transaction], None],
    ) -> None:
        self._orders = orders
        self._out = out
        self._reads = reads
        self._on_row = on_row
        self._booked: set[str] = set()
        self._seen_ns: dict[ExternalId, int] = {}  # when each result was seen, by our clock

    def result(self, order: Order, report: OrderReport, sight: Sight, now_ns: int) -> bool:
        """True when the report brings the result of an order with fills for the first time."""
        word = report.winning_status
        known = self._orders.result_of(order.external_id)
        if known is not None and word != known:
            return self._changed(order, known, word, sight, now_ns)
        if known is not None or word in NO_RESULT_YET or not order.filled_cents:
            return False
        self.see(order.external_id, word, now_ns)
        self._out.note(SettlementSeen(order.external_id, word, now_ns))
        return True

    def see(self, ident: ExternalId, word: str, at_ns: int) -> None:
        """A result, or that there is none any more."""
        if word in NO_RESULT_YET:
            self._orders.unsettle(ident)
            self._seen_ns.pop(ident, None)
        else:
            self._orders.settle(ident, word)
            self._seen_ns[ident] = at_ns

    def restart(self, now_ns: int) -> None:
        """Seen by now, whatever the clock of the former process told: no read is younger than the
        future, and a result taken back would never be believed."""
        for ident, seen_ns in self._seen_ns.items():
            self._seen_ns[ident] = min(seen_ns, now_ns)

    def forget(self, ident: ExternalId) -> None:
        self._seen_ns.pop(ident, None)

    def _changed(self, order: Order, known: str, word: str, sight: Sight, now_ns: int) -> bool:
        """Another result, or none: an older image, or the truth; a read that is younger says.

        True when there is a new result.
        """
        ident = order.external_id
        if sight.channel != "read" or not self._younger(ident, sight, now_ns):
            return False
        none = word in NO_RESULT_YET
        word = TAKEN_BACK if none else word
        self.see(ident, word, now_ns)
        self._out.note(SettlementSeen(ident, word, now_ns))
        what = "result taken back" if none else "result changed"
        self._out.alarm(what, f"{ident}: was {known}, now {word}", order.event_id)
        return not none

    def _younger(self, ident: ExternalId, sight: Sight, now_ns: int) -> bool:
        seen_ns = self._seen_ns[ident]
        if sight.synced_ns is None:
            return now_ns - seen_ns >= UNSYNCED_NS
        return sight.synced_ns > self._reads.to_exchange(seen_ns) + CLOCK_MARGIN_NS

    def transactions(self, read: TransactionsRead, now_ns: int) -> list[Transaction]:
        """Books what is new of it, and returns that."""
        new = [row for row in read.rows if self.book(row)]
        for row in new:
            self._out.note(TransactionBooked(row, now_ns))
        return new

    def book(self, row: Transaction) -> bool:
        """False when the row is known; a commit repeated after a failure may hold it twice."""
        if row.transaction_id in self._booked:
            return False
        self._booked.add(row.transaction_id)
        self._reads.booked_until_ns = max(self._reads.booked_until_ns, row.created_ns)
        self._on_row(row)
        return True
