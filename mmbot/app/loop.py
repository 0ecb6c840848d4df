"""The pump of the engine: batch in, effects out, in the order that decision 8 asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mmbot.app.dispatch import Dispatcher
from mmbot.app.writer import JournalWriter
from mmbot.domain.events import Event, Lagged, LoopStalled, OperatorSaid
from mmbot.domain.facts import Fact
from mmbot.engine.core import Engine
from mmbot.engine.ports import Budget
from mmbot.runtime.clock import NS_PER_S, Clock
from mmbot.runtime.inbox import Inbox
from mmbot.runtime.limiter import Limiter

STALL_NS: Final = 2 * NS_PER_S  # a gap in our own loop after which nothing unsent is sent
LAG_TOLD_NS: Final = NS_PER_S  # less is no news


@dataclass(frozen=True, slots=True)
class Pumps:
    """What the loop moves things between."""

    inbox: Inbox
    limiter: Limiter
    dispatcher: Dispatcher
    writer: JournalWriter
    observe: Callable[[tuple[Fact, ...], int], None]
    latched: Callable[[], bool]  # the halt latch on disk


class EngineLoop:
    """`run` is a critical service: it never returns while the daemon lives."""

    def __init__(self, engine: Engine, pumps: Pumps, clock: Clock) -> None:
        self._engine = engine
        self._pumps = pumps
        self._clock = clock
        self._expected_ns = 0
        self._lag_ns = 0
        self._runs = False  # the first turn is the service's own

    async def run(self) -> None:
        try:
            while True:
                batch = await self._pumps.inbox.batch()
                self._runs = True
                self.turn(batch)
        finally:
            self._runs = False

    def turn_now(self) -> None:
        """Decide inside the call that brought the events: a hop of the loop costs a tick time."""
        inbox = self._pumps.inbox
        if not self._runs or not len(inbox):
            return
        try:
            self.turn(inbox.take())
        except BaseException as error:
            inbox.fail(error)  # not the stream is to blame
            raise

    def _lag(self, lag_ns: int) -> list[Event]:
        """How long the oldest event had waited, when that is news or no longer so."""
        told = max(lag_ns, self._lag_ns) > LAG_TOLD_NS
        self._lag_ns = lag_ns
        return [Lagged("inbox", lag_ns)] if told else []

    def turn(self, batch: list[Event]) -> None:
        """One synchronous decision and what follows from it at once."""
        pumps = self._pumps
        now_ns = self._clock.now_ns()
        if self._expected_ns and now_ns - self._expected_ns > STALL_NS:
            batch.insert(0, LoopStalled(now_ns - self._expected_ns))
            if pumps.latched():  # somebody may have halted us while we slept
                batch.insert(0, OperatorSaid("halt", "latch", "found after a gap of our own"))
        if self._expected_ns:
            batch[:0] = self._lag(pumps.inbox.lag_ns)
        limiter = pumps.limiter
        budget = Budget(limiter.placements_now(), limiter.placements_open_in_ns())
        effects = self._engine.handle(batch, now_ns, budget)
        pumps.dispatcher.commands(effects.commands)
        # A commit holds the loop up for a moment: cancels leave before it.
        pumps.writer.enqueue(effects.entries, effects.placements, at_once=not effects.commands)
        pumps.observe(effects.facts, now_ns)
        pumps.inbox.wake_at(effects.wake_at_ns)
        self._expected_ns = effects.wake_at_ns or 0
