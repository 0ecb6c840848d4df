"""Quoting on the book alone. # faults: E11"""

from __future__ import annotations

import pytest

from mmbot.domain.book import Book
from mmbot.domain.price import implied
from mmbot.domain.view import Position
from mmbot.pricing.odds import expit
from mmbot.strategy.foreign import ask
from strategies.ladder_maker import LadderMaker, Params
from tests.strategy.views import OVER, UNDER, a_book, a_view, the_ladder

BOOK = a_book(over=[(110, 50), (120, 50)], under=[(110, 80)])


def test_it_quotes_a_fixed_distance_from_the_mid_of_others() -> None:
    answer = ask(LadderMaker(Params()), a_view(None, book=BOOK))
    assert not isinstance(answer, str)
    assert [quote.strike_id for quote in answer] == [OVER, UNDER]
    price = the_ladder().snap_passive(expit(-0.08))
    assert [quote.price for quote in answer] == [price, price]
    assert {quote.quantity_cents for quote in answer} == {2_500}


@pytest.mark.parametrize(
    "book",
    [
        a_book(),
        a_book(over=[(110, 50)]),
        a_book(under=[(110, 50)]),
        a_book(over=[(-110, 50)], under=[(-110, 50)]),  # crossed
        a_book(over=[(100, 50)], under=[(100, 50)]),  # locked
        a_book(over=[(4900, 1)], under=[(4900, 1)]),  # dead: .02 and .98
    ],
)
def test_no_quotes_off_a_book_that_tells_nothing(book: Book) -> None:
    assert ask(LadderMaker(Params()), a_view(0.5, book=book)) == ()


def test_when_the_mid_rises_over_becomes_dearer_and_under_cheaper() -> None:
    strategy = LadderMaker(Params())
    higher = a_book(over=[(100, 50)], under=[(120, 80)])
    before = ask(strategy, a_view(None, book=BOOK))
    after = ask(strategy, a_view(None, book=higher))
    assert not isinstance(before, str)
    assert not isinstance(after, str)
    assert implied(after[0].price) > implied(before[0].price)
    assert implied(after[1].price) < implied(before[1].price)


def test_a_full_position_leaves_only_the_other_side() -> None:
    full = Position(stake_cents=(0, 25_000), profit_cents=(0, 25_000))
    answer = ask(LadderMaker(Params()), a_view(None, book=BOOK, position=full))
    assert not isinstance(answer, str)
    assert [quote.strike_id for quote in answer] == [OVER]


def test_it_says_that_it_needs_no_fair_values() -> None:
    assert LadderMaker.uses_fairs is False
