"""Quotes: skew, width, edge, layers, sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.price import crosses, implied
from mmbot.pricing.odds import after_commission, decimal_odds, expit, logit
from mmbot.pricing.quoting import (
    QuoteRules,
    Situation,
    SizeRules,
    SpreadRules,
    clamp_to_edge,
    half_spread_logit,
    indifference_price,
    one_sided,
    stale_add_logit,
    two_sided,
)
from tests.pricing.vectors import fallback_ladder

LADDER = fallback_ladder()
SIZE = SizeRules(
    level_cents=5_000, level_min_cents=500, capital_cents=10_000_00, position_max_usd=1_500.0
)
RULES = QuoteRules(risk_aversion=1e-4, size=SIZE)
PLENTY = (10**9, 10**9)
situations = st.builds(
    Situation,
    prob=st.floats(0.03, 0.97),
    position_usd=st.floats(-1_400.0, 1_400.0),
    half_spread_logit=st.floats(0.03, 0.25),
    room_cents=st.tuples(st.integers(0, 50_000), st.integers(0, 50_000)),
)


def at(prob: float, position_usd: float = 0.0, room: tuple[int, int] = PLENTY) -> Situation:
    return Situation(prob, position_usd, 0.06, room)


@given(situations)
def test_quotes_are_on_the_ladder_within_room_and_never_cross(now: Situation) -> None:
    both = two_sided(now, LADDER, RULES)
    for side, levels in enumerate(both):
        assert sum(level.stake_cents for level in levels) <= now.room_cents[side]
        prices = [level.price for level in levels]
        assert all(price in LADDER for price in prices)
        assert len(set(prices)) == len(prices)
        assert sorted(prices, key=implied, reverse=True) == prices
        assert all(level.stake_cents >= SIZE.level_min_cents for level in levels)
    assert not any(crosses(a.price, b.price) for a in both[0] for b in both[1])


@given(situations)
def test_every_quote_earns_its_edge(now: Situation) -> None:
    for side, levels in enumerate(two_sided(now, LADDER, RULES)):
        prob = now.prob if side == 0 else 1 - now.prob
        held = now.position_usd if side == 0 else -now.position_usd
        for level in levels:
            bought = level.stake_cents * decimal_odds(level.price) / 100
            reduces = held < 0 and bought <= -held + 0.02
            floor = -0.005 if reduces else 0.005
            assert prob - implied(level.price) >= floor - 1e-9
            held += bought


@pytest.mark.parametrize("prob", [0.1, 0.35, 0.5, 0.62, 0.9])
@pytest.mark.parametrize("position_usd", [-700.0, 0.0, 300.0])
def test_the_two_sides_mirror(prob: float, position_usd: float) -> None:
    first, second = two_sided(at(prob, position_usd), LADDER, RULES)
    again = two_sided(at(1 - prob, -position_usd), LADDER, RULES)
    for ours, theirs in zip((second, first), again, strict=True):
        assert [one.price for one in ours] == [one.price for one in theirs]
        # 1 - 0.9 is not quite 0.1: a stake may round to the next cent.
        assert [one.stake_cents for one in ours] == pytest.approx(
            [one.stake_cents for one in theirs], abs=2
        )


def test_a_position_cheapens_its_own_side_and_sweetens_the_other() -> None:
    flat, long = two_sided(at(0.55), LADDER, RULES), two_sided(at(0.55, 800.0), LADDER, RULES)
    assert [flat[0][0].price, flat[1][0].price] == [-115, 130]
    assert long[0][0].price == -106
    assert implied(long[1][0].price) > implied(flat[1][0].price)
    assert long[0][0].stake_cents < flat[0][0].stake_cents


def test_a_reducing_order_may_cost_a_little_and_stops_at_flat() -> None:
    # 20 contracts to sell back: the reducing quote may buy at most 20 of the other side.
    reducing = one_sided(at(0.55, 2_000.0, PLENTY), 1, LADDER, replace(RULES, risk_aversion=1e-3))
    dearest = reducing[0]
    assert implied(dearest.price) > 0.45  # above fair, within the floor of -0.005
    assert implied(dearest.price) <= 0.455 + 1e-9
    small = one_sided(at(0.55, 20.0, PLENTY), 1, LADDER, replace(RULES, risk_aversion=0.05))
    assert small[0].stake_cents * decimal_odds(small[0].price) / 100 <= 20.0
    assert all(implied(level.price) <= 0.445 for level in small[1:])


def test_a_full_position_is_not_added_to() -> None:
    assert one_sided(at(0.5, 1_500.0), 0, LADDER, RULES) == ()
    assert one_sided(at(0.5, 1_500.0), 1, LADDER, RULES) != ()


def test_no_room_no_quote() -> None:
    assert two_sided(at(0.5, room=(0, 499)), LADDER, RULES) == ((), ())


def test_layers_step_down_and_grow() -> None:
    levels = one_sided(at(0.5), 0, LADDER, RULES)
    assert [level.price for level in levels] == [107, 110, 113]
    stakes = [level.stake_cents for level in levels]
    assert stakes == sorted(stakes)
    assert len(set(stakes)) == 3


def test_on_a_coarse_ladder_a_level_steps_at_least_one_tick() -> None:
    levels = one_sided(at(0.02), 0, LADDER, RULES)
    assert [level.price for level in levels] == [7_500, 10_000]


def test_stake_is_a_tenth_of_kelly_when_that_is_less_than_the_level() -> None:
    rich = one_sided(at(0.5), 0, LADDER, replace(RULES, size=replace(SIZE, level_cents=10**7)))
    # +107 against a fair half: Kelly .03271 of 10 000 dollars, a tenth of it.
    assert rich[0].stake_cents == pytest.approx(3_271, abs=1)


def test_half_spread_has_a_floor_a_cap_and_parts() -> None:
    rules = SpreadRules()
    assert half_spread_logit(rules, 0.0) == pytest.approx(0.06)
    assert half_spread_logit(rules, 0.02, toxicity=0.03, stale=0.01) == pytest.approx(0.12)
    assert half_spread_logit(rules, 0.02, toxicity=5.0) == pytest.approx(0.18)
    assert half_spread_logit(rules, 0.0, toxicity=-5.0) == pytest.approx(0.06)
    assert half_spread_logit(rules, 3.0) == 0.25
    assert half_spread_logit(SpreadRules(base_logit=0.0), 0.0) == 0.03


def test_an_old_fair_widens_and_then_says_nothing() -> None:
    assert stale_add_logit(120.0, 120.0, 600.0, 0.06) == 0.0
    assert stale_add_logit(360.0, 120.0, 600.0, 0.06) == pytest.approx(0.03)
    assert stale_add_logit(600.0, 120.0, 600.0, 0.06) == pytest.approx(0.06)
    assert stale_add_logit(601.0, 120.0, 600.0, 0.06) is None


@given(st.floats(0.02, 0.98), st.floats(0.0, 0.05), st.floats(0.0, 0.05))
def test_the_clamp_keeps_the_edge_after_commission(prob: float, edge: float, fee: float) -> None:
    limit = clamp_to_edge(0.99, prob, edge, fee)
    if limit is None:
        assert prob <= edge
    else:
        assert prob - after_commission(limit, fee) >= edge - 1e-9
        assert clamp_to_edge(limit / 2, prob, edge, fee) == limit / 2


@given(st.floats(0.05, 0.95), st.floats(-900.0, 900.0))
def test_a_small_size_costs_the_reservation_price_and_more_costs_less(
    prob: float, held: float
) -> None:
    one = indifference_price(prob, held, 1e-4, 1e-3)
    assert one == pytest.approx(expit(logit(prob) - 1e-4 * held), abs=1e-5)
    assert indifference_price(prob, held, 1e-4, 500.0) < one


@pytest.mark.parametrize("multiples", [(), (1.0,) * 11])
def test_the_number_of_levels_is_limited(multiples: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="levels"):
        QuoteRules(risk_aversion=1e-4, size=replace(SIZE, multiples=multiples))
