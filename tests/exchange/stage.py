"""A feed on a scripted stage: a server that plays along, and what the engine was told."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mmbot.domain.events import Event, SportEventUnlisted, StreamStateChanged
from mmbot.domain.ids import SportEventId
from mmbot.exchange.channels import Topic, Worth
from mmbot.exchange.feed import Feed, FeedSettings
from mmbot.exchange.http import HttpReply
from mmbot.exchange.link import LinkPorts
from mmbot.exchange.listing import Wish
from tests.exchange.parts import (
    EVENT_ID,
    FakeServer,
    FakeSocket,
    Parts,
    S,
    Step,
    a_client,
    example,
    example_json,
    play,
    reply,
    run,
    seeded,
    unheard,
)

CONFIG = "/websocket/connection-config"
REGISTER = "/v4/mm/websocket"
PRIVATE = "private-service=6-device_type=5-user=5f0a8c1e2b7d4e559a416c0d3b7e9f12"
EVENT_CHANNEL = f"private-broadcast-service=6-device_type=5-event={EVENT_ID}"
WISH = Wish((EVENT_ID,), (), (31,))


@dataclass(slots=True)
class Stage:
    parts: Parts
    server: FakeServer
    feed: Feed
    events: list[Event] = field(default_factory=list)
    told: list[tuple[float, bool, bool, str]] = field(default_factory=list)
    beating: bool = True

    async def wait(self, seconds: float) -> None:
        await self.parts.clock.sleep(seconds)

    async def beats(self) -> None:
        while True:
            await self.wait(5)
            for socket in self.server.sockets:
                if self.beating and not socket.closed:
                    socket.say("health_check", {"payload": "e30="}, PRIVATE)

    def hear(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, StreamStateChanged):
            at_s = self.parts.clock.monotonic_ns() / S
            self.told.append((at_s, event.private, event.public, event.connection))

    @property
    def states(self) -> list[tuple[bool, bool, str]]:
        return [(private, public, name) for _, private, public, name in self.told]

    @property
    def last(self) -> FakeSocket:
        return self.server.sockets[-1]


def config(**changes: Any) -> HttpReply:
    return reply(example_json("connection_config.response.talaria.json") | changes)


def staged(
    scenario: Callable[[Stage], Awaitable[None]],
    wish: Wish = WISH,
    registration: Step | None = None,
    worth: Mapping[Topic, Worth] | None = None,
    **settings: Any,
) -> Stage:
    """Run the scenario from two seconds after the start of the feed."""

    async def main() -> Stage:
        parts = a_client()
        parts.http.on(CONFIG, config())
        usual = reply(example("websocket_register.response.v4.json"))
        parts.http.on(REGISTER, registration or usual)
        seeded(parts.listing)
        parts.listing.asked_ns = parts.clock.now_ns()
        server = FakeServer()
        ports = LinkPorts(parts.rest, server, parts.listing, parts.notices)
        feed = Feed(
            ports,
            FeedSettings(**settings),
            random.Random(1).random,
            lambda: {} if worth is None else worth,
        )
        feed.watch(wish)
        stage = Stage(parts, server, feed)

        async def act() -> None:
            await stage.wait(2)
            await scenario(stage)

        await play(act(), feed.run(stage.hear, unheard), feed.poll_config(), stage.beats())
        return stage

    return run(main())


async def nothing(_: Stage) -> None:
    """The start alone."""


UP = (True, True, "stream-1")
DOWN = (False, False, "")


def more(*event_ids: int) -> Wish:
    return Wish((EVENT_ID, *(SportEventId(one) for one in event_ids)), (), (31,))


def unlisted(stage: Stage) -> list[int]:
    return [one.event_id for one in stage.events if isinstance(one, SportEventUnlisted)]
