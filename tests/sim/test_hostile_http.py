"""Whatever comes over a real socket, the box answers as documented, or hangs up, and lives on."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mmbot.sim.http.guard import HttpLimits
from mmbot.sim.http.server import serve
from mmbot.sim.scenario import BoxOptions, RivalOptions, TakerOptions

WAIT_S = 10
LIMITS = HttpLimits(headers_timeout_s=0.2, body_timeout_s=0.2, lingering_s=0.2)
LOGIN = b"POST /partner/auth/login HTTP/1.1\r\nHost: x\r\n"
MEGABYTE = b"x" * (1 << 20)


@asynccontextmanager
async def running(limits: HttpLimits = LIMITS) -> AsyncIterator[int]:
    """A quiet box on a port; at the end no task and no socket is left over."""
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    quiet = {"takers": TakerOptions(on=False), "rival": RivalOptions(on=False)}
    options = BoxOptions(http=limits, **quiet)  # type: ignore[arg-type]  # two kinds of options
    async with asyncio.timeout(WAIT_S * 2), asyncio.TaskGroup() as group:
        before = asyncio.all_tasks()
        group.create_task(serve(options, port.set_result, stop))
        yield await port
        assert await answered(await port, b"GET /_box/whoami HTTP/1.1\r\nHost: x\r\n\r\n")
        stop.set()
    left = asyncio.all_tasks() - before
    if left:
        _, pending = await asyncio.wait(left, timeout=WAIT_S)
        assert not pending


async def answered(port: int, raw: bytes, *, close_after: bool = False) -> bytes:
    """What comes back until the box hangs up, or the first answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        if close_after:
            writer.write_eof()
        async with asyncio.timeout(WAIT_S):
            return await reader.read(65_536)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /partner/v4/mm/get_balance HTTP/1.1\r\nHost x\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        LOGIN + b"Content-Length: x\r\n\r\n",
        LOGIN + b"Content-Length: -5\r\n\r\n",
        LOGIN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        LOGIN + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        LOGIN + b"Content-Encoding: nonsense\r\nContent-Length: 4\r\n\r\nabcd",
        LOGIN + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    ],
)
async def test_broken_requests_are_refused_without_a_traceback(
    raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with running() as port:
        answer = await answered(port, raw)
        assert not answer or status_of(answer) in {400, 401, 404, 413, 431}
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    "path",
    [
        *("//[x", "/%00", "/partner/%ff%fe", "/partner/v4/mm/get_order/%2e%2e", "/_box/%2f"),
        *("/partner/mm/get_markets?event_id=%ff", "/partner/v4/mm/get_trades?" + "a=1&" * 1500),
        *("http://other.example/partner/mm/get_balance", "*", "/app/x", "/_box/truth?since=%ff"),
    ],
)
async def test_odd_paths_are_answered(path: str, caplog: pytest.LogCaptureFixture) -> None:
    async with running() as port:
        for method in ("GET", "POST", "OPTIONS", "TRACE", "HEAD"):
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\n\r\n"
            answer = await answered(port, head.encode("latin-1"))
            assert 400 <= status_of(answer) < 500 or status_of(answer) == 200
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_a_body_of_a_hundred_megabytes_is_refused_at_once() -> None:
    async with running() as port:
        head = LOGIN + b"Content-Length: 104857600\r\n\r\n"
        answer = await answered(port, head + MEGABYTE)
        assert status_of(answer) == 413
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == "invalid_request"


async def test_a_body_without_a_length_is_cut_at_the_limit() -> None:
    async with running(HttpLimits()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(LOGIN + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            writer.write(b"100000\r\n" + MEGABYTE + b"\r\n")
        async with asyncio.timeout(WAIT_S):
            answer = await reader.read(65_536)
        assert status_of(answer) == 413
        writer.close()


async def test_slow_headers_end_the_connection() -> None:
    async with running() as port:
        assert await answered(port, b"GET / HTTP/1.1\r\nHost: x\r\nX-a") == b""


async def test_a_header_line_now_and_then_does_not_buy_time() -> None:
    async with running() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        read = asyncio.ensure_future(reader.read())
        writer.write(b"GET / HTTP/1.1\r\n")
        started = asyncio.get_running_loop().time()
        while not read.done():
            writer.write(b"X-a: b\r\n")
            await asyncio.wait([read], timeout=0.05)
        assert asyncio.get_running_loop().time() - started < 2
        writer.close()


async def test_a_slow_body_gets_a_timeout() -> None:
    async with running() as port:
        answer = await answered(port, LOGIN + b"Content-Length: 100\r\n\r\n{")
        assert status_of(answer) == 408


async def test_a_full_house_sends_people_away_and_lives_on() -> None:
    async with running(HttpLimits(connections_max=3)) as port:
        inside = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        assert status_of(await answered(port, b"")) == 503
        for _, writer in inside:
            writer.close()
            await writer.wait_closed()


async def test_a_client_that_goes_away_in_the_middle_leaves_nothing() -> None:
    async with running() as port:
        for raw in (LOGIN, LOGIN + b"Content-Length: 100\r\n\r\n{", b"G"):
            await answered(port, raw, close_after=True)


async def test_a_good_connection_is_kept_while_it_is_idle() -> None:
    async with running() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"GET /_box/whoami HTTP/1.1\r\nHost: x\r\n\r\n")
            assert status_of(await reader.read(65_536)) == 200
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2 * LIMITS.headers_timeout_s):
                    await reader.read(1)
        writer.close()
