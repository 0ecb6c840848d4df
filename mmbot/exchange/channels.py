"""Which socket carries which channel: within the limits, the most valuable first. No I/O.

A socket's count only grows: the exchange counts every channel that was ever asked for on it, and
what is no longer wanted gives no room back (contract 9.3). So a socket has *spent* channels,
those counted and no longer carried, and only another socket in its place gets their room back.

`plan` says what each socket shall carry. What is carried stays where it is; a new channel goes
where it fits, else where a renewed socket has room, else on one socket more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import chain
from typing import Final, NamedTuple

from mmbot.domain.ids import SportEventId

_BETWEEN_WORDS: Final = re.compile(r"[\s/\-]")
_NO_WORD: Final = re.compile(r"[^a-z0-9_]")
SPARE_SHARE: Final = 10  # one in so many channels is kept free for what comes
NO_LIMIT: Final = 1 << 30
REFUSED_FOR_NS: Final = 600 * 1_000_000_000  # then as many are tried again: it may have been wrong


class Topic(NamedTuple):
    """What one channel tells of: an event's main markets, or one kind of its props."""

    event_id: SportEventId
    sub_type: str = ""  # canonical; "" = the event's own channel


def canonical(sub_type: str) -> str:
    """The form in which the exchange names a kind of props (contract 9.3)."""
    words = _NO_WORD.sub("", _BETWEEN_WORDS.sub("_", sub_type.lower()))
    return re.sub("_+", "_", words).strip("_")


class Worth(IntEnum):
    """Why a channel is wanted; the greater goes first where not all fit."""

    WATCHED = 0
    QUOTED = 1
    AT_RISK = 2  # money of ours stands or may stand there


