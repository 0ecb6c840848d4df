"""Results and money rows: each booked once, whichever channel brings it, however often."""

from __future__ import annotations

from mmbot.domain.entries import SettlementSeen, TransactionBooked
from mmbot.domain.events import TransactionsRead
from mmbot.domain.fill import Transaction
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.outbox import Outbox
from mmbot.engine.reading import NO_RESULT_YET


class Settlement:
    """`pnl_cents` is the sum of the booked rows that come from trading."""

    def __init__(self, orders: Orders, out: Outbox) -> None:
        self._orders = orders
        self._out = out
        self._booked: set[str] = set()
        self.pnl_cents = 0
        self.booked_until_ns = 0  # exchange time of the youngest booked row

    def result(self, order: Order, report: OrderReport, now_ns: int) -> bool:
        """True when the report brings the result of an order with fills for the first time."""
        word = report.winning_status
        if word in NO_RESULT_YET or not order.filled_cents:
            return False
        known = self._orders.result_of(order.external_id)
        if known == word:
            return False
        self._orders.settle(order.external_id, word)
        self._out.note(SettlementSeen(order.external_id, word, now_ns))
        if known is not None:
            detail = f"{order.external_id}: was {known}, now {word}"
            self._out.alarm("result changed", detail, order.event_id)
        return True

    def transactions(self, read: TransactionsRead, now_ns: int) -> None:
        for row in read.rows:
            if self.book(row):
                self._out.note(TransactionBooked(row, now_ns))

    def book(self, row: Transaction) -> bool:
        """False when the row is known; a commit repeated after a failure may hold it twice."""
        if row.transaction_id in self._booked:
            return False
        self._booked.add(row.transaction_id)
        self.booked_until_ns = max(self.booked_until_ns, row.created_ns)
        if row.from_trading:
            self.pnl_cents += row.amount_cents
        return True
