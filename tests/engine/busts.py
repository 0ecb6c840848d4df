"""Fills taken back, in short words: what is told, read and booked of them."""

from __future__ import annotations

from dataclasses import replace

from mmbot.domain.entries import Entry, FillReversed
from mmbot.domain.events import TransactionsRead
from mmbot.domain.fill import Transaction
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.ledger import Ledger
from tests.builders import (
    EVENT,
    MARKET,
    NOW,
    SECOND,
    a_report,
    a_row,
    an_open_order,
    an_order,
    seen,
)

LATE = NOW + 60 * SECOND


def bust_row(ident: str, cents: int, kind: str = "REFUND") -> Transaction:
    return a_row(ident, cents, kind, trade_id=f"t-{ident}", event_id=EVENT, market_id=str(MARKET))


def filled_order(ledger: Ledger, cents: int = 100_00) -> Order:
    order = an_open_order(ledger)
    ledger.apply(seen(a_report(order, filled=cents)), NOW)
    ledger.drain()
    return order


def told(ledger: Ledger, report: OrderReport, at_ns: int = LATE) -> None:
    ledger.apply(seen(report, "stream", at_ns), at_ns)


def read(ledger: Ledger, report: OrderReport, at_ns: int = LATE, lag_s: int = 0) -> None:
    ledger.apply(seen(report, "read", at_ns, at_ns - lag_s * SECOND), at_ns)


def money(ledger: Ledger, *rows: Transaction, at_ns: int = LATE) -> None:
    ledger.apply(TransactionsRead(rows, 0, at_ns, at_ns), at_ns)


def filled(ledger: Ledger, order: Order) -> int:
    found = ledger.order(order.external_id)
    assert found is not None
    return found.filled_cents


def void(order: Order, left: int = 0) -> OrderReport:
    status = "open" if left else "void"
    result = "tbd" if left else "no_result"
    report = a_report(order, filled=left, status=status, winning_status=result)
    return replace(report, open_cents=0)


def reversals(entries: tuple[Entry, ...]) -> list[FillReversed]:
    return [entry for entry in entries if isinstance(entry, FillReversed)]


def an_open_order_noted(ledger: Ledger, journal: list[Entry]) -> Order:
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    ledger.apply(seen(a_report(order)), NOW)
    journal.extend(ledger.drain().entries)
    return order
