"""The thread that owns the journal's connection: SQLite wants one, and the loop must not wait."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence

from mmbot.app.writer import Done
from mmbot.domain.entries import Entry
from mmbot.domain.errors import MmbotError

Append = Callable[[Sequence[Entry]], None]


class JournalThread:
    """A `Commit` port over a blocking `append`. At most one commit is asked for at a time."""

    def __init__(self, append: Append, loop: asyncio.AbstractEventLoop) -> None:
        self._append = append
        self._loop = loop
        self._asked: queue.SimpleQueue[tuple[Sequence[Entry], Done] | None] = queue.SimpleQueue()
        # No daemon thread: the interpreter waits for the last commit.
        self._thread = threading.Thread(target=self._work, name="journal")
        self._thread.start()

    def __call__(self, entries: Sequence[Entry], done: Done) -> None:
        self._asked.put((entries, done))

    def close(self) -> None:
        """Wait until what was asked for has been written."""
        self._asked.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            entries, done = asked
            error: BaseException | None = None
            try:
                self._append(entries)
            except (MmbotError, ValueError, TypeError, AssertionError) as caught:
                error = caught
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(done, error)