@dataclass(frozen=True, slots=True)
class Limits:
    channels_max: int  # of one socket over its whole life
    sockets_max: int  # at least 1

    @property
    def spare(self) -> int:
        return max(1, self.channels_max // SPARE_SHARE)


class Room:
    """How many channels a socket takes: as many as we are told, unless so many were refused; then,
    for a while, as many as were granted."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits  # to plan by, now
        self._told = limits.channels_max
        self._granted = self._too_many = NO_LIMIT
        self._refused_ns = 0

    def told(self, channels_max: int) -> None:
        self._told = channels_max
        self._plan()

    def refused(self, asked: int, granted: int, now_ns: int) -> None:
        """After `told`: where as many were granted, that figure says why, and another will do."""
        if granted >= self._told:
            return
        self._too_many = min(asked, self._too_many)
        self._granted = min(granted, self._granted)
        self._refused_ns = now_ns
        self._plan()

    def forget(self, now_ns: int) -> bool:
        """Whether the last refusal is so old that as many as we are told are tried again."""
        if self._too_many == NO_LIMIT or now_ns - self._refused_ns < REFUSED_FOR_NS:
            return False
        self._granted = self._too_many = NO_LIMIT
        self._plan()
        return True

    @property
    def as_told(self) -> bool:
        """Whether only another figure in an answer makes more room."""
        return self._told < self._too_many

    def _plan(self) -> None:
        channels_max = self._told if self.as_told else self._granted
        self.limits = replace(self.limits, channels_max=channels_max)


@dataclass(frozen=True, slots=True)
class Load:
    """A socket as it is. One that is not connected has an empty `counted`: all fits again."""

    number: int
    topics: frozenset[Topic] = frozenset()
    counted: frozenset[Topic] = frozenset()


@dataclass(frozen=True, slots=True)
class Share:
    """What a socket shall carry; `renew` = only another socket in its place has the room."""

    number: int
    topics: frozenset[Topic]
    renew: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """At least one share, by number; a socket without a share has nothing to carry any more."""

    shares: tuple[Share, ...]
    left_out: tuple[Topic, ...] = ()  # no room; the most valuable first


def plan(wanted: Mapping[Topic, Worth], loads: Sequence[Load], limits: Limits) -> Plan:
    """`wanted` stands in the order of its importance among equals; there are at most
    `sockets_max` loads, and no two carry the same."""
    carried = frozenset[Topic]().union(*(load.topics for load in loads))
    ranked = _ranked(wanted, carried)
    room = limits.channels_max * limits.sockets_max
    chosen, left_out = ranked[:room], ranked[room:]
    sockets = [_Socket(load.number, set(load.counted)) for load in _kept(loads, chosen, limits)]
    fresh = _stay(sockets, loads, chosen, limits.channels_max)
    fresh = _return(sockets, fresh, limits.channels_max)
    fresh = _fill(sockets, fresh, limits.channels_max)
    fresh = _renew(sockets, fresh, limits.channels_max)
    _add(sockets, fresh, limits.channels_max, after=max((load.number for load in loads), default=0))
    for socket in sockets:
        if limits.channels_max - len(socket.counted) < limits.spare <= socket.spent:
            socket.renew = True
    return Plan(
        tuple(Share(one.number, frozenset(one.topics), one.renew) for one in sockets),
        tuple(left_out),
    )


@dataclass(slots=True)
class _Socket:
    number: int
    counted: set[Topic]
    topics: set[Topic] = field(default_factory=set)
    renew: bool = False

    @property
    def spent(self) -> int:
        return len(self.counted) - len(self.topics)

    def take(self, topics: Sequence[Topic]) -> None:
        self.topics.update(topics)
        self.counted.update(topics)


def _ranked(wanted: Mapping[Topic, Worth], carried: frozenset[Topic]) -> list[Topic]:
    """By worth; among equals what is carried first, so that nothing new drives it out."""
    ranks: list[list[Topic]] = [[] for _ in range(2 * len(Worth))]
    for topic, worth in wanted.items():
        ranks[2 * worth + (topic in carried)].append(topic)
    return list(chain.from_iterable(reversed(ranks)))


def _kept(loads: Sequence[Load], chosen: Sequence[Topic], limits: Limits) -> list[Load]:
    """All sockets but those that the others can well do without: the least laden goes first."""
    kept = sorted(loads, key=lambda load: load.number)
    while len(kept) > 1 and len(chosen) <= (len(kept) - 1) * (limits.channels_max - limits.spare):
        kept.remove(min(kept, key=lambda load: len(load.topics)))
    return kept


def _stay(
    sockets: Sequence[_Socket], loads: Sequence[Load], chosen: Sequence[Topic], channels_max: int
) -> list[Topic]:
    """What is carried stays; returns what has no socket yet."""
    by_number = {socket.number: socket for socket in sockets}
    home = {
        topic: by_number[load.number]
        for load in loads
        if load.number in by_number
        for topic in load.topics
    }
    fresh = []
    for topic in chosen:
        socket = home.get(topic)
        if socket is None or len(socket.topics) >= channels_max:
            fresh.append(topic)
        else:
            socket.topics.add(topic)
            socket.counted.add(topic)
    return fresh


def _return(sockets: Sequence[_Socket], fresh: Sequence[Topic], channels_max: int) -> list[Topic]:
    """What was carried before is counted already: on that socket it costs nothing."""
    former = {topic: socket for socket in sockets for topic in socket.counted - socket.topics}
    rest = []
    for topic in fresh:
        socket = former.get(topic)
        if socket is None or len(socket.topics) >= channels_max:
            rest.append(topic)
        else:
            socket.topics.add(topic)
    return rest


def _fill(sockets: Sequence[_Socket], fresh: list[Topic], channels_max: int) -> list[Topic]:
    for socket in sockets:
        room = max(0, channels_max - len(socket.counted))
        socket.take(fresh[:room])
        fresh = fresh[room:]
    return fresh


def _renew(sockets: Sequence[_Socket], fresh: list[Topic], channels_max: int) -> list[Topic]:
    for socket in sockets:
        room = channels_max - len(socket.topics)
        if fresh and room > 0:
            socket.renew = True
            socket.take(fresh[:room])
            fresh = fresh[room:]
    return fresh


def _add(sockets: list[_Socket], fresh: list[Topic], channels_max: int, *, after: int) -> None:
    """All sockets together have room for what was chosen, so these are never too many."""
    while fresh or not sockets:
        after += 1
        socket = _Socket(after, set())
        socket.take(fresh[:channels_max])
        fresh = fresh[channels_max:]
        sockets.append(socket)
