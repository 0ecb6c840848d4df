"""A strategy that misbehaves in another way every few seconds, and quotes well in between."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mmbot.domain.ids import StrikeId
from mmbot.domain.price import Price
from mmbot.pricing.book_fair import book_fair
from mmbot.pricing.odds import expit, logit
from mmbot.strategy.api import SIDES, MarketView, Quote, QuotingStrategy, cents, snap

NS = 10**9
MANY = 10_000
SIZES: tuple[Any, ...] = (
    float("nan"), float("inf"), -100, 0, 2**70, 1e300, "15", None, True, 10**9, 12.5,
)  # fmt: skip
PRICES: tuple[Any, ...] = (0, 99, -100, 2**70, float("nan"), None, "105", 101.5)


@dataclass(frozen=True, slots=True)
class Params:
    every_s: float = 7.0
    quantity_usd: float = 15.0
    half_spread_logit: float = 0.05


class Unruly(QuotingStrategy[Params]):
    name = "unruly"
    uses_fairs = False

    def __init__(self, params: Params) -> None:
        super().__init__(params)
        self._kept: list[MarketView] = []

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        beat = view.now_ns // round(self.params.every_s * NS)
        good = tuple(self._good(view))
        if beat % 2 or not good:
            return good
        return self._bad(beat // 2, view, good)

    def _good(self, view: MarketView) -> Iterator[Quote]:
        book = book_fair(view.competing, depth_min_cents=0)
        if book is None:
            return
        centre, half = logit(book.mid), self.params.half_spread_logit
        for side in SIDES:
            price = snap(view, expit((centre if side == 0 else -centre) - half))
            if price is not None:
                yield Quote(view.strikes[side], price, cents(self.params.quantity_usd))

    def _bad(self, turn: int, view: MarketView, good: tuple[Quote, ...]) -> Iterable[Any]:
        first = good[0]
        self._kept = [*self._kept[-MANY:], view]  # it forgets nothing
        match turn % 10:
            case 0:
                raise ValueError("a strategy that raises")
            case 1:
                sys.exit("a strategy that leaves")
            case 2:
                raise asyncio.CancelledError
            case 3:
                return [Quote(first.strike_id, first.price, SIZES[turn // 10 % len(SIZES)])]
            case 4:
                return [Quote(first.strike_id, PRICES[turn // 10 % len(PRICES)], 1500)]
            case 5:
                return [Quote(StrikeId("nowhere"), first.price, 1500), None, "a quote", *good]
            case 6:
                return [first] * MANY
            case 7:
                task = asyncio.current_task()
                if task is not None:
                    task.cancel()
                return good
            case 8:
                return self._fails_later(good)
            case _:
                return [Quote(one.strike_id, Price(-one.price), 1500) for one in good]

    def _fails_later(self, good: tuple[Quote, ...]) -> Iterator[Quote]:
        yield from good
        raise RecursionError("after its quotes")
