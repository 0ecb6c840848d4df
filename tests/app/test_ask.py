"""Foreign code under the timer: whatever it does, the engine gets quotes or one line."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress

import pytest

from mmbot.app.ask import Asker
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.engine.ports import Slot
from tests.strategy.views import OVER, a_view

GOOD = Quote(OVER, Price(105), 1_000)


@pytest.fixture(autouse=True)
def former_handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


class Strategy:
    uses_fairs = True

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        return [GOOD]


class Spinning(Strategy):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        while True:
            pass


class SpinningAndCatching(Strategy):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        with suppress(Exception):
            while True:
                pass
        return [GOOD]


class Leaving(Strategy):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        sys.exit(3)


class NotANumber(Strategy):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        return [Quote(OVER, math.nan, 1_000)]  # type: ignore[arg-type]  # wrong on purpose


class Endless(Strategy):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        while True:
            yield GOOD


def answer(strategy: Strategy) -> object:
    slot = Slot("test", strategy, lambda event, line: True)
    return Asker(timer=True)(slot, a_view())


def test_a_good_answer_passes_and_leaves_no_timer_behind() -> None:
    assert answer(Strategy()) == (GOOD,)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("strategy", "word"),
    [
        (Spinning(), "StrategyOverran"),
        (Leaving(), "SystemExit"),
        (NotANumber(), "price nan is no ladder price"),
        (Endless(), "more than 20 quotes"),
    ],
)
def test_a_bad_answer_is_one_line(strategy: Strategy, word: str) -> None:
    said = answer(strategy)
    assert isinstance(said, str)
    assert word in said
    assert "\n" not in said
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_strategy_that_swallows_the_alarm_ends_all_the_same() -> None:
    assert answer(SpinningAndCatching()) == (GOOD,)
