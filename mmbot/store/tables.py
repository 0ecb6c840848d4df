"""What other processes read out of the journal: the entries folded into rows.

Nothing but entries is written on the way of an order; what can be derived is derived on reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict, assert_never

from mmbot.domain.difference import DifferenceFound
from mmbot.domain.entries import (
    BalanceNoted,
    BreakerTripped,
    CaseClosed,
    CaseOpened,
    EdgeNoted,
    Entry,
    FillDisputed,
    FillReversed,
    OperatorNoted,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
    TransactionBooked,
)
from mmbot.domain.notes import IdExists, ManualSeen, RequestAnswered, RequestSent, ResendDecided


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
            case FillReversed():
                row = rows[entry.external_id]
                row["state"] = str(entry.state)
                row["filled_cents"] = entry.filled_cents
            case SettlementSeen() | TransactionBooked() | RunStarted() | OperatorNoted():
                pass
            case FillDisputed() | BalanceNoted() | CaseOpened() | CaseClosed() | DifferenceFound():
                pass
            case RequestSent() | RequestAnswered() | ResendDecided() | IdExists() | ManualSeen():
                pass
            case BreakerTripped() | EdgeNoted():
                pass
            case _:
                assert_never(entry)
    return list(rows.values())


def pnl_cents(entries: Iterable[Entry]) -> int:
    """The cash that trading made: the booked rows, each once, or what the balance says instead."""
    booked: dict[str, int] = {}
    instead: int | None = None
    for entry in entries:
        match entry:
            case TransactionBooked(row) if row.from_trading:
                booked[row.transaction_id] = row.amount_cents
            case BalanceNoted(_, cents, why) if why != "opening":
                instead = cents if why == "instead of rows" else None
            case _:
                pass
    return sum(booked.values()) if instead is None else instead
