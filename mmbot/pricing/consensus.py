"""Many bookmakers' prices of one line become one fair probability, or a reason why not.

Opinions are combined in log-odds. A weight is the trust in the bookmaker over the variance of
its opinion, which grows with age, as prices move on while a feed stands still.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import median
from types import MappingProxyType
from typing import Final, Literal

from mmbot.pricing.devig import DevigMethod, devig, method_spread_logit
from mmbot.pricing.odds import expit, logit

HOUR_NS: Final = 3_600 * 10**9
SHARP_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"pinnacle": 2.0, "circa": 2.0, "novig": 2.0, "sx_bet": 2.0}
)

Reason = Literal["too_few_sources", "no_opinion"]


@dataclass(frozen=True, slots=True)
class Trust:
    """How much a bookmaker's word counts. A bookmaker with a weight of its own is sharp."""

    sharp_weights: Mapping[str, float] = field(default_factory=lambda: SHARP_WEIGHTS)
    soft_weight: float = 0.3
    sharp_sd_logit: float = 0.02
    soft_sd_logit: float = 0.05
    variance_per_hour: float = 0.0015  # of pre-game log-odds moves
    sharp_sources_min: int = 1
    soft_sources_min: int = 3


@dataclass(frozen=True, slots=True)
class ConsensusRules:
    """What is believed: limits on one bookmaker's pair and on its distance from the others."""

    method: DevigMethod = "shin"
    book_sum_min: float = 0.98
    book_sum_max: float = 1.15
    pair_gap_max_s: float = 60.0
    outlier_logit_min: float = 0.25
    outlier_mads: float = 4.0
    outlier_sources_min: int = 3
    trust: Trust = field(default_factory=Trust)


@dataclass(frozen=True, slots=True)
class BookmakerPair:
    """Both sides of one line at one bookmaker; `updated_ns` as the feed stamps each side."""

    bookmaker: str
    implied: tuple[float, float]
    updated_ns: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Opinion:
    """One bookmaker's margin-free view of side 0; `weight` is an inverse variance."""

    bookmaker: str
    logit: float
    weight: float
    method_spread: float
    sharp: bool
    source_ns: int


@dataclass(frozen=True, slots=True)
class Consensus:
    """The fair probability of side 0 with its uncertainty in log-odds.

    `source_ns`: the newest moment at which half of the weight had spoken.
    """

    prob: float
    sd_logit: float
    source_ns: int
    used: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoConsensus:
    reason: Reason
    sharp: int
    soft: int
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Blend:
    """Precision-weighted mean in log-odds; `weights` sum to 1."""

    prob: float
    sd_logit: float
    weights: tuple[float, ...]


def consensus(
    pairs: Iterable[BookmakerPair], now_ns: int, rules: ConsensusRules
) -> Consensus | NoConsensus:
    """One line's fair from all bookmakers that quote both of its sides."""
    heard, refused = _hear(pairs, now_ns, rules)
    kept, outliers = _without_outliers(heard, rules)
    dropped = (*refused, *outliers)
    sharp = sum(opinion.sharp for opinion in kept)
    soft = len(kept) - sharp
    if not kept:
        return NoConsensus("no_opinion", sharp, soft, dropped)
    trust = rules.trust
    if sharp < trust.sharp_sources_min and soft < trust.soft_sources_min:
        return NoConsensus("too_few_sources", sharp, soft, dropped)
    return _combined(kept, dropped)


def opinion_of(pair: BookmakerPair, now_ns: int, rules: ConsensusRules) -> Opinion | None:
    """De-vigged view of one bookmaker; None when the pair fails a sanity limit."""
    older, newer = sorted(pair.updated_ns)
    if newer - older > rules.pair_gap_max_s * 1e9:
        return None
    if not rules.book_sum_min <= sum(pair.implied) < rules.book_sum_max:
        return None
    fair = devig(rules.method, pair.implied)
    if fair is None:
        return None
    trust = rules.trust
    sharp = pair.bookmaker in trust.sharp_weights
    sd = trust.sharp_sd_logit if sharp else trust.soft_sd_logit
    word = trust.sharp_weights.get(pair.bookmaker, trust.soft_weight)
    source_ns = min(older, now_ns)  # a stamp from the future must not keep a price fresh
    age_h = (now_ns - source_ns) / HOUR_NS
    return Opinion(
        bookmaker=pair.bookmaker,
        logit=logit(fair[0]),
        weight=word / (sd * sd + age_h * trust.variance_per_hour),
        method_spread=method_spread_logit(pair.implied),
        sharp=sharp,
        source_ns=source_ns,
    )


