"""One fair value from all healthy sources of a line, and how long it may be believed."""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.domain.view import Fair, MarketView
from mmbot.pricing.consensus import blend

SECOND_NS = 10**9


@dataclass(frozen=True, slots=True)
class Patience:
    """How old a fair value may be, in seconds: from `soft_s` on it is trusted less, up to hard.

    The second pair counts within `near_start_s` of the start.
    """

    soft_s: float = 120.0
    hard_s: float = 600.0
    near_start_s: float = 1800.0
    near_soft_s: float = 30.0
    near_hard_s: float = 90.0

    def of(self, view: MarketView) -> tuple[float, float]:
        """(soft, hard) for this line at this moment."""
        near = view.event.start_ns - view.now_ns <= self.near_start_s * SECOND_NS
        return (self.near_soft_s, self.near_hard_s) if near else (self.soft_s, self.hard_s)


@dataclass(frozen=True, slots=True)
class Blended:
    """Fair probability of side 0. `age_s` is that of the sources with half of the weight."""

    prob: float
    sd_logit: float
    age_s: float
    valid_until_ns: int


def blended(view: MarketView, patience: Patience) -> Blended | None:
    """Sources weighted by precision; None when none is recent enough."""
    hard_ns = int(patience.of(view)[1] * SECOND_NS)
    fresh = [f for f in view.fairs if 0.0 < f.prob < 1.0 and view.now_ns - _stamp(f) <= hard_ns]
    if not fresh:
        return None
    mix = blend([f.prob for f in fresh], [f.sd_logit for f in fresh])
    reached, stamp = 0.0, 0
    for fair, weight in sorted(
        zip(fresh, mix.weights, strict=True), key=lambda pair: _stamp(pair[0]), reverse=True
    ):
        reached, stamp = reached + weight, _stamp(fair)
        if reached >= 0.5:
            break
    age_s = max(0, view.now_ns - stamp) / SECOND_NS
    return Blended(mix.prob, mix.sd_logit, age_s, stamp + hard_ns)


def _stamp(fair: Fair) -> int:
    """A source's stamp from the future must not keep its price fresh."""
    return min(fair.source_ns or fair.received_ns, fair.received_ns)
