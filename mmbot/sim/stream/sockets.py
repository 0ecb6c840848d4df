"""The websocket end of the box: bytes between aiohttp and the stream hub."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final, Protocol

from aiohttp import WSMsgType, web

from mmbot.sim.box import Box
from mmbot.sim.core.lifecycle import NS
from mmbot.sim.stream.frames import CUT, Close
from mmbot.sim.stream.hub import Connection

FRAME_BYTES_MAX: Final = 1 << 20
CLOSE_TIMEOUT_S: Final = 1.0


class Now(Protocol):
    def now_ns(self) -> int: ...


class Socket:
    """One transport with its writer; `closing_ns` is when the hub was seen to have closed it."""

    def __init__(self, request: web.Request, connection: Connection) -> None:
        self.connection = connection
        self.wake = asyncio.Event()
        self.wake.set()
        self.closing_ns = 0
        self.response = web.WebSocketResponse(
            autoping=False, max_msg_size=FRAME_BYTES_MAX, compress=False, timeout=CLOSE_TIMEOUT_S
        )
        self._request = request

    def cut(self) -> None:
        """Gone without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def open(self) -> None:
        await self.response.prepare(self._request)

    async def pong(self, data: bytes) -> None:
        if self.connection.mute != "all":
            with contextlib.suppress(ConnectionError):
                await self.response.pong(data)

    async def write(self) -> None:
        """Send what the hub has queued, until it closes the connection or the peer is gone."""
        out = self.connection.out
        while True:
            await self.wake.wait()
            self.wake.clear()
            while out:
                frame = out.popleft()
                try:
                    if not isinstance(frame, Close):
                        await self.response.send_str(frame)
                    elif frame.code == CUT:
                        return self.cut()
                    else:
                        text = frame.text.encode()[:120]
                        await self.response.close(code=frame.code, message=text)
                        return None
                except ConnectionError:
                    return None


class Sockets:
    """All transports of the stream."""

    def __init__(self, box: Box, clock: Now) -> None:
        self._box = box
        self._clock = clock
        self._open: dict[Connection, Socket] = {}

    def __len__(self) -> int:
        return len(self._open)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """GET /app/{key}; a websocket on any other path is told so (4005)."""
        key = request.match_info.get("key", "")
        now_ns = self._clock.now_ns()
        connection = self._box.connect(key, request.query, now_ns, request.host)
        socket = Socket(request, connection)
        if connection.out and connection.out[0] == Close(CUT):
            socket.cut()  # this host is down: not even an answer to the handshake
            return web.Response(status=502)
        try:
            await socket.open()
            self._open[connection] = socket
            await self._carry(socket)
        finally:
            self._open.pop(connection, None)
            self._box.hub.disconnect(connection)
            connection.out.clear()
        return socket.response

    async def _carry(self, socket: Socket) -> None:
        connection = socket.connection
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(socket.write())
            async for frame in socket.response:
                now_ns = self._clock.now_ns()
                if frame.type is WSMsgType.TEXT:
                    self._box.receive(connection, frame.data, now_ns)
                elif frame.type is WSMsgType.BINARY:  # told so like any other nonsense
                    self._box.receive(connection, "", now_ns)
                else:
                    self._box.hub.heard(connection, now_ns)
                    if frame.type is WSMsgType.PING:
                        await socket.pong(frame.data)
                self.wake()
            writer.cancel()

    def wake(self) -> None:
        """Writers with something to send go on; a peer that cannot even be told is cut."""
        now_ns = self._clock.now_ns()
        for connection, socket in list(self._open.items()):
            if connection.out:
                socket.wake.set()
            if not connection.closed:
                continue
            socket.closing_ns = socket.closing_ns or now_ns
            if now_ns - socket.closing_ns > 2 * CLOSE_TIMEOUT_S * NS:
                socket.cut()
