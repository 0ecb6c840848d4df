"""Worst case of a line: never below what any combination of fills can do."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.price import Price, profit_cents
from mmbot.domain.view import Position
from mmbot.pricing.exposure import (
    LineLimits,
    line_worst_case_cents,
    lowers_worst_case,
    room_cents,
    total_worst_case_cents,
)
from tests.pricing.vectors import fallback_ladder

PRICES = fallback_ladder().prices
orders = st.tuples(st.sampled_from([0, 1]), st.sampled_from(PRICES), st.integers(100, 100_000))


def filled(*done: tuple[int, Price, int]) -> Position:
    stakes, wins = [0, 0], [0, 0]
    for side, price, stake in done:
        stakes[side] += stake
        wins[side] += profit_cents(price, stake)
    return Position((stakes[0], stakes[1]), (wins[0], wins[1]))


def open_stakes(*resting: tuple[int, Price, int]) -> tuple[int, int]:
    first, second = (sum(stake for s, _, stake in resting if s == side) for side in (0, 1))
    return first, second


def loss(position: Position) -> int:
    """By definition: the worse of the two results, and a push returns every stake."""
    return max(0, -position.result_if(0), -position.result_if(1))


def test_a_worked_example() -> None:
    held = filled((0, Price(150), 10_000))  # 100 dollars on side 0 at +150
    assert line_worst_case_cents(held) == 10_000
    assert line_worst_case_cents(held, (5_000, 0)) == 15_000
    # Side 0 winning brings 150; 200 resting on side 1 may then have been lost.
    assert line_worst_case_cents(held, (0, 20_000)) == 10_000
    assert line_worst_case_cents(held, (0, 26_000)) == 11_000


def test_a_profit_that_is_locked_in_pays_for_nothing() -> None:
    arbitrage = filled((0, Price(150), 10_000), (1, Price(150), 10_000))
    assert arbitrage.result_if(0) == arbitrage.result_if(1) == 5_000
    assert line_worst_case_cents(arbitrage) == 0
    risky = filled((0, Price(100), 10_000))
    assert total_worst_case_cents([(arbitrage, (0, 0)), (risky, (0, 0))]) == 10_000


@given(st.lists(orders, max_size=4), st.lists(orders, max_size=4))
def test_no_subset_of_fills_loses_more(
    done: list[tuple[int, Price, int]], resting: list[tuple[int, Price, int]]
) -> None:
    bound = line_worst_case_cents(filled(*done), open_stakes(*resting))
    worst = max(
        loss(filled(*done, *some))
        for n in range(len(resting) + 1)
        for some in combinations(resting, n)
    )
    assert bound == worst


@given(st.lists(orders, max_size=4), st.lists(orders, max_size=4), orders)
def test_one_more_open_order_never_lowers_the_worst_case(
    done: list[tuple[int, Price, int]],
    resting: list[tuple[int, Price, int]],
    one: tuple[int, Price, int],
) -> None:
    held = filled(*done)
    assert line_worst_case_cents(held, open_stakes(*resting, one)) >= line_worst_case_cents(
        held, open_stakes(*resting)
    )


@given(
    st.lists(orders, max_size=3),
    st.lists(orders, max_size=3),
    st.sampled_from([0, 1]),
    st.integers(0, 300_000),
    st.integers(0, 300_000),
)
def test_room_is_the_largest_stake_that_keeps_both_limits(
    done: list[tuple[int, Price, int]],
    resting: list[tuple[int, Price, int]],
    side: int,
    line_max: int,
    total_free: int,
) -> None:
    held, resting_now = filled(*done), open_stakes(*resting)
    now = line_worst_case_cents(held, resting_now)
    room = room_cents(held, resting_now, 0 if side == 0 else 1, LineLimits(line_max, total_free))

    def keeps(stake: int) -> bool:
        after = list(resting_now)
        after[side] += stake
        worst = line_worst_case_cents(held, (after[0], after[1]))
        return worst <= line_max and worst - now <= total_free

    assert keeps(room) or room == 0
    assert not keeps(room + 1)


def test_a_limit_already_broken_leaves_no_room() -> None:
    held = filled((0, Price(100), 10_000))
    assert room_cents(held, (0, 0), 1, LineLimits(9_999, 50_000)) == 0
    assert room_cents(held, (0, 0), 1, LineLimits(20_000, -1)) == 0


@given(st.lists(orders, max_size=4), orders)
def test_an_order_that_lowers_the_worst_case_does_so_at_any_partial_fill(
    done: list[tuple[int, Price, int]], one: tuple[int, Price, int]
) -> None:
    held = filled(*done)
    side, price, stake = one
    if lowers_worst_case(held, 0 if side == 0 else 1, stake, profit_cents(price, stake)):
        assert loss(filled(*done, one)) < loss(held)
        for part in (1, stake // 3, stake // 2, stake - 1):
            assert loss(filled(*done, (side, price, part))) <= loss(held) + 1


def test_a_hedge_lowers_and_an_addition_does_not() -> None:
    held = filled((0, Price(100), 10_000))
    assert lowers_worst_case(held, 1, 5_000, 5_000)
    assert not lowers_worst_case(held, 0, 5_000, 5_000)
    assert not lowers_worst_case(held, 1, 30_000, 30_000)


def test_a_negative_open_stake_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError):
        line_worst_case_cents(Position(), (-1, 0))
