"""Our own feed against soketi, a Pusher server that nobody here wrote; REST is scripted.

    ip netns exec NAME python -m tests.peers.own_feed --soketi FOLDER_OF_NODE_MODULES

To be run in a network namespace with nothing but `lo`: soketi greets its cluster by broadcast.
Prints one JSON object; exit code 1 when something was not heard in time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aiohttp

from mmbot.domain.events import BookUpdated, Event, StreamStateChanged
from mmbot.domain.ids import SportEventId
from mmbot.exchange.feed import Feed, FeedSettings
from mmbot.exchange.http import HttpReply
from mmbot.exchange.link import LinkPorts
from mmbot.exchange.listing import Wish
from mmbot.exchange.ws import LiveWs
from mmbot.sim.core.orders import Account, Refusal
from mmbot.sim.http.registration import register
from mmbot.sim.scenario import SessionRules
from mmbot.sim.stream.channels import event_channel, user_channel
from mmbot.sim.stream.hub import StreamHub
from tests.exchange.parts import EVENT_ID, Asked, Parts, a_client, example_json, reply, seeded
from tests.peers.own_protocol import by_hand
from tests.peers.soketi_server import STEP_TIMEOUT_S, Soketi

CONFIG: Final = "/websocket/connection-config"
BEAT_S: Final = 1.0
USER_ID: Final = "5f0a8c1e-2b7d-4e55-9a41-6c0d3b7e9f12"
EVENT_IDS: Final = (EVENT_ID, *(SportEventId(20_000_000 + n) for n in range(1, 100)))
WISH: Final = Wish(EVENT_IDS, (), (31,))


class Ear:
    """What the engine would have been told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    def hear(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, wanted: Callable[[Event], bool], after: int = 0) -> int:
        """The index behind the first event that fits."""
        async with asyncio.timeout(STEP_TIMEOUT_S):
            while True:
                for index, event in enumerate(self.events[after:], after):
                    if wanted(event):
                        return index + 1
                self._changed.clear()
                await self._changed.wait()


def _scripted(server: Soketi) -> Parts:
    """Our client's REST side: the registration is signed with the key of soketi."""
    hub = StreamHub(server.key, SessionRules(), random.Random(1))
    account = Account(USER_ID, "peer", 0)

    def registration(asked: Asked) -> HttpReply:
        found = register(hub, account, asked.body, 400, 1)
        assert not isinstance(found, Refusal), found
        return reply(found)

    parts = a_client()
    config = example_json("connection_config.response.talaria.json")
    shown = config | {"ws_host": server.host, "key": server.key.key}
    # The first one is out of date: soketi answers 4001, and only another config helps.
    parts.http.on(CONFIG, reply(shown | {"key": "gone"}), reply(shown))
    parts.http.on("/v4/mm/websocket", registration)
    seeded(parts.listing)
    return parts


async def _beat(server: Soketi) -> None:
    """The venue's health_check, a little faster."""
    data = json.loads(example_json("ws_health_check.wire.json")["data"])
    while True:
        with contextlib.suppress(aiohttp.ClientError):  # soketi may be restarting
            await server.trigger([user_channel(USER_ID)], "health_check", json.dumps(data))
        await asyncio.sleep(BEAT_S)


def _is_up(event: Event) -> bool:
    return isinstance(event, StreamStateChanged) and event.private and event.public


def _is_down(event: Event) -> bool:
    return isinstance(event, StreamStateChanged) and not event.private


async def _scene(server: Soketi, ear: Ear) -> dict[str, Any]:
    """Up, a book on each channel, sent away by a restart, up again, a book on each channel."""
    book = example_json("ws_market_selections.event.wire.json")["data"]
    channels = [event_channel(event_id) for event_id in EVENT_IDS]
    books: list[int] = []
    at = 0
    for _ in range(2):
        async with server.running():
            at = await ear.until(_is_up, at)
            await server.trigger(channels, "market_selections", book)
            heard = at
            for _ in channels:
                heard = await ear.until(lambda event: isinstance(event, BookUpdated), heard)
            books.append(sum(isinstance(event, BookUpdated) for event in ear.events[at:]))
        at = await ear.until(_is_down, at)
    states = [event for event in ear.events if isinstance(event, StreamStateChanged)]
    return {
        "connections": sorted({one.connection for one in states if one.connection}),
        "books": books,
        "ends": [one.reason for one in states if one.reason],
    }


async def run(folder: Path) -> dict[str, Any]:
    ear = Ear()
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        server = Soketi(folder, session)
        parts = _scripted(server)
        ports = LinkPorts(parts.rest, LiveWs(), parts.listing, parts.notices)
        feed = Feed(ports, FeedSettings(), random.Random(1).random)
        feed.watch(WISH)
        services = [
            group.create_task(feed.run(ear.hear)),
            group.create_task(_beat(server)),
        ]
        try:
            found = await _scene(server, ear)
            found["by_hand"] = await by_hand(server)
        except TimeoutError:
            found = {"failed": f"not heard in time; told: {ear.events[-10:]}"}
        for service in services:
            service.cancel()
    return found | {"alarms": parts.alarms, "configs": parts.http.count(CONFIG)}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="own_feed", description=__doc__)
    parser.add_argument("--soketi", type=Path, required=True)
    given = parser.parse_args(argv)
    found = asyncio.run(run(given.soketi))
    print(json.dumps(found, default=str))
    return 1 if "failed" in found else 0


if __name__ == "__main__":
    sys.exit(main())