def blend(probs: Sequence[float], sds_logit: Sequence[float]) -> Blend:
    """Combine independent estimates, each by its own precision."""
    precisions = [1.0 / (sd * sd) for sd in sds_logit]
    total = sum(precisions)
    weights = tuple(precision / total for precision in precisions)
    x = sum(w * logit(p) for w, p in zip(weights, probs, strict=True))
    return Blend(expit(x), 1.0 / sqrt(total), weights)


def disputed(first: tuple[float, float], second: tuple[float, float], sds_max: float = 4.0) -> bool:
    """Two (prob, sd_logit) estimates too far apart to be noise: somebody knows something."""
    gap = abs(logit(first[0]) - logit(second[0]))
    return gap > sds_max * sqrt(first[1] ** 2 + second[1] ** 2)


def _hear(
    pairs: Iterable[BookmakerPair], now_ns: int, rules: ConsensusRules
) -> tuple[list[Opinion], list[str]]:
    """At most one opinion per bookmaker, the newest; and the names of those refused."""
    heard: dict[str, Opinion] = {}
    refused: list[str] = []
    for pair in pairs:
        opinion = opinion_of(pair, now_ns, rules)
        if opinion is None or opinion.weight <= 0.0:
            refused.append(pair.bookmaker)
            continue
        earlier = heard.get(pair.bookmaker)
        if earlier is None or earlier.source_ns < opinion.source_ns:
            heard[pair.bookmaker] = opinion
    return list(heard.values()), refused


def _without_outliers(
    opinions: list[Opinion], rules: ConsensusRules
) -> tuple[list[Opinion], list[str]]:
    if len(opinions) < rules.outlier_sources_min:
        return opinions, []
    centre = weighted_median([(o.logit, o.weight) for o in opinions])
    mad = median(abs(o.logit - centre) for o in opinions)
    far = max(rules.outlier_logit_min, rules.outlier_mads * mad)
    kept = [o for o in opinions if abs(o.logit - centre) <= far]
    return kept, [o.bookmaker for o in opinions if abs(o.logit - centre) > far]


def _combined(opinions: Sequence[Opinion], dropped: tuple[str, ...]) -> Consensus:
    total = sum(o.weight for o in opinions)
    x = sum(o.weight * o.logit for o in opinions) / total
    dispersion = sum(o.weight * (o.logit - x) ** 2 for o in opinions) / total
    method_spread = sum(o.weight * o.method_spread for o in opinions) / total
    return Consensus(
        prob=expit(x),
        sd_logit=sqrt(1.0 / total + dispersion + method_spread**2),
        source_ns=_half_weight_ns(opinions, total / 2.0),
        used=tuple(o.bookmaker for o in opinions),
        dropped=dropped,
    )


def weighted_median(values: Iterable[tuple[float, float]]) -> float:
    """The lower weighted median of (value, weight) pairs; ValueError when there is none."""
    ordered = sorted(values)
    half = sum(weight for _, weight in ordered) / 2.0
    reached = 0.0
    for value, weight in ordered:
        reached += weight
        if reached >= half:
            return value
    raise ValueError("the median of nothing")


def _half_weight_ns(opinions: Sequence[Opinion], half: float) -> int:
    reached = 0.0
    newest_first = sorted(opinions, key=lambda o: o.source_ns, reverse=True)
    for opinion in newest_first:
        reached += opinion.weight
        if reached >= half:
            return opinion.source_ns
    return newest_first[-1].source_ns
