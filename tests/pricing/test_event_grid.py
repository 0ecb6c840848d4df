"""The worst case of one event: the design's vectors, and brute force over all that may fill."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.catalog import Line, Side
from mmbot.pricing.event_grid import FAR, cells_of, come_together
from tests.pricing.games import (
    Bet,
    a_moneyline,
    a_portfolio,
    a_prop,
    a_spread,
    a_total,
    by_brute_force,
    place_of,
    turned,
)
from tests.pricing.vectors import vectors

FULL = os.environ.get("FULL") == "1"
FEE_PPM = 20_000
FILLED = (
    Bet(a_spread(-3.5), 0, -110, 11_000),
    Bet(a_moneyline(), 1, 150, 10_000),
    Bet(a_spread(-7), 0, 180, 5_000),
)
OPEN = (
    Bet(a_spread(-3.5), 1, -105, 21_000, "rests"),
    Bet(a_moneyline(), 0, -120, 12_000, "rests"),
)


def test_the_worked_example_of_the_design() -> None:
    said = vectors()["event_grid"]
    with_open = a_portfolio(*FILLED, *OPEN).total
    assert a_portfolio(*FILLED).total.held_cents == with_open.held_cents == -100 * said["worst"]
    assert with_open.everything_cents == -100 * said["worst_with_open"]  # one by one: 590.00
    for first, last, dollars in said["payoff_by_margin_range"]:
        for margin in range(first, last + 1):
            assert sum(bet.pays(margin, 60) for bet in FILLED) == 100 * dollars
    for first, last, dollars in said["payoff_with_adverse_open_fills"]:
        for margin in range(first, last + 1):
            adverse = sum(min(0, bet.pays(margin, 60)) for bet in OPEN)
            assert sum(bet.pays(margin, 60) for bet in FILLED) + adverse == 100 * dollars


@pytest.mark.parametrize("n", range(len(OPEN)))
def test_it_does_not_matter_which_way_a_line_is_listed(n: int) -> None:
    one = OPEN[n]
    side: Side = 1 if one.side == 0 else 0
    other_way = Bet(turned(one.line), side, one.price, one.stake_cents, "rests")
    rest = [bet for bet in (*FILLED, *OPEN) if bet.line != one.line]
    assert a_portfolio(*rest, other_way).total == a_portfolio(*rest, one).total


def test_the_fee_of_a_market_leaves_less_to_offset_the_loss_of_another() -> None:
    """Both win 100.00 or lose 100.00; the total wins where the spread does not: never at once."""
    both = (
        Bet(a_spread(-3.5), 0, 100, 10_000),
        Bet(a_moneyline(), 1, 100, 10_000),  # home by 4 or more: +100 - 100; away: -100 + 100
    )
    assert a_portfolio(*both).levels(place_of(both[0].line)).event.held_cents == 20_000
    hedged = (
        Bet(a_spread(-0.5), 0, 100, 10_000),
        Bet(a_moneyline(), 1, 100, 10_000),
    )
    assert a_portfolio(*hedged).total.held_cents == 10_000  # a tie
    apart = (Bet(a_spread(0.5), 0, 100, 10_000), Bet(a_moneyline(), 1, 100, 10_000))
    assert a_portfolio(*apart).total.held_cents == 0
    assert a_portfolio(*apart, fee_ppm=FEE_PPM).total.held_cents == 200
    assert a_portfolio(*apart, fee_ppm=FEE_PPM + 1).total.held_cents == 201  # up to the cent


def test_a_margin_and_a_total_that_cannot_come_together_are_not_added() -> None:
    """Home by 6 or more, and fewer than 6 points: no such game."""
    held = (Bet(a_spread(-5.5), 1, 100, 10_000), Bet(a_total(5.5), 0, 100, 10_000))
    assert a_portfolio(*held).total.held_cents == 0
    held = (Bet(a_spread(-4.5), 1, 100, 10_000), Bet(a_total(5.5), 0, 100, 10_000))
    assert a_portfolio(*held).total.held_cents == 20_000  # 5 : 0


def test_a_tie_has_an_even_total() -> None:
    held = (
        Bet(a_spread(0.5), 1, 100, 10_000),  # loses a tie
        Bet(a_spread(-0.5), 0, 100, 10_000),  # and so does this one
        Bet(a_total(43.5), 1, 100, 5_000),  # 43 or fewer
        Bet(a_total(42.5), 0, 100, 5_000),  # 43 or more
    )
    assert a_portfolio(*held).total.held_cents == 20_000
    pushes = (
        *held[:2],
        Bet(a_total(43.5), 0, 100, 5_000),
        Bet(a_total(42.5), 1, 100, 5_000),  # both lose at 43 only, which is odd
    )
    assert a_portfolio(*pushes).total.held_cents == 20_000


def test_what_no_score_decides_is_added() -> None:
    on_score = Bet(a_total(43.5), 0, 100, 10_000)
    prop = Bet(a_prop(1.5), 1, 100, 3_000)
    other = Bet(a_prop(2.5), 0, 100, 3_000)
    assert a_portfolio(on_score, prop, other).total.held_cents == 16_000


def test_cells() -> None:
    assert cells_of([], 0) == [(0, FAR)]
    assert cells_of([7, -14, 7], -20) == [(-20, -8), (-7, -7), (-6, 3), (4, FAR)]
    assert cells_of([0, 1], 0) == [(0, 0), (1, FAR)]
    assert come_together((-3, -3), (3, 4))
    assert not come_together((-3, -3), (4, 4))
    assert not come_together((-3, -3), (0, 2))
    assert come_together((FAR, FAR), (0, FAR))


# --- brute force -----------------------------------------------------------------------------

LINES = (
    a_moneyline(),
    *(a_spread(number) for number in (-3, -1.5, -0.5, 0.5, 2)),
    turned(a_spread(1)),
    *(a_total(number) for number in (0.5, 2, 2.5, 4)),
    turned(a_total(3.5)),
)


@st.composite
def books(draw: st.DrawFn, states: tuple[str, ...] = ("filled", "rests", "doubt")) -> list[Bet]:
    lines: list[Line] = draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=4, unique=True))
    bet = st.builds(
        Bet,
        line=st.sampled_from(lines),
        side=st.sampled_from([0, 1]),
        price=st.sampled_from([-250, -110, 100, 101, 180]),
        stake_cents=st.integers(1, 40).map(lambda n: n * 50 + 1),
        state=st.sampled_from(states),
    )
    return draw(st.lists(bet, min_size=1, max_size=6))


@settings(max_examples=5_000 if FULL else 35, deadline=None)
@given(books(), st.sampled_from([0, FEE_PPM, 33_333]))
def test_it_is_what_brute_force_finds(bets: list[Bet], fee_ppm: int) -> None:
    total = a_portfolio(*bets, fee_ppm=fee_ppm).total
    assert total.held_cents == by_brute_force(bets, fee_ppm, {"doubt"})
    assert total.everything_cents == by_brute_force(bets, fee_ppm, {"doubt", "rests"})


@settings(max_examples=25, deadline=None)
@given(books(), st.sampled_from([0, FEE_PPM]))
def test_it_is_at_most_what_each_order_could_lose(bets: list[Bet], fee_ppm: int) -> None:
    total = a_portfolio(*bets, fee_ppm=fee_ppm).total
    assert 0 <= total.held_cents <= total.everything_cents
    assert total.everything_cents <= sum(bet.stake_cents for bet in bets)
