"""Crowds: a taker draws others after it, all to the same side of one game (a Hawkes process)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from mmbot.sim.core.exchange import Exchange
from mmbot.sim.core.lifecycle import NS, SportEvent
from mmbot.sim.core.prices import implied, logit
from mmbot.sim.market.fair import FairBoard
from mmbot.sim.market.options import BurstOptions
from mmbot.sim.market.takers import (
    TAKER_CASH_CENTS,
    drawn_payout_usd,
    offered,
    take,
    traders_account,
)

HOUR_S = 3600.0


@dataclass(slots=True)
class Crowd:
    """One burst while it lasts: where it runs to, and how many more may join."""

    event: SportEvent
    side: int
    left: int


class Bursts:
    """Starts are Poisson; each taker brings followers, on average fewer than one."""

    def __init__(
        self, exchange: Exchange, fair: FairBoard, options: BurstOptions, rng: Random
    ) -> None:
        self._exchange = exchange
        self._fair = fair
        self._options = options
        self._rng = rng
        self._account = traders_account(exchange, "crowd", TAKER_CASH_CENTS)
        self._round = 0

    def start(self, now_ns: int) -> None:
        self._round += 1
        self._await_start(now_ns, self._round)

    def stop(self, now_ns: int) -> None:
        self._round += 1

    def _await_start(self, now_ns: int, round_: int) -> None:
        wait_s = self._rng.expovariate(self._options.starts_per_h / HOUR_S)
        self._exchange.schedule(now_ns + int(wait_s * NS), lambda at: self._begin(at, round_))

    def _begin(self, now_ns: int, round_: int) -> None:
        if round_ != self._round:
            return
        events = [event for event in self._exchange.listing.events.values() if event.lines]
        event, side = self._rng.choice(events), self._rng.randrange(2)
        self._join(Crowd(event, side, self._options.size_max - 1), now_ns, round_)
        self._await_start(now_ns, round_)

    def _join(self, crowd: Crowd, now_ns: int, round_: int) -> None:
        """One taker of the crowd trades and brings its followers."""
        if round_ != self._round:
            return
        line = self._rng.choice(crowd.event.lines)
        strike = line.strikes[crowd.side]
        price = offered(self._exchange, strike)
        tolerance = self._rng.expovariate(1.0 / self._options.tolerance_logit)
        payout_usd = drawn_payout_usd(self._options, self._rng)
        if price is not None:
            fair = self._fair.probability(line.index, strike.side)
            if logit(implied(price)) - logit(fair) <= tolerance:
                take(self._exchange, self._account, strike, (price, payout_usd), now_ns)
        followers = min(crowd.left, _poisson(self._options.followers, self._rng))
        crowd.left -= followers
        for _ in range(followers):
            wait_s = self._rng.expovariate(1.0 / self._options.follow_s)
            due = now_ns + int(wait_s * NS)
            self._exchange.schedule(due, lambda at: self._join(crowd, at, round_))


def _poisson(mean: float, rng: Random) -> int:
    """A draw by multiplying uniforms (mean below one, so it ends at once)."""
    count, product, floor = 0, rng.random(), math.exp(-mean)
    while product > floor:
        count += 1
        product *= rng.random()
    return count
