"""The thread that owns the journal's connection: SQLite wants one, and the loop must not wait."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final

from mmbot.app.writer import Done
from mmbot.domain.entries import Entry
from mmbot.domain.errors import MmbotError

Append = Callable[[Sequence[Entry]], None]
HAND_OVER_MAX_S: Final = 0.005
_Asked = tuple[Sequence[Entry], Done, queue.SimpleQueue[None] | None]


class JournalThread:
    """A `Commit` port over a blocking `append`. At most one commit is asked for at a time."""

    def __init__(self, append: Append, loop: asyncio.AbstractEventLoop) -> None:
        self._append = append
        self._loop = loop
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        # No daemon thread: the interpreter waits for the last commit.
        self._thread = threading.Thread(target=self._work, name="journal")
        self._thread.start()

    def __call__(self, entries: Sequence[Entry], done: Done, urgent: bool) -> None:
        """`urgent` waits, some ten microseconds, until the thread waits for the disk.

        It needs the interpreter to get there. Handed over here, and not when the loop has nothing
        left to do, it reaches the disk sooner, and all that the loop does next costs no time.
        """
        begun: queue.SimpleQueue[None] | None = queue.SimpleQueue() if urgent else None
        self._asked.put((entries, done, begun))
        if begun is not None:
            with contextlib.suppress(queue.Empty):
                begun.get(timeout=HAND_OVER_MAX_S)

    def close(self) -> None:
        """Wait until what was asked for has been written."""
        self._asked.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            entries, done, begun = asked
            if begun is not None:
                begun.put(None)  # the loop can go on as soon as `append` waits for the disk
            error: BaseException | None = None
            try:
                self._append(entries)
            except (MmbotError, ValueError, TypeError, AssertionError) as caught:
                error = caught
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(done, error)
