"""What a flood is made of: many lines over many channels, and one ready frame for each image.

As in `listing`: composed, not recorded. Amounts differ from level to level and from line to line,
so that nothing is known from the message before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.bench import listing

EVENT_FIRST: Final = 20_000_000
VALUES_USD: Final = (10, 3_000)
COMPETITOR: Final = 300_000_000  # nine digits: what makes a payload 5.7 kB
STEPS: Final = 40  # how far apart two images of one line may be, in ladder steps


@dataclass(frozen=True, slots=True)
class Flood:
    """`channels` are the events' and the private one; two strikes make a line."""

    channels: int = 400
    strikes: int = 10_000
    images: int = 2  # different ones of each line

    @property
    def lines(self) -> int:
        return self.strikes // 2

    @property
    def events(self) -> range:
        return range(EVENT_FIRST, EVENT_FIRST + self.channels - 1)

    def event_of(self, line: int) -> int:
        return self.events[line % len(self.events)]


def frames(flood: Flood, lines: Iterator[int], seed: int, now_ns: int) -> Iterator[bytes]:
    """The text of one `market_selections` frame for each of the lines, in their order."""
    ladder, draw = listing.load_ladder(), Random(f"flood {seed}")
    for line in lines:
        book = _book(line, ladder, draw, now_ns)
        tick = listing.Tick(line, listing.START_STEP, False)
        yield listing.book_message(tick, book, now_ns, flood.event_of(line))


def markets(flood: Flood, event_ids: Iterator[int], now_ns: int) -> dict[str, Any]:
    """The answer to `get_multiple_markets`: each line with its best level."""
    ladder, draw = listing.load_ladder(), Random("flood listed")
    found = {}
    for event_id in event_ids:
        if event_id not in flood.events:
            continue
        lines = range(event_id - EVENT_FIRST, flood.lines, len(flood.events))
        books = {line: _book(line, ladder, draw, now_ns) for line in lines}
        best = {line: [side[:1] for side in book] for line, book in books.items()}
        found[str(event_id)] = [listing.market(event_id, best)]
    return found


def _book(line: int, ladder: tuple[int, ...], draw: Random, now_ns: int) -> listing.Selections:
    """Too wide to be quoted: a flood is to be read, not traded."""
    step = listing.START_STEP + draw.randrange(STEPS)
    book = listing.selections(listing.Tick(line, step, False), ladder, now_ns)
    for number, side in enumerate(book):
        for level in side:
            level["competitor_id"] = COMPETITOR + number
            level["value"] = float(draw.randint(*VALUES_USD))
    return book
