"""Books: what we hold and what the exchange booked, per market and strike; a pure fold."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mmbot.domain.fill import Transaction
from mmbot.domain.ids import LineId, StrikeId
from mmbot.domain.order import Order
from mmbot.domain.price import profit_cents

ROWS_SHOWN_MAX: Final = 6  # ids of the youngest rows, as evidence of a case
MONEY_BACK: Final = frozenset({"no_result", "push", "draw"})  # results that give the stake back
LOST: Final = frozenset({"loss", "lost"})
WON: Final = frozenset({"profit", "won"})
FEE_MAX_BPS: Final = 500  # no schedule that was ever seen takes more of a win
BETTER_MAX: Final = 100  # a taker may win more than its limit says: up to +10000

Place = tuple[int, str]  # sport event and market


@dataclass(frozen=True, slots=True)
class Share:
    """One order's part of the books: stakes, those without a result, and what is to be paid.

    What a fill wins is known to its rounding only, hence two figures.
    """

    filled_cents: int = 0
    waiting_cents: int = 0
    paid_low_cents: int = 0
    paid_high_cents: int = 0

    def minus(self, other: Share) -> Share:
        return Share(
            self.filled_cents - other.filled_cents,
            self.waiting_cents - other.waiting_cents,
            self.paid_low_cents - other.paid_low_cents,
            self.paid_high_cents - other.paid_high_cents,
        )

    def plus(self, other: Share) -> Share:
        return self.minus(NO_SHARE.minus(other))


NO_SHARE: Final = Share()


def share_of(order: Order, winning_status: str | None) -> Share:
    filled = order.filled_cents
    if not filled:
        return NO_SHARE
    if winning_status is None:
        return Share(filled, filled)
    return Share(filled, 0, *_paid(order, winning_status))


def _paid(order: Order, word: str) -> tuple[int, int]:
    """Least and most that the exchange pays on this result, before its fee."""
    stake = order.filled_cents
    pot = stake + profit_cents(order.price, stake)
    most = pot if order.order_strategy == "ALO" else stake * (1 + BETTER_MAX)
    if word in LOST:
        return 0, 0
    if word in MONEY_BACK:
        return stake, stake
    if word in WON:
        return pot, most
    if word == "manually_won":  # a dead heat pays half of the pot to either side
        return pot // 2, most
    if word == "manually_lost":
        return 0, (most + 1) // 2
    return 0, most  # a word that nobody has seen


@dataclass(slots=True)
class Market:
    """One market: our shares per strike, and the exchange's rows by kind."""

    shares: dict[StrikeId, Share] = field(default_factory=dict)
    lines: dict[StrikeId, LineId] = field(default_factory=dict)
    total: Share = NO_SHARE
    tick_cents: int = 0  # what the rounding of one fill can be worth
    rows: Counter[str] = field(default_factory=Counter)
    fills_count: int = 0  # rows that took the stake of a fill
    reserved_cents: int = 0  # taken at the placement already, and not given back
    row_ids: deque[str] = field(default_factory=lambda: deque(maxlen=ROWS_SHOWN_MAX))

    @property
    def net_cents(self) -> int:
        return sum(self.rows.values())

    def adds_up(self, change: Share) -> bool:
        """Whether the rows and our fills would agree after that change."""
        least, most = self.expected_cents(change)
        return least <= self.net_cents <= most

    @property
    def fees_cents(self) -> int:
        """As booked; a fee given back with a settlement stands among the adjustments."""
        return -self.rows["COMMISSION"]

    def expected_cents(self, change: Share = NO_SHARE) -> tuple[int, int]:
        """Least and most that the sum of its rows can be, by our fills and their results; or by
        what they would be after a change."""
        total = self.total.plus(change)
        if total.waiting_cents == total.filled_cents:
            least = most = -total.filled_cents
        else:
            slack = self.tick_cents * max(1, self.fills_count)
            most = total.paid_high_cents - total.filled_cents + slack
            fee = max(0, total.paid_high_cents) * FEE_MAX_BPS // 10_000
            least = total.paid_low_cents - total.filled_cents - slack - fee
        return least - max(0, self.reserved_cents - total.filled_cents), most

    @property
    def realised_cents(self) -> int:
        """What results have made: as the rows say, within what our fills and results explain, so
        that a row that is late, or never comes, makes no loss of a profit."""
        least, most = self.expected_cents()
        back = max(0, self.reserved_cents - self.total.filled_cents)  # of what has not filled
        return min(max(self.net_cents, least) + back, most) + self.total.waiting_cents


def _untold(_: Order, __: Share) -> None:
    """Nobody counts them."""


class Books:
    """Changed by fills, results and rows alone, so that a replay makes the same books."""

    def __init__(self) -> None:
        self.markets: dict[Place, Market] = {}
        self.touched: set[Place] = set()  # since somebody last looked
        self._realised: dict[Place, int] = {}
        self._realised_cents = 0
        self._changed: set[Place] = set()
        self.filled_cents = 0
        self.unplaced = False  # a row of a fill that names no market
        self.told: Callable[[Order, Share], None] = _untold  # each change of an order of ours

    def change(self, order: Order, change: Share) -> None:
        """The share of an order changed by so much."""
        place = place_of(order)
        market = self._at(place)
        held = market.shares.get(order.strike_id, NO_SHARE).plus(change)
        market.shares[order.strike_id] = held
        market.lines[order.strike_id] = order.line_id
        market.total = market.total.plus(change)
        market.tick_cents = max(market.tick_cents, 2 + profit_cents(order.price, 100) // 100)
        self.filled_cents += change.filled_cents
        self.told(order, change)

    def book(self, row: Transaction) -> None:
        """A row of the exchange, once each, in the order in which they are journalled."""
        if not row.from_trading:
            return
        if not row.event_id or not row.market_id:
            self.unplaced = self.unplaced or row.kind == "TRADE"
        market = self._at((row.event_id, row.market_id))
        market.rows[row.kind] += row.amount_cents
        market.row_ids.append(row.transaction_id)
        if row.kind == "TRADE" and row.trade_id:
            market.fills_count += 1
        elif row.kind in {"TRADE", "CANCEL"} and not row.trade_id:
            market.reserved_cents -= row.amount_cents

    @property
    def fees_cents(self) -> int:
        return sum(market.fees_cents for market in self.markets.values())

    @property
    def waiting_cents(self) -> int:
        """Stakes that wait for a result."""
        return sum(market.total.waiting_cents for market in self.markets.values())

    @property
    def realised_cents(self) -> int:
        """What results have made on all markets, without payments of the account's owner."""
        for place in self._changed:
            made = self.markets[place].realised_cents
            self._realised_cents += made - self._realised.get(place, 0)
            self._realised[place] = made
        self._changed.clear()
        return self._realised_cents

    def _at(self, place: Place) -> Market:
        self.touched.add(place)
        self._changed.add(place)
        market = self.markets.get(place)
        if market is None:
            market = self.markets[place] = Market()
        return market


def place_of(order: Order) -> Place:
    return int(order.event_id), str(order.market_id)
