"""Limits as data: which figure binds a line, and where a person has set it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.ids import SportEventId
from mmbot.engine import limits as limits_file
from mmbot.engine.limits import LimitBook, Limits, Override, Scope
from tests.engine.situations import EVENT, LIMITS, LINE

FOOTBALL = replace(EVENT, sport_name="American Football")
NFL = FOOTBALL.tournament_id


def a_book(**orders_max: Scope) -> LimitBook:
    """`usd_7=Scope(...)`: orders of at most 7 dollars there."""
    rows = [
        Override(scope, {"order_quantity_max_cents": int(name[4:]) * 100}, name)
        for name, scope in orders_max.items()
    ]
    return LimitBook(LIMITS, rows)


def order_max_usd(book: LimitBook) -> int:
    return book.of(FOOTBALL, LINE).order_quantity_max_cents // 100


def test_without_rows_the_account_binds_everything() -> None:
    assert LimitBook(LIMITS).of(FOOTBALL, LINE) is LIMITS
    assert LimitBook(LIMITS).table_of("line_loss_max_cents", FOOTBALL, LINE) == "[risk]"


CASCADE = [
    Scope(sport="american football"),
    Scope(tournament=NFL),
    Scope(market_type="moneyline"),
    Scope(market_type="moneyline", tournament=NFL),
    Scope(sub_type="moneyline"),
    Scope(event=EVENT.event_id),
    Scope(event=EVENT.event_id, market_type="moneyline"),
]


@pytest.mark.parametrize("number", range(1, len(CASCADE)))
def test_the_most_specific_row_wins_in_whatever_order_they_stand(number: int) -> None:
    wide, narrow = CASCADE[number - 1], CASCADE[number]
    for book in (a_book(usd_7=wide, usd_9=narrow), a_book(usd_9=narrow, usd_7=wide)):
        assert order_max_usd(book) == 9
        assert book.table_of("order_quantity_max_cents", FOOTBALL, LINE) == "usd_9"


@pytest.mark.parametrize(
    "other",
    [
        Scope(sport="soccer"),
        Scope(tournament=NFL + 1),
        Scope(market_type="total"),
        Scope(sub_type="player_points"),
        Scope(event=99),
        Scope(event=EVENT.event_id, market_type="total"),
    ],
)
def test_a_row_about_something_else_changes_nothing(other: Scope) -> None:
    book = a_book(usd_7=other)
    assert order_max_usd(book) == LIMITS.order_quantity_max_cents // 100
    assert book.table_of("order_quantity_max_cents", FOOTBALL, LINE) == "[risk]"


def test_a_row_may_loosen_and_leaves_every_other_figure_as_it_was() -> None:
    book = a_book(usd_900=Scope(event=EVENT.event_id))
    assert book.of(FOOTBALL, LINE) == replace(LIMITS, order_quantity_max_cents=90_000)


def test_figures_of_different_rows_add_up() -> None:
    rows = [
        Override(Scope(tournament=NFL), {"event_loss_max_cents": 5, "line_loss_max_cents": 4}, "t"),
        Override(Scope(event=EVENT.event_id), {"line_loss_max_cents": 9}, "e"),
    ]
    book = LimitBook(LIMITS, rows)
    seen = book.of(FOOTBALL, LINE)
    assert (seen.event_loss_max_cents, seen.line_loss_max_cents) == (5, 9)
    assert book.table_of("event_loss_max_cents", FOOTBALL, LINE) == "t"
    assert book.table_of("line_loss_max_cents", FOOTBALL, LINE) == "e"


def test_what_is_not_listed_has_the_figures_of_the_account() -> None:
    book = a_book(usd_900=Scope(tournament=NFL))
    assert book.of(None, LINE) == book.of(FOOTBALL, None) == LIMITS


def test_a_changed_listing_is_looked_up_anew_and_the_memory_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits_file, "RESOLVED_MAX", 3)
    book = a_book(usd_7=Scope(sport="soccer"))
    for number in range(9):
        event = replace(FOOTBALL, event_id=SportEventId(number))
        assert book.of(event, LINE) == LIMITS
        assert book.of(replace(event, sport_name="soccer"), LINE) != LIMITS
        assert len(book._resolved) <= 3


def test_no_figure_that_a_person_decides_has_a_default() -> None:
    with pytest.raises(TypeError, match="order_quantity_max_cents"):
        Limits()  # type: ignore[call-arg]  # shown to fail
