"""A feed on a hostile exchange: sockets, connection-config and registration all go wrong.

Then all is well again, and so must the stream be: nothing that was said may have a lasting effect.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any, Final

from mmbot.domain.events import Event, StreamStateChanged
from mmbot.domain.ids import SportEventId
from mmbot.exchange.channels import REFUSED_FOR_NS
from mmbot.exchange.dialect import DIALECTS
from mmbot.exchange.feed import Feed, FeedSettings
from mmbot.exchange.http import HttpReply, NotSent, ReplyLost
from mmbot.exchange.link import LinkPorts
from mmbot.exchange.listing import Wish
from mmbot.exchange.ws import WsClosed, WsConnection
from mmbot.sim.core.orders import Account, Refusal
from mmbot.sim.http.registration import register
from mmbot.sim.scenario import SessionRules
from mmbot.sim.stream.channels import AppKey, event_channel, main_channel, user_channel
from mmbot.sim.stream.hub import StreamHub
from tests.exchange.parts import (
    EVENT_ID,
    Asked,
    FakeServer,
    FakeSocket,
    Parts,
    S,
    a_client,
    example_json,
    play,
    refused,
    reply,
    seeded,
    unheard,
)
from tests.fuzz.frames import CODES, Frames

USER_ID: Final = "5f0a8c1e-2b7d-4e55-9a41-6c0d3b7e9f12"
TOURNAMENT_ID: Final = 31
EVENT_IDS: Final = (EVENT_ID, *(SportEventId(20_000_000 + n) for n in range(5)))
CHANNELS: Final = {
    "v4": (user_channel(USER_ID), main_channel(), *map(event_channel, EVENT_IDS)),
    "seed": (user_channel(USER_ID, 3), main_channel(3)),
}
ROOMY: Final = 400  # channels of one socket
TIGHT: Final = 2
TOO_MANY: Final = "exceed_subscription_count"
BEAT_S: Final = 5.0
FORGETS_S: Final = REFUSED_FOR_NS / S
HOSTILE_MAX_S: Final = 120.0
CALM_S: Final = 420.0  # a channel that was not granted has to wait for its turn


class HostileExchange:
    """`calm` ends it: from then on everything is answered as the contract says."""

    def __init__(self, draw: random.Random, frames: Frames, parts: Parts, dialect: str) -> None:
        self._dialect = dialect
        self._channels = CHANNELS[dialect]
        self.calm = False
        self.frames = 0
        self._draw = draw
        self.limit = draw.choice((ROOMY, TIGHT))
        # After which it must have recovered; a refusal, right or wrong, is believed for a while.
        self.calm_s = CALM_S + (FORGETS_S if self.limit == TIGHT else 0)
        self._garbage = frames
        self._clock = parts.clock
        self._friend = FakeServer()  # what a server should do
        self._hub = StreamHub(AppKey("key", "secret"), SessionRules(), random.Random(1))
        parts.http.on("/websocket/connection-config", self._config)
        parts.http.on(DIALECTS[dialect].routes.register.path, self._registration)

    def _wrong(self, share: float) -> bool:
        return not self.calm and self._draw.random() < share

    # --- REST -------------------------------------------------------------------------------

    def _config(self, _: Asked) -> HttpReply:
        return self._answer(example_json("connection_config.response.talaria.json"))

    def _registration(self, asked: Asked) -> HttpReply:
        if self._dialect == "seed":
            return self._answer(example_json("pusher_auth.response.legacy.json"))
        account = Account(USER_ID, "fuzz", 0)
        found = register(self._hub, account, asked.body, self.limit, 1)
        if isinstance(found, Refusal):
            return refused(found.status, found.code)
        return self._answer(found)

    def _answer(self, body: Any) -> HttpReply:
        draw = self._draw
        if self._wrong(0.1):
            raise draw.choice((NotSent("no route"), ReplyLost("reset")))
        if self._wrong(0.1):
            code = draw.choice(("invalid_request", "internal_error", "", TOO_MANY))
            if code == TOO_MANY:
                self.calm_s = CALM_S + FORGETS_S
            return refused(draw.choice((400, 401, 403, 404, 429, 500, 503)), code)
        if self._wrong(0.3):
            text = json.dumps(self._garbage.bent(body)).encode(errors="surrogatepass")
            return reply(text[: len(text) - draw.choice((0, 0, 0, 1, 40))])
        return reply(body)

    # --- sockets ----------------------------------------------------------------------------

    async def connect(self, url: str) -> WsConnection:
        if self._wrong(0.2):
            raise WsClosed(self._draw.choice(CODES))
        connection = await self._friend.connect(url)
        socket = self._friend.sockets[-1]
        answer = socket.on_frame

        def answered(socket: FakeSocket, frame: dict[str, Any]) -> None:
            if answer is not None and not self._wrong(0.05):
                answer(socket, frame)

        socket.on_frame = answered
        if self._wrong(0.3):
            self._say_garbage(socket)
        return connection

    def _say_garbage(self, socket: FakeSocket) -> None:
        self.frames += 1
        socket.say_raw(self._garbage.next("1.1", self._channels))

    async def go_wrong(self) -> None:
        while not self.calm:
            await self._clock.sleep(self._draw.choice((0.01, 0.3, 2.0)))
            for socket in self._open():
                if self._draw.random() < 0.02:
                    socket.hang_up(self._draw.choice(CODES))
                elif self._draw.random() < 0.7:
                    self._say_garbage(socket)

    async def beat(self) -> None:
        while True:
            await self._clock.sleep(BEAT_S)
            for socket in self._open():
                if not self._wrong(0.2):
                    socket.say("health_check", {"payload": "e30="}, self._channels[0])

    def _open(self) -> list[FakeSocket]:
        return [socket for socket in self._friend.sockets if not socket.closed]


async def live(draw: random.Random, corpus: Sequence[dict[str, Any]]) -> int:
    """How many frames were heard; raises whatever escapes, and AssertionError if it stays dark."""
    name = draw.choice(tuple(CHANNELS))
    dialect = DIALECTS[name]
    parts = a_client(routes=dialect.routes)
    seeded(parts.listing)
    exchange = HostileExchange(draw, Frames(draw, corpus), parts, name)
    ports = LinkPorts(parts.rest, exchange, parts.listing, parts.notices, dialect)
    feed = Feed(ports, FeedSettings(config_poll_s=20.0), draw.random)
    states: list[StreamStateChanged] = []

    def hear(event: Event) -> None:
        if isinstance(event, StreamStateChanged):
            states.append(event)

    async def act() -> None:
        for _ in range(draw.randint(1, 4)):
            some = draw.sample(EVENT_IDS, draw.randint(1, len(EVENT_IDS)))
            tournament_of = dict.fromkeys(some, TOURNAMENT_ID)
            feed.watch(Wish(tuple(some), (), (TOURNAMENT_ID,), tournament_of))
            await parts.clock.sleep(draw.uniform(0.0, HOSTILE_MAX_S / 4))
        exchange.calm = True
        await parts.clock.sleep(exchange.calm_s)
        after = f"after {exchange.calm_s:.0f} s"
        assert states, "never told anything"
        assert states[-1].private, f"dark {after}: {states[-1]}"
        assert states[-1].public, f"in part dark {after}: {states[-1]}"
        assert not parts.listing.unstreamed, f"{after}: {parts.listing.unstreamed}"

    await play(
        act(), feed.run(hear, unheard), feed.poll_config(), exchange.go_wrong(), exchange.beat()
    )
    return exchange.frames
