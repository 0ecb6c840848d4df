"""The live socket against a real server: messages in several frames, early ones, errors, ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from mmbot.exchange.ws import LiveWs, WsClosed, WsConnection

Talk = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def connected(talk: Talk) -> AsyncIterator[WsConnection]:
    async with serve(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = await LiveWs().connect(f"ws://127.0.0.1:{port}/")
        try:
            yield connection
        finally:
            await connection.close()


async def test_messages_keep_their_order_whole_or_in_pieces() -> None:
    async def talk(server: ServerConnection) -> None:
        await server.send("one")
        await server.send(["t", "w", "o"])
        await server.send("three")
        await server.close(4200, "move")

    heard: list[str | bytes] = []
    async with connected(talk) as connection:
        with pytest.raises(WsClosed) as ended:
            await connection.consume(heard.append, lambda: heard.append("|"))
    assert [one for one in heard if one != "|"] == [b"one", b"two", b"three"]
    assert heard[-1] == "|"  # what came together is followed by one word
    assert ended.value.code == 4200


async def test_a_socket_that_breaks_has_no_code_of_its_own() -> None:
    async def talk(server: ServerConnection) -> None:
        server.transport.abort()

    async with connected(talk) as connection:
        with pytest.raises(WsClosed) as ended:
            await connection.consume(lambda _: None, lambda: None)
    assert ended.value.code == 1006


async def test_an_error_of_the_taker_reaches_the_task_that_consumes() -> None:
    async def talk(server: ServerConnection) -> None:
        await server.recv()
        await server.send("bad")
        await server.wait_closed()

    def take(text: str | bytes) -> None:
        raise LookupError(text)

    async with connected(talk) as connection:
        await connection.send("go")
        with pytest.raises(LookupError):
            await connection.consume(take, lambda: None)
