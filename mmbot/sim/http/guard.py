"""Between a socket and the HTTP server: who sends or reads too slowly has to go."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from collections.abc import Callable
from typing import Final, cast

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from mmbot.sim.dialects.errors import refusal
from mmbot.sim.http.replies import error_body
from mmbot.sim.rules import HttpLimits as HttpLimits

BROKEN: Final = "body cannot be read"
BACKLOG: Final = 512
# asyncio accepts so many at once, again and again before the first of them is sent away
ACCEPTED_AT_ONCE: Final = 16
FILES_SPARE: Final = 5 * ACCEPTED_AT_ONCE + 60
FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Guard(asyncio.Protocol):
    """Passes everything on to the protocol of the HTTP server, with a watch in its hand."""

    def __init__(self, inner: asyncio.Protocol, guards: Guards) -> None:
        self._inner = inner
        self._guards = guards
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False
        self._streaming = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is one by its methods only
        self._transport = cast(asyncio.Transport, transport)
        self._guards.by_transport[transport] = self
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if not self._busy and self._timer is None:
            self._wait(self._guards.limits.headers_timeout_s)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        if not self._streaming:  # a stream has a bounded queue and close codes of its own
            self._wait(self._guards.limits.reading_timeout_s)
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._stop()
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        if self._transport is not None:
            self._guards.by_transport.pop(self._transport, None)
        self._inner.connection_lost(exc)

    def began(self, *, streaming: bool) -> None:
        """The headers of a request are complete."""
        self._busy, self._streaming = True, streaming
        self._stop()

    def ended(self) -> None:
        self._busy = self._streaming = False

    def _wait(self, seconds: float) -> None:
        self._stop()
        self._timer = self._loop.call_later(seconds, self._give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self._transport is not None:
            self._transport.abort()


class Doorman(asyncio.Protocol):
    """Sends away who comes when the house is full."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        leaving = cast(asyncio.Transport, transport)
        leaving.write(FULL)
        leaving.close()


class Guards:
    """One guard per open socket."""

    def __init__(self, limits: HttpLimits) -> None:
        self.limits = limits
        # each connection costs one file; some are needed for everything else
        files_max, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._connections_max = min(limits.connections_max, max(1, files_max - FILES_SPARE))
        self.by_transport: dict[asyncio.BaseTransport, Guard] = {}

    def before(self, factory: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """The same server, each of its connections with a guard before it."""

        def guarded() -> asyncio.Protocol:
            full = len(self.by_transport) >= self._connections_max
            return Doorman() if full else Guard(factory(), self)

        return guarded

    async def listen(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[asyncio.Server, int]:
        """Serve on a port; 0 chooses a free one, which is given back."""
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        server = await asyncio.get_running_loop().create_server(
            self.before(factory), sock=listener, backlog=ACCEPTED_AT_ONCE
        )
        listener.listen(BACKLOG)  # the queue of the kernel may be longer than one helping
        return server, int(listener.getsockname()[1])

    def middleware(self) -> Middleware:
        @web.middleware
        async def watched(request: web.Request, handler: Handler) -> web.StreamResponse:
            guard = None
            if request.transport is not None:
                guard = self.by_transport.get(request.transport)
            if guard is None:
                return await handler(request)
            upgrade = request.headers.get("Upgrade", "").lower()
            guard.began(streaming=upgrade == "websocket")
            try:
                return await handler(request)
            finally:
                guard.ended()

        return watched


async def body_within(limits: HttpLimits, request: web.Request) -> bytes | web.Response:
    """The body of a request, or the refusal of one that is too large, too slow or broken."""
    too_large = f"body is larger than {limits.body_bytes_max} bytes"
    if (request.content_length or 0) > limits.body_bytes_max:
        return _refused(413, too_large)
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return _refused(413, too_large)
    except TimeoutError:
        return _refused(408, f"body did not come within {limits.body_timeout_s:g} s")
    except web.RequestPayloadError:
        return _refused(400, BROKEN)


def http_log() -> logging.Logger:
    """Says what went wrong in the box, not what clients did wrong."""
    log = logging.getLogger("mmbot.sim.http")
    log.addFilter(_is_ours)
    return log


def _is_ours(record: logging.LogRecord) -> bool:
    theirs = (HttpProcessingError, web.RequestPayloadError)
    return record.exc_info is None or not isinstance(record.exc_info[1], theirs)


def _refused(status: int, message: str) -> web.Response:
    body = msgspec.json.encode(error_body(refusal("invalid_request", message), "text"))
    response = web.Response(status=status, body=body, content_type="application/json")
    response.force_close()
    return response
