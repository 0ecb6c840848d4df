"""Why a line's book is believed, or why not. Quiet is not stale; silent is.

What the stream shows is held against what REST shows: a rolling spot audit asks for every sport
event again and again. Where they go on disagreeing a channel is mute, whatever it was granted:
its sport event is withdrawn. What was withdrawn comes back only after a read that was asked for
after the fault had ended, and only when that read agrees; or, while its channel stays mute, when
reads have agreed with one another for a while: from then on it is polled, and believed only as
long as it is read again and again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from mmbot.domain.book import Book, Level
from mmbot.domain.catalog import Line, SportEvent
from mmbot.domain.ids import LineId, SportEventId

SECOND_NS: Final = 1_000_000_000
AUDIT_EVERY_NS: Final = 45 * SECOND_NS  # a mute channel is noticed within a minute (fault E4)
AUDIT_PACE_NS: Final = 5 * SECOND_NS
AUDIT_BUSY_PACE_NS: Final = 2 * SECOND_NS  # while more than one request's worth are due
AUDIT_EVENTS_MAX: Final = 20  # of one request: an answer of 50 held up every tick for 60 ms
AGREES_WITHIN_NS: Final = SECOND_NS  # a frame that is on its way is waited for so long
READ_AGAIN_NS: Final = 2 * SECOND_NS  # while something waits for a read
AGREED_AFTER_NS: Final = 4 * SECOND_NS  # between the first and the last read that show the same
POLLED_EVENTS_MAX: Final = 10  # at a time: as many are left to the audit in each request
POLLED_FOR_NS: Final = 10 * SECOND_NS  # a read is believed; as long as a silent stream is
RENEW_EVERY_NS: Final = 60 * SECOND_NS  # while a channel stays mute another socket is asked for
NEVER_NS: Final = 1 << 62

Proof = Literal["stream", "rest", "health_check"]

PUBLIC_DOWN: Final = "the public stream is down"
MUTE: Final = "its channel is mute: REST shows other prices"
UNPOLLED: Final = "its channel is mute, and its book was not read for 10 s"
UNLISTED: Final = "no game was listed since the stream came back"  # one may have begun
UNREAD: Final = "its book was not read since the stream came back"


@dataclass(slots=True)
class _Dispute:
    """REST showed something that the stream has not."""

    event_id: SportEventId
    since_ns: int
    book: Book  # as REST shows it
    asked_ns: int  # of the first read that showed it so
    agreed: bool = False  # and the last one did, too


@dataclass(slots=True)
class _Poll:
    """Its channel is mute, and reads take its place."""

    since_ns: int  # when it was found mute
    spoke_ns: int = 0  # when it did again; 0: not yet


class Freshness:
    """Of all lines; each call is O(1) but for `tick` and `due`, which look at what is open."""

    def __init__(self) -> None:
        self.up = False  # the public stream
        self.mute: set[SportEventId] = set()  # of which REST has shown more than the stream
        self._up_ns = 0  # since when
        self._lost = False  # it was up before
        self._heard = False  # all of it, health_checks too
        self._unlisted = False  # it was heard, and then it was not: it told nobody of the games
        self._polled: dict[SportEventId, _Poll] = {}
        self._shown: dict[LineId, Book] = {}  # by the stream, or read since it is up
        self._disputed: dict[LineId, _Dispute] = {}
        self._unread: dict[SportEventId, int] = {}  # a read asked for since then is waited for
        self._compared_ns: dict[SportEventId, int] = {}  # when the newest read was asked for
        self._asked_ns: dict[SportEventId, int] = {}
        self._due_ns = 0
        self._renew_ns = 0

    # --- what comes in -----------------------------------------------------------------------

    def stream(
        self, public: bool, live_since_ns: int, events: Iterable[SportEventId], now_ns: int
    ) -> bool:
        """The stream as it is now; True when every book must be read, for nothing is replayed.

        `live_since_ns`: of its connection. One that came after a channel was found mute has
        channels of its own; one that lived by then was no better.
        """
        was_up, self.up = self.up, public
        if not public:
            self._lost = self._lost or was_up
            self._shown.clear()
            self._disputed.clear()
            self._polled.clear()
            return False
        for line_id, seen in tuple(self._disputed.items()):
            if seen.since_ns < live_since_ns:
                del self._disputed[line_id]
                self._shown.pop(line_id, None)
        for poll in self._polled.values():
            if poll.since_ns < live_since_ns and not poll.spoke_ns:
                poll.spoke_ns = now_ns
        if was_up:
            return False
        self._up_ns = now_ns
        self._shown.clear()
        if self._lost:
            self._unread.update(dict.fromkeys(events, now_ns))
        self.mute.clear()
        return True

    def hears(self, heard: bool) -> None:
        """Whether what the stream tells comes here: it replays nothing."""
        self._unlisted = self._unlisted or (self._heard and not heard)
        self._heard = heard

    def streamed(self, line: Line, book: Book) -> None:
        """An image came by the stream: its channel speaks."""
        self._shown[book.line_id] = book
        if self._disputed:
            self._disputed.pop(book.line_id, None)
        poll = self._polled.get(line.event_id)
        if poll is not None and not poll.spoke_ns:
            poll.spoke_ns = book.received_ns

    def read(self, line: Line, book: Book, asked_ns: int, now_ns: int) -> None:
        """An image that REST shows and the stream has not replaced since it was asked for."""
        before_ns = self._compared_ns.get(line.event_id, 0)
        self._compared_ns[line.event_id] = max(before_ns, asked_ns)
        if not self.up or asked_ns < self._up_ns:  # what came between no stream could tell
            return
        if line.is_prop:  # its channel may be nobody's wish, and is not the event's
            return
        if line.event_id in self._polled:
            self._shown[line.line_id] = replace(book, received_ns=0)
            return
        shown = self._shown.setdefault(line.line_id, replace(book, received_ns=0))
        seen = self._disputed.get(line.line_id)
        differs = _tops(shown) != _tops(book)
        if seen is None:
            if differs:
                self._disputed[line.line_id] = _Dispute(line.event_id, now_ns, book, asked_ns)
        elif not differs and line.event_id not in self.mute:
            del self._disputed[line.line_id]
        elif _tops(seen.book) != _tops(book):
            seen.book, seen.asked_ns, seen.agreed = book, asked_ns, False
        else:
            seen.agreed = asked_ns - seen.asked_ns >= AGREED_AFTER_NS

    def sport_events_listed(self, whole: bool) -> None:
        """As in SportEventsListed."""
        self._unlisted = self._unlisted and not whole

    def listed(self, lines: Mapping[LineId, Line]) -> None:
        """A new listing: what is gone is forgotten."""
        events = {line.event_id for line in lines.values()}
        self._shown = {one: book for one, book in self._shown.items() if one in lines}
        self._disputed = {one: seen for one, seen in self._disputed.items() if one in lines}
        self.mute &= events
        for known in (self._unread, self._polled, self._compared_ns, self._asked_ns):
            for event_id in known.keys() - events:
                del known[event_id]

    # --- what follows ------------------------------------------------------------------------

    def why_stale(self, line: Line, now_ns: int) -> str:
        """Why its book must not be quoted on; "" when it may. Props have no channel: they age."""
        unlisted = UNLISTED if self._unlisted else ""
        if line.is_prop:
            return unlisted
        if not self.up:
            return PUBLIC_DOWN
        if line.event_id in self.mute:
            return MUTE
        if line.event_id in self._polled:
            read_ns = self._compared_ns.get(line.event_id, 0)
            return unlisted if now_ns - read_ns <= POLLED_FOR_NS else UNPOLLED
        return UNREAD if line.event_id in self._unread else unlisted

    def proof(self, line: Line, health_ns: int) -> tuple[Proof, int]:
        """What last showed that its book is as we have it, and when; `health_ns`: of the stream."""
        shown = self._shown.get(line.line_id)
        carried = self.up and not line.is_prop and line.event_id not in self._polled
        times: dict[Proof, int] = {
            "stream": shown.received_ns if shown else 0,
            "rest": self._compared_ns.get(line.event_id, 0),
            "health_check": health_ns if carried else 0,
        }
        newest = max(times, key=times.__getitem__)
        return newest, times[newest]

    def tick(self, now_ns: int) -> set[SportEventId]:
        """By the clock: what has become stale, and what is whole again; returns what changed."""
        changed = self._poll()
        disputed = {seen.event_id for seen in self._disputed.values()}
        confirmed = {
            seen.event_id
            for seen in self._disputed.values()
            if now_ns - seen.since_ns >= AGREES_WITHIN_NS
        }
        changed |= confirmed - self.mute
        self.mute |= confirmed
        whole = self.mute - disputed  # it speaks again, or another socket does
        self.mute -= whole
        self._unread.update(dict.fromkeys(whole, now_ns))
        if changed or whole:
            self._due_ns = now_ns
        for event_id in tuple(self._read_again(disputed)):
            del self._unread[event_id]
            changed.add(event_id)
        return changed

    def _poll(self) -> set[SportEventId]:
        """Mute ones whose reads agree are polled from now on; one that speaks again no more, when
        it was read since."""
        for event_id, poll in tuple(self._polled.items()):
            if 0 < poll.spoke_ns <= self._compared_ns.get(event_id, 0):
                del self._polled[event_id]
        agreed: set[SportEventId] = set()
        waiting: set[SportEventId] = set()
        for seen in self._disputed.values():
            (agreed if seen.agreed else waiting).add(seen.event_id)
        room = POLLED_EVENTS_MAX - len(self._polled)
        found = set(sorted(agreed - waiting)[:room])
        for line_id, seen in tuple(self._disputed.items()):
            if seen.event_id in found:
                self._shown[line_id] = replace(seen.book, received_ns=0)
                del self._disputed[line_id]
                self._polled[seen.event_id] = _Poll(seen.since_ns)
                self._unread.pop(seen.event_id, None)
        self.mute -= found
        return found

    @property
    def silent(self) -> set[SportEventId]:
        """Whose channels are mute, whether their books are believed or not."""
        return self.mute | self._polled.keys()

    def wants_renewal(self, now_ns: int) -> bool:
        """Whether another connection should be tried, now."""
        if not self.silent or now_ns < self._renew_ns:
            return False
        self._renew_ns = now_ns + RENEW_EVERY_NS
        return True

    def due(self, events: Mapping[SportEventId, SportEvent], now_ns: int) -> Sequence[SportEventId]:
        """Sport events to read now; those that wait for it first, then the longest unread."""
        if now_ns < self._due_ns:
            return ()
        seen_ns = {one: self._seen_ns(one) for one, event in events.items() if event.pre_match}
        waiting = self.mute | self._unread.keys() | self._polled.keys()
        urgent = [one for one in seen_ns if one in waiting]
        found = [one for one in urgent if now_ns - seen_ns[one] >= READ_AGAIN_NS]
        old = [
            one
            for one, at_ns in seen_ns.items()
            if one not in waiting and now_ns - at_ns >= AUDIT_EVERY_NS
        ]
        room = max(AUDIT_EVENTS_MAX - len(found), AUDIT_EVENTS_MAX - POLLED_EVENTS_MAX)
        found += sorted(old, key=seen_ns.__getitem__)[:room]
        pace_ns = AUDIT_BUSY_PACE_NS if len(old) > room else AUDIT_PACE_NS
        for one in found:
            self._asked_ns[one] = seen_ns[one] = now_ns
        again_ns = min(seen_ns.values(), default=now_ns) + AUDIT_EVERY_NS
        self._due_ns = now_ns + READ_AGAIN_NS if urgent else max(now_ns + pace_ns, again_ns)
        return found

    def ask_all(self, events: Iterable[SportEventId], now_ns: int) -> None:
        """All of them are being read now."""
        self._asked_ns.update(dict.fromkeys(events, now_ns))
        self._due_ns = min(self._due_ns, now_ns + READ_AGAIN_NS)

    def unanswered(self, now_ns: int) -> None:
        """A read failed: what nothing was shown of since it was asked for is no younger by it."""
        self._asked_ns = {
            event_id: asked_ns
            for event_id, asked_ns in self._asked_ns.items()
            if self._compared_ns.get(event_id, 0) >= asked_ns
        }
        self._due_ns = min(self._due_ns, now_ns + AUDIT_PACE_NS)

    def next_due_ns(self, now_ns: int) -> int:
        """When `tick` or `due` has something to do; `now_ns` for at once."""
        first_ns = self._due_ns
        disputed = set()
        for seen in self._disputed.values():
            disputed.add(seen.event_id)
            if seen.event_id not in self.mute:
                first_ns = min(first_ns, seen.since_ns + AGREES_WITHIN_NS)
        return now_ns if any(self._read_again(disputed)) else first_ns

    def _read_again(self, disputed: set[SportEventId]) -> Iterator[SportEventId]:
        """Those that waited for a read, and it has come and agrees."""
        for event_id, since_ns in self._unread.items():
            if event_id not in disputed and self._compared_ns.get(event_id, -1) >= since_ns:
                yield event_id

    def _seen_ns(self, event_id: SportEventId) -> int:
        return max(self._asked_ns.get(event_id, 0), self._compared_ns.get(event_id, 0))


def _tops(book: Book) -> tuple[object, object]:
    """Best prices. Amounts are estimates, and deeper levels need not be shown by both."""
    first, second = book.levels
    return _top(first), _top(second)


def _top(levels: tuple[Level, ...]) -> object:
    return levels[0].price if levels else None
