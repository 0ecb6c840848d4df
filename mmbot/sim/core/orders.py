"""Orders, accounts and fills as the exchange keeps them; money in integer cents."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, Literal

# what is made with every order or fill and read more often than changed is a Struct: it is made
# in a third of the time of a dataclass
from msgspec import Struct

from mmbot.sim.core.lifecycle import Line, Strike
from mmbot.sim.core.prices import profit_cents
from mmbot.sim.core.shelf import Shelf

Status = Literal[
    "inactive",
    "open",
    "invalid",
    "canceled",
    "wiped",
    "void",
    "settled",
    "manually_settled",
    "closed",
]
Strategy = Literal["", "ALO", "fillOrKill", "take"]
INSUFFICIENT: Final = "insufficient_funds"  # the reason of an order that nobody can pay


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


@dataclass(slots=True, eq=False)
class Order:
    """One order; `counter_cents` is what others staked against its filled part."""

    order_id: str
    number: int
    account: Account
    request: OrderRequest
    line: Line
    strike: Strike
    created_ns: int
    updated_ns: int
    quantity_cents: int
    open_cents: int
    price: int
    side: int
    status: Status = "inactive"
    filled_cents: int = 0
    counter_cents: int = 0
    winning_status: str = "tbd"
    rest_canceled: bool = False
    reserved: bool = False
    profit_floor: bool = False
    reason: str = ""
    opened_ns: int = 0
    delayed_until_ns: int = 0
    settled_ns: int = 0
    fill_price: int = 0
    fills: list[Fill] | None = None
    history: list[tuple[int, str]] | None = None  # when what happened; kept by the record

    @property
    def alive(self) -> bool:
        """Whether it may still trade: nothing stays open in an order that has ended."""
        return self.open_cents > 0

    @property
    def matching_status(self) -> str:
        return matching_status(self.filled_cents, self.open_cents)

    @property
    def profit_cents(self) -> int:
        """What the whole order would win."""
        return profit_cents(self.price, self.quantity_cents, floor=self.profit_floor)

    @property
    def standing(self) -> list[Fill]:
        """Its fills that were not taken back."""
        return [fill for fill in self.fills or () if not fill.busted_ns]


class OrderNews(Struct, frozen=True, gc=False):
    """An order as it was at one moment; `taken_cents` is what this very fill took, or 0."""

    order: Order
    at_ns: int
    sequence: int
    taken_cents: int
    status: Status
    winning_status: str
    open_cents: int
    filled_cents: int
    quantity_cents: int
    fill_price: int


def matching_status(filled_cents: int, open_cents: int) -> str:
    if filled_cents == 0:
        return "unmatched"
    return "partially_matched" if open_cents else "fully_matched"


class Fill(Struct, eq=False):
    """One match: the taker's and the maker's stake make the pot, until it is taken back."""

    fill_id: str
    at_ns: int
    taker: Order
    maker: Order
    taker_price: int
    maker_price: int
    taker_cents: int
    maker_cents: int
    busted_ns: int = 0

    def stakes(self, order: Order) -> tuple[int, int]:
        """What the given order staked, and what the other one staked against it."""
        if order is self.maker:
            return self.maker_cents, self.taker_cents
        return self.taker_cents, self.maker_cents


class Transaction(Struct, frozen=True, gc=False):
    """One movement of cash; `balance_cents` is the cash after it."""

    number: int
    kind: str
    amount_cents: int
    balance_cents: int
    at_ns: int
    trade_id: str
    event_id: int
    market_id: int


@dataclass(slots=True)
class Position:
    """What an account holds on one line: per side its stakes, and the stakes against them."""

    line: Line
    staked: list[int] = field(default_factory=lambda: [0, 0])
    counter: list[int] = field(default_factory=lambda: [0, 0])
    settled: bool = False

    def locked_cents(self) -> int:
        return self.staked[0] + self.staked[1]

    def worst_cents(self) -> int:
        """The profit in the worse outcome, at most zero."""
        first = self.counter[0] - self.staked[1]
        return min(0, first, self.counter[1] - self.staked[0])

    def add(self, side: int, staked: int, counter: int) -> None:
        self.staked[side] += staked
        self.counter[side] += counter


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
    lent_cents: int = 0
    credit_cents: int = 0
    delayed_orders: int = 0
    orders: Shelf = field(default_factory=Shelf)
    # what may still trade, by strike and by id
    at_strike: defaultdict[str, dict[str, Order]] = field(default_factory=lambda: defaultdict(dict))
    filled: dict[str, Order] = field(default_factory=dict)
    positions: dict[int, Position] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)

    @property
    def alive(self) -> dict[str, Order]:
        """What may still trade, by id, in the order in which it came."""
        found = [order for mine in self.at_strike.values() for order in mine.values()]
        found.sort(key=attrgetter("number"))
        return {order.order_id: order for order in found}

    def find(self, order_id: str) -> Order | None:
        """An order of its own; of the box's own traders only what may still trade."""
        return self.alive.get(order_id) if self.internal else self.orders.get(order_id)
