"""What one sport event may lose: exact over its scores, whatever of its open orders fills.

The judge's own reading of market making, section 3: full-game lines depend on margin and total
(|margin| <= total, both even or both odd), every other market on an axis of its own; the fee is
on the net winnings of a market and comes last. Pure; money in cents.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Final

from mmbot.sim.core.lifecycle import Line
from mmbot.sim.witness.record import LineRisk

BPS: Final = 10_000
FAR: Final = 100_000  # a result beyond every line
MARGIN: Final = "margin"
TOTAL: Final = "total"
FULL_GAME: Final = {"moneyline": MARGIN, "spread": MARGIN, "total": TOTAL}

Span = tuple[int, int]  # results that all lines of an axis judge alike; both ends are in it


@dataclass(frozen=True, slots=True)
class Held:
    """What is held and open on one line; side 0 wins above `threshold`, and on it nobody does."""

    axis: str
    market_id: int
    threshold: float
    risk: LineRisk = field(default_factory=LineRisk)

    @classmethod
    def on(cls, line: Line) -> Held:
        """Nothing yet."""
        plain = not (line.spec.sub_type or line.spec.label)
        axis = FULL_GAME.get(line.kind) if plain else None
        return cls(axis or f"market {line.market_id}", line.market_id, line.threshold)

    def result_cents(self, result: int) -> int:
        """What it brings if this is the result, and every open order fills that loses by it."""
        if result == self.threshold:
            return 0
        won = 0 if result > self.threshold else 1
        risk = self.risk
        return risk.winnings[won] - risk.filled[1 - won] - risk.open[1 - won]


def worst_cents(lines: Sequence[Held], fee_bps: int) -> int:
    """The worst loss of one sport event; 0 when it cannot lose."""
    axes: dict[str, list[Held]] = {}
    for line in lines:
        axes.setdefault(line.axis, []).append(line)
    margins = _outcomes(axes.pop(MARGIN, []), fee_bps)
    totals = _outcomes(axes.pop(TOTAL, []), fee_bps, 0)
    best = min(
        on_margin + on_total
        for margin, on_margin in margins.items()
        for total, on_total in totals.items()
        if _meet(margin, total)
    )
    best += sum(min(_outcomes(own, fee_bps).values()) for own in axes.values())
    return max(0, -best)


def market_cents(lines: Sequence[Held], market_id: int, fee_bps: int) -> int:
    """The worst loss of one market."""
    return worst_cents([line for line in lines if line.market_id == market_id], fee_bps)


def _outcomes(lines: Sequence[Held], fee_bps: int, least: int = -FAR) -> Mapping[Span, int]:
    """What the lines of one axis bring, for each span of its results from `least` on."""
    spans = _spans(tuple(sorted({line.threshold for line in lines})), least)
    markets: dict[int, list[Held]] = {}
    for line in lines:
        markets.setdefault(line.market_id, []).append(line)
    return {
        span: sum(
            _after_fee(sum(line.result_cents(span[0]) for line in market), fee_bps)
            for market in markets.values()
        )
        for span in spans
    }


def _after_fee(cents: int, fee_bps: int) -> int:
    """A cent that rounding may cost is left to its maker."""
    return cents - max(0, cents) * fee_bps // BPS


@lru_cache
def _spans(thresholds: tuple[float, ...], least: int) -> tuple[Span, ...]:
    """Between two thresholds all results are alike; on one of them there may be a push."""
    begins = {least}
    for threshold in thresholds:
        begins |= {math.ceil(threshold), math.floor(threshold) + 1}
    ordered = sorted(one for one in begins if one >= least)
    return tuple(zip(ordered, chain((one - 1 for one in ordered[1:]), (FAR,)), strict=True))


@lru_cache(4096)
def _meet(margin: Span, total: Span) -> bool:
    """Whether some score has its margin and its total in these spans."""
    nearest = min(max(margin[0], 0), margin[1])  # to an even game; its neighbour for parity
    return any(
        abs(one) <= most and (one + most) % 2 == 0
        for one in (nearest - 1, nearest, nearest + 1)
        if margin[0] <= one <= margin[1]
        for most in (total[1], total[1] - 1)
        if most >= total[0]
    )
