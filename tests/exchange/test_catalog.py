"""Seeding: complete or not at all, compared again, told to the stream."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from urllib.parse import parse_qs

import pytest

from mmbot.domain.catalog import Catalog
from mmbot.domain.errors import FindOut, MmbotError, TryAgain
from mmbot.domain.events import BookUpdated, CatalogSeeded
from mmbot.domain.ids import SportEventId
from mmbot.exchange.http import HttpReply, ReplyLost
from mmbot.exchange.listing import Wish
from tests.exchange.parts import (
    EVENT_ID,
    Asked,
    S,
    example,
    example_json,
    kinds,
    refused,
    reply,
    run,
)
from tests.exchange.seedings import EVENTS, MARKETS, TOURNAMENTS, Seeding, service

PROPS = ((EVENT_ID, "player_total_receiving_yards"),)


def test_a_seeding_lists_lines_books_and_what_to_watch() -> None:
    async def scenario() -> None:
        one = Seeding()
        seeding = await one.seeder.seed_once()
        assert set(seeding.catalog.lines) == {
            "10079123/219/0", "10079123/223/-3.5", "10079123/223/-2.5",
            "10079123/225/46.5", "10079123/921/62.5",
        }  # fmt: skip
        assert list(seeding.catalog.events) == [EVENT_ID]  # outrights are left out
        assert kinds(list(seeding.events)) == ["CatalogSeeded"] + ["BookUpdated"] * 5
        spread = seeding.catalog.lines["10079123/223/-3.5"]  # type: ignore[index]  # a line id
        assert [strike.number for strike in spread.strikes] == [-3.5, 3.5]
        assert spread.sub_type == "spread"
        assert one.wishes == [Wish((EVENT_ID,), PROPS, (31,))]
        assert seeding.lines_new == set(seeding.catalog.lines)
        assert one.parts.notices.counts == {}

    run(scenario())


def test_four_calls_are_enough_and_none_waits_for_another() -> None:
    async def scenario() -> None:
        one = Seeding()
        await one.parts.clock.sleep(1.1)
        start_ns = one.parts.clock.now_ns()
        await one.seeder.seed_once()
        assert one.parts.clock.now_ns() - start_ns < S // 100
        assert len(one.parts.http.asked) == 4

    run(scenario())


def test_a_second_seeding_tells_what_changed() -> None:
    # faults: F5 F8
    async def scenario() -> None:
        one = Seeding()
        await one.seeder.seed_once()
        data = example_json("get_markets.response.v4.json")["data"]["markets"]
        moved = data[1]["market_strikes"][0]
        for side, number in zip(moved["selections"], (-4.0, 4.0), strict=True):
            side[0] |= {"strike": number, "strike_id": f"moved{number}"}
        one.parts.http.on(MARKETS, reply({"data": {str(EVENT_ID): data[1:]}}))
        seeding = await one.seeder.seed_once()
        assert seeding.lines_new == {"10079123/223/-4"}
        assert seeding.lines_gone == {"10079123/219/0", "10079123/223/-3.5"}
        one.parts.http.on(EVENTS, reply(example("get_sport_events.response.empty.json")))
        seeding = await one.seeder.seed_once()
        assert seeding.events_gone == {EVENT_ID}
        assert not seeding.catalog.lines
        assert one.wishes[-1] == Wish()

    run(scenario())


@pytest.mark.parametrize(
    ("settings", "listed", "query"),
    [
        ({"tournament_ids": frozenset({31})}, 1, {"tournament_id": ["31"]}),
        ({"tournament_ids": frozenset({109})}, 0, {"tournament_id": ["109"]}),
        ({"tournament_ids": frozenset({31, 109})}, 1, {}),
        ({"event_ids": frozenset({5})}, 0, {}),
    ],
)
def test_only_what_is_wanted_is_listed(
    settings: dict[str, Any], listed: int, query: dict[str, list[str]]
) -> None:
    async def scenario() -> None:
        one = Seeding(**settings)
        assert len((await one.seeder.seed_once()).catalog.events) == listed
        asked = next(a for a in one.parts.http.asked if a.path == EVENTS)
        assert parse_qs(asked.query) == query

    run(scenario())


@pytest.mark.parametrize("path", [TOURNAMENTS, EVENTS, MARKETS])
@pytest.mark.parametrize(
    ("step", "error"),
    [
        (ReplyLost("reset"), FindOut),
        (refused(500, "internal_error"), TryAgain),
        (reply(b"{"), TryAgain),
    ],
)
def test_a_seeding_that_fails_changes_nothing(
    path: str, step: Any, error: type[MmbotError]
) -> None:
    async def scenario() -> None:
        one = Seeding()
        before = (await one.seeder.seed_once()).catalog
        one.parts.http.on(path, step)
        with pytest.raises(error):
            await one.seeder.seed_once()
        assert one.parts.listing.catalog is before
        assert len(one.wishes) == 1

    run(scenario())


def test_two_markets_with_one_key_are_not_mixed() -> None:
    async def scenario() -> None:
        one = Seeding()
        market = example_json("get_markets.response.v4.json")["data"]["markets"][3]
        other = {**market, "player_id": 2, "name": "another player"}
        other["selections"] = [
            [{**side[0], "strike_id": side[0]["strike_id"][::-1]}] for side in market["selections"]
        ]
        one.parts.http.on(MARKETS, reply({"data": {str(EVENT_ID): [market, other, market]}}))
        seeding = await one.seeder.seed_once()
        (line,) = seeding.catalog.lines.values()
        assert line.market_name == "Example Receiver - Receiving Yards"
        assert one.parts.notices.counts["line_twice"] == 1
        assert len([e for e in seeding.events if isinstance(e, BookUpdated)]) == 2

    run(scenario())


def test_an_event_without_a_channel_is_wished_for_but_not_listed() -> None:
    # faults: E9
    async def scenario() -> None:
        one = Seeding()
        one.parts.listing.unstreamed = frozenset({EVENT_ID})
        seeding = await one.seeder.seed_once()
        assert seeding.catalog == Catalog()
        assert one.wishes == [Wish((EVENT_ID,), (), (31,))]

    run(scenario())


def fixtures(*event_ids: int) -> HttpReply:
    """The event of the example, once for each of these ids."""
    body = example_json("get_sport_events.response.json")
    row = body["data"]["sport_events"][0]
    body["data"]["sport_events"] = [row | {"event_id": ident} for ident in event_ids]
    return reply(body)


def test_a_new_game_is_wished_for_first_and_listed_when_it_has_a_channel() -> None:
    # faults: F8
    async def scenario() -> None:
        one = Seeding()
        listing = one.parts.listing
        await one.seeder.seed_once()
        one.parts.http.on(EVENTS, fixtures(EVENT_ID, 7))
        assert set((await one.seeder.seed_once()).catalog.events) == {EVENT_ID}
        assert one.wishes[-1].event_ids == (7, EVENT_ID)
        assert listing.unstreamed == {7}
        listing.unstreamed = frozenset()
        assert set((await one.seeder.seed_once()).catalog.events) == {7, EVENT_ID}

    run(scenario())


def test_what_loses_its_channel_while_it_is_read_is_not_listed() -> None:
    # faults: E16
    async def scenario() -> None:
        one = Seeding()
        await one.seeder.seed_once()

        def falls(_: Asked) -> HttpReply:
            one.parts.listing.unstreamed = frozenset({EVENT_ID})
            return one.markets()

        one.parts.http.on(MARKETS, falls)
        assert (await one.seeder.seed_once()).catalog == Catalog()

    run(scenario())


@pytest.mark.parametrize("step", [None, refused(500, "internal_error"), reply(b"{")])
def test_what_the_stream_speaks_of_during_a_seeding_is_seeded_again(step: Any) -> None:
    async def scenario() -> None:
        one = Seeding()
        await one.seeder.seed_once()
        listing = one.parts.listing
        listing.want_reseed()
        if step is None:
            await one.seeder.seed_once()
            assert not listing.reseed_wanted

        def speaks(_: Asked) -> HttpReply:
            listing.want_reseed()
            return one.markets()

        one.parts.http.on(MARKETS, speaks if step is None else step)
        with nullcontext() if step is None else pytest.raises(TryAgain):
            await one.seeder.seed_once()
        assert listing.reseed_wanted

    run(scenario())


def test_what_is_there_and_not_wanted_asks_for_no_seeding() -> None:
    async def scenario() -> None:
        one = Seeding(event_ids=frozenset({7}))
        await one.seeder.seed_once()
        listing = one.parts.listing
        listing.want_reseed(EVENT_ID)
        assert not listing.reseed_wanted
        listing.want_reseed(SportEventId(8))
        assert listing.reseed_wanted

    run(scenario())


# --- the service ----------------------------------------------------------------------------


def test_it_compares_every_fifteen_minutes() -> None:
    # faults: E4
    one, events = service(1860)
    assert sum(isinstance(event, CatalogSeeded) for event in events) == 3
    assert one.parts.http.count(EVENTS) == 3
    assert one.parts.http.count(MARKETS) == 3


def test_something_new_on_the_stream_is_seeded_soon_but_not_in_a_storm() -> None:
    def restless(one: Seeding) -> None:
        one.heard = lambda _: one.parts.listing.want_reseed()  # it goes on and on

    one, _ = service(600, restless)
    assert 15 <= one.parts.http.count(EVENTS) <= 24


@pytest.mark.parametrize(("count", "least_s", "most_s"), [(2, 3, 5), (60, 6, 10)])
def test_a_game_that_has_its_channel_is_listed_after_seconds(
    count: int, least_s: float, most_s: float
) -> None:
    # faults: F8
    listed_s: list[float] = []

    def grows(one: Seeding) -> None:
        first, more = fixtures(EVENT_ID), fixtures(EVENT_ID, *range(1, count))
        one.parts.http.on(EVENTS, first, more)
        listing, clock = one.parts.listing, one.parts.clock

        def watch(wish: Wish) -> None:
            if len(wish.event_ids) == 1:
                listing.want_reseed()  # the stream speaks of the new ones
            elif listing.unstreamed:
                listed_s.append(clock.monotonic_ns() / S)
                listing.unstreamed = frozenset()  # their channels are granted at once
                listing.want_reseed()
            else:
                listed_s.append(clock.monotonic_ns() / S)

        one.heard = watch

    service(60, grows)
    wished_s, found_s = listed_s
    assert wished_s <= 5
    assert least_s <= found_s - wished_s <= most_s


def test_failures_are_repeated_and_the_old_catalog_stays() -> None:
    def failing(one: Seeding) -> None:
        good = reply(example("get_sport_events.response.json"))
        one.parts.http.on(EVENTS, good, ReplyLost("reset"))

    one, events = service(1000, failing)
    assert sum(isinstance(event, CatalogSeeded) for event in events) == 1
    assert one.parts.listing.catalog.lines
    assert one.parts.notices.counts["seeding_failed"] > 5
