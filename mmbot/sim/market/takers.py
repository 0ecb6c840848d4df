"""Seeded takers: noise that pays for convenience, and a few who know the fair value."""

from __future__ import annotations

import math
from random import Random
from typing import Protocol

from mmbot.sim.core.exchange import MS, Exchange
from mmbot.sim.core.lifecycle import NS, Listing, Strike
from mmbot.sim.core.orders import Account, Order, OrderRequest
from mmbot.sim.core.prices import complement, implied, logit
from mmbot.sim.market.fair import FairBoard
from mmbot.sim.market.options import TakerOptions

TAKER_CASH_CENTS = 10**13


class Sizes(Protocol):
    """How much a taker wants: log-normal payouts with a cap."""

    @property
    def payout_median_usd(self) -> float: ...

    @property
    def payout_sigma(self) -> float: ...

    @property
    def payout_max_usd(self) -> float: ...


class Takers:
    """Arrive, look at what is offered, take it or leave it."""

    def __init__(
        self, exchange: Exchange, fair: FairBoard, options: TakerOptions, rng: Random
    ) -> None:
        self._exchange = exchange
        self._fair = fair
        self._options = options
        self._rng = rng
        self._noise = traders_account(exchange, "takers", TAKER_CASH_CENTS)
        self._informed = traders_account(exchange, "informed", TAKER_CASH_CENTS)
        self._strikes = listed_strikes(exchange.listing)
        self._seen = listing_size(exchange.listing)
        self._round = 0
        # the public leans to one side of a game: the same way on all its lines
        self._bias = {
            event_id: rng.gauss(0.0, options.bias_logit) for event_id in exchange.listing.events
        }

    def start(self, now_ns: int) -> None:
        self._round += 1
        self._await_noise(now_ns, self._round)
        self._await_informed(now_ns, self._round)

    def stop(self, now_ns: int) -> None:
        """Nobody arrives any more; what was scheduled finds its round over."""
        self._round += 1

    def _await_noise(self, now_ns: int, round_: int) -> None:
        wait_s = self._rng.expovariate(self._options.arrivals_per_s)
        self._exchange.schedule(now_ns + int(wait_s * NS), lambda at: self._noise_due(at, round_))

    def _await_informed(self, now_ns: int, round_: int) -> None:
        wait_ms = self._options.informed_every_ms * self._rng.uniform(0.7, 1.3)
        due = now_ns + int(wait_ms * MS)
        self._exchange.schedule(due, lambda at: self._informed_due(at, round_))

    def _noise_due(self, now_ns: int, round_: int) -> None:
        if round_ != self._round:
            return
        self._look_around()
        strike = self._rng.choice(self._strikes)
        tolerance = self._rng.expovariate(1.0 / self._options.tolerance_logit)
        payout_usd = drawn_payout_usd(self._options, self._rng)
        price = offered(self._exchange, strike)
        if price is not None:
            believed = self._fair.x(strike.line_index) + self._bias[self._line_event(strike)]
            believed = believed if strike.side == 0 else -believed
            if logit(implied(price)) - believed <= tolerance:
                take(self._exchange, self._noise, strike, (price, payout_usd), now_ns)
        self._await_noise(now_ns, round_)

    def _informed_due(self, now_ns: int, round_: int) -> None:
        """Hit whatever is offered below its fair value; news is known a second later."""
        if round_ != self._round:
            return
        notice_ns = self._options.informed_notice_ms * MS
        for strike in self._strikes:
            news_ns = self._fair.news_ns.get(self._line_event(strike))
            if news_ns is not None and now_ns - news_ns < notice_ns:
                continue
            price = offered(self._exchange, strike)
            if price is None:
                continue
            fair = self._fair.probability(strike.line_index, strike.side)
            if fair - implied(price) > self._options.informed_edge:
                half_usd = self._options.payout_max_usd / 2
                take(self._exchange, self._informed, strike, (price, half_usd), now_ns)
        self._await_informed(now_ns, round_)

    def _look_around(self) -> None:
        """Lines come and go; the public leans on a new game too."""
        seen = listing_size(self._exchange.listing)
        if seen == self._seen:
            return
        self._seen = seen
        self._strikes = listed_strikes(self._exchange.listing)
        for event_id in self._exchange.listing.events:
            if event_id not in self._bias:
                self._bias[event_id] = self._rng.gauss(0.0, self._options.bias_logit)

    def _line_event(self, strike: Strike) -> int:
        return self._exchange.listing.lines[strike.line_index].event_id


def listing_size(listing: Listing) -> tuple[int, int]:
    """Changes whenever a line or an event is added."""
    return len(listing.events), len(listing.lines)


def listed_strikes(listing: Listing) -> list[Strike]:
    """What can be bought now, in the order of the listing."""
    return [
        strike
        for event in listing.events.values()
        for line in event.lines
        for strike in line.strikes
    ]


def drawn_payout_usd(sizes: Sizes, rng: Random) -> float:
    drawn = sizes.payout_median_usd * math.exp(rng.gauss(0.0, sizes.payout_sigma))
    return min(sizes.payout_max_usd, drawn)


def offered(exchange: Exchange, strike: Strike) -> int | None:
    """The best price a taker can get on a strike."""
    resting = exchange.books[strike.line_index].best_price(1 - strike.side)
    return None if resting is None else complement(resting)


def take(
    exchange: Exchange, account: Account, strike: Strike, wanted: tuple[int, float], now_ns: int
) -> Order:
    """Take what is offered at (price, payout in dollars) or better; the rest is gone."""
    price, payout_usd = wanted
    cents = max(int(payout_usd * implied(price) * 100), exchange.rules.quantity_min_cents)
    request = OrderRequest(f"{account.name}-{now_ns}", strike.strike_id, price, cents, "take")
    return exchange.accept(account, request, now_ns)


def traders_account(exchange: Exchange, name: str, cash_cents: int) -> Account:
    """An account of the box's own traders."""
    return exchange.open_account(Account(exchange.new_id(), name, cash_cents, internal=True))
