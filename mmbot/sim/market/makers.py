"""More rival makers, each in a style of its own, on a share of the lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from mmbot.sim.core.exchange import MS, Exchange
from mmbot.sim.core.lifecycle import Line, Strike
from mmbot.sim.core.orders import Order, OrderRequest
from mmbot.sim.core.prices import implied, sigmoid
from mmbot.sim.market.fair import FairBoard
from mmbot.sim.market.options import MakerOptions, Style
from mmbot.sim.market.takers import listing_size, traders_account

MAKER_CASH_CENTS = 10**12
WIDE_TIMES = 3.0
THOUSAND_USD_CENTS = 100_000


@dataclass(slots=True)
class Stand:
    """What a maker has in one line; `held_cents` is the payout it holds on side 0 over side 1."""

    line: Line
    quoted_x: float = 0.0
    held_cents: int = 0
    orders: list[Order] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a style decides from: one strike, its fair logit, and the best price of others."""

    strike: Strike
    own_x: float
    best_other: float | None
    held_cents: int


# a style gives (implied probability it would pay, payout in dollars) per order
Wish = tuple[float, float]
StyleOf = Callable[[Sight, MakerOptions], Iterator[Wish]]


def ladder(sight: Sight, options: MakerOptions) -> Iterator[Wish]:
    for level in range(options.levels):
        away = options.half_spread + level * options.step_logit
        yield sigmoid(sight.own_x - away), options.payout_usd


def joiner(sight: Sight, options: MakerOptions) -> Iterator[Wish]:
    """As good as the best of the others, but never better than its own limit."""
    limit = sigmoid(sight.own_x - options.half_spread)
    alone = sigmoid(sight.own_x - WIDE_TIMES * options.half_spread)
    yield min(limit, alone if sight.best_other is None else sight.best_other), options.payout_usd


def wide(sight: Sight, options: MakerOptions) -> Iterator[Wish]:
    away = WIDE_TIMES * options.half_spread
    yield sigmoid(sight.own_x - away), WIDE_TIMES * options.payout_usd


def skewed(sight: Sight, options: MakerOptions) -> Iterator[Wish]:
    """Less for what it holds already, more for the other side."""
    held = sight.held_cents if sight.strike.side == 0 else -sight.held_cents
    lean = options.skew_logit * held / THOUSAND_USD_CENTS
    lean = max(-options.half_spread / 2, min(lean, WIDE_TIMES * options.half_spread))
    yield sigmoid(sight.own_x - options.half_spread - lean), options.payout_usd


STYLES: Final[dict[Style, StyleOf]] = {
    "ladder": ladder,
    "joiner": joiner,
    "wide": wide,
    "skewed": skewed,
}


class Maker:
    """Looks at each of its lines again and again and moves its orders when the price moved."""

    def __init__(
        self, exchange: Exchange, fair: FairBoard, options: MakerOptions, rng: Random
    ) -> None:
        self._exchange = exchange
        self._fair = fair
        self._options = options
        self._rng = rng
        self._style = STYLES[options.style]
        self._account = traders_account(exchange, options.name or options.style, MAKER_CASH_CENTS)
        self._round = 0
        self._stands: dict[int, Stand] = {}
        self._seen = (0, 0)

    def start(self, now_ns: int) -> None:
        self._round += 1
        self._seen = (0, 0)
        self._stands.clear()
        self._look_around(now_ns, self._round)

    def stop(self, now_ns: int) -> None:
        self._round += 1
        for stand in self._stands.values():
            self._withdraw(stand, now_ns)

    def _look_around(self, now_ns: int, round_: int) -> None:
        """Take a stand on a share of the lines, and on the same share of the new ones later."""
        if round_ != self._round:
            return
        listing = self._exchange.listing
        if listing_size(listing) != self._seen:
            first = self._seen[1]
            self._seen = listing_size(listing)
            for line in listing.lines[first:]:
                if self._rng.random() < self._options.lines_share:
                    stand = self._stands[line.index] = Stand(line)
                    self._await(stand, now_ns, round_)
        due = now_ns + self._options.look_every_ms * MS
        self._exchange.schedule(due, lambda at: self._look_around(at, round_))

    def _await(self, stand: Stand, now_ns: int, round_: int) -> None:
        wait_ms = self._options.look_every_ms * self._rng.uniform(0.5, 1.5)
        due = now_ns + int(wait_ms * MS)
        self._exchange.schedule(due, lambda at: self._look(stand, at, round_))

    def _look(self, stand: Stand, now_ns: int, round_: int) -> None:
        if round_ != self._round:
            return
        event = self._exchange.listing.events.get(stand.line.event_id)
        if event is None or stand.line not in event.lines:  # the line moved or the game is over
            self._withdraw(stand, now_ns)
            del self._stands[stand.line.index]
            return
        lagged = self._fair.x_at(stand.line.index, now_ns - self._options.lag_ms * MS)
        if event.tradable and self._stale(stand, lagged):
            self._withdraw(stand, now_ns)
            self._quote(stand, lagged, now_ns)
        self._await(stand, now_ns, round_)

    def _stale(self, stand: Stand, lagged: float) -> bool:
        moved = abs(lagged - stand.quoted_x) > self._options.requote_logit
        whole = [2 * one.open_cents > one.request.quantity_cents for one in stand.orders]
        return moved or not whole or not all(whole) or self._options.style == "joiner"

    def _withdraw(self, stand: Stand, now_ns: int) -> None:
        for order in stand.orders:
            payout = order.filled_cents + order.counter_cents
            stand.held_cents += payout if order.strike.side == 0 else -payout
        self._exchange.cancel_all(stand.orders, now_ns)
        stand.orders.clear()

    def _quote(self, stand: Stand, x: float, now_ns: int) -> None:
        stand.quoted_x = x
        book = self._exchange.books[stand.line.index]
        for strike in stand.line.strikes:
            own_x = x if strike.side == 0 else -x
            best = book.best_price(strike.side)
            other = None if best is None else implied(best)
            sight = Sight(strike, own_x, other, stand.held_cents)
            for probability, payout_usd in self._style(sight, self._options):
                price = self._exchange.ladder.at_most(probability)
                if price is None or next(book.crossing(strike.side, price), None) is not None:
                    continue
                cents = int(payout_usd * 100 * sigmoid(own_x))
                if cents < self._exchange.rules.quantity_min_cents:
                    continue
                name = f"{self._account.name}-{now_ns}"
                request = OrderRequest(name, strike.strike_id, price, cents, "ALO")
                stand.orders.append(self._exchange.accept(self._account, request, now_ns))
