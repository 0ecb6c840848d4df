"""Losses per level, kept as orders move: always what a portfolio made anew would say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.catalog import Catalog, Line, Side
from mmbot.domain.ids import LineId, SportEventId
from mmbot.pricing.event_risk import NO_LOSS, Loss
from mmbot.pricing.portfolio import LineStakes, Place, Portfolio
from tests.pricing.games import (
    GAME,
    Bet,
    a_moneyline,
    a_portfolio,
    a_prop,
    a_spread,
    a_total,
    place_of,
    stakes_of,
)

FEE_PPM = 20_000
OTHER = replace(GAME, event_id=SportEventId(502))
ABROAD = replace(GAME, event_id=SportEventId(503), tournament_id=53)
EVENTS = (GAME, OTHER, ABROAD)
LINES = tuple(
    line
    for event in EVENTS
    for line in (
        a_moneyline(event),
        a_spread(-3.5, event),
        a_spread(-4, event),
        a_total(43.5, event),
        a_total(9.5, event, "first_half"),
        a_prop(1.5, event),
        a_prop(2.5, event),
    )
)
CATALOG = Catalog.of(EVENTS, LINES)
cents = st.integers(0, 30).map(lambda n: n * 101)
pairs = st.tuples(cents, cents)


@st.composite
def stakes(draw: st.DrawFn) -> LineStakes:
    doubt, rests = draw(pairs), draw(pairs)
    both = (doubt[0] + rests[0], doubt[1] + rests[1])
    return LineStakes(draw(pairs), draw(pairs), both, doubt)


# Mostly lines of one score: there they meet.
lines = st.sampled_from(LINES[:4]) | st.sampled_from(LINES)
moves = st.lists(st.tuples(lines, st.just(LineStakes()) | stakes()), max_size=14)


def a_listed_portfolio(most: int | None = None) -> Portfolio:
    portfolio = Portfolio(FEE_PPM, most)
    portfolio.learn(CATALOG)
    for line in LINES[:4]:
        portfolio.levels(place_of(line))  # no cut comes later
    return portfolio


def assert_same(one: Portfolio, other: Portfolio) -> None:
    assert one.total == other.total
    assert one.events() == other.events()
    for line in LINES:
        assert one.levels(place_of(line)) == other.levels(place_of(line)), line.line_id


@settings(max_examples=25, deadline=None)
@given(moves, st.sampled_from([None, 1, 2]))
def test_whatever_came_before_it_says_what_a_new_one_says(
    done: list[tuple[Line, LineStakes]], most: int | None
) -> None:
    kept, now = a_listed_portfolio(most), {}
    for line, held in done:
        kept.put(place_of(line), held)
        now[line.line_id] = (line, held)
    anew = a_listed_portfolio(most)
    for line, held in reversed(now.values()):
        anew.put(place_of(line), held)
    assert_same(kept, anew)
    kept.learn(CATALOG)
    assert_same(kept, anew)


@settings(max_examples=25, deadline=None)
@given(moves, lines, st.sampled_from([0, 1]), cents, st.sampled_from([None, 1, 2]))
def test_the_answer_for_one_more_order_is_what_would_be(
    done: list[tuple[Line, LineStakes]], line: Line, side: Side, stake: int, most: int | None
) -> None:
    portfolio, place, held = a_listed_portfolio(most), place_of(line), LineStakes()
    for moved, now in done:
        portfolio.put(place_of(moved), now)
        held = now if moved == line else held
    before = portfolio.levels(place)
    answer = portfolio.levels_with(place, side, stake)
    assert portfolio.levels(place) == before
    more = (stake, 0) if side == 0 else (0, stake)
    rests, doubt = held.resting_cents, held.doubt_cents
    portfolio.put(
        place,
        held._replace(
            resting_cents=(rests[0] + more[0], rests[1] + more[1]),
            doubt_cents=(doubt[0] + more[0], doubt[1] + more[1]),
        ),
    )
    assert answer == portfolio.levels(place)


def test_levels() -> None:
    spread = Bet(a_spread(-3.5), 0, 100, 10_000)
    total = Bet(a_total(43.5), 0, 100, 5_000, "rests")
    near = Bet(a_moneyline(OTHER), 0, 100, 700, "doubt")
    far = Bet(a_moneyline(ABROAD), 1, 100, 30)
    portfolio = a_portfolio(spread, total, near, far, events=EVENTS)
    levels = portfolio.levels(place_of(spread.line))
    assert levels.line == levels.market == Loss(10_000, 10_000)
    assert portfolio.levels_with(place_of(spread.line), 1, 500).line == levels.line
    assert levels.event == Loss(10_000, 15_000)
    assert levels.tournament == Loss(10_700, 15_700)
    assert levels.portfolio == portfolio.total == Loss(10_730, 15_730)
    assert portfolio.tournaments() == {31: Loss(10_700, 15_700), 53: Loss(30, 30)}
    assert portfolio.markets()[ABROAD.event_id, far.line.market_id] == Loss(30, 30)


def test_of_what_rests_only_so_many_events_fill_at_once() -> None:
    bets = [
        Bet(a_moneyline(event), 0, 100, stake, "rests")
        for event, stake in zip(EVENTS, (500, 300, 400), strict=True)
    ]
    held = Bet(a_spread(-3.5, OTHER), 0, 100, 1_000)  # 1,000 held, and 300 rest beside it
    for most, rest in ((1, 500), (2, 900), (3, 1_200), (None, 1_200)):
        portfolio = a_portfolio(*bets, held, events=EVENTS, most=most)
        assert portfolio.total == Loss(1_000, 1_000 + rest)


def test_the_fee_is_asked_of_what_a_market_would_still_win() -> None:
    apart = (Bet(a_spread(0.5), 0, 100, 10_000), Bet(a_moneyline(), 1, 100, 10_000))
    portfolio = a_portfolio(*apart, fee_ppm=FEE_PPM)
    answer = portfolio.levels_with(place_of(apart[0].line), 1, 5_000)
    assert answer.event.held_cents == 10_000 - (5_000 - 100)  # home wins: 2 % of 50.00


def test_lines_of_one_market_offset_each_other_in_it() -> None:
    both = (Bet(a_spread(-3.5), 0, 100, 10_000), Bet(a_spread(3.5), 1, 100, 10_000))
    assert a_portfolio(*both).levels(place_of(both[0].line)).market.held_cents == 20_000
    middle = (Bet(a_spread(3.5), 0, 100, 10_000), Bet(a_spread(-3.5), 1, 100, 10_000))
    assert a_portfolio(*middle).levels(place_of(middle[0].line)).market == NO_LOSS


def test_a_profit_that_is_locked_in_pays_for_nothing() -> None:
    locked = (Bet(a_spread(3.5), 0, 150, 10_000), Bet(a_spread(-3.5), 1, 150, 10_000))
    risky = Bet(a_prop(1.5), 0, 100, 10_000)
    portfolio = a_portfolio(*locked, risky)
    assert portfolio.levels(place_of(locked[0].line)).market == NO_LOSS
    assert portfolio.total.held_cents == 10_000


def test_before_a_catalogue_comes_nothing_offsets_anything() -> None:
    hedged = (Bet(a_spread(0.5), 0, 100, 10_000), Bet(a_moneyline(), 1, 100, 10_000))
    portfolio = Portfolio(0, None)
    for bet in hedged:
        portfolio.put(place_of(bet.line), stakes_of([bet]))
    assert portfolio.total.held_cents == 20_000
    assert portfolio.tournaments() == {0: Loss(20_000, 20_000)}
    portfolio.learn(Catalog.of([GAME], [bet.line for bet in hedged]))
    assert portfolio.total == NO_LOSS
    assert portfolio.tournaments() == {0: NO_LOSS, 31: NO_LOSS}
    portfolio.put(place_of(hedged[0].line), LineStakes())
    assert portfolio.total.held_cents == 10_000


def test_what_was_learnt_once_stays_and_what_is_empty_is_forgotten() -> None:
    hedged = (Bet(a_spread(0.5), 0, 100, 10_000), Bet(a_moneyline(), 1, 100, 10_000))
    portfolio = a_portfolio(*hedged)
    portfolio.learn(Catalog())
    assert portfolio.total == NO_LOSS
    assert portfolio.tournaments() == {31: NO_LOSS}
    for bet in hedged:
        portfolio.put(place_of(bet.line), LineStakes())
    portfolio.learn(Catalog())
    assert portfolio.events() == {}
    assert portfolio.markets() == {}


def test_a_line_of_an_unknown_event_counts_as_it_is() -> None:
    unknown = Place(SportEventId(9), a_moneyline().market_id, LineId("?"))
    portfolio = Portfolio(FEE_PPM, None)
    portfolio.put(unknown, LineStakes(stake_cents=(900, 0), profit_cents=(900, 0)))
    assert portfolio.total == Loss(900, 900)
    assert portfolio.levels_with(unknown, 1, 500).event == Loss(900, 900)
    assert portfolio.levels_with(unknown, 0, 500).event == Loss(1_400, 1_400)


@pytest.mark.parametrize("most", [0, -1])
def test_no_event_at_once_makes_no_sense(most: int) -> None:
    with pytest.raises(AssertionError):
        Portfolio(FEE_PPM, most)
