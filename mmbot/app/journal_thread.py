"""The thread that owns the journal's connection: SQLite wants one, and the loop must not wait."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial

from mmbot.app.writer import Done, Started
from mmbot.domain.entries import Entry
from mmbot.domain.errors import MmbotError

Append = Callable[[Sequence[Entry]], None]
_Asked = tuple[Sequence[Entry], Started, Done]


class JournalThread:
    """A `Commit` port over a blocking `append`. At most one commit is asked for at a time."""

    def __init__(self, append: Append, loop: asyncio.AbstractEventLoop) -> None:
        self._append = append
        self._loop = loop
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        # No daemon thread: the interpreter waits for the last commit.
        self._thread = threading.Thread(target=self._work, name="journal")
        self._thread.start()

    def __call__(self, entries: Sequence[Entry], started: Started, done: Done) -> None:
        self._asked.put((entries, started, done))

    def close(self) -> None:
        """Wait until what was asked for has been written."""
        self._asked.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            entries, started, done = asked
            self._tell(started)  # it runs once this thread waits for the disk
            error: BaseException | None = None
            try:
                self._append(entries)
            except (MmbotError, ValueError, TypeError, AssertionError) as caught:
                error = caught
            self._tell(partial(done, error))

    def _tell(self, word: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(word)
