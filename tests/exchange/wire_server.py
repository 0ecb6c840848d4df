"""A scripted server on loopback, and the order client that asks it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from mmbot.exchange.order_line import WireReply
from mmbot.exchange.order_wire import OrderWire, WireLimits

OK = b"HTTP/1.1 200 OK\r\n"
ONE = OK + b"Content-Length: 3\r\n\r\none"
TWO = OK + b"Content-Length: 3\r\n\r\ntwo"
LONG_S = 5.0
SHORT_S = 0.1


class Peer:
    """One accepted connection: it reads whole requests and writes what it is told."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: list[bytes]
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._seen = seen

    async def asked(self) -> None:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        self._seen.append(head + await self.reader.readexactly(length))

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def gone(self) -> None:
        """Until the other side ends the connection."""
        try:
            while await self.reader.read(1000):
                pass
        except ConnectionError:
            pass


Turn = Callable[[Peer], Awaitable[None]]


class Server:
    """Each connection takes the next turn; the last turn serves all later ones."""

    def __init__(self, *turns: Turn) -> None:
        self._turns = list(turns)
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""

    @asynccontextmanager
    async def open(
        self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[Server]:
        server = await asyncio.start_server(self._serve, host, 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        self.url = f"http{'s' if tls else ''}://{name}:{port}"
        try:
            yield self
        finally:
            server.close()
            for task in tuple(self._tasks):
                task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        turn = self._turns[min(self.connections, len(self._turns) - 1)]
        self.connections += 1
        try:
            await turn(Peer(reader, writer, self.requests))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


def saying(*replies: bytes) -> Turn:
    """One reply for each request; then silence until the other side leaves."""

    async def turn(peer: Peer) -> None:
        for reply in replies:
            await peer.asked()
            await peer.say(reply)
        await peer.gone()

    return turn


def then_closing(reply: bytes) -> Turn:
    async def turn(peer: Peer) -> None:
        await peer.asked()
        await peer.say(reply)
        peer.writer.write_eof()
        await peer.gone()

    return turn


async def reading_only(peer: Peer) -> None:
    await peer.asked()
    await peer.gone()


def a_socket(address: Any) -> socket.socket:
    return socket.socket(address[0], address[1])


@asynccontextmanager
async def a_wire(url: str, limits: WireLimits | None = None) -> AsyncIterator[OrderWire]:
    wire = OrderWire(url, limits or WireLimits(), a_socket)
    try:
        yield wire
    finally:
        await wire.close()


async def ask(wire: OrderWire, body: bytes = b"{}", timeout_s: float = LONG_S) -> WireReply:
    return await wire.request("POST", "/orders", {"Authorization": "Bearer x"}, body, timeout_s)
