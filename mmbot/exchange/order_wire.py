"""HTTP/1.1 for orders: kept connections, one request at a time on each, nothing repeated.

A general client costs an order more time than its decision does (docs/benchmarks.md); all other
requests go through one. `request` raises NoConnection (nothing left this machine), or WireLost
or TimeoutError (it may have). What RFC 9112 lets be read in two ways is no answer.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from mmbot.exchange.order_line import OrderLine, WireReply

FIXED_HEADERS: Final = (
    "User-Agent: mmbot\r\nContent-Type: application/json\r\n"
    "Accept: application/json\r\nAccept-Encoding: identity\r\n"  # nothing here unpacks
)

PEEK_AGE_MAX_S: Final = 0.005

MakeSocket = Callable[[Any], socket.socket]
Cleared = Callable[[], Awaitable[str]]  # waits until a request may leave; not "": why it may not


class NoConnection(Exception):
    """Nothing left this machine."""


class NotCleared(NoConnection):
    """The request was not to leave any more; the text says why."""


@dataclass(frozen=True, slots=True)
class WireLimits:
    connections_max: int = 256
    connect_timeout_s: float = 5.0
    idle_timeout_s: float = 10.0
    body_bytes_max: int = 32 * 1024 * 1024


class OrderWire:
    """A pool: the connection used last goes first, so that the others may grow old and leave."""

    def __init__(self, base_url: str, limits: WireLimits, make_socket: MakeSocket) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or ""
        # Made once: reading the system's certificates blocks the loop for tens of milliseconds.
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._fixed = f"Host: {parts.netloc.rpartition('@')[2]}\r\n{FIXED_HEADERS}"
        self._limits = limits
        self._make_socket = make_socket
        self._idle: deque[OrderLine] = deque()
        self._open: set[OrderLine] = set()
        self._room = asyncio.Semaphore(limits.connections_max)
        self._closed = False

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        cleared: Cleared | None = None,
    ) -> WireReply:
        """Everything is ready when `cleared` is asked; what it says instead of "" is why not."""
        data = self._encoded(method, path, headers, body)
        if timeout_s <= 0:
            raise NoConnection("no time left")
        line: OrderLine | None = None
        written = False
        try:
            async with asyncio.timeout(timeout_s), self._room:
                try:
                    line = await self._ready(cleared)
                    # From here to the write nothing is awaited: no byte comes, no time passes.
                    written = True
                    reply = await line.exchange(data)
                except BaseException:
                    if line is not None:
                        self._drop(line)  # what may still come on it belongs to nobody
                    raise
                self._keep(line)
                return reply
        except TimeoutError:
            if not written:
                raise NoConnection("no connection in time") from None
            raise

    async def _ready(self, cleared: Cleared | None) -> OrderLine:
        """A quiet connection at the moment when the request may leave; NoConnection else."""
        loop = asyncio.get_running_loop()
        while True:
            line = self._kept() or await self._connected()
            if cleared is None:
                return line
            peeked_s = loop.time()
            try:
                reason = await cleared()
            except BaseException:
                self._drop(line)
                raise
            if reason:
                self._keep(line)
                raise NotCleared(reason)
            # What the loop has seen meanwhile is in `reusable`; what it has not, needs a peek.
            fresh = loop.time() - peeked_s <= PEEK_AGE_MAX_S
            if line.reusable and (fresh or line.is_quiet()):
                return line
            self._drop(line)

    def _keep(self, line: OrderLine) -> None:
        if line.reusable:
            self._idle.append(line)
        else:
            self._drop(line)

    async def close(self) -> None:
        """Requests under way end with WireLost, later ones with NoConnection."""
        self._closed = True
        for line in tuple(self._open):
            self._drop(line)
        self._idle.clear()

    def _encoded(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = [f"{method} {self._prefix}{path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join((*lines, f"{self._fixed}Content-Length: {len(body)}\r\n\r\n"))
        breaks = len(lines) + self._fixed.count("\n") + 2
        whole = head.count("\r") == head.count("\n") == breaks and lines[0].count(" ") == 2
        if not whole or "\0" in head or not head.isascii():
            raise NoConnection("a character that no request may have")
        return head.encode("ascii") + body

    def _kept(self) -> OrderLine | None:
        oldest_s = asyncio.get_running_loop().time() - self._limits.idle_timeout_s
        while self._idle and self._idle[0].used_s <= oldest_s:
            self._drop(self._idle.popleft())
        while self._idle:
            line = self._idle.pop()
            if line.reusable and line.is_quiet():
                return line
            self._drop(line)
        return None

    def _drop(self, line: OrderLine) -> None:
        line.abort()
        self._open.discard(line)

    async def _connected(self) -> OrderLine:
        """The first address that answers; each has a fair share of the time."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + self._limits.connect_timeout_s
        reason: Exception = OSError("no address")
        try:
            async with asyncio.timeout_at(ends_s):
                found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            for tried, address in enumerate(found):
                share_s = (ends_s - loop.time()) / (len(found) - tried)
                try:
                    async with asyncio.timeout(share_s):
                        return await self._dialled(address)
                except OSError as error:  # a TimeoutError is one, too
                    reason = error
        except (OSError, UnicodeError) as error:  # UnicodeError: not the name of a host
            reason = error
        raise NoConnection(f"{type(reason).__name__} {reason}".strip()) from None

    async def _dialled(self, address: Any) -> OrderLine:
        loop = asyncio.get_running_loop()
        made = self._make_socket(address)
        try:
            made.setblocking(False)
            await loop.sock_connect(made, address[4])
            _, line = await loop.create_connection(
                lambda: OrderLine(self._limits.body_bytes_max, made),
                sock=made,
                ssl=self._tls,
                server_hostname=self._host if self._tls else None,
            )
        except BaseException:
            made.close()
            raise
        # On TLS unread bytes may be session tickets; what is plain text in them ends the line.
        if self._closed or not line.reusable or not (self._tls or line.is_quiet()):
            line.abort()
            raise ConnectionAbortedError("closed, or spoke without being asked")
        self._open.add(line)
        return line
