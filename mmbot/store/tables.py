"""The tables that other processes read, kept current in the same commit as the entries."""

from __future__ import annotations

import sqlite3
from typing import assert_never

from mmbot.domain.entries import (
    Entry,
    OperatorNoted,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
    TransactionBooked,
)

INTENT = """
    INSERT OR REPLACE INTO orders (external_id, account, order_id, event_id, market_id, line_id,
        strike_id, side, price, quantity_cents, filled_cents, state, owner, intended_ns,
        changed_ns)
    VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
"""
STEP = """
    UPDATE orders SET state = ?, filled_cents = ?, order_id = ?, changed_ns = ?, evidence = ?
    WHERE external_id = ?
"""
SETTLED = "UPDATE orders SET winning_status = ?, changed_ns = ? WHERE external_id = ?"
BOOKED = "INSERT OR IGNORE INTO transactions VALUES (?,?,?,?,?,?,?)"


def follow(cursor: sqlite3.Cursor, account: str, entry: Entry) -> None:
    match entry:
        case PlaceIntended(order):
            row = (
                order.external_id,
                account,
                order.order_id or "",
                order.event_id,
                order.market_id,
                order.line_id,
                order.strike_id,
                order.side,
                order.price,
                order.quantity_cents,
                order.filled_cents,
                str(order.state),
                order.owner,
                order.intended_ns,
                order.intended_ns,
            )
            cursor.execute(INTENT, row)
        case OrderStepped():
            cursor.execute(
                STEP,
                (
                    str(entry.state),
                    entry.filled_cents,
                    entry.order_id,
                    entry.at_ns,
                    entry.evidence,
                    entry.external_id,
                ),
            )
        case SettlementSeen(ident, winning_status, at_ns):
            cursor.execute(SETTLED, (winning_status, at_ns, ident))
        case TransactionBooked(row):
            cursor.execute(
                BOOKED,
                (
                    account,
                    row.transaction_id,
                    row.kind,
                    row.amount_cents,
                    row.trade_id,
                    row.event_id,
                    row.created_ns,
                ),
            )
        case RunStarted() | OperatorNoted():
            pass
        case _:
            assert_never(entry)
