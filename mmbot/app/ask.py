"""Asking a strategy for its quotes under an interval timer: decision 6."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final

from mmbot.domain.events import StrategyQuarantined
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.engine.ports import Slot
from mmbot.runtime.clock import NS_PER_S, Clock
from mmbot.strategy.foreign import Containment, ask

ASK_MAX_S: Final = 0.25  # a hundred times what a strategy needs
AGAIN_S: Final = 0.1  # one that swallowed the alarm hears it again
LONG_NS: Final = NS_PER_S // 20  # what is shorter is no burden, however often
# Many lines are asked in one turn: each may be just quick enough while the loop stands for seconds.
LONG_TOTAL_MAX_NS: Final = 3 * NS_PER_S // 4
LONG_WITHIN_NS: Final = 60 * NS_PER_S
OVERRAN: Final = f"took longer than {ASK_MAX_S} s"


class StrategyOverran(BaseException):
    """Raised inside the strategy by the interval timer; no `except Exception` holds it."""


class Asker:
    """The engine's `Ask` port without a timer, as in simulation."""

    def __call__(self, slot: Slot, view: MarketView) -> Sequence[Quote] | str:
        # A strategy that cancels its own task must not find the engine's.
        task = _current_task()
        if task is None:
            return self._answer(slot, view)
        loop = task.get_loop()
        asyncio._leave_task(loop, task)
        try:
            return self._answer(slot, view)
        finally:
            asyncio._enter_task(loop, task)

    def _answer(self, slot: Slot, view: MarketView) -> Sequence[Quote] | str:
        return ask(slot.quoter, view)


class TimedAsker(Asker):
    """Under the interval timer of the main thread. It also counts how long each holds the loop:

    `tell` hears of one that holds it too long altogether, and from then on that is not asked.
    """

    def __init__(self, clock: Clock, tell: Callable[[StrategyQuarantined], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._asking = False
        self._rang = False
        self._long: dict[str, list[tuple[int, int]]] = {}  # owner: (when, how long), not all of it
        self._banned: dict[str, str] = {}
        signal.signal(signal.SIGALRM, self._alarm)

    def _answer(self, slot: Slot, view: MarketView) -> Sequence[Quote] | str:
        if slot.owner in self._banned:
            return self._banned[slot.owner]
        answer: Sequence[Quote] | str = ""
        self._rang = False
        began_ns = self._clock.monotonic_ns()
        signal.setitimer(signal.ITIMER_REAL, ASK_MAX_S, AGAIN_S)
        with Containment() as late:  # an alarm may still come between its answer and our mark
            self._asking = True
            answer = ask(slot.quoter, view)
            self._asking = False
        self._asking = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        now_ns = self._clock.monotonic_ns()
        if now_ns - began_ns >= LONG_NS:
            self._count(slot.owner, now_ns, now_ns - began_ns)
        if self._rang and not isinstance(answer, str):
            answer = OVERRAN  # it swallowed the alarm and answered late
        return late.line(__file__) or answer

    def _count(self, owner: str, now_ns: int, took_ns: int) -> None:
        # One call counts as far as the timer lets it go: more is a freeze of the process, or C
        # code, and that is the watchdog's.
        long = [one for one in self._long.get(owner, ()) if now_ns - one[0] <= LONG_WITHIN_NS]
        long.append((now_ns, min(took_ns, int(ASK_MAX_S * NS_PER_S))))
        self._long[owner] = long
        total_ns = sum(took for _, took in long)
        if total_ns >= LONG_TOTAL_MAX_NS:
            why = f"{len(long)} long answers held the loop for {total_ns / NS_PER_S:.2f} s"
            self._banned[owner] = f"quarantined: {why}"
            self._tell(StrategyQuarantined(owner, why))

    def _alarm(self, signum: int, frame: FrameType | None) -> None:
        if self._asking:
            self._rang = True
            raise StrategyOverran(OVERRAN)


def _current_task() -> asyncio.Task[Any] | None:
    loop = asyncio._get_running_loop()
    return None if loop is None else asyncio.current_task(loop)
