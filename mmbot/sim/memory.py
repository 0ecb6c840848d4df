"""The box behind two ports in memory, for tests and the virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from mmbot.sim.box import Box
from mmbot.sim.http.replies import Reply
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.stream.frames import CUT
from mmbot.sim.stream.hub import Close, Connection

NS = 1_000_000_000
HANG_S_MAX = 120.0
DEFAULT_EPOCH_NS = 1_795_359_600 * NS


class SocketClosed(ConnectionError):
    """The box closed the socket; `code` is the close code, 1006 when there was none."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"closed {code}: {reason}")
        self.code = code


class MemorySocket:
    """One stream connection of a client."""

    def __init__(self, owner: InMemoryBox, connection: Connection) -> None:
        self._owner = owner
        self._connection = connection
        self.wake = asyncio.Event()
        self._end: SocketClosed | None = None

    async def recv(self) -> str:
        """The next text frame; raises SocketClosed (a ConnectionError) at the end."""
        while True:
            if self._end is not None:
                raise self._end
            if self._connection.out:
                frame = self._connection.out.popleft()
                if not isinstance(frame, Close):
                    return frame
                self._end = SocketClosed(frame.code, frame.reason)
                continue
            self.wake.clear()
            await self.wake.wait()

    async def send(self, text: str) -> None:
        if self._end is not None or self._connection.closed:
            raise self._end or SocketClosed(1006, "connection is closed")
        self._owner.receive(self._connection, text)

    async def close(self) -> None:
        self._end = self._end or SocketClosed(1000, "closed by the client")
        self._owner.forget(self._connection)
        self.wake.set()

    @property
    def has_frames(self) -> bool:
        return bool(self._connection.out)


class InMemoryBox:
    """A box that lives in the running loop: its clock is `epoch_ns` plus the loop's time."""

    def __init__(self, options: BoxOptions, epoch_ns: int = DEFAULT_EPOCH_NS) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoch_ns = epoch_ns - round(self._loop.time() * NS)
        self.box = Box(options, self.now_ns())
        self._sockets: dict[Connection, MemorySocket] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due_ns: int | None = None  # when the timer rings
        self._live()

    def now_ns(self) -> int:
        return self._epoch_ns + round(self._loop.time() * NS)

    async def http_request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Like an HTTP client; a reply that the box loses raises ConnectionResetError."""
        found = self.box.arrive(method, path, headers, body, self.now_ns())
        self._live()
        if isinstance(found, Reply):
            reply = found
        else:
            before_ns, after_ns = self.box.delays_ns(found)
            if before_ns:
                await asyncio.sleep(before_ns / NS)
            reply = self.box.execute(found, self.now_ns())
            self._live()
            if after_ns:
                await asyncio.sleep(after_ns / NS)
        if reply.after_ns or reply.trickle:
            await asyncio.sleep(reply.after_ns / NS + len(reply.body) * reply.trickle)
        if reply.hang:
            await asyncio.sleep(HANG_S_MAX)
        if reply.lost:
            raise ConnectionResetError("the box lost the reply")
        return reply.status, reply.headers, reply.body

    async def ws_connect(self, url: str) -> MemorySocket:
        """Open a stream connection; `url` as connection-config and Pusher say."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        key = parts.path.removeprefix("/app/")
        connection = self.box.connect(key, query, self.now_ns(), parts.netloc)
        if connection.out and connection.out[0] == Close(CUT):
            raise ConnectionRefusedError("connection refused")
        socket = MemorySocket(self, connection)
        if not connection.closed:
            self._sockets[connection] = socket
        return socket

    def receive(self, connection: Connection, text: str) -> None:
        self.box.receive(connection, text, self.now_ns())
        self._live()

    def forget(self, connection: Connection) -> None:
        self._sockets.pop(connection, None)
        self.box.hub.disconnect(connection)

    def stop(self) -> None:
        """The box stops living; nothing is scheduled any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._due_ns = None

    def _live(self) -> None:
        """Do what is due, wake who has frames, and come back at the next due time."""
        self.box.advance(self.now_ns())
        for connection, socket in list(self._sockets.items()):
            if socket.has_frames:
                socket.wake.set()
            elif connection.closed:
                del self._sockets[connection]
        due_ns = self.box.next_due_ns()
        if due_ns == self._due_ns:
            return
        self.stop()
        if due_ns is not None:
            at_s = (due_ns - self._epoch_ns) / NS
            self._timer, self._due_ns = self._loop.call_at(at_s, self._ring), due_ns

    def _ring(self) -> None:
        self._timer = self._due_ns = None
        self._live()
