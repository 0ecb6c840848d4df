"""The stream replays nothing: what it told while it was away, only a listing shows."""
# faults: F1 F2 F3 F5

from __future__ import annotations

import pytest

from mmbot.domain.errors import TryAgain
from mmbot.domain.events import Event, SportEventsListed
from mmbot.exchange.http import HttpReply
from mmbot.exchange.listing import Wish
from tests.exchange.parts import Asked, S, example, reply, run
from tests.exchange.seedings import EVENTS, MARKETS, Seeding, service

LISTED = reply(example("get_sport_events.response.json"))


def test_the_games_are_whole_when_the_stream_was_there_since_they_were_asked_for() -> None:
    async def scenario() -> None:
        one = Seeding()
        listing, http = one.parts.listing, one.parts.http
        await one.seeder.seed_once()
        listing.streams(True, 0)
        listing.streams(False, 0)
        listing.streams(True, 0)
        http.on(EVENTS, reply(b"{"))
        with pytest.raises(TryAgain):
            await one.seeder.catch_up()
        assert listing.missed

        def breaks(_: Asked) -> HttpReply:
            listing.streams(False, 0)
            listing.streams(True, 0)
            return LISTED

        http.on(EVENTS, breaks, LISTED)
        assert not (await one.seeder.catch_up()).whole
        assert listing.missed
        games = await one.seeder.catch_up()
        assert games.whole
        assert [game.event_id for game in games.events] == list(listing.catalog.events)
        assert not listing.missed

    run(scenario())


def test_a_stream_that_is_back_has_the_games_listed_at_once_and_all_else_soon() -> None:
    def comes_back(one: Seeding) -> None:
        listing = one.parts.listing
        listing.streams(True, 0)

        def breaks(_: Wish) -> None:
            if one.parts.http.count(EVENTS) == 1:
                listing.streams(False, 0)
                listing.streams(True, 0)

        one.heard = breaks

    def games(events: list[Event]) -> list[bool]:
        return [event.whole for event in events if isinstance(event, SportEventsListed)]

    quiet, events = service(10)
    assert (quiet.parts.http.count(MARKETS), games(events)) == (1, [])
    missed, events = service(2.5, comes_back)
    assert (missed.parts.http.count(MARKETS), games(events)) == (1, [True])
    later, events = service(10, comes_back)
    assert (later.parts.http.count(MARKETS), games(events)) == (2, [True])


@pytest.mark.parametrize(("after_s", "missed"), [(4, False), (6, True)])
def test_a_stream_that_is_long_in_coming_has_the_games_listed(after_s: int, missed: bool) -> None:
    async def scenario() -> None:
        one = Seeding()
        listing, clock = one.parts.listing, one.parts.clock
        await one.seeder.seed_once()
        asked_ns = listing.asked_ns
        await clock.sleep(after_s)
        one.parts.http.on(MARKETS, reply(b"{"))
        with pytest.raises(TryAgain):
            await one.seeder.seed_once()
        assert 0 < asked_ns == listing.asked_ns  # what failed is no younger
        listing.streams(True, asked_ns + after_s * S)
        assert listing.missed is missed

    run(scenario())
