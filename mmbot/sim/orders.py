"""Orders, accounts and fills as the exchange keeps them; money in integer cents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mmbot.sim.lifecycle import Line, Strike
from mmbot.sim.prices import profit_cents

Status = Literal["inactive", "open", "invalid", "canceled", "wiped", "void", "settled", "closed"]
Strategy = Literal["", "ALO", "fillOrKill", "take"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A named refusal of the error table."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A submission after its form was checked."""

    external_id: str
    strike_id: str
    price: int
    quantity_cents: int
    strategy: Strategy = ""


@dataclass(slots=True)
class Order:
    """One order; `counter_cents` is what others staked against its filled part."""

    order_id: str
    number: int
    account: Account
    request: OrderRequest
    line: Line
    strike: Strike
    created_ns: int
    open_cents: int
    filled_cents: int = 0
    counter_cents: int = 0
    status: Status = "inactive"
    winning_status: str = "tbd"
    rest_canceled: bool = False
    opened_ns: int = 0
    updated_ns: int = 0

    @property
    def price(self) -> int:
        return self.request.price

    @property
    def alive(self) -> bool:
        return self.open_cents > 0 and self.status in ("inactive", "open")

    @property
    def matching_status(self) -> str:
        if self.filled_cents == 0:
            return "unmatched"
        return "partially_matched" if self.open_cents else "fully_matched"

    @property
    def profit_cents(self) -> int:
        return profit_cents(self.request.price, self.request.quantity_cents)


@dataclass(frozen=True, slots=True)
class Fill:
    """One match: the taker's and the maker's stake make the pot."""

    fill_id: str
    at_ns: int
    taker: Order
    maker: Order
    taker_price: int
    maker_price: int
    taker_cents: int
    maker_cents: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """One movement of cash; `balance_cents` is the cash after it."""

    number: int
    kind: str
    amount_cents: int
    balance_cents: int
    at_ns: int
    trade_id: str
    event_id: int
    market_id: int


@dataclass(slots=True, eq=False)
class Account:
    """An account of the exchange; internal ones belong to the box's own traders."""

    user_id: str
    name: str
    cash_cents: int
    internal: bool = False
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    start_cents: int = 0
    resting_cents: int = 0
    matched_cents: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    by_external: dict[str, Order] = field(default_factory=dict)
    alive: dict[str, Order] = field(default_factory=dict)
    filled: dict[str, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
