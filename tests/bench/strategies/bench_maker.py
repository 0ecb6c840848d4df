"""The bench's strategy: the first side of each line at the middle less half a spread, if tight."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mmbot.domain.price import implied
from mmbot.strategy.api import MarketView, Quote, QuotingStrategy, cents, snap


@dataclass(frozen=True, slots=True)
class Params:
    half_spread_prob: float = 0.01
    width_max_prob: float = 0.05
    quantity_usd: float = 10.0


class BenchMaker(QuotingStrategy[Params]):
    """The rule of the vendor-style stack, said in the daemon's words."""

    name = "bench_maker"
    uses_fairs = False

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        first, second = view.competing.best(0), view.competing.best(1)
        if first is None or second is None:
            return ()
        bid, ask = implied(first.price), 1.0 - implied(second.price)
        if ask - bid > self.params.width_max_prob:
            return ()
        price = snap(view, (bid + ask) / 2.0 - self.params.half_spread_prob)
        if price is None:
            return ()
        return (Quote(view.strikes[0], price, cents(self.params.quantity_usd)),)
