"""[risk] and its rows: what a person may write, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbot.engine.limits import Scope
from tests.test_config import GOOD, problems_of, settings_of


def with_rows(*rows: str) -> str:
    return GOOD + "".join(f"[[risk.scopes]]\n{row}\n" for row in rows)


def test_dollars_and_seconds_become_cents_and_nanoseconds(tmp_path: Path) -> None:
    limits = settings_of(tmp_path).risk.limits(quantity_min_cents=250)
    assert limits.strike_resting_max_cents == 20_000
    assert limits.event_loss_max_cents == 40_000
    assert (limits.total_held_max_cents, limits.total_loss_max_cents) == (60_000, 100_000)
    assert (limits.open_orders_max, limits.simultaneous_events_max) == (50, None)
    assert (limits.price_age_max_ns, limits.fair_age_max_ns) == (30 * 10**9, 10 * 10**9)
    assert limits.quantity_min_cents == 250
    strict = GOOD.replace('simultaneous_events_max = "all"', "simultaneous_events_max = 3")
    assert settings_of(tmp_path, strict).risk.limits(100).simultaneous_events_max == 3


def test_a_row_keeps_its_figures_and_says_where_it_stands(tmp_path: Path) -> None:
    text = with_rows(
        'sport = "Soccer"\nline_loss_max_usd = 2.50', "event = 7\nevent_loss_max_usd = 1"
    )
    book = settings_of(tmp_path, text).risk.book(100)
    assert book.account.line_loss_max_cents == 25_050
    assert {one.table: (one.scope, one.figures) for one in book.overrides} == {
        "[[risk.scopes]] #1 (sport soccer)": (Scope(sport="soccer"), {"line_loss_max_cents": 250}),
        "[[risk.scopes]] #2 (event 7)": (Scope(event=7), {"event_loss_max_cents": 100}),
    }


WRONG = [
    (["line_loss_max_usd = 2"], "#1: say whom it is about"),
    (['sport = "Soccer"'], "#1: sets no figure for sport soccer"),
    (
        ["event = 7\nlevent = 1\nline_loss_max_usd = 2"],
        "[[risk.scopes]] #1 levent: unknown key (did you mean event?)",
    ),
    (["event = 7\ntotal_loss_max_usd = 2"], "total_loss_max_usd: unknown key"),
    (
        ["event = 7\ntournament_loss_max_usd = 2"],
        "tournament_loss_max_usd means nothing for event 7 alone",
    ),
    (
        ['market_type = "total"\nevent_loss_max_usd = 2'],
        "event_loss_max_usd means nothing for market type total alone",
    ),
    (
        ["event = 7\nline_loss_max_usd = 2", "event = 7\nevent_loss_max_usd = 2"],
        "[[risk.scopes]] two are about event 7",
    ),
    (
        ["tournament = 31\nline_loss_max_usd = 2", "event = 7\nevent_loss_max_usd = 950"],
        "[[risk.scopes]] #2 (event 7) event_loss_max_usd is above tournament_loss_max_usd",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), WRONG)
def test_a_wrong_row_is_one_clear_line(tmp_path: Path, rows: list[str], expected: str) -> None:
    problems = problems_of(tmp_path, with_rows(*rows))
    assert any(expected in problem for problem in problems), problems


def test_a_row_may_loosen_as_far_as_another_has_widened(tmp_path: Path) -> None:
    text = with_rows(
        "tournament = 31\ntournament_loss_max_usd = 1000", "event = 7\nevent_loss_max_usd = 950"
    )
    assert settings_of(tmp_path, text).risk.scopes[1].figures == {"event_loss_max_cents": 95_000}


ORDERED = [
    ("strike_resting_max_usd = 200", "strike_resting_max_usd = 99", "order_quantity_max_usd is"),
    ("market_resting_max_usd = 800", "market_resting_max_usd = 199", "strike_resting_max_usd is"),
    (
        "market_loss_max_usd = 300",
        "market_loss_max_usd = 401",
        "market_loss_max_usd is above event",
    ),
    ("tournament_held_max_usd = 500", "tournament_held_max_usd = 700", "is above total_held"),
    ("total_held_max_usd = 600", "total_held_max_usd = 1001", "is above total_loss_max_usd"),
    ("tournament_loss_max_usd = 900", "tournament_loss_max_usd = 1001", "is above total_loss"),
]


@pytest.mark.parametrize(("was", "becomes", "expected"), ORDERED)
def test_what_is_wider_may_not_be_the_smaller(
    tmp_path: Path, was: str, becomes: str, expected: str
) -> None:
    assert was in GOOD
    (problem,) = problems_of(tmp_path, GOOD.replace(was, becomes))
    assert expected in problem
