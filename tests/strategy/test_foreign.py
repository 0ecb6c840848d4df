"""Whatever a strategy does, it becomes one line. # faults: H10"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from itertools import count
from typing import Any

import pytest

from mmbot.domain.ids import StrikeId
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.strategy.foreign import ask
from tests.strategy.views import OVER, UNDER, a_view

GOOD = Quote(OVER, Price(105), 2_500)


def bad(**changed: Any) -> Quote:
    return replace(GOOD, **changed)


class Does:
    """A strategy that is one function."""

    def __init__(self, quotes: Callable[[MarketView], Any]) -> None:
        self._quotes = quotes

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        found: Iterable[Quote] = self._quotes(view)
        return found


class Chameleon(Quote):
    """A quote of its own kind."""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def leaves(view: MarketView) -> None:
    sys.exit(3)


def recurses(view: MarketView) -> object:
    return recurses(view)


def half_way(view: MarketView) -> Iterator[Quote]:
    yield GOOD
    raise ValueError("lost\nthe thread")


def unprintable(view: MarketView) -> None:
    raise Unprintable


def times_out(view: MarketView) -> None:
    raise BaseExceptionGroup("timer", [GeneratorExit()])


@pytest.mark.parametrize(
    ("quotes", "said"),
    [
        (leaves, "SystemExit: 3"),
        (recurses, "RecursionError"),
        (half_way, "ValueError: lost the thread"),
        (unprintable, "Unprintable (RuntimeError while it was printed)"),
        (times_out, "BaseExceptionGroup"),
        (lambda view: None, "TypeError"),
        (lambda view: 1 / 0, "ZeroDivisionError"),
        (lambda view: (GOOD for _ in count()), "more than 20 quotes"),
        (lambda view: [GOOD, "x" * 10_000], "a str is no Quote"),
        (lambda view: [replace(GOOD, strike_id=StrikeId("elsewhere"))], "not of this line"),
        (lambda view: [bad(price=0)], "price 0 is no ladder price"),
        (lambda view: [bad(price=float("nan"))], "price nan"),
        (lambda view: [bad(price=105.0)], "price 105.0"),
        (lambda view: [bad(quantity_cents=float("nan"))], "quantity_cents nan"),
        (lambda view: [bad(quantity_cents=float("inf"))], "quantity_cents inf"),
        (lambda view: [bad(quantity_cents=-1)], "quantity_cents -1"),
        (lambda view: [bad(quantity_cents=True)], "quantity_cents True"),
        (lambda view: [bad(quantity_cents=10**400)], "quantity_cents 1000"),
        (lambda view: [bad(quantity_cents=2**53 + 1)], "quantity_cents 9007199254740993"),
        (lambda view: [bad(keep_ticks=-1)], "keep_ticks -1"),
        (lambda view: [bad(keep_ticks=2**60)], "keep_ticks 1152"),
        (lambda view: [bad(order_strategy="IOC")], "order_strategy 'IOC'"),
        (lambda view: [bad(order_strategy=["ALO"])], "order_strategy ['ALO']"),
        (lambda view: [Chameleon(OVER, Price(105), 2_500)], "a Chameleon is no Quote"),
        (lambda view: [bad(valid_until_ns=1.5)], "valid_until_ns 1.5"),
        (lambda view: [GOOD, GOOD], "two quotes at one price"),
        (lambda view: [GOOD, bad(strike_id=UNDER, price=-110)], "trade with each other"),
    ],
)
def test_a_failing_strategy_becomes_one_line(quotes: Callable[..., Any], said: str) -> None:
    answer = ask(Does(quotes), a_view())
    assert isinstance(answer, str)
    assert said in answer
    assert "\n" not in answer
    assert len(answer) <= 300


def test_the_line_where_it_failed_is_named() -> None:
    line = half_way.__code__.co_firstlineno + 2
    answer = ask(type("Late", (), {"quotes": staticmethod(half_way)})(), a_view())
    assert isinstance(answer, str)
    assert answer.startswith(f"{__file__}:{line}: ValueError")


def test_a_person_can_still_interrupt() -> None:
    def interrupted(view: MarketView) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(Does(interrupted), a_view())


def test_what_it_is_given_cannot_be_changed() -> None:
    """Frozen through and through; of the ladder, but for the index that it keeps for itself."""
    view = a_view()
    frozen = [getattr(view, part.name) for part in fields(view) if part.name != "ladder"]
    assert all(isinstance(hash(part), int) for part in frozen)


def test_good_quotes_come_back_as_they_are() -> None:
    other = replace(GOOD, strike_id=UNDER)
    assert ask(Does(lambda view: iter([GOOD, other])), a_view()) == (GOOD, other)
    assert ask(Does(lambda view: []), a_view()) == ()
