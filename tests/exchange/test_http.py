"""The two ways to have no reply, on real loopback sockets and in memory."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping

import pytest

from mmbot.exchange.http import HttpSettings, InMemoryHttp, LiveHttp, NotSent, ReplyLost
from tests.exchange.parts import run

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ORDERS = "/orders"


class Server:
    """A raw TCP server: each test says byte by byte what it does with a request."""

    def __init__(self, *turns: Serve) -> None:
        self.turns = list(turns)
        self.requests: list[bytes] = []

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while self.turns:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(line.split(b":")[1]) for line in head.lower().splitlines()
                     if line.startswith(b"content-length")), 0,
                )  # fmt: skip
                self.requests.append(head + await reader.readexactly(length))
                await self.turns.pop(0)(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def answering(body: bytes, status: str = "200 OK") -> Serve:
    async def turn(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nDate: now\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return turn


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def half(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()


async def never(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


def a_port(base_url: str) -> LiveHttp:
    return LiveHttp(HttpSettings(base_url), frozenset({ORDERS}))


async def test_a_request_and_its_reply() -> None:
    server = Server(answering(b"one"), answering(b"two", "503 Busy"))
    async with server as base_url:
        port = a_port(base_url)
        first = await port.request("POST", ORDERS, {"Authorization": "Bearer x"}, b"{}", 2)
        second = await port.request("GET", "/read?a=b", {}, b"", 2)
        await port.close()
    assert (first.status, first.body, first.headers["date"]) == (200, b"one", "now")
    assert (second.status, second.body) == (503, b"two")
    assert server.requests[0].startswith(b"POST /orders HTTP/1.1\r\n")
    assert b"Bearer x" in server.requests[0]
    assert b"GET /read?a=b " in server.requests[1]


@pytest.mark.parametrize("turn", [hang_up, half, never])
async def test_when_bytes_may_have_left_the_reply_is_lost(turn: Serve) -> None:
    # faults: A1 D11
    async with Server(turn) as base_url:
        port = a_port(base_url)
        with pytest.raises(ReplyLost):
            await port.request("POST", ORDERS, {}, b"{}", 0.2)
        await port.close()


async def test_a_port_where_nobody_listens_was_never_asked() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = a_port(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(NotSent):
            await port.request("POST", ORDERS, {}, b"{}", 2)
        await port.close()


async def test_a_post_on_a_connection_that_went_stale_is_not_repeated() -> None:
    # faults: D11
    server = Server(answering(b"one"), hang_up, answering(b"never"))
    async with server as base_url:
        port = a_port(base_url)
        await port.request("POST", ORDERS, {}, b"{}", 2)
        with pytest.raises(ReplyLost):
            await port.request("POST", ORDERS, {}, b"{}", 2)
        await port.close()
    assert len(server.requests) == 2


async def test_orders_have_connections_of_their_own() -> None:
    server = Server(answering(b"1"), answering(b"2"), answering(b"3"))
    async with server as base_url:
        port = a_port(base_url)
        for path in (ORDERS, "/read", ORDERS):
            await port.request("POST", path, {}, b"{}", 2)
        orders, reads = port._orders, port._reads.connector  # nothing public tells them apart
        connections = [len(orders._open), len(getattr(reads, "_conns"))]  # noqa: B009 - not typed
        await port.close()
    assert connections == [1, 1]


async def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbot.exchange.http.BODY_BYTES_MAX", 1000)
    async with Server(answering(b"x" * 5000)) as base_url:
        port = a_port(base_url)
        with pytest.raises(ReplyLost, match="more than"):
            await port.request("GET", "/read", {}, b"", 2)
        await port.close()


async def test_an_error_text_shows_no_header() -> None:
    # faults: H17
    async with Server(hang_up) as base_url:
        port = a_port(base_url)
        with pytest.raises(ReplyLost) as caught:
            await port.request("POST", ORDERS, {"Authorization": "Bearer secret"}, b"{}", 2)
        await port.close()
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionRefusedError(), NotSent),
        (ConnectionResetError(), ReplyLost),
        (BrokenPipeError(), ReplyLost),
        (TimeoutError(), ReplyLost),
    ],
)
def test_in_memory_errors_mean_the_same(error: OSError, expected: type[Exception]) -> None:
    async def ask(
        method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        raise error

    async def scenario() -> None:
        with pytest.raises(expected):
            await InMemoryHttp(ask).request("POST", ORDERS, {}, b"", 12)

    run(scenario())


def test_in_memory_silence_is_a_lost_reply_after_its_timeout() -> None:
    # faults: A2
    async def ask(
        method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        assert path == "/partner/orders?a=b"
        await asyncio.sleep(10**6)
        return 200, {}, b""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(ReplyLost, match="12 s"):
            await InMemoryHttp(ask).request("POST", "/orders?a=b", {}, b"", 12)
        assert loop.time() == pytest.approx(12, abs=0.01)

    run(scenario())
