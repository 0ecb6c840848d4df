"""Seeded takers: noise that pays for convenience, and a few who know the fair value."""

from __future__ import annotations

import math
from random import Random

from mmbot.sim.core import MS, Exchange
from mmbot.sim.fair import FairBoard
from mmbot.sim.lifecycle import NS, Strike
from mmbot.sim.orders import Account, OrderRequest
from mmbot.sim.prices import complement, implied, logit
from mmbot.sim.scenario import TakerOptions

TAKER_CASH_CENTS = 10**13
PROBABILITY_MIN = 0.001


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
        self._strikes = list(exchange.listing.strikes.values())
        self._count = 0
        self._round = 0
        # the public leans to one side of a game: the same way on all its lines
        self._bias = {
            event_id: rng.gauss(0.0, options.bias_logit) for event_id in exchange.listing.events
        }

    def start(self, now_ns: int) -> None:
        self._round += 1
        self._await_noise(now_ns, self._round)
        self._await_informed(now_ns, self._round)

    def stop(self) -> None:
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
        strike = self._rng.choice(self._strikes)
        tolerance = self._rng.expovariate(1.0 / self._options.tolerance_logit)
        payout_usd = min(
            self._options.payout_max_usd,
            self._options.payout_median_usd
            * math.exp(self._rng.gauss(0.0, self._options.payout_sigma)),
        )
        offered = self._offered(strike)
        if offered is not None:
            believed = self._fair.x(strike.line_index) + self._bias[self._line_event(strike)]
            believed = believed if strike.side == 0 else -believed
            if logit(implied(offered)) - believed <= tolerance:
                cents = int(payout_usd * implied(offered) * 100)
                self._take(self._noise, strike, offered, cents, now_ns)
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
            offered = self._offered(strike)
            if offered is None:
                continue
            fair = self._fair.probability(strike.line_index, strike.side)
            if fair - implied(offered) > self._options.informed_edge:
                cents = int(self._options.payout_max_usd * implied(offered) * 50)
                self._take(self._informed, strike, offered, cents, now_ns)
        self._await_informed(now_ns, round_)

    def _offered(self, strike: Strike) -> int | None:
        """The best price a taker can get on a strike."""
        resting = self._exchange.books[strike.line_index].best_price(1 - strike.side)
        return None if resting is None else complement(resting)

    def _take(self, account: Account, strike: Strike, price: int, cents: int, now_ns: int) -> None:
        self._count += 1
        cents = max(cents, self._exchange.rules.quantity_min_cents)
        external_id = f"{account.name}-{self._count}"
        request = OrderRequest(external_id, strike.strike_id, price, cents, "take")
        self._exchange.accept(account, request, now_ns)

    def _line_event(self, strike: Strike) -> int:
        return self._exchange.listing.lines[strike.line_index].event_id


def traders_account(exchange: Exchange, name: str, cash_cents: int) -> Account:
    """An account of the box's own traders."""
    return exchange.open_account(Account(exchange.new_id(), name, cash_cents, internal=True))
