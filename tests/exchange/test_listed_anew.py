"""The stream replays nothing: what it told while it was away, only a new listing shows."""

from __future__ import annotations

import pytest

from mmbot.domain.errors import TryAgain
from mmbot.domain.events import CatalogSeeded
from mmbot.exchange.http import HttpReply
from mmbot.exchange.listing import Wish
from tests.exchange.parts import Asked, reply, run
from tests.exchange.seedings import EVENTS, MARKETS, Seeding, service


# faults: F1 F2 F3
def test_a_listing_is_whole_when_the_stream_was_there_since_it_was_asked_for() -> None:
    async def scenario() -> None:
        one = Seeding()
        listing = one.parts.listing

        async def whole() -> bool:
            (first, *_) = (await one.seeder.seed_once()).events
            assert isinstance(first, CatalogSeeded)
            return first.whole

        assert await whole()  # a start: it has missed nothing yet
        listing.streams(True)
        listing.streams(False)
        assert not await whole()
        listing.streams(True)
        one.parts.http.on(MARKETS, reply(b"{"))
        with pytest.raises(TryAgain):
            await one.seeder.seed_once()
        assert listing.missed
        one.parts.http.on(MARKETS, one.markets())
        assert await whole()

        def breaks(_: Asked) -> HttpReply:
            listing.streams(False)
            listing.streams(True)
            return one.markets()

        one.parts.http.on(MARKETS, breaks, one.markets())
        assert not await whole()
        assert await whole()

    run(scenario())


def test_a_stream_that_is_back_has_everything_listed_at_once() -> None:
    def comes_back(one: Seeding) -> None:
        listing = one.parts.listing
        listing.streams(True)

        def breaks(_: Wish) -> None:
            if one.parts.http.count(EVENTS) == 1:
                listing.streams(False)
                listing.streams(True)

        one.heard = breaks

    assert service(5)[0].parts.http.count(EVENTS) == 1
    assert service(5, comes_back)[0].parts.http.count(EVENTS) == 2
