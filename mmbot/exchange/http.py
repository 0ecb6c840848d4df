"""One request, one reply, or one of two ways to have none.

NotSent    the exchange was never asked (a TryAgain); Unreachable when it did not pick up
ReplyLost  bytes may have left: the outcome is unknown (a FindOut)
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import aiohttp

from mmbot.domain.errors import FindOut, TryAgain
from mmbot.exchange.order_line import WireLost
from mmbot.exchange.order_wire import Cleared, NoConnection, NotCleared, OrderWire, WireLimits

BODY_BYTES_MAX: Final = 32 * 1024 * 1024
CONNECT_TIMEOUT_S: Final = 5.0


class NotSent(TryAgain):
    """Nothing left this machine."""


class Unreachable(NotSent):
    """Nobody answered the call."""


class ReplyLost(FindOut):
    """The request may have been executed."""


class ReplyLate(ReplyLost):
    """It was waited for in vain: the exchange may only be slow."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class HttpPort(Protocol):
    """`path` is relative to the base URL and holds the query.

    `cleared` is awaited as the last thing before the write, with everything ready; a reason that
    it gives is raised as NotSent.
    """

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        cleared: Cleared | None = None,
    ) -> HttpReply: ...


RawHttp = Callable[
    [str, str, Mapping[str, str], bytes], Awaitable[tuple[int, Mapping[str, str], bytes]]
]


class InMemoryHttp:
    """An HttpPort over a function given in memory (simulation)."""

    def __init__(self, ask: RawHttp, prefix: str = "/partner") -> None:
        """`prefix` is the path of the base URL: the function sees whole paths."""
        self._ask = ask
        self._prefix = prefix

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        cleared: Cleared | None = None,
    ) -> HttpReply:
        if cleared is not None and (reason := await cleared()):
            raise NotSent(reason)
        try:
            async with asyncio.timeout(timeout_s):
                status, given, answer = await self._ask(method, self._prefix + path, headers, body)
        except ConnectionRefusedError as error:
            raise Unreachable(f"no connection: {error}") from None
        except TimeoutError:
            raise ReplyLate(f"no reply within {timeout_s:g} s") from None
        except OSError as error:
            raise ReplyLost(f"connection lost: {error}") from None
        return HttpReply(status, {name.lower(): value for name, value in given.items()}, answer)


@dataclass(frozen=True, slots=True)
class HttpSettings:
    base_url: str
    # Also TCP_USER_TIMEOUT of order sockets: after it no byte of ours arrives any more.
    reply_timeout_s: float = 12.0
    connections_max: int = 32
    # A venue under load answers after seconds: 45 requests a second must find a connection.
    order_connections_max: int = 256
    idle_timeout_s: float = 10.0  # below that of servers, so that a POST meets a live socket


class LiveHttp:
    """An HttpPort over TCP; orders have connections of their own."""

    def __init__(self, settings: HttpSettings, order_paths: frozenset[str]) -> None:
        """Open it inside the running loop; `order_paths` are paths without query."""
        self._base_url = settings.base_url.rstrip("/")
        self._order_paths = order_paths
        limits = WireLimits(
            settings.order_connections_max,
            CONNECT_TIMEOUT_S,
            settings.idle_timeout_s,
            BODY_BYTES_MAX,
        )
        self._orders = OrderWire(self._base_url, limits, _order_socket(settings.reply_timeout_s))
        self._reads = _client(
            aiohttp.TCPConnector(
                limit=settings.connections_max,
                keepalive_timeout=settings.idle_timeout_s,
            )
        )

    async def close(self) -> None:
        await self._orders.close()
        await self._reads.close()

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        cleared: Cleared | None = None,
    ) -> HttpReply:
        if path.partition("?")[0] in self._order_paths:
            return await self._order(method, path, headers, body, timeout_s, cleared)
        if cleared is not None and (reason := await cleared()):
            raise NotSent(reason)
        limits = aiohttp.ClientTimeout(
            total=timeout_s,
            connect=min(CONNECT_TIMEOUT_S, timeout_s),
            sock_connect=min(CONNECT_TIMEOUT_S, timeout_s),
        )
        try:
            async with self._reads.request(
                method,
                self._base_url + path,
                headers=headers,
                data=body or None,
                timeout=limits,
                allow_redirects=False,
            ) as response:
                answer = await _read_capped(response)
                given = {name.lower(): value for name, value in response.headers.items()}
                return HttpReply(response.status, given, answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(f"no connection: {_plain(error)}") from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            raise NotSent("the base URL is not valid") from None
        except TimeoutError:
            raise ReplyLate(f"no reply within {timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise ReplyLost(f"connection lost: {_plain(error)}") from None

    async def _order(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        cleared: Cleared | None,
    ) -> HttpReply:
        try:
            reply = await self._orders.request(method, path, headers, body, timeout_s, cleared)
        except NotCleared as error:
            raise NotSent(str(error)) from None
        except NoConnection as error:
            raise Unreachable(f"no connection: {_plain(error)}") from None
        except TimeoutError:
            raise ReplyLate(f"no reply within {timeout_s:g} s") from None
        except WireLost as error:
            raise ReplyLost(f"connection lost: {_plain(error)}") from None
        return HttpReply(reply.status, reply.headers, reply.body)


def _client(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        trust_env=False,
    )


def _plain(error: BaseException) -> str:
    """One line without the request: an error text must not carry a header."""
    return f"{type(error).__name__} {error}".splitlines()[0][:200]


async def _read_capped(response: aiohttp.ClientResponse) -> bytes:
    pieces: list[bytes] = []
    total = 0
    async for piece in response.content.iter_any():
        total += len(piece)
        if total > BODY_BYTES_MAX:
            raise ReplyLost(f"a reply of more than {BODY_BYTES_MAX} bytes")
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _order_socket(user_timeout_s: float) -> Callable[[Any], socket.socket]:
    """Sockets that give up with us: what we stopped waiting for is not delivered later."""

    def make(address: Any) -> socket.socket:
        family, kind, proto, *_ = address
        made = socket.socket(family=family, type=kind, proto=proto)
        with contextlib.suppress(OSError, AttributeError):  # not every system has these options
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Closing resets the connection, so unsent bytes are dropped and not delivered.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            made.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(user_timeout_s * 1000)
            )
        return made

    return make
