"""What a halt does, whichever channel it comes by: said to the engine first, then on disk.

Channels: the admin route and `mmbot halt` (app/office.py), a signal, and the latch itself, that
is the file HALTED, which anybody may drop into `state_dir`. A page is what a person is called for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mmbot.domain.events import OperatorSaid
from mmbot.runtime.clock import Clock
from mmbot.store.latch import HaltLatch

LOOK_EVERY_S: Final = 0.25
DROPPED: Final = "the file HALTED was found in state_dir"

Page = Callable[[str, str], None]  # what happened, and its detail


@dataclass(frozen=True, slots=True)
class HaltDesk:
    """`tell` puts a word into the inbox; `halted` is why the engine is halted, or ""."""

    latch: HaltLatch
    tell: Callable[[OperatorSaid], None]
    halted: Callable[[], str]
    page: Page

    def halt(self, who: str, reason: str) -> asyncio.Future[None]:
        """Tell the engine now; the future ends when it is on disk, or with an OSError.

        In a thread: a sick disk must keep neither the loop nor a cancel waiting.
        """
        self.tell(OperatorSaid("halt", who, reason))
        words = f"{who}: {reason}" if reason else who
        latching = asyncio.get_running_loop().run_in_executor(None, self.latch.latch, words)
        latching.add_done_callback(self._latched)
        return latching

    def _latched(self, latching: asyncio.Future[None]) -> None:
        error = None if latching.cancelled() else latching.exception()
        if error is not None:
            self.page("halt not latched", f"halted, but a restart would quote: {error}")

    async def watch(self, clock: Clock) -> None:
        """Service: a latch that somebody else set is a halt."""
        while True:
            if self.latch.latched and not self.halted():
                self.tell(OperatorSaid("halt", "file", self.latch.reason or DROPPED))
            await clock.sleep(LOOK_EVERY_S)
