"""What the order client takes for a reply, on real loopback sockets."""

from __future__ import annotations

import asyncio

import pytest

from mmbot.exchange.order_line import WireLost
from mmbot.exchange.order_wire import WireLimits
from tests.exchange.wire_server import OK, ONE, TWO, Peer, Server, a_wire, ask, saying, then_closing

# faults: D11
pytestmark = pytest.mark.asyncio(loop_factories=["uvloop", "asyncio"])


async def answer_to(reply: bytes, limits: WireLimits | None = None) -> bytes:
    """The body of one request to a server that stays after this reply."""
    async with Server(saying(reply)).open() as server, a_wire(server.url, limits) as wire:
        return (await ask(wire)).body


CHUNKED = (
    OK + b"Transfer-Encoding: Chunked\r\n\r\n"
    b'2;a="b\xc3";c\r\non\r\n1 ;x\r\ne\r\n00;last\r\nX-Trailer: a\r\nDate: b\r\n\r\n'
)
READABLE = {
    "length": ONE,
    "length said twice": OK + b"Content-Length: 3, 3\r\nContent-Length: 3\r\n\r\none",
    "no reason": b"HTTP/1.1 200\r\ncontent-length:3\r\n\r\none",
    "chunks": CHUNKED,
    "after 100": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + ONE,
    "folded": OK + b"X-Note: a\r\n\tContent-Length: 9\r\nContent-Length: 3\r\n\r\none",
}


@pytest.mark.parametrize("name", READABLE)
async def test_a_reply_may_come_in_any_two_pieces(name: str) -> None:
    reply = READABLE[name]

    async def turn(peer: Peer) -> None:
        for cut in range(1, len(reply)):
            await peer.asked()
            await peer.say(reply[:cut])
            await asyncio.sleep(0)  # a turn of the loop in which the client can read
            await asyncio.sleep(0)
            await peer.say(reply[cut:])
        await peer.gone()

    async with Server(turn).open() as server, a_wire(server.url) as wire:
        bodies = [(await ask(wire)).body for _ in range(1, len(reply))]
    assert bodies == [b"one"] * (len(reply) - 1)
    assert server.connections == 1


@pytest.mark.parametrize("name", READABLE)
async def test_a_reply_may_come_byte_by_byte(name: str) -> None:
    async def turn(peer: Peer) -> None:
        await peer.asked()
        for at in range(len(READABLE[name])):
            await peer.say(READABLE[name][at : at + 1])
            await asyncio.sleep(0)
        await peer.gone()

    async with Server(turn).open() as server, a_wire(server.url) as wire:
        assert (await ask(wire)).body == b"one"


async def test_the_request_is_exactly_what_the_standard_says() -> None:
    async with Server(saying(ONE)).open() as server, a_wire(server.url + "/partner/") as wire:
        await ask(wire, b'{"a":1}')
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *rows = head.split(b"\r\n")
    assert first == b"POST /partner/orders HTTP/1.1"
    assert b"Host: " + server.url.removeprefix("http://").encode() in rows
    assert {b"Content-Length: 7", b"Authorization: Bearer x"} <= set(rows)
    assert len({row.partition(b":")[0].lower() for row in rows}) == len(rows)
    assert body == b'{"a":1}'


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_a_reply_without_body_needs_no_length(status: bytes) -> None:
    bodyless = b"HTTP/1.1 " + status + b"\r\n\r\n"
    async with Server(saying(bodyless, ONE)).open() as server, a_wire(server.url) as wire:
        assert (await ask(wire)).body == b""
        assert (await ask(wire)).body == b"one"
    assert server.connections == 1


CLOSING = (
    OK + b"Connection: close\r\nContent-Length: 3\r\n\r\none",
    OK + b"Connection: keep-alive, Close\r\nContent-Length: 3\r\n\r\none",
    OK + b"Connection: keep-alive\r\nConnection: close\r\nContent-Length: 3\r\n\r\none",
    b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\none",
)


@pytest.mark.parametrize("reply", CLOSING)
async def test_a_connection_that_will_close_is_not_used_again(reply: bytes) -> None:
    async with Server(saying(reply), saying(TWO)).open() as server, a_wire(server.url) as wire:
        assert [(await ask(wire)).body for _ in range(2)] == [b"one", b"two"]
    assert (server.connections, len(server.requests)) == (2, 2)


async def test_without_a_length_the_end_of_the_connection_ends_the_reply() -> None:
    turns = (then_closing(OK + b"\r\none"), saying(TWO))
    async with Server(*turns).open() as server, a_wire(server.url) as wire:
        assert [(await ask(wire)).body for _ in range(2)] == [b"one", b"two"]


@pytest.mark.parametrize("reply", [ONE, CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + ONE])
async def test_an_end_in_the_middle_is_a_lost_reply(reply: bytes) -> None:
    for cut in (0, 5, len(reply) // 2, len(reply) - 2):
        async with (
            Server(then_closing(reply[:cut])).open() as server,
            a_wire(server.url) as wire,
        ):
            with pytest.raises(WireLost):
                await ask(wire)


UNREADABLE = {
    "garbage": b"\x16\x03\x01 what?",
    "another protocol": b"RTSP/1.0 200 OK\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "short status": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "signed status": b"HTTP/1.1 +200 OK\r\nContent-Length: 0\r\n\r\n",
    "switched": b"HTTP/1.1 101 Switching\r\n\r\n" + ONE,
    "negative length": OK + b"Content-Length: -1\r\n\r\none",
    "signed length": OK + b"Content-Length: +3\r\n\r\none",
    "odd length": OK + b"Content-Length: 0_3\r\n\r\none",
    "empty length": OK + b"Content-Length:\r\n\r\none",
    "two lengths": OK + b"Content-Length: 3\r\nContent-Length: 2\r\n\r\none",
    "length and chunks": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\none",
    "unknown coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "packed": OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\none",
    "space in a name": OK + b"Content-Length : 3\r\n\r\none",
    "no colon": OK + b"Content-Length 3\r\n\r\none",
    "bare line feed": OK + b"X: a\nContent-Length: 1\r\nContent-Length: 3\r\n\r\none",
    "bare return": OK + b"X: a\rContent-Length: 1\r\nContent-Length: 3\r\n\r\none",
    "nul": OK + b"X: \0\r\nContent-Length: 3\r\n\r\none",
    "endless head": OK + b"X: " + b"x" * 70_000,
    "chunk size": OK + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\none\r\n0\r\n\r\n",
    "negative chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\none\r\n0\r\n\r\n",
    "long chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\none\r\n0\r\n\r\n",
    "endless trailers": OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 70_000,
    "endless chunk line": OK + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 70_000,
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_in_one_way_is_no_reply(name: str) -> None:
    turns = (saying(UNREADABLE[name]), saying(TWO))
    async with Server(*turns).open() as server, a_wire(server.url) as wire:
        with pytest.raises(WireLost):
            await ask(wire)
        assert (await ask(wire)).body == b"two"
    assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.parametrize(
    "reply",
    [
        OK + b"Content-Length: 11\r\n\r\nhello world",
        OK + b"Transfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n",
        OK + b"\r\nhello world",
    ],
)
async def test_a_body_may_be_as_long_as_the_cap_and_no_longer(reply: bytes) -> None:
    with pytest.raises(WireLost):
        await answer_to(reply, WireLimits(body_bytes_max=10))
    exact = WireLimits(body_bytes_max=11)
    async with Server(then_closing(reply)).open() as server, a_wire(server.url, exact) as wire:
        assert (await ask(wire)).body == b"hello world"
