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

    def changed(self, line: Line, now_ns: int) -> None:
        """An image of the book is due."""
        book = self._books[line.index]
        book.updated_ns = now_ns
        if not book.image_due:
            book.image_due = True
            due_ns = max(book.sent_ns + self._coalesce_ns, now_ns)
            self._schedule(due_ns, lambda at_ns: self.send(line, at_ns))

    def send(self, line: Line, now_ns: int) -> None:
        """Put the image out now."""
        book = self._books[line.index]
        book.image_due, book.sent_ns = False, now_ns
        self._bulletin.put(BookImage(line, book, now_ns, self._bulletin.sequence(now_ns)))
