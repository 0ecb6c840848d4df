"""When each part of the data told nothing: outages of the stream, as box and wire saw them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final

from mmbot.sim.witness.stale import EVERYTHING, MUTE_NS, NS, SILENT_NS, VISIBLE_NS, Outage

TRAVELS_NS: Final = 5 * NS  # a frame may be late by so much, and then it is heard
AGREES_NS: Final = 2 * NS  # a read that disagrees waits so long for a frame that is on its way
TAKEN_NS: Final = 10 * NS  # a client that polls a mute channel has read it again by then
AGAIN_NS: Final = 5 * NS  # what was refused is asked for again, not at the very moment it may be
SHOWN_NS: Final = AGREES_NS + VISIBLE_NS  # from such a read until nothing is quoted


@dataclass(slots=True)
class Private:
    """The private channel: a life sign each five seconds, or its socket is gone."""

    outages: list[Outage] = field(default_factory=list)
    _sockets: int = 0
    _heard_ns: int | None = None
    _gone_ns: int | None = 0

    def joined(self, now_ns: int) -> None:
        self._sockets += 1
        if self._gone_ns is not None:
            self.outages.append(Outage(EVERYTHING, self._gone_ns, now_ns, VISIBLE_NS))
            self._gone_ns = None
        self.heard(now_ns)

    def left(self, now_ns: int) -> None:
        self._sockets -= 1
        if not self._sockets:
            self._gone_ns = now_ns

    def heard(self, now_ns: int) -> None:
        """A health_check, where its client can read it."""
        if self._heard_ns is not None and now_ns - self._heard_ns > SILENT_NS:
            self.outages.append(Outage(EVERYTHING, self._heard_ns, now_ns, SILENT_NS))
        self._heard_ns = now_ns

    def over(self, now_ns: int) -> list[Outage]:
        """All of them; what goes on ends now."""
        found = [*self.outages]
        if self._heard_ns is not None:
            found.append(Outage(EVERYTHING, self._heard_ns, now_ns, SILENT_NS))
        if self._gone_ns is not None:
            found.append(Outage(EVERYTHING, self._gone_ns, now_ns, VISIBLE_NS))
        return found


@dataclass(slots=True)
class Event:
    """The books of one sport event: no channel, or one that is granted and mute.

    While it is mute, reads are all that its client has. Two in a row that show the same of what
    it has not told make it whole, and so does each one after them, for as long as a silent stream
    may last. Its client may know by the socket before that it is mute: the two may come first.
    """

    part: str
    outages: list[Outage] = field(default_factory=list)
    _sockets: int = 0
    _gone_ns: int | None = 0
    _shown: dict[Hashable, object] = field(default_factory=dict)  # best prices, when last heard
    _latest: dict[Hashable, object] = field(default_factory=dict)  # as they are
    _moved_ns: dict[Hashable, int] = field(default_factory=dict)  # since when
    _unheard: dict[Hashable, int] = field(default_factory=dict)  # since when they differ
    _read_ns: int | None = None  # a read showed a difference, so it could be known
    _before: dict[Hashable, object] | None = None  # as the last read showed it
    _before_ns: int = 0  # when that was asked for
    _follows: bool = False  # two reads agreed, and others followed them at the pace of a poll
    _polled: int = 0  # mute, and they agreed: so many reads in a row have told instead
    _drawn_ns: int = 0  # a read showed what is not true
    _led_ns: int = 0  # the same, of one that came at the pace of a poll
    _served_ns: int = 0  # its maker can read again, after a time in which it could not
    _joined_ns: int | None = None  # no read since: what the first one shows is where it begins

    @property
    def shown(self) -> bool:
        """Whether its client was shown its books as they are."""
        return not self._unheard

    def joined(self, now_ns: int) -> None:
        """Another subscription is given its own time to speak."""
        self._sockets += 1
        self._joined_ns = now_ns
        self._whole(now_ns, now_ns)
        if self._gone_ns is not None:
            self.outages.append(Outage(self.part, self._gone_ns, now_ns, VISIBLE_NS))
            self._gone_ns = None

    def left(self, now_ns: int) -> None:
        self._sockets -= 1
        if not self._sockets:
            self._whole(now_ns, now_ns)
            self._gone_ns = now_ns
        elif not self._polled:  # reads told of that socket; the one that is left may yet speak
            self._before, self._follows = None, False

    def published(self, line: Hashable, best: object, now_ns: int) -> None:
        """An image went out. Where nobody is subscribed that alone is the outage."""
        if self._latest.get(line) != best:
            self._moved_ns[line] = now_ns
        self._latest[line] = best
        if not self._sockets or best == self._shown.setdefault(line, best):
            self._unheard.pop(line, None)
            if not self._unheard:  # what was shown last is true again
                self._read_ns, self._before = None, None
        else:
            self._unheard.setdefault(line, now_ns)

    def heard(self, now_ns: int) -> None:
        """An image, where its client can read it: the channel speaks."""
        self._whole(now_ns, now_ns)

    def read(self, asked_ns: int, now_ns: int) -> None:
        """A read of its books, whole and young."""
        if self._joined_ns is not None and asked_ns >= self._joined_ns:
            self._joined_ns = None
            self._whole(now_ns, now_ns)
        in_pace = asked_ns - self._before_ns <= TAKEN_NS
        agrees = self._agrees(asked_ns)
        shows = any(at_ns <= asked_ns for at_ns in self._unheard.values())
        if self._polled or (shows and (agrees or (self._follows and in_pace))):
            self._told_instead(now_ns, asked_ns)
            return
        self._follows = in_pace and (agrees or self._follows)
        known = any(at_ns < asked_ns - TRAVELS_NS for at_ns in self._unheard.values())
        known = known and asked_ns - self._drawn_ns > TAKEN_NS
        if known and self._read_ns is None:
            self._read_ns = now_ns

    def drawn(self, asked_ns: int, now_ns: int) -> None:
        """A read of books that were drawn: who polls goes by it; else nobody can tell who does."""
        if asked_ns - max(self._before_ns, self._drawn_ns) <= TAKEN_NS:
            self._led_ns = now_ns
        self._drawn_ns = now_ns
        if self._polled:
            self._told_instead(now_ns, asked_ns)

    def _agrees(self, asked_ns: int) -> bool:
        """With the read before, about all that was not heard; what moved since it was asked for it
        may show or not."""
        before, self._before, self._before_ns = self._before, dict(self._latest), asked_ns
        return before is not None and all(
            self._moved_ns[line] > asked_ns or self._latest[line] == before.get(line)
            for line in self._unheard
        )

    def served(self, now_ns: int) -> None:
        """The session is back: only now a read may show what was not told meanwhile."""
        self._served_ns = now_ns

    def over(self, now_ns: int) -> list[Outage]:
        """All of them; what goes on ends now."""
        found = [*self.outages, *self._muteness(now_ns)]
        if self._gone_ns is not None:
            found.append(Outage(self.part, self._gone_ns, now_ns, VISIBLE_NS))
        return found

    def _told_instead(self, now_ns: int, asked_ns: int) -> None:
        reads = self._polled + 1
        self._whole(now_ns, asked_ns)
        self._polled = reads

    def _whole(self, now_ns: int, shown_ns: int) -> None:
        """Its client knows it as it was then."""
        self.outages += self._muteness(now_ns)
        self._unheard = {line: at for line, at in self._moved_ns.items() if at > shown_ns}
        self._shown = {**self._latest, **dict.fromkeys(self._unheard)}
        self._read_ns, self._before = None, None
        self._polled, self._follows = 0, False

    def _muteness(self, now_ns: int) -> Iterator[Outage]:
        if self._unheard:
            since_ns = min(self._unheard.values())
            # Two reads that agree may chance to: who polls goes on to read.
            unnoticed_ns = SILENT_NS if self._polled > 1 else MUTE_NS
            led_ns = self._led_ns + TAKEN_NS  # who polls quotes by what it was shown until then
            known_ns = max(since_ns + unnoticed_ns, self._served_ns + AGAIN_NS + SHOWN_NS, led_ns)
            yield Outage(self.part, since_ns, now_ns, known_ns - since_ns)
        if self._read_ns is not None:
            yield Outage(self.part, self._read_ns, now_ns, SHOWN_NS)
