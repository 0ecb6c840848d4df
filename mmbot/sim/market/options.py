"""The market around the maker, as options: drift, news, feed, takers and rival makers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from mmbot.sim.tables import Between

Share = Annotated[float, Between(0, 1)]
Logit = Annotated[float, Between(0, 5)]
RatePerS = Annotated[float, Between(0.001, 10_000)]
EveryMs = Annotated[int, Between(1, 86_400_000)]
Seconds = Annotated[float, Between(0.001, 604_800)]
Style = Literal["ladder", "joiner", "wide", "skewed"]


@dataclass(frozen=True, slots=True)
class EventOptions:
    """Events made from the seed; with `count` 0 those of the odds files are listed."""

    count: Annotated[int, Between(0, 200)] = 0
    # beyond these the fair prices do not move in time, and the box falls behind its clock
    lines: Annotated[int, Between(0, 3_000)] = 0
    props: Annotated[int, Between(0, 3_000)] = 0
    # of the generated events, so many go on trading after they went live
    in_play_share: Share = 0.0
    # when the games of a day begin, after the first start: early, late, evening
    slots_s: tuple[float, float, float] = (0.0, 10_800.0, 21_600.0)


@dataclass(frozen=True, slots=True)
class Drift:
    """The box's own fair value: a martingale in logit, one common factor per event."""

    # .13 logit over 12 h, as measured, times the square root of a speed-up of 40
    sd_per_sqrt_s: Annotated[float, Between(0, 1)] = 0.004
    own_share: Share = 0.25
    step_ms: EveryMs = 250
    news_logit: Logit = 0.35
    # news that come by themselves: about so many per hour, for one event each
    news_per_h: Annotated[float, Between(0, 100_000)] = 0.0
    news_sd_logit: Logit = 0.15


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """The odds feed beside the exchange: how often, how late and how noisy."""

    refresh_s: Seconds = 1.0
    news_lag_ms: int = 500
    noise_sd: Logit = 0.008
    noise_memory_s: Seconds = 30.0


@dataclass(frozen=True, slots=True)
class TakerOptions:
    """Noise that pays for convenience, and a few who know the fair value."""

    on: bool = True
    arrivals_per_s: RatePerS = 8.0
    payout_median_usd: Annotated[float, Between(1, 1e6)] = 50.0
    payout_sigma: Annotated[float, Between(0, 5)] = 0.7
    payout_max_usd: Annotated[float, Between(1, 1e6)] = 400.0
    tolerance_logit: Annotated[float, Between(0.0001, 5)] = 0.08
    bias_logit: Logit = 0.02
    informed_every_ms: EveryMs = 700
    informed_edge: Share = 0.003
    informed_notice_ms: int = 1000


@dataclass(frozen=True, slots=True)
class SniperOptions:
    """Hit what is stale in the first moments after news, before a maker has heard of it."""

    on: bool = False
    latency_ms_min: int = 40
    latency_ms_max: int = 250
    edge: Share = 0.01
    payout_max_usd: Annotated[float, Between(1, 1e6)] = 1500.0
    lines_share: Share = 1.0


@dataclass(frozen=True, slots=True)
class BurstOptions:
    """Crowds: takers that draw others after them, all to one side of one game (Hawkes)."""

    on: bool = False
    starts_per_h: Annotated[float, Between(0.001, 360_000)] = 60.0
    # each taker of a crowd brings so many more, on average; below one, or it never ends
    followers: Annotated[float, Between(0, 0.95)] = 0.8
    follow_s: Seconds = 2.0
    size_max: Annotated[int, Between(1, 10_000)] = 200
    payout_median_usd: Annotated[float, Between(1, 1e6)] = 40.0
    payout_sigma: Annotated[float, Between(0, 5)] = 0.7
    payout_max_usd: Annotated[float, Between(1, 1e6)] = 300.0
    tolerance_logit: Annotated[float, Between(0.0001, 5)] = 0.12


@dataclass(frozen=True, slots=True)
class RivalOptions:
    """The usual rival: a lag behind the fair value, on most lines, sometimes away."""

    on: bool = True
    lines_share: Share = 0.85
    half_spread_min: Logit = 0.05
    half_spread_max: Logit = 0.09
    payout_min_usd: Annotated[float, Between(1, 1e6)] = 80.0
    payout_max_usd: Annotated[float, Between(1, 1e6)] = 160.0
    look_every_ms: EveryMs = 400
    lag_ms: int = 1000
    requote_logit: Logit = 0.02
    quote_life_s: Seconds = 12.0
    absence_share: Share = 0.04
    absence_s: float = 8.0


@dataclass(frozen=True, slots=True)
class MakerOptions:
    """One more rival maker, with a style of its own.

    `ladder` shows several prices per side, `joiner` follows the best price of others down to its
    own limit, `wide` stands far away with much, `skewed` leans against what it holds.
    """

    style: Style
    name: str = ""
    lines_share: Share = 0.5
    half_spread: Logit = 0.08
    payout_usd: Annotated[float, Between(1, 1e6)] = 100.0
    look_every_ms: EveryMs = 1000
    lag_ms: int = 1000
    requote_logit: Logit = 0.02
    levels: Annotated[int, Between(1, 10)] = 3
    step_logit: Logit = 0.04
    # `skewed`: how far its price leans per 1,000 dollars of payout held in a line
    skew_logit: Logit = 0.1
