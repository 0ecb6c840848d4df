"""Trades as the exchange lists them: a fill that nobody told of shows here."""

from __future__ import annotations

from typing import Final

from mmbot.domain.commands import ReadTrades
from mmbot.domain.events import TradesRead
from mmbot.domain.fill import Trade
from mmbot.domain.ids import ExternalId, OrderId
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.manual import ManualOrders
from mmbot.engine.outbox import Outbox
from mmbot.engine.reads import Reads
from mmbot.engine.reconcile import Reconciliation

SECOND_NS: Final = 1_000_000_000
SPAN_MAX_NS: Final = 24 * 3_600 * SECOND_NS  # older fills show in the totals of their orders
OVERLAP_NS: Final = 120 * SECOND_NS  # rows may be written late: ids make it idempotent
TRADES_KEPT_MAX: Final = 100_000
ORDERS_KEPT_MAX: Final = 100_000


class Trades:
    """Only asks for reads of orders: a row alone changes nothing, since many name no amount."""

    def __init__(
        self,
        orders: Orders,
        out: Outbox,
        manual: ManualOrders,
        reads: Reads,
        reconcile: Reconciliation,
    ) -> None:
        self._orders = orders
        self._out = out
        self._manual = manual
        self._reads = reads
        self._reconcile = reconcile
        self._known: dict[str, None] = {}
        self._traded_cents: dict[OrderId, int] = {}
        self._from_ns: int | None = None  # exchange time: what came before is compared

    def read(self, read: TradesRead, now_ns: int) -> None:
        for row in read.rows:
            if row.trade_id not in self._known:
                self._known[row.trade_id] = None
                self._see(row, now_ns)
        self._from_ns = self._reads.to_exchange(read.asked_ns) - OVERLAP_NS
        while len(self._known) > TRADES_KEPT_MAX:  # the oldest: they are not read again
            del self._known[next(iter(self._known))]
        while len(self._traded_cents) > ORDERS_KEPT_MAX:
            del self._traded_cents[next(iter(self._traded_cents))]

    def begin(self, from_ns: int) -> None:
        """At a start: from then on (exchange time); after a gap the last read knows better."""
        if self._from_ns is None:
            self._from_ns = from_ns

    def ask(self, now_ns: int) -> None:
        """What came since the last read."""
        oldest_ns = self._reads.to_exchange(now_ns) - SPAN_MAX_NS
        self._out.ask(ReadTrades(max(self._from_ns or 0, oldest_ns)))

    def _see(self, row: Trade, now_ns: int) -> None:
        ident = row.order_id
        total = self._traded_cents[ident] = self._traded_cents.get(ident, 0) + row.stake_cents
        order = self._orders.by_order_id(ident)
        if order is not None:
            if max(total, 1) > order.filled_cents:
                self._reconcile.traded(order.external_id)
                self._reads.later(order.external_id, ident, now_ns)
        elif max(total, 1) > self._manual.filled_cents(ident):
            self._reads.later(ExternalId(ident), ident, now_ns)  # whose it is, the read tells
