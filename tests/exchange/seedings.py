"""A seeder on the examples of the contract, and the stream that is told what to carry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmbot.domain.events import Event
from mmbot.exchange.catalog import CatalogSeeder, CatalogSettings
from mmbot.exchange.http import HttpReply
from mmbot.exchange.listing import Wish
from tests.exchange.parts import EVENT_ID, Parts, a_client, example, example_json, play, reply, run

TOURNAMENTS, EVENTS = "/mm/get_tournaments", "/mm/get_sport_events"
MARKETS = "/v4/mm/get_multiple_markets"


class Seeding:
    """A seeder on the examples of the contract; `wishes` is what the stream was told."""

    def __init__(self, **settings: Any) -> None:
        self.parts: Parts = a_client()
        self.wishes: list[Wish] = []
        self.heard: Callable[[Wish], None] = lambda _: None  # what the stream does of a wish
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
        self.heard(wish)

    @staticmethod
    def markets() -> HttpReply:
        data = example_json("get_markets.response.v4.json")["data"]
        return reply({"data": {str(EVENT_ID): data["markets"]}})


def service(seconds: float, prepare: Any = None, **settings: Any) -> tuple[Seeding, list[Event]]:
    async def main() -> tuple[Seeding, list[Event]]:
        one, events = Seeding(**settings), list[Event]()
        if prepare is not None:
            prepare(one)
        await play(one.parts.clock.sleep(seconds), one.seeder.run(events.append))
        return one, events

    return run(main())
