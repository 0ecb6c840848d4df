"""The public face of a strategy as its author sees it: mypy reads this file, nothing runs it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mmbot.domain.price import implied
from mmbot.strategy.api import SIDES, MarketView, Quote, QuotingStrategy, cents, side_prob, snap
from mmbot.strategy.desk import Desk, QuotingCoroutine


@dataclass(frozen=True, slots=True)
class Params:
    quantity_usd: float = 25.0
    edge_min_prob: float = 0.01


class JoinBest(QuotingStrategy[Params]):
    """Rest one order on the best price of each side, while it leaves us an edge."""

    name = "join_best"

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        for fair in view.fairs[:1]:
            for side in SIDES:
                best = view.competing.best(side)
                edge = self.params.edge_min_prob
                if best and side_prob(fair.prob, side) - implied(best.price) >= edge:
                    yield Quote(view.strikes[side], best.price, cents(self.params.quantity_usd))


class Plain(QuotingStrategy[None]):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        price = snap(view, 0.4)
        return [] if price is None else [Quote(view.strikes[0], price, 1_000)]


class Waits(QuotingCoroutine[Params]):
    async def run(self, desk: Desk) -> None:
        while True:
            view = await desk.next_change()
            desk.wish(view.strikes, JoinBest(self.params).quotes(view))
