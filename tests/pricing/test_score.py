"""Which lines lie on a score: a wrong placing would offset what it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.catalog import Competitor, Line
from mmbot.pricing.score import Cut, cut_of, own_axis
from tests.pricing.games import (
    GAME,
    TEAMS,
    a_moneyline,
    a_prop,
    a_spread,
    a_total,
    turned,
)

FULL_GAME = "//away/home"  # of a scored sport: one score for all three kinds


def renamed(line: Line, first: str, second: str) -> Line:
    a, b = line.strikes
    return replace(line, strikes=(replace(a, name=first), replace(b, name=second)))


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        # The margin is that of Away, first in the alphabet, over Home.
        (a_moneyline(), Cut(FULL_GAME, "margin", 0, 1)),
        (turned(a_moneyline()), Cut(FULL_GAME, "margin", 0, 0)),
        (a_spread(-3.5), Cut(FULL_GAME, "margin", -7, 1)),
        (turned(a_spread(-3.5)), Cut(FULL_GAME, "margin", -7, 0)),
        (a_total(43), Cut(FULL_GAME, "total", 86, 0)),
        (turned(a_total(43)), Cut(FULL_GAME, "total", 86, 1)),
        (a_spread(1.5, period="first_half"), Cut("first_half//away/home", "margin", 3, 1)),
        (a_total(4.5, period="1st_5th_inning"), Cut("1st_5th_inning//away/home", "total", 9, 0)),
    ],
)
def test_where_a_line_lies(line: Line, cut: Cut) -> None:
    assert cut_of(line, GAME) == cut


@pytest.mark.parametrize(
    "line",
    [
        a_prop(1.5),
        a_total(4.5, period="corners"),
        a_total(4.5, period="pitcher_strikeouts"),
        replace(a_moneyline(), sub_type=""),
        replace(a_moneyline(), sub_type="moneyline_3_way"),
        replace(a_moneyline(), market_type="sup_moneyline", sub_type="sup_moneyline"),
        a_spread(-0.25),  # half of the stake may be won
        renamed(a_moneyline(), "Home", "The Others"),
        renamed(a_moneyline(), "Home", "Home"),
        renamed(a_total(43.5), "Yes", "No"),
        renamed(a_total(43.5), "A. Smith over 43.5", "A. Smith under 43.5"),
        replace(a_total(43.5), strikes=(a_total(43.5).strikes[0], a_total(44.5).strikes[1])),
        replace(a_spread(3.5), strikes=(a_spread(3.5).strikes[0], a_spread(2.5).strikes[1])),
        a_total(99_999.5),
    ],
    ids=lambda line: f"{line.sub_type} {line.strikes[0].name}",
)
def test_what_is_not_certain_has_an_axis_of_its_own(line: Line) -> None:
    assert cut_of(line, GAME) == own_axis(line.line_id)


def test_a_name_may_carry_the_number_of_its_line() -> None:
    spaced = renamed(a_spread(-3.5), "  HOME −3.5", "Away  3.5")
    assert cut_of(spaced, GAME) == cut_of(a_spread(-3.5), GAME)
    other = renamed(a_spread(-3.5), "Home -4.5", "Away +4.5")
    assert cut_of(other, GAME) == own_axis(other.line_id)


def test_where_the_winner_need_not_have_scored_more_each_kind_has_its_own_score() -> None:
    for sport in ("Tennis", ""):
        match = replace(GAME, sport_name=sport)
        grids = {cut_of(line, match).grid for line in (a_moneyline(), a_spread(2), a_total(20))}
        assert len(grids) == 3


def test_without_two_names_nothing_is_known_of_a_margin() -> None:
    for competitors in ((), TEAMS[:1], (*TEAMS, Competitor("Third", ""))):
        event = replace(GAME, competitors=competitors)
        assert cut_of(a_spread(2), event) == own_axis(a_spread(2).line_id)


def test_a_name_that_changed_makes_another_score() -> None:
    moved = replace(GAME, competitors=(TEAMS[0], Competitor("Zebras", "away")))
    line = renamed(a_moneyline(), "Home", "Zebras")
    assert cut_of(line, moved).grid != cut_of(a_moneyline(), GAME).grid
