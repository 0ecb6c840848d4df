"""Consensus of bookmakers: sanity limits, trust, outliers, uncertainty, age."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.price import Price, implied
from mmbot.pricing.consensus import (
    BookmakerPair,
    Consensus,
    ConsensusRules,
    NoConsensus,
    consensus,
    disputed,
    opinion_of,
    weighted_median,
)
from mmbot.pricing.odds import expit, logit

NOW = 1_800_000_000 * 10**9
SECOND = 10**9
HOUR = 3_600 * SECOND
RULES = ConsensusRules()


def a_pair(
    bookmaker: str, first: float, margin: float = 0.02, age_ns: int = SECOND
) -> BookmakerPair:
    half = margin / 2
    stamp = NOW - age_ns
    return BookmakerPair(bookmaker, (first + half, 1 - first + half), (stamp, stamp))


def agreed(*pairs: BookmakerPair, rules: ConsensusRules = RULES) -> Consensus:
    found = consensus(pairs, NOW, rules)
    assert isinstance(found, Consensus), found
    return found


def test_bookmakers_who_agree_are_repeated() -> None:
    found = agreed(a_pair("pinnacle", 0.6), a_pair("fanduel", 0.6), a_pair("betmgm", 0.6))
    assert found.prob == pytest.approx(0.6, abs=1e-9)
    assert found.used == ("pinnacle", "fanduel", "betmgm")


def test_one_sharp_bookmaker_is_enough_and_two_soft_ones_are_not() -> None:
    assert agreed(a_pair("pinnacle", 0.6)).used == ("pinnacle",)
    nothing = consensus([a_pair("fanduel", 0.6), a_pair("betmgm", 0.6)], NOW, RULES)
    assert nothing == NoConsensus("too_few_sources", sharp=0, soft=2, dropped=())
    assert agreed(a_pair("a", 0.6), a_pair("b", 0.6), a_pair("c", 0.6)).prob == pytest.approx(0.6)


def test_sharp_words_outweigh_soft_ones() -> None:
    found = agreed(a_pair("pinnacle", 0.60), a_pair("a", 0.58), a_pair("b", 0.58))
    assert 0.598 < found.prob < 0.60


def test_an_outlier_is_dropped_and_named() -> None:
    found = agreed(
        a_pair("pinnacle", 0.60), a_pair("circa", 0.605), a_pair("a", 0.595), a_pair("b", 0.85)
    )
    assert found.dropped == ("b",)
    assert found.prob == pytest.approx(0.6, abs=0.01)


def test_two_who_disagree_are_both_kept_and_the_doubt_shows() -> None:
    calm = agreed(a_pair("pinnacle", 0.60), a_pair("circa", 0.60))
    torn = agreed(a_pair("pinnacle", 0.60), a_pair("circa", 0.50))
    assert torn.dropped == ()
    assert torn.sd_logit > calm.sd_logit + 0.1


@pytest.mark.parametrize(
    "pair",
    [
        BookmakerPair("pinnacle", (0.60, 0.56), (NOW, NOW)),  # 16 % margin
        BookmakerPair("pinnacle", (0.50, 0.47), (NOW, NOW)),  # half a three-way market
        BookmakerPair("pinnacle", (0.51, 0.51), (NOW, NOW - 61 * SECOND)),  # two moments
    ],
)
def test_an_insane_pair_is_refused(pair: BookmakerPair) -> None:
    assert consensus([pair], NOW, RULES) == NoConsensus("no_opinion", 0, 0, ("pinnacle",))


def test_a_bookmaker_speaks_once_with_its_newest_word() -> None:
    old, new = a_pair("pinnacle", 0.5, age_ns=HOUR), a_pair("pinnacle", 0.6)
    assert agreed(old, new) == agreed(new, old) == agreed(new)


def test_words_lose_weight_with_age() -> None:
    fresh, stale = a_pair("pinnacle", 0.6), a_pair("pinnacle", 0.6, age_ns=12 * HOUR)
    weights = [o.weight for p in (fresh, stale) if (o := opinion_of(p, NOW, RULES)) is not None]
    assert weights[0] / weights[1] == pytest.approx((0.0004 + 12 * 0.0015) / 0.0004, rel=1e-2)


def test_a_consensus_is_as_old_as_the_half_of_it_that_counts() -> None:
    found = agreed(
        a_pair("pinnacle", 0.6, age_ns=40 * SECOND), a_pair("fanduel", 0.6, age_ns=SECOND)
    )
    assert found.source_ns == NOW - 40 * SECOND


def test_a_stamp_from_the_future_does_not_keep_a_price_young() -> None:
    assert agreed(a_pair("pinnacle", 0.6, age_ns=-HOUR)).source_ns == NOW


def test_disagreeing_methods_add_to_the_uncertainty() -> None:
    even = agreed(a_pair("pinnacle", 0.5, margin=0.04))
    favourite = agreed(a_pair("pinnacle", 0.93, margin=0.04))
    assert favourite.sd_logit > even.sd_logit + 0.1


@given(
    st.lists(st.floats(0.1, 0.9), min_size=1, max_size=8),
    st.sampled_from(["pinnacle", "novig"]),
)
def test_a_consensus_lies_among_its_sources_and_mirrors(probs: list[float], sharp: str) -> None:
    names = [sharp, *(f"book{i}" for i in range(1, len(probs)))]
    found = consensus([a_pair(n, p) for n, p in zip(names, probs, strict=True)], NOW, RULES)
    mirror = consensus([a_pair(n, 1 - p) for n, p in zip(names, probs, strict=True)], NOW, RULES)
    assert type(found) is type(mirror)
    if isinstance(found, Consensus):
        # Shin moves a favourite away from one half, by less than the margin.
        assert min(probs) - 0.02 <= found.prob <= max(probs) + 0.02
        assert found.sd_logit > 0


def test_a_real_line_of_eleven_bookmakers() -> None:
    """World Cup total 2.5, snapshot of 2026-07-13: under is the favourite everywhere."""
    quoted = {"betrivers": (132, -175), "bovada": (134, -162), "fanduel": (130, -160)}
    pairs = [
        BookmakerPair(name, (implied(Price(o)), implied(Price(u))), (NOW, NOW))
        for name, (o, u) in quoted.items()
    ]
    found = agreed(*pairs)
    assert 0.40 < found.prob < 0.42
    assert 0.02 < found.sd_logit < 0.09


def test_weighted_median() -> None:
    assert weighted_median([(1.0, 1.0), (2.0, 1.0), (9.0, 1.0)]) == 2.0
    assert weighted_median([(1.0, 1.0), (9.0, 5.0)]) == 9.0
    with pytest.raises(ValueError):
        weighted_median([])


def test_a_dispute_is_more_than_four_deviations() -> None:
    near, far = expit(logit(0.5) + 0.15), expit(logit(0.5) + 0.25)
    assert not disputed((0.5, 0.03), (near, 0.04))
    assert disputed((0.5, 0.03), (far, 0.04))
