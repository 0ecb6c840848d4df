"""From a fair value and a position to the prices and sizes of one line's quotes.

Distances are in log-odds: one number means the same risk at 20 % and at 80 %. `position_usd`
is D = W_A - W_B, dollars per unit of probability of side 0. Probabilities are per side: side
1's is 1 - p. Prices snap passively, so rounding never costs the maker edge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, log
from typing import Final

from mmbot.domain.catalog import Side
from mmbot.domain.price import Ladder, Price, implied
from mmbot.pricing.odds import (
    after_commission,
    before_commission,
    decimal_odds,
    expit,
    kelly_fraction,
    logit,
)

LEVELS_MAX: Final = 10
CENTS_PER_USD: Final = 100


@dataclass(frozen=True, slots=True)
class SpreadRules:
    """Half-spread in log-odds: base + sd_factor * sd + additions, within floor and cap."""

    base_logit: float = 0.06
    sd_factor: float = 1.0
    toxicity_max_logit: float = 0.10
    floor_logit: float = 0.03
    cap_logit: float = 0.25


@dataclass(frozen=True, slots=True)
class EdgeRules:
    """Least edge (probability, after commission on wins) of any quote of ours."""

    edge_min_prob: float = 0.005
    edge_min_reducing_prob: float = -0.005
    fee_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class SizeRules:
    """Stakes in cents. `position_max_usd` bounds |D|; the increasing side shrinks towards it."""

    level_cents: int
    level_min_cents: int
    capital_cents: int
    position_max_usd: float
    kelly_share: float = 0.1
    multiples: tuple[float, ...] = (1.0, 1.5, 2.0)  # one level per multiple


@dataclass(frozen=True, slots=True)
class QuoteRules:
    """All that shapes a line's quotes. `risk_aversion` is g, per dollar: 1 / risk capital."""

    risk_aversion: float
    size: SizeRules
    spread: SpreadRules = field(default_factory=SpreadRules)
    edge: EdgeRules = field(default_factory=EdgeRules)
    step_logit: float = 0.03

    def __post_init__(self) -> None:
        if not 1 <= len(self.size.multiples) <= LEVELS_MAX:
            raise ValueError(f"levels must be 1 to {LEVELS_MAX}, got {len(self.size.multiples)}")


