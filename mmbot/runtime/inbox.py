"""The one door of the engine: events wait here, and market data is conflated while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Final

from mmbot.domain.depth import Depth
from mmbot.domain.errors import Stop
from mmbot.domain.events import BookUpdated, Event, FairUpdated
from mmbot.runtime.clock import NS_PER_S, Clock

EVENTS_MAX: Final = 50_000


class Inbox:
    """Many producers, one consumer, one hop.

    A newer book of a line replaces the waiting one of its kind (streamed or read), likewise a newer
    fair of a (strike, source), and takes the place at the end: it may follow a catalog that the
    older one preceded. Every other event is kept. When `events_max` wait, nobody consumes any
    more: `put` raises Stop.
    """

    def __init__(self, clock: Clock, events_max: int = EVENTS_MAX) -> None:
        self._clock = clock
        self._events_max = events_max
        self._waiting: dict[Hashable, Event] = {}
        self._count = 0
        self._first_put_ns = 0
        self._waiter: asyncio.Future[None] | None = None
        self._wake_at_ns: int | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_ns = 0
        self._error: BaseException | None = None
        self.conflated_total = 0
        self.taken_total = 0
        self.lag_ns = 0  # how long the oldest event of the last batch had waited
        self.lag_max_ns = 0
        self.depth_max = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def depth(self) -> Depth:
        return Depth(len(self._waiting), self._events_max)

    def put(self, event: Event) -> None:
        """Never blocks; call it from the loop's own thread."""
        waiting = self._waiting
        if not waiting:
            self._first_put_ns = self._clock.monotonic_ns()
        self._count += 1
        key: Hashable = self._count
        if isinstance(event, BookUpdated):
            key = event.book.line_id
            if event.asked_ns:  # what a read shows is compared with what the stream showed
                key = (key, "read")
        elif isinstance(event, FairUpdated):
            key = (event.strike_id, event.source)
        if waiting.pop(key, None) is not None:
            self.conflated_total += 1
        elif len(waiting) >= self._events_max:
            raise Stop(f"the inbox is full: {self._events_max} events wait for the engine")
        waiting[key] = event
        self._release()

    def wake_at(self, at_ns: int | None) -> None:
        """Let the next `batch` return at that moment even without an event; None forgets it."""
        self._wake_at_ns = at_ns
        if self._waiter is not None:
            self._set_alarm()

    def take(self) -> list[Event]:
        """What waits, at once, instead of `batch`; it may be empty."""
        self._wake_at_ns = None  # whoever takes the batch says when to wake next
        return self._take()

    def fail(self, error: BaseException) -> None:
        """Let `batch` raise it: its caller is the one who answers for what was taken."""
        self._error = error
        self._release()

    async def batch(self) -> list[Event]:
        """Everything that waits, in order; empty only when `wake_at` came first."""
        while not self._waiting and not self._due() and self._error is None:
            self._waiter = asyncio.get_running_loop().create_future()
            self._set_alarm()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if self._error is not None:
            raise self._error
        return self.take()

    def _take(self) -> list[Event]:
        taken, self._waiting = list(self._waiting.values()), {}
        self.lag_ns = self._clock.monotonic_ns() - self._first_put_ns if taken else 0
        self.lag_max_ns = max(self.lag_max_ns, self.lag_ns)
        self.depth_max = max(self.depth_max, len(taken))
        self.taken_total += len(taken)
        return taken

    def _due(self) -> bool:
        return self._wake_at_ns is not None and self._clock.now_ns() >= self._wake_at_ns

    def _set_alarm(self) -> None:
        """A timer that rings too early only looks again: to set one anew costs every tick."""
        at_ns = self._wake_at_ns
        if at_ns is None or (self._alarm is not None and self._alarm_ns <= at_ns):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        delay_s = max(0, at_ns - self._clock.now_ns()) / NS_PER_S
        self._alarm = asyncio.get_running_loop().call_later(delay_s, self._ring)
        self._alarm_ns = at_ns

    def _ring(self) -> None:
        self._alarm = None
        self._release()

    def _release(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
