"""Which strikes make which line: shared by catalog, book reader and feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import starmap
from typing import Final

from mmbot.domain.book import Book
from mmbot.domain.catalog import Catalog, Line, Side
from mmbot.domain.ids import LineId, SportEventId, StrikeId
from mmbot.exchange.channels import Topic, canonical

BEFORE_STREAM_MAX_NS: Final = 5 * 10**9


@dataclass(frozen=True, slots=True)
class Wish:
    """What the stream shall carry; the list is complete, each wish replaces the former."""

    event_ids: tuple[SportEventId, ...] = ()
    subtypes: tuple[tuple[SportEventId, str], ...] = ()  # props: (event, canonical sub type)
    tournament_ids: tuple[int, ...] = ()
    # Of each event; it never changes, so it makes no other wish.
    tournament_of: Mapping[SportEventId, int] = field(default_factory=dict, compare=False)

    @property
    def topics(self) -> frozenset[Topic]:
        return frozenset(self.ranked)

    @property
    def ranked(self) -> tuple[Topic, ...]:
        """Events first, most imminent first."""
        return (*map(Topic, self.event_ids), *starmap(Topic, self.subtypes))

    def first(self, channels: int, before: frozenset[Topic] = frozenset()) -> Wish:
        """The same with so many topics at most; those of `before` go before the others."""
        ranked = sorted(self.ranked, key=lambda topic: topic not in before)
        return self.part(frozenset(ranked[:channels]))

    def part(self, topics: frozenset[Topic]) -> Wish:
        """The same for one socket of several: its own topics, and all that is shared."""
        return replace(
            self,
            event_ids=tuple(one for one in self.event_ids if Topic(one) in topics),
            subtypes=tuple(one for one in self.subtypes if Topic(*one) in topics),
        )


class Listing:
    """The newest catalog by strike, and when the stream last showed each line."""

    def __init__(self) -> None:
        self.catalog = Catalog()
        self.reseed_wanted = False
        self.asked_ns = 0  # when the newest one was asked for
        self.streamed = False  # the stream is there to tell what changes
        self.missed = False  # it was away, and no game was listed since it is back
        self.ignored: frozenset[SportEventId] = frozenset()  # there, and not wanted
        # Events whose channel was not granted: their books would grow old unseen.
        self.unstreamed: frozenset[SportEventId] = frozenset()
        self._place_of: dict[StrikeId, tuple[LineId, Side]] = {}
        self._streamed: dict[LineId, Book] = {}

    def replace(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._place_of = {
            strike.strike_id: (line.line_id, strike.side)
            for line in catalog.lines.values()
            for strike in line.strikes
        }
        self._streamed = {
            line_id: book for line_id, book in self._streamed.items() if line_id in catalog.lines
        }

    def place_of(self, strike_id: StrikeId) -> tuple[LineId, Side] | None:
        return self._place_of.get(strike_id)

    def want_reseed(self, event_id: SportEventId | None = None) -> None:
        """The stream spoke of something that was not seeded, of that sport event."""
        if event_id not in self.ignored:
            self.reseed_wanted = True

    def streams(self, heard: bool, now_ns: int) -> None:
        """All of the stream is heard, or not. It replays nothing: a game may begin meanwhile, also
        between the first listing and a stream that is long in coming."""
        late = heard and not self.streamed and now_ns - self.asked_ns > BEFORE_STREAM_MAX_NS
        self.missed |= late or (self.streamed and not heard)
        self.streamed = heard

    def note_streamed(self, book: Book) -> None:
        self._streamed[book.line_id] = book

    def streamed_since(self, line_id: LineId, ns: int) -> bool:
        """A REST image asked for at `ns` may be older than what the stream showed since."""
        book = self._streamed.get(line_id)
        return book is not None and book.received_ns >= ns

    def differs_from_stream(self, book: Book) -> bool | None:
        """Whether the stream last showed something else; None when it never showed the line."""
        shown = self._streamed.get(book.line_id)
        return None if shown is None else shown.levels != book.levels


def topic_of(line: Line) -> Topic:
    """Whose channel shows the line's book."""
    return Topic(line.event_id, canonical(line.sub_type) if line.is_prop else "")


def wish_of(catalog: Catalog, tournament_ids: Iterable[int] = ()) -> Wish:
    """Everything that is listed and not yet over, most imminent first."""
    wanted = sorted(
        (event for event in catalog.events.values() if event.pre_match),
        key=lambda event: (event.start_ns, event.event_id),
    )
    tournaments = sorted({event.tournament_id for event in wanted} | set(tournament_ids))
    kinds: dict[SportEventId, set[str]] = {}
    for line in catalog.lines.values():
        if line.is_prop:
            kinds.setdefault(line.event_id, set()).add(topic_of(line).sub_type)
    return Wish(
        tuple(event.event_id for event in wanted),
        tuple(
            (one.event_id, kind) for one in wanted for kind in sorted(kinds.get(one.event_id, ()))
        ),
        tuple(tournaments),
        {event.event_id: event.tournament_id for event in wanted},
    )
