"""One connection for orders: a request, its answer, read so that it cannot mean two things."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, cast

HEAD_BYTES_MAX: Final = 65_536
HEAD_END: Final = b"\r\n\r\n"
BEGIN: Final = b"HTTP/1."
STATUS_LINE: Final = re.compile(r"HTTP/1\.(\d) ([1-9]\d\d)(?: .*)?", re.ASCII)
NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
FOLD: Final = re.compile(r"\r\n[ \t]+")
CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n\0]*)?")


class WireLost(Exception):
    """The request may have arrived; there is no answer to it."""


@dataclass(frozen=True, slots=True)
class WireReply:
    status: int
    headers: Mapping[str, str] = field(repr=False)  # names are lower case
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Head:
    status: int
    headers: dict[str, str]
    chunked: bool
    length: int | None  # None, not chunked: the end of the connection ends the answer
    last: bool  # the other side will close


class OrderLine(asyncio.Protocol):
    """One connection. A byte that nobody asked for ends it."""

    def __init__(self, body_bytes_max: int, own: socket.socket) -> None:
        self._body_bytes_max = body_bytes_max
        self._socket = own
        self._transport: asyncio.Transport  # before anything else can be asked of a line
        self._waiter: asyncio.Future[WireReply] | None = None
        self._buffer = bytearray()
        self._head: _Head | None = None
        self._chunks = bytearray()
        self._closed = False
        self.used_s = 0.0

    @property
    def reusable(self) -> bool:
        return not self._closed and self._waiter is None

    def is_quiet(self) -> bool:
        """The system holds neither a byte nor an end that the loop has not seen yet."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except OSError as error:
            return isinstance(error, BlockingIOError)
        return False

    def exchange(self, data: bytes) -> asyncio.Future[WireReply]:
        """Write; the answer comes to the future."""
        assert self.reusable
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return self._waiter

    def abort(self) -> None:
        self._closed = True
        self._transport.abort()

    # --- told by the transport ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._closed:
            self.abort()
            return
        self._buffer += data
        try:
            self._read()
        except ValueError:
            self._lost("an answer that cannot be read")

    def eof_received(self) -> None:
        head, self._closed = self._head, True
        # The end of a TLS stream proves nothing: not every library tells an end from a cut.
        cut = self._transport.get_extra_info("sslcontext") is not None
        if cut or head is None or head.chunked or head.length is not None:
            self._lost("closed by the other side")
        else:
            self._head = replace(head, length=len(self._buffer))
            self._read()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(f"{type(exc).__name__} {exc}" if exc else "closed by the other side")

    def _read(self) -> None:
        while self._head is None:
            end = self._buffer.find(HEAD_END)
            if end < 0:
                begins = self._buffer[: len(BEGIN)] == BEGIN[: len(self._buffer)]
                if not begins or len(self._buffer) > HEAD_BYTES_MAX:
                    raise ValueError("no head")
                return
            head = _parsed(bytes(self._buffer[:end]))
            del self._buffer[: end + len(HEAD_END)]
            if head.status >= 200:  # a 100 only announces the answer
                self._head = head
        head = self._head
        if head.chunked:
            body = self._dechunked()
            if body is not None:
                self._done(head, body)
        elif (len(self._buffer) if head.length is None else head.length) > self._body_bytes_max:
            raise ValueError("too long")
        elif head.length is not None and len(self._buffer) >= head.length:
            body = bytes(self._buffer[: head.length])
            del self._buffer[: head.length]
            self._done(head, body)

    def _dechunked(self) -> bytes | None:
        """The whole body once its last chunk and the empty line after it have come."""
        buffer = self._buffer
        while (end := buffer.find(b"\r\n")) >= 0:
            found = CHUNK_LINE.fullmatch(buffer, 0, end)
            if found is None:
                raise ValueError("no chunk")
            size = int(found[1], 16)
            if size == 0:
                trailed = buffer.find(HEAD_END, end)
                if trailed < 0:
                    break
                del buffer[: trailed + 4]
                return bytes(self._chunks)
            if len(self._chunks) + size > self._body_bytes_max:
                raise ValueError("too long")
            start, after = end + 2, end + 2 + size
            if len(buffer) < after + 2:
                return None
            if buffer[after : after + 2] != b"\r\n":
                raise ValueError("a chunk longer than it said")
            self._chunks += buffer[start:after]
            del buffer[: after + 2]
        if len(buffer) > HEAD_BYTES_MAX:
            raise ValueError("no chunk")
        return None

    def _done(self, head: _Head, body: bytes) -> None:
        # Bytes behind the answer, or an answer to half a request: its connection has no future.
        surplus = bool(self._buffer) or self._transport.get_write_buffer_size() > 0
        self._closed = self._closed or head.last or surplus
        self._head = None
        self._buffer.clear()
        self._chunks.clear()
        self.used_s = asyncio.get_running_loop().time()
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(WireReply(head.status, head.headers, body))

    def _lost(self, reason: str) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(WireLost(reason))
        self.abort()


def _parsed(head: bytes) -> _Head:
    """ValueError for what is no HTTP answer to a POST, or could be read in two ways."""
    first, *rows = (text := FOLD.sub(" ", head.decode("latin-1"))).split("\r\n")
    status_line = STATUS_LINE.fullmatch(first)
    if status_line is None or not text.count("\r") == text.count("\n") == len(rows):
        raise ValueError("no HTTP answer")
    headers: dict[str, str] = {}
    for row in rows:
        name, colon, value = row.partition(":")
        if not colon or NAME.fullmatch(name) is None or "\0" in value:
            raise ValueError("no header")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    status = int(status_line[2])
    packed = headers.get("content-encoding", "identity").lower() != "identity"
    coding = headers.get("transfer-encoding", "").lower()
    chunked = coding == "chunked"
    if status == 101 or packed or (coding and not chunked):
        raise ValueError("not asked for")
    length: int | None = None
    if "content-length" in headers:
        said, *again = {one.strip(" \t") for one in headers["content-length"].split(",")}
        if again or chunked or not (said.isascii() and said.isdigit()):
            raise ValueError("two lengths, or none")
        length = int(said)
    if status in {204, 304}:
        chunked, length = False, 0
    options = {option.strip() for option in headers.get("connection", "").lower().split(",")}
    last = "close" in options or status_line[1] == "0"  # HTTP/1.0 closes
    return _Head(status, headers, chunked, length, last)
