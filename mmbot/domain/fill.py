"""Money that moved: fills of our orders and rows of the exchange's own ledger."""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.domain.ids import ExternalId, OrderId
from mmbot.domain.price import Price


@dataclass(frozen=True, slots=True)
class Fill:
    """The part of an order that filled now; `total_cents` is the order's filled total after."""

    external_id: ExternalId
    price: Price
    stake_cents: int
    total_cents: int


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill as the exchange lists it; 0 cents where the row names no amount."""

    trade_id: str
    order_id: OrderId
    stake_cents: int = 0


@dataclass(frozen=True, slots=True)
class Transaction:
    """One row of the exchange's money ledger; `amount_cents` is signed, our side."""

    transaction_id: str
    kind: str  # TRADE PAY COMMISSION PUSH VOID DEPOSIT ... (legacy BET is read as TRADE)
    amount_cents: int
    trade_id: str = ""
    event_id: int = 0
    market_id: str = ""
    created_ns: int = 0
    balance_cents: int | None = None  # after this row, where the exchange tells it

    @property
    def from_trading(self) -> bool:
        """Whether it counts as profit; a settlement is taken back by adjustments that do."""
        if self.kind in ADJUSTMENTS:
            return bool(self.trade_id or self.event_id or self.market_id)
        return self.kind not in PAYMENTS


PAYMENTS = frozenset({"DEPOSIT", "WITHDRAW", "REJECT_WITHDRAW", "APPROVE_WITHDRAW"})
ADJUSTMENTS = frozenset({"ADJUSTMENT_REDUCE", "ADJUSTMENT_INCREASE"})
