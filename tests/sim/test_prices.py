"""The box's own odds and cents against the tables of the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.sim.box import DATA
from mmbot.sim.core.prices import (
    DataError,
    at_least_as_good,
    complement,
    devig_two,
    implied,
    load_ladder,
    nearest_american,
    profit_cents,
    ratio,
    wins_a_cent,
)

LADDER = load_ladder(DATA / "price_ladder.json")
prices = st.sampled_from(LADDER.prices)


@pytest.mark.parametrize(
    ("price", "stake", "profit"),
    [(-117, 11_700, 10_000), (114, 5_000, 5_700), (100, 2_500, 2_500), (-10_000, 100, 1)],
)
def test_profit_of_the_contract_table(price: int, stake: int, profit: int) -> None:
    assert profit_cents(price, stake) == profit


def test_a_profit_under_a_cent_is_none() -> None:
    assert not wins_a_cent(-10_000, 50)
    assert wins_a_cent(-10_000, 100)


@given(prices)
def test_a_price_and_its_complement_share_the_pot(price: int) -> None:
    assert implied(price) + implied(complement(price)) == pytest.approx(1.0, abs=1e-12)
    assert complement(complement(price)) == price


def test_order_by_odds_not_by_number() -> None:
    assert at_least_as_good(100, -101)
    assert not at_least_as_good(-101, 100)
    with pytest.raises(ValueError, match="not an American price"):
        ratio(-100)


@pytest.mark.parametrize(
    ("probability", "price"),
    [(0.53, -112), (0.4975, 102), (0.4713, 113), (0.60, -150), (0.33, 205), (0.105, 860)],
)
def test_the_ladder_snaps_to_the_smaller_probability(probability: float, price: int) -> None:
    assert LADDER.at_most(probability) == price


@given(prices)
def test_a_ladder_price_snaps_to_itself_and_comes_back_from_its_probability(price: int) -> None:
    assert LADDER.at_most(implied(price)) == price
    assert nearest_american(implied(price)) == price


def test_no_ladder_price_below_the_last() -> None:
    assert LADDER.at_most(0.001) is None


@given(st.floats(0.02, 0.98), st.floats(0.0, 0.06))
def test_devig_of_two_sums_to_one(first: float, margin: float) -> None:
    second = 1.0 - first + margin
    assert devig_two(first, second) + devig_two(second, first) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("prices", "fair"), [((-150, 130), 0.582609), ((-300, 250), 0.732143), ((105, -125), 0.466125)]
)
def test_devig_of_the_published_examples(prices: tuple[int, int], fair: float) -> None:
    assert devig_two(implied(prices[0]), implied(prices[1])) == pytest.approx(fair, abs=1e-6)


@pytest.mark.parametrize("text", ["", "{}", '{"values": [50]}', '{"values": []}'])
def test_a_ladder_file_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ladder.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"ladder\.json"):
        load_ladder(path)
