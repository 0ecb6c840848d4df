"""Seeding: complete or not at all, compared again, told to the stream."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from mmbot.domain.catalog import Catalog
from mmbot.domain.errors import FindOut, MmbotError, TryAgain
from mmbot.domain.events import BookUpdated, CatalogSeeded, Event
from mmbot.exchange.catalog import CatalogSeeder, CatalogSettings
from mmbot.exchange.http import HttpReply, ReplyLost
from mmbot.exchange.listing import Wish
from tests.exchange.parts import (
    EVENT_ID,
    Parts,
    S,
    a_client,
    example,
    example_json,
    kinds,
    play,
    refused,
    reply,
    run,
)

TOURNAMENTS, EVENTS = "/mm/get_tournaments", "/mm/get_sport_events"
MARKETS = "/v4/mm/get_multiple_markets"


class Seeding:
    """A seeder on the examples of the contract; `wishes` is what the stream was told."""

    def __init__(self, **settings: Any) -> None:
        self.parts: Parts = a_client()
        self.wishes: list[Wish] = []
        self.restless = False
        http = self.parts.http
        http.on(TOURNAMENTS, reply(example("get_tournaments.response.json")))
        http.on(EVENTS, reply(example("get_sport_events.response.json")))
        http.on(MARKETS, self.markets())
        self.seeder = CatalogSeeder(
            self.parts.gateway,
            self.parts.listing,
            CatalogSettings(**settings),
            self._watch,
        )

    def _watch(self, wish: Wish) -> None:
        self.wishes.append(wish)
        if self.restless:  # the stream goes on speaking of something unknown
            self.parts.listing.want_reseed()

    @staticmethod
    def markets() -> HttpReply:
        data = example_json("get_markets.response.v4.json")["data"]
        return reply({"data": {str(EVENT_ID): data["markets"]}})


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


# --- the service ----------------------------------------------------------------------------


def service(seconds: float, prepare: Any = None, **settings: Any) -> tuple[Seeding, list[Event]]:
    async def main() -> tuple[Seeding, list[Event]]:
        one, events = Seeding(**settings), list[Event]()
        if prepare is not None:
            prepare(one)
        await play(one.parts.clock.sleep(seconds), one.seeder.run(events.append))
        return one, events

    return run(main())


def test_it_compares_every_fifteen_minutes() -> None:
    # faults: E4
    one, events = service(1860)
    assert sum(isinstance(event, CatalogSeeded) for event in events) == 3
    assert one.parts.http.count(EVENTS) == 3
    assert one.parts.http.count(MARKETS) == 3


def test_something_new_on_the_stream_is_seeded_soon_but_not_in_a_storm() -> None:
    def restless(one: Seeding) -> None:
        one.restless = True

    one, _ = service(600, restless)
    assert 15 <= one.parts.http.count(EVENTS) <= 21


def test_failures_are_repeated_and_the_old_catalog_stays() -> None:
    def failing(one: Seeding) -> None:
        good = reply(example("get_sport_events.response.json"))
        one.parts.http.on(EVENTS, good, ReplyLost("reset"))

    one, events = service(1000, failing)
    assert sum(isinstance(event, CatalogSeeded) for event in events) == 1
    assert one.parts.listing.catalog.lines
    assert one.parts.notices.counts["seeding_failed"] > 5
