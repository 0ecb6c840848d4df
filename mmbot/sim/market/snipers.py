"""Snipers: in the first moments after news they hit every quote that is stale by now."""

from __future__ import annotations

from functools import partial
from random import Random

from mmbot.sim.core.exchange import MS, Exchange
from mmbot.sim.core.prices import implied
from mmbot.sim.market.fair import FairBoard
from mmbot.sim.market.options import SniperOptions
from mmbot.sim.market.takers import TAKER_CASH_CENTS, offered, take, traders_account


class Snipers:
    """Wait for news, then are faster than anybody who has to read a feed."""

    def __init__(
        self, exchange: Exchange, fair: FairBoard, options: SniperOptions, rng: Random
    ) -> None:
        self._exchange = exchange
        self._fair = fair
        self._options = options
        self._rng = rng
        self._account = traders_account(exchange, "snipers", TAKER_CASH_CENTS)
        self._awake = False
        fair.on_news.append(self._heard)

    def start(self, now_ns: int) -> None:
        self._awake = True

    def stop(self, now_ns: int) -> None:
        self._awake = False

    def _heard(self, event_id: int, now_ns: int) -> None:
        if not self._awake:
            return
        low, high = self._options.latency_ms_min, self._options.latency_ms_max
        for line in self._exchange.listing.events[event_id].lines:
            if self._rng.random() < self._options.lines_share:
                due = now_ns + int(self._rng.uniform(low, high) * MS)
                self._exchange.schedule(due, partial(self._fire, line.index))

    def _fire(self, line_index: int, now_ns: int) -> None:
        """Take all that is too cheap on one line, up to what a sniper dares to hold."""
        if not self._awake:
            return
        for strike in self._exchange.listing.lines[line_index].strikes:
            left_usd = self._options.payout_max_usd
            price = offered(self._exchange, strike)
            while price is not None and left_usd > 0:
                fair = self._fair.probability(line_index, strike.side)
                if fair - implied(price) <= self._options.edge:
                    break
                order = take(self._exchange, self._account, strike, (price, left_usd), now_ns)
                if not order.filled_cents:
                    break
                left_usd -= (order.filled_cents + order.counter_cents) / 100
                price = offered(self._exchange, strike)
