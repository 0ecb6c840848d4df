"""The pump: pace, patience, withdrawal, health. The origin, the clock and sleep are ports."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from mmbot.domain.catalog import Catalog, Line
from mmbot.domain.events import FairUpdated, FixtureTold, SourceStateChanged
from mmbot.sources import odds_api, static
from mmbot.sources.fairs import SourceRules
from mmbot.sources.feed import Feed
from mmbot.sources.fetching import Document, FetchFailed
from mmbot.sources.polling import PolledSource, PollRules, SourcePorts
from tests.sources.listings import (
    NOW,
    SECOND,
    a_catalog,
    a_document,
    a_feed_event,
    a_sport_event,
    a_total,
    totals,
)

EVENT = a_sport_event()
FIRST, SECOND_LINE = a_total(EVENT, 2.5), a_total(EVENT, 3.5)
BOTH = a_document(a_feed_event(totals("pinnacle", -110, 100), totals("novig", 150, -160, 3.5)))
ONE = a_document(a_feed_event(totals("pinnacle", -110, 100)))
POLL = PollRules(poll_s=2.0, failures_max=3, backoff_max_s=10.0)

Answer = Document | FetchFailed | None


@dataclass
class World:
    """A script of answers, a clock that only sleep moves, and what was said."""

    answers: list[Answer]
    catalog: Catalog = field(default_factory=lambda: a_catalog(FIRST, SECOND_LINE, events=(EVENT,)))
    now_ns: int = NOW
    tags: list[str] = field(default_factory=list)
    said: list[FairUpdated | FixtureTold | SourceStateChanged] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    async def fetch(self, known_tag: str) -> Document | None:
        self.tags.append(known_tag)
        if not self.answers:
            raise asyncio.CancelledError
        answer = self.answers.pop(0)
        if isinstance(answer, FetchFailed):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
        self.now_ns += int(seconds * SECOND)

    def ports(self) -> SourcePorts:
        return SourcePorts(lambda: self.catalog, lambda: self.now_ns, self.sleep)

    async def run(self, source: PolledSource) -> None:
        with pytest.raises(asyncio.CancelledError):
            await source.run(self.said.append)

    def fairs(self) -> list[tuple[str, int]]:
        return [(f.strike_id, f.received_ns) for f in self.said if isinstance(f, FairUpdated)]

    def starts(self) -> list[int]:
        """Seconds that the feed's start is after the listing's first one."""
        told = [one for one in self.said if isinstance(one, FixtureTold)]
        return [(one.start_ns - EVENT.start_ns) // SECOND for one in told]

    def states(self) -> list[tuple[bool, str]]:
        return [(s.healthy, s.detail) for s in self.said if isinstance(s, SourceStateChanged)]


def odds(world: World, poll: PollRules = POLL) -> PolledSource:
    def parse(document: Document, now_ns: int) -> Feed:
        return odds_api.parse(document.body, now_ns)

    return PolledSource("odds", (world.fetch, parse), world.ports(), poll, SourceRules())


def over(line: Line) -> str:
    return line.strikes[0].strike_id


async def test_each_document_is_told_once_with_the_time_of_its_receipt() -> None:
    world = World([Document(BOTH, "a"), None, Document(BOTH, "b")])
    await world.run(odds(world))
    assert world.tags == ["", "a", "a", "b"]
    late = NOW + 4 * SECOND
    assert world.fairs() == [
        (over(FIRST), NOW), (over(SECOND_LINE), NOW),
        (over(FIRST), late), (over(SECOND_LINE), late),
    ]  # fmt: skip
    assert world.states() == [(True, "2 strikes priced")]
    assert world.slept == [2.0, 2.0, 2.0]


async def test_a_strike_that_leaves_the_feed_is_withdrawn_at_once() -> None:
    world = World([Document(BOTH, "a"), Document(ONE, "b"), Document(ONE, "c")])
    await world.run(odds(world))
    assert world.fairs()[2:] == [
        (over(FIRST), NOW + 2 * SECOND), (over(SECOND_LINE), 0), (over(FIRST), NOW + 4 * SECOND),
    ]  # fmt: skip


async def test_a_new_listing_is_priced_from_the_document_at_hand_at_its_true_age() -> None:
    world = World([Document(BOTH, "a")], catalog=Catalog())
    source = odds(world)
    await world.run(source)
    assert world.fairs() == []
    assert [one.why for one in source.report.unmatched] == ["no_such_teams"]
    world.catalog = a_catalog(FIRST, events=(EVENT,))
    world.answers = [None, None]
    await world.run(source)
    assert world.fairs() == [(over(FIRST), NOW)]
    assert source.report.unmatched == ()
    assert source.report.priced == 1


async def test_patience_then_sickness_then_recovery() -> None:
    failures: Sequence[Answer] = [FetchFailed("HTTP status 500")] * 5
    world = World([Document(BOTH, "a"), *failures, Document(BOTH, "b")])
    await world.run(odds(world))
    assert world.states() == [
        (True, "2 strikes priced"), (False, "HTTP status 500"), (True, "2 strikes priced"),
    ]  # fmt: skip
    assert world.slept == [2.0, 2.0, 4.0, 8.0, 10.0, 10.0, 2.0]


async def test_one_lost_poll_is_no_sickness() -> None:
    world = World([Document(BOTH, "a"), FetchFailed("no reply"), Document(BOTH, "b")])
    await world.run(odds(world))
    assert world.states() == [(True, "2 strikes priced")]


async def test_the_feed_may_ask_for_a_longer_wait() -> None:
    world = World([FetchFailed("HTTP status 429", retry_after_s=45.0)])
    await world.run(odds(world))
    assert world.slept == [45.0]


async def test_an_unreadable_document_is_a_failure_and_is_asked_for_again() -> None:
    world = World([Document(BOTH, "a"), *[Document(b"<html>", "x")] * 3])
    await world.run(odds(world))
    assert world.tags == ["", "a", "a", "a", "a"]
    healthy, detail = world.states()[-1]
    assert not healthy
    assert "not JSON" in detail
    assert len(world.fairs()) == 2  # what was said stays, and grows old


async def test_a_source_that_never_answers_is_reported_sick() -> None:
    world = World([FetchFailed("cannot be reached")] * 3)
    await world.run(odds(world))
    assert world.states() == [(False, "cannot be reached")]


async def test_static_values_are_said_again_while_they_hold() -> None:
    strike = FIRST.strikes[1].strike_id
    body = f"strike_id,prob\n{strike},0.4\nunknown,0.5\n".encode()
    world = World([Document(body, "a", NOW), None, None, None])

    def parse(document: Document, now_ns: int) -> Feed:
        return static.parse(document, now_ns, static.StaticRules(valid_for_s=4.0))

    poll = PollRules(poll_s=2.0, restate=True)
    source = PolledSource("mine", (world.fetch, parse), world.ports(), poll, SourceRules())
    await world.run(source)
    assert world.fairs() == [
        (strike, NOW), (strike, NOW + 2 * SECOND), (strike, NOW + 4 * SECOND), (strike, 0),
    ]  # fmt: skip
    assert source.report.skipped == {"expired": 2}


def starting(shift_s: int, tag: str) -> Document:
    start = datetime.fromtimestamp(EVENT.start_ns // SECOND + shift_s, UTC).isoformat()
    fixture = a_feed_event(totals("pinnacle", -110, 100), commence_time=start)
    return Document(a_document(fixture), tag)


async def test_a_start_that_is_not_the_listings_is_told_and_when_it_is_again() -> None:
    # faults: F1 F2
    shifts = (0, -600, -600, 0, 0)
    world = World([starting(shift_s, f"{n}") for n, shift_s in enumerate(shifts)])
    await world.run(odds(world))
    assert world.starts() == [-600, 0]


async def test_a_listing_that_moves_away_from_the_feed_is_a_difference() -> None:
    world = World([starting(0, "a")])
    source = odds(world)
    await world.run(source)
    later = replace(EVENT, start_ns=EVENT.start_ns + 3_600 * SECOND)
    world.catalog = a_catalog(FIRST, SECOND_LINE, events=(later,))
    world.answers = [None]
    await world.run(source)
    assert world.starts() == [0]
