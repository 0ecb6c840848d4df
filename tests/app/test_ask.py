"""Foreign code under the timer: whatever it does, the engine gets quotes or one line."""

from __future__ import annotations

import asyncio
import math
import select
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress

import pytest

from mmbot.app.ask import Asker, TimedAsker
from mmbot.domain.events import StrategyQuarantined
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.engine.ports import Slot
from mmbot.runtime.clock import NS_PER_S, LoopClock, SystemClock
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


class SpinningTwice(Strategy):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        with suppress(BaseException):
            while True:
                pass
        while True:
            pass


class LateAllTheSame(Strategy):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        with suppress(BaseException):
            while True:
                pass
        return [GOOD]


class Sleeping(Strategy):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        select.select([], [], [], 30)  # in C, but it lets signals through
        return [GOOD]


class NotANumber(Strategy):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        return [Quote(OVER, math.nan, 1_000)]  # type: ignore[arg-type]  # wrong on purpose


class Endless(Strategy):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        while True:
            yield GOOD


class SlowAt(Strategy):
    """Takes so long for each answer, by the clock that it turns on."""

    def __init__(self, clock: TurnedClock, took_s: float) -> None:
        self._clock = clock
        self._took_s = took_s
        self.asked = 0

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        self.asked += 1
        self._clock.turn(self._took_s)
        return [GOOD]


class CancelsItsTask(Strategy):
    def quotes(self, view: MarketView) -> Iterable[Quote]:
        task = asyncio.current_task()
        assert task is not None, "no task of mine"
        task.cancel()
        return [GOOD]


class TurnedClock(LoopClock):
    def __init__(self) -> None:
        self._ns = 0

    def turn(self, seconds: float) -> None:
        self._ns += round(seconds * NS_PER_S)

    def monotonic_ns(self) -> int:
        return self._ns


def slot_of(strategy: Strategy) -> Slot:
    return Slot("test", strategy, lambda event, line: True)


def answer(strategy: Strategy) -> object:
    return TimedAsker(SystemClock(), lambda told: None)(slot_of(strategy), a_view())


def test_a_good_answer_passes_and_leaves_no_timer_behind() -> None:
    assert answer(Strategy()) == (GOOD,)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("strategy", "word"),
    [
        (Spinning(), "StrategyOverran"),
        (SpinningAndCatching(), "StrategyOverran"),
        (SpinningTwice(), "StrategyOverran"),
        (LateAllTheSame(), "took longer than 0.25 s"),
        (Sleeping(), "StrategyOverran"),
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


@pytest.mark.parametrize(
    ("took_s", "asked"),
    [
        (0.049, 100),  # quick enough, however often
        (0.06, 13),
        (0.24, 4),
        (30.0, 3),  # a freeze of the process may be one of them
    ],
)
def test_many_long_answers_are_one_long_block(took_s: float, asked: int) -> None:
    told: list[StrategyQuarantined] = []
    clock = TurnedClock()
    strategy = SlowAt(clock, took_s)
    asker = TimedAsker(clock, told.append)
    answers = [asker(slot_of(strategy), a_view()) for _ in range(100)]
    assert strategy.asked == asked
    assert [one.owner for one in told] == ["test"] * (asked < 100)
    if told:
        assert answers[-1] == f"quarantined: {told[0].reason}"


def test_long_answers_are_forgiven_after_a_while() -> None:
    clock = TurnedClock()
    strategy = SlowAt(clock, 0.24)
    asker = TimedAsker(clock, lambda told: None)
    for _ in range(20):
        clock.turn(21)
        assert asker(slot_of(strategy), a_view()) == (GOOD,)


async def test_it_does_not_find_the_task_of_the_engine() -> None:
    said = Asker()(slot_of(CancelsItsTask()), a_view())
    assert isinstance(said, str)
    assert "no task of mine" in said
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
