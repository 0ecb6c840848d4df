"""Text frames in and out of one socket; real (websockets) and in memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import ip_address
from typing import Any, Final, Protocol
from urllib.parse import quote

import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import DATA_OPCODES, Frame

from mmbot.exchange.wire import ConnectionConfig

MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024
OPEN_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 1.0
ABNORMAL: Final = 1006


class WsClosed(Exception):
    """The socket is gone; `code` is the close code, 1006 when there was none."""

    def __init__(self, code: int = ABNORMAL, reason: str = "") -> None:
        super().__init__(f"closed with {code} {reason[:100]}".strip())
        self.code = code


Take = Callable[[str | bytes], None]
After = Callable[[], None]


class WsConnection(Protocol):
    """Each method raises WsClosed when the socket is gone; `close` never does."""

    async def consume(self, take: Take, after: After) -> None:
        """Give every text frame to `take` until the socket is gone, and call `after` when all
        that has come is given; what they raise ends this."""
        ...

    async def send(self, text: str) -> None: ...

    async def close(self) -> None: ...


class WsPort(Protocol):
    async def connect(self, url: str) -> WsConnection:
        """Raises WsClosed when no connection can be had."""
        ...


def stream_url(config: ConnectionConfig) -> str:
    """`ws_host` when it is given, else the hosted service's host of that cluster."""
    host = config.ws_host or f"ws-{config.cluster}.pusher.com"
    scheme = "ws" if _is_loopback(host) else "wss"
    query = "protocol=7&client=mmbot&version=1.0&flash=false"
    return f"{scheme}://{host}/app/{quote(config.key, safe='')}?{query}"


def _is_loopback(host: str) -> bool:
    """Plain text only inside this machine."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


class LiveWs:
    """Real sockets."""

    async def connect(self, url: str) -> WsConnection:
        try:
            connection = await connect(
                url,
                compression=None,  # small frames: deflate costs more time than it saves
                max_size=MESSAGE_BYTES_MAX,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                ping_interval=None,  # Pusher has its own, and the server's are answered anyway
                proxy=None,
                create_connection=_Direct,
            )
            assert isinstance(connection, _Direct)
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            text = f"{type(error).__name__} {error}".splitlines()[0]
            raise WsClosed(ABNORMAL, text) from None
        return _LiveConnection(connection)


class _Direct(ClientConnection):
    """Whole messages go to `take` as they are parsed: the library's queue and the task behind it
    cost a tick more than its decision does (docs/benchmarks.md)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._take: Take | None = None
        self._after: After = _nothing
        self._early: list[bytes] = []  # what came with the answer to the handshake
        self._parts: list[bytes] = []  # of a message in several frames
        self._ended: asyncio.Future[None] = self.loop.create_future()

    def process_event(self, event: Any) -> None:
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        data = bytes(event.data)  # msgspec reads bytes as they are
        if self._parts or not event.fin:
            self._parts.append(data)
            if not event.fin:
                return
            data, self._parts = b"".join(self._parts), []
        if self._take is None:
            self._early.append(data)
        elif not self._ended.done():
            self._guarded(partial(self._take, data))

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._ended.done():
            self._guarded(self._after)

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException as error:
            self._ended.set_exception(error)  # for the task that consumes
            raise

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self._ended.done():
            self._ended.set_result(None)

    async def consume(self, take: Take, after: After) -> None:
        self._take, self._after = take, after
        early, self._early = self._early, []
        for data in early:
            take(data)
        after()
        await self._ended


def _nothing() -> None:
    """Before `consume`."""


class _LiveConnection:
    def __init__(self, connection: _Direct) -> None:
        self._connection = connection

    async def consume(self, take: Take, after: After) -> None:
        await self._connection.consume(take, after)
        raise _closed(self._connection.protocol.close_exc)

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except websockets.ConnectionClosed as error:
            raise _closed(error) from None

    async def close(self) -> None:
        await self._connection.close()


def _closed(error: websockets.ConnectionClosed) -> WsClosed:
    if error.rcvd is None:
        return WsClosed(ABNORMAL, "connection lost")
    return WsClosed(error.rcvd.code, error.rcvd.reason)


class RawConnection(Protocol):
    """A connection given in memory: `recv` raises an OSError that may have a `code`."""

    async def recv(self) -> str: ...

    async def send(self, text: str) -> None: ...

    async def close(self) -> None: ...


class InMemoryWs:
    """A WsPort over a function given in memory (simulation)."""

    def __init__(self, connect_raw: Callable[[str], Awaitable[RawConnection]]) -> None:
        self._connect_raw = connect_raw

    async def connect(self, url: str) -> WsConnection:
        try:
            return _InMemoryConnection(await self._connect_raw(url))
        except OSError as error:
            raise _lost(error) from None


class _InMemoryConnection:
    def __init__(self, raw: RawConnection) -> None:
        self._raw = raw

    async def consume(self, take: Take, after: After) -> None:
        while True:
            try:
                text = await self._raw.recv()
            except OSError as error:
                raise _lost(error) from None
            take(text)
            after()

    async def send(self, text: str) -> None:
        try:
            await self._raw.send(text)
        except OSError as error:
            raise _lost(error) from None

    async def close(self) -> None:
        with contextlib.suppress(OSError):
            await self._raw.close()


def _lost(error: OSError) -> WsClosed:
    code = getattr(error, "code", ABNORMAL)
    return WsClosed(code if isinstance(code, int) else ABNORMAL, str(error))
