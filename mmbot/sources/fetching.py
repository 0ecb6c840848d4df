"""Where a feed's bytes come from: a URL or a file. Both tell `unchanged` apart from `new`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlencode

import aiohttp

# (method, URL or path, headers, body) -> (status, headers, body); raises OSError when it fails.
HttpRequest = Callable[
    [str, str, Mapping[str, str], bytes], Awaitable[tuple[int, Mapping[str, str], bytes]]
]
BODY_BYTES_MAX: Final = 16 * 1024 * 1024
CHUNK_BYTES: Final = 64 * 1024
RETRY_AFTER_MAX_S: Final = 3_600.0


class FetchFailed(Exception):
    """Nothing came; the message names no URL, since a URL may hold a key."""

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Document:
    """`tag` recognises this content next time; `modified_ns` is 0 when the origin gives none."""

    body: bytes
    tag: str
    modified_ns: int = 0


class Fetch(Protocol):
    async def __call__(self, known_tag: str) -> Document | None:
        """The document, or None when it is still the one with `known_tag`."""


@dataclass(frozen=True, slots=True)
class HttpFetch:
    """GET with ETag. `api_key` goes into the query as `apiKey` and is never shown."""

    request: HttpRequest
    url: str = field(repr=False)
    api_key: str = field(default="", repr=False)
    reply_timeout_s: float = 10.0

    async def __call__(self, known_tag: str) -> Document | None:
        headers = {"Accept": "application/json"}
        if known_tag:
            headers["If-None-Match"] = known_tag
        try:
            async with asyncio.timeout(self.reply_timeout_s):
                status, answered, body = await self.request("GET", self._target(), headers, b"")
        except TimeoutError:
            raise FetchFailed(f"no reply within {self.reply_timeout_s:g} s") from None
        except OSError as error:
            raise FetchFailed(f"cannot be reached ({type(error).__name__})") from None
        lowered = {name.lower(): value for name, value in answered.items()}
        if status == 304 and known_tag:
            return None
        if status != 200:
            raise FetchFailed(f"HTTP status {status}", _retry_after_s(lowered))
        if len(body) > BODY_BYTES_MAX:
            raise FetchFailed(f"the answer exceeds {BODY_BYTES_MAX} bytes")
        return Document(body, lowered.get("etag", ""))

    def _target(self) -> str:
        if not self.api_key:
            return self.url
        joint = "&" if "?" in self.url else "?"
        return f"{self.url}{joint}{urlencode({'apiKey': self.api_key})}"


@dataclass(frozen=True, slots=True)
class FileFetch:
    """A file, read again when its modification time or size changes."""

    path: Path

    async def __call__(self, known_tag: str) -> Document | None:
        try:
            status = self.path.stat()
            tag = f"{status.st_mtime_ns}-{status.st_size}"
            if tag == known_tag:
                return None
            if status.st_size > BODY_BYTES_MAX:
                raise FetchFailed(f"{self.path.name} exceeds {BODY_BYTES_MAX} bytes")
            return Document(self.path.read_bytes(), tag, status.st_mtime_ns)
        except OSError as error:
            raise FetchFailed(f"{self.path.name}: {error.strerror}") from None


def http_requests(session: aiohttp.ClientSession) -> HttpRequest:
    """The live port; network errors arrive as ConnectionError, without the URL."""

    async def request(
        method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            async with session.request(method, url, headers=headers, data=body or None) as reply:
                return reply.status, reply.headers, await _bounded(reply)
        except (aiohttp.ClientError, ValueError) as error:
            raise ConnectionError(type(error).__name__) from None

    return request


async def _bounded(reply: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in reply.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            break  # the caller refuses it by its length
    return bytes(body)


def _retry_after_s(headers: Mapping[str, str]) -> float:
    try:
        seconds = float(headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return min(max(0.0, seconds), RETRY_AFTER_MAX_S)
