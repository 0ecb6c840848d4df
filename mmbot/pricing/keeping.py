"""Keep a live order, replace it, or pull it at once: queue position is worth money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mmbot.domain.price import Ladder, Price
from mmbot.pricing.quoting import Wanted, edge_prob

Verdict = Literal["keep", "replace", "pull"]


@dataclass(frozen=True, slots=True)
class KeepRules:
    """`settle_ns`: how long a live order may stay cheaper than a target that has moved."""

    keep_ticks: int = 2
    settle_ns: int = 5 * 10**9
    remaining_share_min: float = 0.5
    edge_min_prob: float = 0.005
    fee_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class LiveOrder:
    price: Price
    remaining_cents: int


def keep_verdict(
    live: LiveOrder,
    target: Wanted | None,
    belief: tuple[float, int],
    ladder: Ladder,
    rules: KeepRules,
) -> Verdict:
    """`belief` = (fair probability of this side, nanoseconds since the target last moved).

    There is no patience on the losing side: an order without its edge goes, whatever is wanted.
    """
    prob, target_age_ns = belief
    if target is None or edge_prob(prob, live.price, rules.fee_rate) < rules.edge_min_prob:
        return "pull"
    if live.remaining_cents < rules.remaining_share_min * target.stake_cents:
        return "replace"
    if live.price == target.price:
        return "keep"
    if live.price not in ladder or target.price not in ladder:
        return "replace"
    behind = ladder.ticks_between(live.price, target.price)
    near = 0 < behind <= rules.keep_ticks
    return "keep" if near and target_age_ns < rules.settle_ns else "replace"
