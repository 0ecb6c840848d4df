"""HTTP/1.1 and WebSocket, server side, as small as a bench allows: bytes in, parts out, no I/O."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

HEADER_END: Final = b"\r\n\r\n"
WEBSOCKET_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
HEADER_BYTES_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class Request:
    """One complete request; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def bearer(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


def take_request(buffer: bytearray) -> Request | None:
    """Remove the first complete request from `buffer`; None while it is not complete."""
    end = buffer.find(HEADER_END)
    if end < 0:
        if len(buffer) > HEADER_BYTES_MAX:
            raise ValueError("a request without an end of its header")
        return None
    first, *rows = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    headers = {}
    for row in rows:
        name, _, value = row.partition(":")
        headers[name.strip().lower()] = value.strip()
    start = end + len(HEADER_END)
    length = int(headers.get("content-length", "0"))
    if len(buffer) < start + length:
        return None
    body = bytes(buffer[start : start + length])
    del buffer[: start + length]
    method, target, _ = first.split(" ", 2)
    path, _, query = target.partition("?")
    return Request(method, path, query, headers, body)


def response(status: int, body: bytes, date: str) -> bytes:
    """A kept connection's answer; `date` is the text of the Date header."""
    head = (
        f"HTTP/1.1 {status} {'OK' if status < 400 else 'Refused'}\r\n"
        "Content-Type: application/json\r\n"
        f"Date: {date}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body


def upgrade(request: Request) -> bytes:
    """The answer that turns a connection into a WebSocket."""
    key = request.headers["sec-websocket-key"].encode("latin-1")
    accept = base64.b64encode(hashlib.sha1(key + WEBSOCKET_GUID).digest()).decode("latin-1")
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n"
    ).encode("latin-1")


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One unmasked, unfragmented frame."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, size))
    elif size < 65_536:
        head = bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big")
    return head + payload


def take_frames(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Remove complete masked frames: (opcode, payload)."""
    while len(buffer) >= 2:
        size, start = buffer[1] & 0x7F, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(buffer) < start + width:
                return
            size = int.from_bytes(buffer[start : start + width], "big")
            start += width
        masked = bool(buffer[1] & 0x80)
        mask = bytes(buffer[start : start + 4]) if masked else bytes(4)
        start += 4 if masked else 0
        if len(buffer) < start + size:
            return
        opcode = buffer[0] & 0x0F
        payload = bytes(byte ^ mask[i & 3] for i, byte in enumerate(buffer[start : start + size]))
        del buffer[: start + size]
        yield opcode, payload
