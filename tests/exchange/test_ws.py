"""The live socket against a real server: messages in several frames, early ones, errors, ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from websockets import ConnectionClosed
from websockets.asyncio.server import ServerConnection, serve

from mmbot.exchange.ws import MESSAGE_BYTES_MAX, LiveWs, WsClosed, WsConnection

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


async def test_a_binary_frame_is_given_like_any_other() -> None:
    async def talk(server: ServerConnection) -> None:
        await server.send(b"\x00\xff")
        await server.send("after it")
        await server.close()

    heard: list[str | bytes] = []
    async with connected(talk) as connection:
        with pytest.raises(WsClosed):
            await connection.consume(heard.append, lambda: None)
    assert heard == [b"\x00\xff", b"after it"]


@pytest.mark.parametrize("in_pieces", [False, True])
async def test_a_message_too_large_for_us_ends_the_connection(in_pieces: bool) -> None:
    part = "x" * (MESSAGE_BYTES_MAX // 2 + 1)

    async def talk(server: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await server.send([part, part] if in_pieces else part + part)
            await server.wait_closed()

    heard: list[str | bytes] = []
    async with connected(talk) as connection:
        with pytest.raises(WsClosed) as ended:
            await connection.consume(heard.append, lambda: None)
    assert heard == []
    assert ended.value.code == 1006  # the far end has said none


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
