"""The book's own opinion, once our orders are out of it."""

from __future__ import annotations

import pytest

from mmbot.domain.book import Book, Level
from mmbot.domain.ids import LineId
from mmbot.domain.price import Price
from mmbot.pricing.book_fair import book_fair


def a_book(on_first: list[tuple[int, int]], on_second: list[tuple[int, int]]) -> Book:
    first, second = (
        tuple(Level(Price(price), cents) for price, cents in side) for side in (on_first, on_second)
    )
    return Book(LineId("1/219/0"), (first, second))


def test_the_worked_example_from_the_makers_side() -> None:
    # Takers get A at -104 (200 dollars) and B at -102 (600): makers rest on the other sides.
    on_second, on_first = [(104, 19_231)], [(102, 58_824)]
    found = book_fair(a_book(on_first, on_second), depth_min_cents=10_000)
    assert found is not None
    assert (found.ask, found.bid) == pytest.approx((0.509803922, 0.495049505))
    assert found.mid == pytest.approx(0.502427242)
    assert found.micro == pytest.approx(0.506142313, abs=1e-6)


def test_a_thin_book_is_doubted() -> None:
    deep = book_fair(a_book([(105, 50_000)], [(105, 50_000)]), 10_000)
    thin = book_fair(a_book([(105, 50_000)], [(105, 5_000)]), 10_000)
    assert deep is not None
    assert thin is not None
    assert thin.sd_logit == pytest.approx(deep.sd_logit + 0.05)


@pytest.mark.parametrize(
    ("on_first", "on_second"),
    [
        ([], []),
        ([(105, 5_000)], []),
        ([(-110, 5_000)], [(100, 5_000)]),  # crossed: an image in passing
        ([(110, 5_000)], [(-110, 5_000)]),  # locked
    ],
)
def test_a_book_without_two_sides_says_nothing(
    on_first: list[tuple[int, int]], on_second: list[tuple[int, int]]
) -> None:
    assert book_fair(a_book(on_first, on_second), 0) is None
