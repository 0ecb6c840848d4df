"""Prices: what they pay, how they are ordered, and how a maker snaps."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mmbot
from mmbot.domain.price import (
    Ladder,
    Price,
    complement,
    crosses,
    implied,
    profit_cents,
    profit_ratio,
)

LADDER_FILE = Path(mmbot.__file__).parent / "data" / "price_ladder.json"
american = st.one_of(st.integers(100, 20_000), st.integers(-20_000, -101)).map(Price)
ladders = st.sets(american, min_size=1, max_size=40).map(Ladder.of)


def packaged() -> Ladder:
    return Ladder.of(json.loads(LADDER_FILE.read_text())["values"])


@given(american)
def test_a_price_and_its_complement_sum_to_one(price: Price) -> None:
    assert implied(price) + implied(complement(price)) == pytest.approx(1, abs=1e-12)
    assert complement(complement(price)) == price


@given(american, american)
def test_a_dearer_price_pays_less(a: Price, b: Price) -> None:
    if profit_ratio(a) > profit_ratio(b):
        assert implied(a) < implied(b)


@given(american, american)
def test_two_orders_cross_exactly_when_their_probabilities_reach_one(a: Price, b: Price) -> None:
    q = Fraction(1) / (1 + profit_ratio(a)) + Fraction(1) / (1 + profit_ratio(b))
    assert crosses(a, b) is (q >= 1)


def test_even_money_is_plus_one_hundred() -> None:
    assert complement(Price(100)) == 100
    assert Ladder.of([-110, -100, 110]).prices == (110, -110)
    assert Price(100) in Ladder.of([-100, 100])


@pytest.mark.parametrize("wrong", [0, 99, -99, 1])
def test_what_is_no_american_price_makes_no_ladder(wrong: int) -> None:
    with pytest.raises(ValueError, match="not an American price"):
        Ladder.of([110, wrong])


@given(ladders, st.floats(0.0001, 0.9999))
def test_snapping_is_the_dearest_price_within_the_limit(ladder: Ladder, limit: float) -> None:
    snapped = ladder.snap_passive(limit)
    within = [price for price in ladder.prices if implied(price) <= limit + 1e-9]
    assert snapped == (max(within, key=implied) if within else None)


@pytest.mark.parametrize(
    ("implied_max", "price"),
    [(0.53, -112), (0.4975, 102), (0.4713, 113), (0.60, -150), (0.33, 205), (0.105, 860),
     (0.015, 7500)],
)  # fmt: skip
def test_snapping_on_the_packaged_ladder(implied_max: float, price: int) -> None:
    assert packaged().snap_passive(implied_max) == price


@given(ladders, st.data())
def test_steps_count_ladder_places(ladder: Ladder, data: st.DataObject) -> None:
    a = data.draw(st.sampled_from(ladder.prices))
    b = data.draw(st.sampled_from(ladder.prices))
    assert ladder.step(a, ladder.ticks_between(a, b)) == b
    assert ladder.step(ladder.prices[-1], 1) is None


@given(american, st.integers(0, 10**8))
def test_profit_is_never_rounded_up(price: Price, stake_cents: int) -> None:
    exact = profit_ratio(price) * stake_cents
    assert exact - 1 < profit_cents(price, stake_cents) <= exact


def test_a_ladder_without_one_price_has_the_others_at_their_places() -> None:
    ladder = Ladder.of([100, 105, 110])
    left = ladder.without(Price(105))
    assert left == Ladder.of([100, 110])
    assert left.without(Price(105)) is left
    assert len(left.without(Price(100)).without(Price(110))) == 0
