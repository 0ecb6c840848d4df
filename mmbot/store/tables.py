"""What other processes read out of the journal: the entries folded into rows.

Nothing but entries is written on the way of an order; what can be derived is derived on reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict, assert_never

from mmbot.domain.entries import (
    Entry,
    OperatorNoted,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
    TransactionBooked,
)


class OrderRow(TypedDict):
    """An order as the witness and `mmbot orders` want it."""

    external_id: str
    order_id: str
    strike_id: str
    price: int
    quantity_cents: int
    filled_cents: int
    state: str


def orders(entries: Iterable[Entry]) -> list[OrderRow]:
    """Every order, in the order of its intent, as its last step left it."""
    rows: dict[str, OrderRow] = {}
    for entry in entries:
        match entry:
            case PlaceIntended(order):
                rows[order.external_id] = OrderRow(
                    external_id=order.external_id,
                    order_id=order.order_id or "",
                    strike_id=order.strike_id,
                    price=order.price,
                    quantity_cents=order.quantity_cents,
                    filled_cents=order.filled_cents,
                    state=str(order.state),
                )
            case OrderStepped():
                row = rows[entry.external_id]
                row["state"] = str(entry.state)
                row["filled_cents"] = entry.filled_cents
                row["order_id"] = entry.order_id
            case SettlementSeen() | TransactionBooked() | RunStarted() | OperatorNoted():
                pass
            case _:
                assert_never(entry)
    return list(rows.values())


def pnl_cents(entries: Iterable[Entry]) -> int:
    """Sum of the booked money rows that come from trading, each row once."""
    booked = {e.row.transaction_id: e.row for e in entries if isinstance(e, TransactionBooked)}
    return sum(row.amount_cents for row in booked.values() if row.from_trading)
