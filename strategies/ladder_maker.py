"""Quotes both sides of the book's own mid: for lines without a source, and for trying things."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mmbot.pricing.book_fair import book_fair
from mmbot.pricing.odds import logit
from mmbot.pricing.quoting import limit_probs
from mmbot.strategy.api import (
    SIDES,
    MarketView,
    Quote,
    QuotingStrategy,
    cents,
    net_usd,
    positive,
    snap,
)
from mmbot.strategy.steady import Steady


@dataclass(frozen=True, slots=True)
class Params:
    quantity_usd: float = 25.0
    half_spread_logit: float = 0.08
    position_max_usd: float = 500.0  # won or lost per line; beyond it only the other side
    width_max_logit: float = 0.60  # a wider book tells nothing
    requote_logit: float = 0.02
    keep_ticks: int = 2

    def __post_init__(self) -> None:
        problems = list(
            positive(
                quantity_usd=self.quantity_usd,
                half_spread_logit=self.half_spread_logit,
                position_max_usd=self.position_max_usd,
                width_max_logit=self.width_max_logit,
            )
        )
        if problems:
            raise ValueError("\n".join(problems))


class LadderMaker(QuotingStrategy[Params]):
    """Both sides of the mid of other people's orders; nothing while they quote one side only."""

    name = "ladder_maker"
    uses_fairs = False

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        self._steady = Steady((params.requote_logit, 0.0, 0.0))

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        book = book_fair(view.competing, depth_min_cents=0)
        if book is None or logit(book.ask) - logit(book.bid) > self.params.width_max_logit:
            return ()
        room = [net_usd(view, side) < self.params.position_max_usd for side in SIDES]
        inputs = (logit(book.mid), *map(float, room))
        quotes = self._steady.last(view, inputs)
        if quotes is None:
            quotes = self._steady.keep(view, inputs, tuple(self._both(view, inputs[0], room)))
        return quotes

    def _both(self, view: MarketView, mid: float, room: list[bool]) -> Iterable[Quote]:
        quantity, keep = cents(self.params.quantity_usd), self.params.keep_ticks
        limits = limit_probs(mid, self.params.half_spread_logit)
        for strike, limit, wanted in zip(view.strikes, limits, room, strict=True):
            price = snap(view, limit)
            if wanted and price is not None:
                yield Quote(strike, price, quantity, keep_ticks=keep)
