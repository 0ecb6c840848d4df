"""Asking a strategy for its quotes under an interval timer: decision 6."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from types import FrameType
from typing import Final

from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.engine.ports import Slot
from mmbot.strategy.foreign import Containment, ask

ASK_MAX_S: Final = 0.25  # a hundred times what a strategy needs


class StrategyOverran(Exception):
    """Raised inside the strategy by the interval timer."""


class Asker:
    """The engine's `Ask` port. `timer` only in the main thread, and never in simulation."""

    def __init__(self, timer: bool) -> None:
        self._timer = timer
        self._asking = False
        if timer:
            signal.signal(signal.SIGALRM, self._overran)

    def __call__(self, slot: Slot, view: MarketView) -> Sequence[Quote] | str:
        answer: Sequence[Quote] | str = ""
        if self._timer:
            signal.setitimer(signal.ITIMER_REAL, ASK_MAX_S)
        with Containment() as late:  # an alarm may still come between its answer and our mark
            self._asking = True
            answer = ask(slot.quoter, view)
            self._asking = False
        self._asking = False
        if self._timer:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return late.line(__file__) or answer

    def _overran(self, signum: int, frame: FrameType | None) -> None:
        if self._asking:
            raise StrategyOverran(f"took longer than {ASK_MAX_S} s")