@dataclass(frozen=True, slots=True)
class Situation:
    """One line now: fair of side 0, position, half-spread and what risk still allows per side."""

    prob: float
    position_usd: float
    half_spread_logit: float
    room_cents: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One level of one side: our stake at a ladder price."""

    price: Price
    stake_cents: int


def reservation_logit(prob: float, position_usd: float, risk_aversion: float) -> float:
    """Log-odds at which one more contract leaves an exponential utility as it is."""
    return logit(prob) - risk_aversion * position_usd


def indifference_price(
    prob: float, position_usd: float, risk_aversion: float, contracts: float
) -> float:
    """Highest price per contract worth paying for `contracts` of side 0 at once."""

    def certain(position: float) -> float:
        return log(prob * exp(-risk_aversion * position) + 1.0 - prob)

    bought = certain(position_usd + contracts)
    return (certain(position_usd) - bought) / (risk_aversion * contracts)


def half_spread_logit(
    rules: SpreadRules, sd_logit: float, *, toxicity: float = 0.0, stale: float = 0.0
) -> float:
    """Distance from the reservation price to each quote; `stale` as `stale_add_logit` says."""
    toxic = min(max(0.0, toxicity), rules.toxicity_max_logit)
    wanted = rules.base_logit + rules.sd_factor * sd_logit + toxic + stale
    return min(max(wanted, rules.floor_logit), rules.cap_logit)


def stale_add_logit(age_s: float, soft_s: float, hard_s: float, half_spread: float) -> float | None:
    """Extra half-spread for an old fair: 0 up to `soft_s`, doubling it at `hard_s`, then None."""
    if age_s > hard_s:
        return None
    if age_s <= soft_s:
        return 0.0
    return half_spread * (age_s - soft_s) / (hard_s - soft_s)


def limit_probs(center_logit: float, half_spread: float) -> tuple[float, float]:
    """The most that we pay per side, as implied probabilities; they sum to less than 1."""
    return expit(center_logit - half_spread), expit(-center_logit - half_spread)


def edge_prob(prob: float, price: Price, fee_rate: float = 0.0) -> float:
    """Fair probability less the break-even of the price."""
    return prob - after_commission(implied(price), fee_rate)


def clamp_to_edge(limit: float, prob: float, edge_min: float, fee_rate: float) -> float | None:
    """`limit`, lowered until a fill there still earns `edge_min`; None when nothing does."""
    break_even = prob - edge_min
    if break_even <= 0.0:
        return None
    return min(limit, before_commission(min(break_even, 1.0), fee_rate))


def two_sided(
    now: Situation, ladder: Ladder, rules: QuoteRules
) -> tuple[tuple[Wanted, ...], tuple[Wanted, ...]]:
    """The wanted levels of both sides, dearest first; a side without a quote is empty."""
    return one_sided(now, 0, ladder, rules), one_sided(now, 1, ladder, rules)


def one_sided(now: Situation, side: Side, ladder: Ladder, rules: QuoteRules) -> tuple[Wanted, ...]:
    """Levels of one side. Those that snap to one price merge; the last level is cut to fit."""
    prob = now.prob if side == 0 else 1.0 - now.prob
    held = now.position_usd if side == 0 else -now.position_usd
    center = reservation_logit(prob, held, rules.risk_aversion)
    step = _step_logit(center - now.half_spread_logit, ladder, rules.step_logit)
    room = now.room_cents[side]
    levels: dict[Price, int] = {}
    for i, multiple in enumerate(rules.size.multiples):
        limit = expit(center - now.half_spread_logit - i * step)
        wanted = _level(limit, multiple, (prob, held), ladder, rules)
        if wanted is None:
            continue
        stake = min(wanted.stake_cents, room)
        if levels.get(wanted.price, 0) + stake < rules.size.level_min_cents:
            continue
        levels[wanted.price] = levels.get(wanted.price, 0) + stake
        room -= stake
        held += stake * decimal_odds(wanted.price) / CENTS_PER_USD  # as if it had filled
    return tuple(Wanted(price, stake) for price, stake in levels.items())


def _step_logit(first_limit: float, ladder: Ladder, step_min: float) -> float:
    """Distance between levels: never less than one step of the ladder at the first price."""
    first = ladder.snap_passive(expit(first_limit))
    cheaper = None if first is None else ladder.step(first, -1)
    if first is None or cheaper is None:
        return step_min
    return max(step_min, logit(implied(first)) - logit(implied(cheaper)))


def _level(
    limit: float, multiple: float, belief: tuple[float, float], ladder: Ladder, rules: QuoteRules
) -> Wanted | None:
    """One level: a reducing price and size when there is something to reduce, else the usual."""
    prob, held = belief
    wanted_cents = rules.size.level_cents * multiple
    if held < 0.0:
        price = _snapped(limit, prob, rules.edge.edge_min_reducing_prob, ladder, rules)
        if price is not None:
            to_flat_cents = -held * CENTS_PER_USD / decimal_odds(price)
            stake = int(min(wanted_cents, to_flat_cents))
            if stake >= rules.size.level_min_cents:
                return Wanted(price, stake)
    price = _snapped(limit, prob, rules.edge.edge_min_prob, ladder, rules)
    if price is None:
        return None
    kelly = max(0.0, kelly_fraction(prob, price))
    kelly_cents = rules.size.kelly_share * kelly * rules.size.capital_cents
    left = max(0.0, 1.0 - max(0.0, held) / rules.size.position_max_usd)
    return Wanted(price, int(min(wanted_cents, kelly_cents * multiple) * left))


def _snapped(
    limit: float, prob: float, edge_min: float, ladder: Ladder, rules: QuoteRules
) -> Price | None:
    clamped = clamp_to_edge(limit, prob, edge_min, rules.edge.fee_rate)
    return None if clamped is None else ladder.snap_passive(clamped)
