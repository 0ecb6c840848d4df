"""Time as an argument: the only place that asks the machine, and its virtual twin."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

NS_PER_S: Final = 1_000_000_000
# A wall clock this far ahead of ours means that the machine was suspended or its clock was set.
WALL_AHEAD_MAX_NS: Final = NS_PER_S


class Clock(Protocol):
    """What everything that waits or stamps is given."""

    def now_ns(self) -> int:
        """Wall clock, nanoseconds since 1970; never goes back within a process."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary start; for durations only."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let that much time of this clock pass."""
        ...


class SystemClock:
    """Wall time anchored once and carried on by the monotonic clock."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        now_ns = self._offset_ns + time.monotonic_ns()
        # Suspended time is missing from the monotonic clock. Without this a laptop that slept
        # for an hour would believe its books to be fresh. Backward steps are not followed.
        ahead_ns = time.time_ns() - now_ns
        if ahead_ns > WALL_AHEAD_MAX_NS:
            self._offset_ns += ahead_ns
            now_ns += ahead_ns
        return now_ns

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class LoopClock:
    """The time of the running event loop; under a virtual loop, virtual time."""

    def __init__(self, epoch_ns: int, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """`epoch_ns` is the wall time at which `loop.time()` is 0."""
        self._epoch_ns = epoch_ns
        self._loop = loop

    def now_ns(self) -> int:
        return self._epoch_ns + self.monotonic_ns()

    def monotonic_ns(self) -> int:
        loop = self._loop or asyncio.get_running_loop()
        return round(loop.time() * NS_PER_S)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
