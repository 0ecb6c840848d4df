"""When the image of a book goes out: after every change, but not more often than the rules say."""

from __future__ import annotations

from collections.abc import Callable

from mmbot.sim.core.activation import MS
from mmbot.sim.core.bulletin import BookImage, Bulletin
from mmbot.sim.core.lifecycle import Line
from mmbot.sim.core.matching import LineBook


class BookClock:
    """One pending image per line at most."""

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
        """An image of the book is due."""
        index = line.index
        self._books[index].updated_ns = now_ns
        if index in self._pending:
            return
        self._pending.add(index)
        due = self._sent_ns.get(index, 0) + self._coalesce_ns
        self._schedule(max(due, now_ns), lambda at_ns: self.send(line, at_ns))

    def send(self, line: Line, now_ns: int) -> None:
        """Put the image out now."""
        self._pending.discard(line.index)
        self._sent_ns[line.index] = now_ns
        sequence = self._bulletin.sequence(now_ns)
        self._bulletin.put(BookImage(line, self._books[line.index], now_ns, sequence))
