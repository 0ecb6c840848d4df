"""A TCP proxy that is as bad as its troubles say. It knows nothing of what it carries."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final

from tests.stream.troubles import Kind, Route, Trouble, now_on

HOST: Final = "127.0.0.1"
CHUNK_BYTES: Final = 65_536
RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER, no time: RST instead of FIN


class Proxy:
    """One listening port of one route in front of one port of loopback.

    `async with` opens and closes it; the troubles count from `begin`, before which all is well.
    `draw` gives 0..1 for jitter.
    """

    def __init__(self, target_port: int, route: Route, draw: Callable[[], float]) -> None:
        self._target_port = target_port
        self._route = route
        self._draw = draw
        self._troubles: tuple[Trouble, ...] = ()
        self._began_s = 0.0
        self._alarms: list[asyncio.TimerHandle] = []
        self._open: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.cut_s: list[float] = []  # when a trouble left no open connection whole; loop time
        self.lives_s: list[tuple[float, float]] = []  # each connection: from, until (loop time)
        self.asked_s: list[float] = []  # when the daemon began to speak, anew after each answer

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, HOST, 0, limit=CHUNK_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for alarm in self._alarms:
            alarm.cancel()
        assert self._server is not None
        self._server.close()
        for connection in tuple(self._open):
            connection.reset()
        await asyncio.gather(*(one.over.wait() for one in tuple(self._open)))

    def begin(self, troubles: Sequence[Trouble]) -> None:
        """The plan's time 0 is now."""
        loop = asyncio.get_running_loop()
        self._began_s = loop.time()
        self._troubles = tuple(one for one in troubles if one.hits(self._route))
        for trouble in self._troubles:
            alarm = loop.call_at(self._began_s + trouble.at_s, self._strike, trouble)
            self._alarms.append(alarm)

    def _strike(self, trouble: Trouble) -> None:
        struck = tuple(self._open)
        for connection in struck:
            connection.strike(trouble)
        if struck and trouble.kind in {Kind.RESET, Kind.HALF_CLOSE}:
            self._cut()

    def _cut(self) -> None:
        self.cut_s.append(asyncio.get_running_loop().time())

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near = _End(reader, writer)
        trouble, _ = self.weather()
        if trouble is not None and trouble.kind is Kind.RESET:
            near.reset()
            return
        try:
            far = _End(*await asyncio.open_connection(HOST, self._target_port, limit=CHUNK_BYTES))
        except OSError:
            near.reset()
            return
        connection = _Connection(near, far, self.weather, self._draw, self.asked_s)
        self._open.add(connection)
        opened_s = asyncio.get_running_loop().time()
        try:
            await connection.carry()
        finally:
            self.lives_s.append((opened_s, asyncio.get_running_loop().time()))
            self._open.discard(connection)
            if connection.truncated and not self._open:
                self._cut()

    def weather(self) -> tuple[Trouble | None, float]:
        """What holds now, and for how many seconds more."""
        at_s = asyncio.get_running_loop().time() - self._began_s
        trouble = now_on(self._troubles, at_s)
        return trouble, 0.0 if trouble is None else trouble.until_s - at_s


class _End:
    """One of the two sockets of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def reset(self) -> None:
        if not self.writer.is_closing():
            raw = self.writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        self.writer.transport.abort()

    def say_no_more(self) -> None:
        with contextlib.suppress(OSError):
            if not self.writer.is_closing():
                self.writer.write_eof()


class _Connection:
    """Two pumps: `up` to the exchange, `down` to the daemon."""

    def __init__(
        self,
        near: _End,
        far: _End,
        weather: Callable[[], tuple[Trouble | None, float]],
        draw: Callable[[], float],
        asked_s: list[float],
    ) -> None:
        self._near = near
        self._far = far
        self._weather = weather
        self._draw = draw
        self._asked_s = asked_s
        self._answered = True
        self._deaf = False  # half closed: what the exchange says is lost
        self._to_cut = False  # its next answer is the last one, and half of it
        self.truncated = False
        self.over = asyncio.Event()

    async def carry(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(self._near, self._far, down=False))
                group.create_task(self._pump(self._far, self._near, down=True))
        except* (OSError, _Cut):
            pass  # either end went away, or a trouble ended it
        finally:
            self._near.writer.close()
            self._far.writer.close()
            self.over.set()

    def strike(self, trouble: Trouble) -> None:
        """A trouble begins that does something to connections that are open."""
        if trouble.kind is Kind.RESET:
            self.reset()
        elif trouble.kind is Kind.HALF_CLOSE:
            self._deaf = True
            self._near.say_no_more()
        elif trouble.kind is Kind.TRUNCATE:
            self._to_cut = True

    def reset(self) -> None:
        self._near.reset()
        self._far.reset()

    async def _pump(self, source: _End, sink: _End, *, down: bool) -> None:
        while chunk := await source.reader.read(CHUNK_BYTES):
            if self._answered and not down:
                self._asked_s.append(asyncio.get_running_loop().time())
            self._answered = down
            await self._through(len(chunk))
            if down and self._deaf:
                continue
            if down and self._to_cut:
                sink.writer.write(chunk[: len(chunk) // 2])
                self.truncated = True
                raise _Cut
            sink.writer.write(chunk)
            await sink.writer.drain()
        if not (down and self._deaf):
            sink.say_no_more()

    async def _through(self, size: int) -> None:
        """Wait as long as the trouble of the moment makes so many bytes wait."""
        trouble, left_s = self._weather()
        while trouble is not None and trouble.kind is Kind.BLACKHOLE:
            await asyncio.sleep(left_s)
            trouble, left_s = self._weather()
        if trouble is None:
            return
        match trouble.kind:
            case Kind.DELAY:
                await asyncio.sleep(trouble.amount)
            case Kind.JITTER:
                await asyncio.sleep(trouble.amount * self._draw())
            case Kind.THROTTLE:
                await asyncio.sleep(size / trouble.amount)
            case _:
                pass


class _Cut(Exception):
    """A trouble ended this connection."""
