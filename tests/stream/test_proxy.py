"""Each trouble, as an end of a connection through the proxy meets it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest

from tests.stream.proxy import HOST, Proxy
from tests.stream.troubles import Kind, Route, Trouble

LATE_S: Final = 0.06
EARLY_S: Final = 0.005  # timers of uvloop may fire a little early
SOON_S: Final = 5.0  # a busy machine may take that long; nobody waits for it
HALF: Final = 0.5

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Answer = Callable[[Reader, Writer], Awaitable[None]]


async def echo(reader: Reader, writer: Writer) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def a_proxy(answer: Answer = echo) -> AsyncIterator[Proxy]:
    async with asyncio.timeout(SOON_S):
        server = await asyncio.start_server(answer, HOST, 0)
        port = server.sockets[0].getsockname()[1]
        try:
            async with Proxy(port, Route.STREAM, lambda: HALF) as proxy:
                yield proxy
        finally:
            server.close()


async def a_client(proxy: Proxy) -> tuple[Reader, Writer]:
    """Connected all the way: one byte has gone there and back."""
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    writer.write(b"!")
    assert await reader.readexactly(1) == b"!"
    return reader, writer


def now(kind: Kind, lasts_s: float = SOON_S, amount: float = 0.0) -> list[Trouble]:
    return [Trouble(kind, Route.STREAM, 0.0, lasts_s, amount)]


async def there_and_back_s(reader: Reader, writer: Writer, size: int = 1000) -> float:
    began_s = time.monotonic()
    sent = bytes(range(250)) * (size // 250)
    writer.write(sent)
    assert await reader.readexactly(size) == sent
    return time.monotonic() - began_s


async def test_without_a_trouble_bytes_pass_as_they_are() -> None:
    async with a_proxy() as proxy:
        reader, writer = await a_client(proxy)
        await there_and_back_s(reader, writer, 300_000)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize(
    ("kind", "amount", "least_s"),
    [
        (Kind.DELAY, LATE_S, 2 * LATE_S),  # there, and back
        (Kind.JITTER, 2 * LATE_S, 2 * LATE_S),  # half of it, by the draw
        (Kind.THROTTLE, 1000 / LATE_S, 2 * LATE_S),
    ],
)
async def test_bytes_come_late_and_whole(kind: Kind, amount: float, least_s: float) -> None:
    async with a_proxy() as proxy:
        reader, writer = await a_client(proxy)
        proxy.begin(now(kind, amount=amount))
        assert await there_and_back_s(reader, writer) >= least_s - EARLY_S
        writer.close()


async def test_a_blackhole_says_nothing_and_gives_back_what_it_kept() -> None:
    async with a_proxy() as proxy:
        reader, writer = await a_client(proxy)
        proxy.begin(now(Kind.BLACKHOLE, LATE_S))
        assert await there_and_back_s(reader, writer) >= LATE_S - EARLY_S
        writer.close()


async def test_who_comes_into_a_blackhole_waits_too() -> None:
    async with a_proxy() as proxy:
        proxy.begin(now(Kind.BLACKHOLE, LATE_S))
        began_s = time.monotonic()
        _, writer = await a_client(proxy)
        assert time.monotonic() - began_s >= LATE_S - EARLY_S
        writer.close()


async def test_a_reset_is_felt_by_both_ends_and_by_who_comes_meanwhile() -> None:
    far_end: list[Reader] = []

    async def told(reader: Reader, writer: Writer) -> None:
        far_end.append(reader)
        await echo(reader, writer)

    async with a_proxy(told) as proxy:
        reader, writer = await a_client(proxy)
        proxy.begin(now(Kind.RESET))
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        with pytest.raises(ConnectionResetError):
            await far_end[0].read(1)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await a_client(proxy)
        writer.close()


async def test_a_half_close_ends_one_direction_only() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(reader: Reader, writer: Writer) -> None:
        while data := await reader.read(65_536):
            heard.put_nowait(data)
            writer.write(data)
        writer.close()

    async with a_proxy(listen) as proxy:
        reader, writer = await a_client(proxy)
        assert await heard.get() == b"!"
        proxy.begin(now(Kind.HALF_CLOSE, 0.0))
        assert await reader.read() == b""  # no more from there, not even an echo
        for word in (b"still here", b"still", b"here"):  # each answer is lost, and breaks nothing
            writer.write(word)
            assert await heard.get() == word
        writer.close()


async def test_an_answer_is_cut_in_its_middle() -> None:
    async with a_proxy() as proxy:
        reader, writer = await a_client(proxy)
        proxy.begin(now(Kind.TRUNCATE, 0.0))
        await asyncio.sleep(0)  # what is due now happens in the next turn of the loop
        writer.write(b"twelve bytes")
        assert await reader.read() == b"twelve"
        writer.close()


async def test_a_trouble_of_the_other_route_does_nothing() -> None:
    async with a_proxy() as proxy:
        reader, writer = await a_client(proxy)
        proxy.begin([Trouble(Kind.RESET, Route.REST, 0.0, SOON_S)])
        await there_and_back_s(reader, writer)
        writer.close()


async def test_a_trouble_ends() -> None:
    async with a_proxy() as proxy:
        reader, writer = await a_client(proxy)
        proxy.begin(now(Kind.DELAY, LATE_S, amount=LATE_S))
        await there_and_back_s(reader, writer)  # takes twice as long as the trouble lasts
        assert proxy.weather() == (None, 0.0)
        writer.close()


async def test_an_exchange_that_is_not_there_resets_who_comes() -> None:
    async with asyncio.timeout(SOON_S), Proxy(1, Route.REST, lambda: HALF) as proxy:
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await a_client(proxy)


@pytest.mark.parametrize(
    ("kind", "cuts"), [(Kind.RESET, 1), (Kind.HALF_CLOSE, 1), (Kind.TRUNCATE, 1), (Kind.DELAY, 0)]
)
async def test_it_knows_when_no_open_connection_was_left_whole(kind: Kind, cuts: int) -> None:
    async with a_proxy() as proxy:
        ends = [await a_client(proxy), await a_client(proxy)]
        proxy.begin(now(kind, 0.0))
        await asyncio.sleep(0)
        for reader, writer in ends:
            with contextlib.suppress(ConnectionError):
                if not writer.is_closing():
                    writer.write(b"?")
                await reader.read(1)  # an echo, or the end
            writer.close()
    assert len(proxy.cut_s) == cuts


async def test_a_reset_that_finds_nobody_cuts_nothing() -> None:
    async with a_proxy() as proxy:
        proxy.begin(now(Kind.RESET, 0.0))
        await asyncio.sleep(0)
        assert proxy.cut_s == []


async def test_it_knows_when_the_daemon_asked_although_nothing_passes() -> None:
    async with a_proxy() as proxy:
        clients = [await a_client(proxy) for _ in range(3)]
        await there_and_back_s(*clients[0])
        assert len(proxy.asked_s) == 4
        began_s = asyncio.get_running_loop().time()
        proxy.begin(now(Kind.BLACKHOLE, lasts_s=HALF))
        for _, writer in clients:
            writer.write(b"?")
        for reader, writer in clients:
            assert await reader.readexactly(1) == b"?"
            writer.close()
        assert len(proxy.asked_s) == 7
        assert max(proxy.asked_s) < began_s + HALF
