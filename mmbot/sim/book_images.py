"""When the image of a book goes out: after every change, but not more often than so."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mmbot.sim.bulletin import BookImage, Bulletin
from mmbot.sim.lifecycle import Line
from mmbot.sim.matching import LineBook

MS = 1_000_000


class BookImages:
    """One image for all changes of a line within the coalescing time."""

    def __init__(
        self,
        bulletin: Bulletin,
        books: list[LineBook],
        coalesce_ms: int,
        schedule: Callable[[int, Callable[[int], None]], None],
    ) -> None:
        self._bulletin = bulletin
        self._books = books
        self._coalesce_ns = coalesce_ms * MS
        self._schedule = schedule
        self._sent_ns: dict[int, int] = {}
        self._pending: set[int] = set()

    def changed(self, line: Line, now_ns: int) -> None:
        index = line.index
        self._books[index].updated_ns = now_ns
        if index in self._pending:
            return
        self._pending.add(index)
        due = self._sent_ns.get(index, 0) + self._coalesce_ns
        self._schedule(max(due, now_ns), partial(self.send, line))

    def send(self, line: Line, now_ns: int) -> None:
        """Put out the image of a book as it is."""
        index = line.index
        self._pending.discard(index)
        self._sent_ns[index] = now_ns
        sequence = self._bulletin.sequence(now_ns)
        self._bulletin.put(BookImage(line, self._books[index], now_ns, sequence))
