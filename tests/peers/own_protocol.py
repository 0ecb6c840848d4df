"""Our protocol on soketi, step by step: channels come and go while it lives; its last words."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from mmbot.exchange import wire
from mmbot.exchange.pusher import (
    AppMessage,
    ChannelAuth,
    Established,
    Failed,
    PusherEvent,
    PusherProtocol,
    SignedIn,
    Subscribed,
    SubscriptionFailed,
)
from mmbot.exchange.ws import LiveWs, WsClosed, WsConnection, stream_url
from tests.peers.soketi_server import STEP_TIMEOUT_S, Soketi

CHANNELS: Final = tuple(f"private-channel={n}" for n in range(100))
WRONG: Final = "private-channel=wrong"
KEPT: Final = CHANNELS[-1:]


class Hand:
    """One connection; whoever waits is woken by each frame."""

    def __init__(self, connection: WsConnection) -> None:
        self.protocol = PusherProtocol(time.monotonic_ns())
        self.heard: list[PusherEvent] = []
        self.closed: int | None = None
        self._connection = connection
        self._changed = asyncio.Event()

    async def read(self) -> None:
        try:
            await self._connection.consume(self._take, lambda: None)
        except WsClosed as error:
            self.closed = error.code
            self._changed.set()

    def _take(self, text: str | bytes) -> None:
        self.heard += self.protocol.receive(text, time.monotonic_ns())
        self._changed.set()

    async def until(self, there: Callable[[], bool]) -> None:
        """Sends what is to be sent, then waits for it; raises TimeoutError."""
        for text in self.protocol.to_send():
            await self._connection.send(text)
        async with asyncio.timeout(STEP_TIMEOUT_S):
            while not there():
                self._changed.clear()
                await self._changed.wait()

    def count(self, kind: type[PusherEvent]) -> int:
        return sum(isinstance(event, kind) for event in self.heard)

    def last_words(self) -> list[int | None]:
        """The code that was said, and the one it was closed with."""
        return [*(event.code for event in self.heard if isinstance(event, Failed)), self.closed]


@asynccontextmanager
async def _hand(server: Soketi, key: str) -> AsyncIterator[Hand]:
    url = stream_url(wire.ConnectionConfig(key=key, ws_host=server.host))
    connection = await LiveWs().connect(url)
    hand = Hand(connection)
    reading = asyncio.create_task(hand.read())
    try:
        yield hand
    finally:
        reading.cancel()
        await connection.close()


async def by_hand(server: Soketi) -> dict[str, Any]:
    """What was found; raises TimeoutError when something was not heard in time."""
    found: dict[str, Any] = {}
    async with contextlib.AsyncExitStack() as stack:
        async with server.running():
            async with _hand(server, "nobodys") as stranger:
                await stranger.until(lambda: stranger.closed is not None)
                found["unknown_key"] = stranger.last_words()
            hand = await stack.enter_async_context(_hand(server, server.key.key))
            await _sign_in(server, hand)
            found |= await _come_and_go(server, hand)
        await hand.until(lambda: hand.closed is not None)  # it went with the server
        return found | {"ended": hand.last_words()}


async def _sign_in(server: Soketi, hand: Hand) -> None:
    await hand.until(lambda: hand.count(Established) == 1)
    user_data = '{"id":"1"}'
    auth = server.key.user_auth(hand.protocol.socket_id, user_data)
    hand.protocol.authorise((), wire.Signin(auth, user_data), time.monotonic_ns())
    await hand.until(lambda: hand.count(SignedIn) == 1)


async def _come_and_go(server: Soketi, hand: Hand) -> dict[str, Any]:
    """A hundred channels and one with a wrong auth; then all but one are left again."""
    socket_id, now_ns = hand.protocol.socket_id, time.monotonic_ns()
    key = server.key
    auths = [ChannelAuth(name, key.channel_auth(socket_id, name)) for name in (*CHANNELS, "x")]
    hand.protocol.subscribe(auths[:50], now_ns)
    await hand.until(lambda: hand.count(Subscribed) == 50)
    hand.protocol.subscribe([*auths[:-1], ChannelAuth(WRONG, auths[-1].auth)], now_ns)
    await hand.until(lambda: hand.count(Subscribed) == 100 and hand.count(SubscriptionFailed) == 1)
    await server.trigger(CHANNELS, "note", "{}")
    await hand.until(lambda: hand.count(AppMessage) == len(CHANNELS))
    heard = hand.count(AppMessage)
    hand.protocol.unsubscribe(CHANNELS[:-1])
    # A pong is behind all that was sent before its ping: then the channels are left.
    hand.protocol.tick(hand.protocol.next_deadline() or 0)
    asked_ns = hand.protocol.next_deadline()
    await hand.until(lambda: hand.protocol.next_deadline() != asked_ns)
    await server.trigger(CHANNELS, "note", "{}")
    await server.trigger(KEPT, "last", "{}")
    await hand.until(lambda: AppMessage("last", KEPT[0], "{}") in hand.heard)
    return {
        "subscribed": hand.count(Subscribed),
        "refused": [one.channel for one in hand.heard if isinstance(one, SubscriptionFailed)],
        "heard": heard,
        "heard_after_leaving_99": hand.count(AppMessage) - heard - 1,
    }
