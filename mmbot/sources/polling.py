"""The pump of a source: fetch, read, match, state, wait. It decides nothing about prices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Never

from mmbot.domain.catalog import Catalog
from mmbot.domain.events import FairUpdated, FixtureTold, SourceStateChanged
from mmbot.domain.ids import LineId, SportEventId, StrikeId
from mmbot.sources.fairs import (
    NoFair,
    Reading,
    SourceRules,
    Stamp,
    Unpriced,
    direct_fairs,
    line_fairs,
    match,
    withdrawn,
)
from mmbot.sources.feed import Feed, UnreadableFeed
from mmbot.sources.fetching import Document, Fetch, FetchFailed
from mmbot.sources.matching import Listed, Unmatched

Emit = Callable[[FairUpdated | FixtureTold | SourceStateChanged], None]
# (document, our clock now) -> what it says; raises UnreadableFeed.
Parse = Callable[[Document, int], Feed]
BACKOFF_DOUBLINGS_MAX: Final = 16
START_DIFFERS_NS: Final = 60_000_000_000  # feeds state it to the minute


@dataclass(frozen=True, slots=True)
class PollRules:
    """Pace and patience. `restate`: values without stamps are said again at each poll."""

    poll_s: float
    failures_max: int = 3
    backoff_max_s: float = 60.0
    restate: bool = False


@dataclass(frozen=True, slots=True)
class SourcePorts:
    """The world, given: the catalog as it is, our wall clock, and a sleeper."""

    catalog: Callable[[], Catalog]
    now_ns: Callable[[], int]
    sleep: Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SourceReport:
    """For people: what the last reading could not use, and why."""

    priced: int = 0
    unmatched: tuple[Unmatched, ...] = ()
    unpriced: Mapping[LineId, NoFair] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)


class PolledSource:
    """One fair-value source. A strike it stops pricing is withdrawn, never left to linger."""

    def __init__(
        self,
        name: str,
        reader: tuple[Fetch, Parse],
        ports: SourcePorts,
        poll: PollRules,
        rules: SourceRules,
    ) -> None:
        self.name = name
        self.report = SourceReport()
        self._fetch, self._parse = reader
        self._ports = ports
        self._poll = poll
        self._rules = rules
        self._listed = Listed.of(Catalog(), rules.match)
        self._held: tuple[Document, int] | None = None  # with the time of its receipt
        self._failures = 0
        self._healthy: bool | None = None
        self._stated: dict[StrikeId, FairUpdated] = {}
        self._starts_ns: dict[SportEventId, int] = {}  # as they were told

    async def run(self, emit: Emit) -> Never:
        """Poll for ever; ends only by cancellation."""
        while True:
            await self._ports.sleep(await self.step(emit))

    async def step(self, emit: Emit) -> float:
        """One poll; returns the seconds to wait before the next."""
        try:
            fresh = await self._fetch(self._held[0].tag if self._held else "")
            if fresh is not None:
                await self._read(fresh, self._ports.now_ns(), emit)
            elif self._held is not None and (self._catalog_changed() or self._poll.restate):
                document, received_ns = self._held
                now_ns = self._ports.now_ns() if self._poll.restate else received_ns
                await self._read(document, now_ns, emit)
        except (FetchFailed, UnreadableFeed) as error:
            return self._failed(error, emit)
        self._failures = 0
        self._state(True, f"{len(self._stated)} strikes priced", emit)
        return self._poll.poll_s

    async def _read(self, document: Document, received_ns: int, emit: Emit) -> None:
        feed = self._parse(document, received_ns)
        if self._catalog_changed():
            self._listed = Listed.of(self._ports.catalog(), self._rules.match)
            gone = self._starts_ns.keys() - self._listed.catalog.events.keys()
            for event_id in gone:
                del self._starts_ns[event_id]
        self._held = document, received_ns
        stamp = Stamp(self.name, received_ns)
        reading = match(feed, self._listed)
        self._tell_starts(reading, emit)
        priced = await self._tell(reading, stamp, emit)
        for strike_id in self._stated.keys() - priced.keys():
            emit(withdrawn(self._stated[strike_id]))
        self._stated = priced

    def _tell_starts(self, reading: Reading, emit: Emit) -> None:
        """A start that is not the listing's, and when it is so again."""
        listed = self._listed.catalog.events
        for event_id, event in reading.matched.items():
            expected_ns = self._starts_ns.get(event_id, listed[event_id].start_ns)
            if abs(event.start_ns - expected_ns) >= START_DIFFERS_NS:
                self._starts_ns[event_id] = event.start_ns
                emit(FixtureTold(event_id, self.name, event.start_ns))

    async def _tell(
        self, reading: Reading, stamp: Stamp, emit: Emit
    ) -> dict[StrikeId, FairUpdated]:
        priced: dict[StrikeId, FairUpdated] = {}
        unpriced: dict[LineId, NoFair] = {}
        steps = line_fairs(reading, self._listed, stamp, self._rules.consensus)
        for step in chain(direct_fairs(reading, stamp), steps):
            if isinstance(step, Unpriced):
                unpriced[step.line_id] = step.reason
            else:
                priced[step.strike_id] = step
                emit(step)
            await self._ports.sleep(0)  # a long list must not hold up the engine
        self.report = SourceReport(len(priced), reading.unmatched, unpriced, reading.skipped)
        return priced

    def _catalog_changed(self) -> bool:
        return self._ports.catalog() is not self._listed.catalog

    def _failed(self, error: Exception, emit: Emit) -> float:
        self._failures += 1
        if self._failures >= self._poll.failures_max:
            self._state(False, str(error), emit)
        doublings = min(self._failures - 1, BACKOFF_DOUBLINGS_MAX)
        wait_s = min(self._poll.poll_s * 2.0**doublings, self._poll.backoff_max_s)
        told_s = error.retry_after_s if isinstance(error, FetchFailed) else 0.0
        return max(wait_s, told_s, self._poll.poll_s)

    def _state(self, healthy: bool, detail: str, emit: Emit) -> None:
        if healthy is not self._healthy:
            self._healthy = healthy
            emit(SourceStateChanged(self.name, healthy, detail))
