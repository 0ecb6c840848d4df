"""How a sentinel sees its daemon and stops it: through the folder they share, or over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlencode

from mmbot.sources.fetching import HttpRequest
from mmbot.store.latch import HaltLatch
from mmbot.store.lease import Lease, daemon_lease, lease_of, sentinel_lease

ANSWER_TIMEOUT_S: Final = 1.0  # of a lease of 6 s
OK: Final = 200
JSON: Final[Mapping[str, str]] = {"Content-Type": "application/json"}
WHO: Final = "sentinel"


class Sight(Protocol):
    """Nothing here raises: what is not seen is no sign of life, what is not said is said again."""

    async def lease(self, own: Lease) -> Lease | None:
        """The daemon's lease, if one is to be had; `own` is shown to the daemon."""
        ...

    async def halt(self, reason: str) -> bool:
        """Whether the halt is latched."""
        ...

    def latched(self) -> bool:
        """Whether a latch is known to be set; over HTTP only the daemon's own word is known."""
        ...


class FileSight:
    """On the same host: leases and latch are files of `state_dir`."""

    def __init__(self, state_dir: Path) -> None:
        self._daemon = daemon_lease(state_dir)
        self._own = sentinel_lease(state_dir)
        self._latch = HaltLatch(state_dir)

    async def lease(self, own: Lease) -> Lease | None:
        with suppress(OSError):  # the daemon misses us then, and says so where it needs us
            self._own.renew(own)
        return self._daemon.read()

    async def halt(self, reason: str) -> bool:
        try:
            self._latch.latch(f"{WHO}: {reason}")
        except OSError:
            return False
        return True

    def latched(self) -> bool:
        return self._latch.latched


class HttpSight:
    """From another host: the daemon's admin address, http://HOST:PORT."""

    def __init__(self, address: str, ask: HttpRequest) -> None:
        self._address = address
        self._ask = ask

    async def lease(self, own: Lease) -> Lease | None:
        query = urlencode({"sentinel": own.text})
        body = await self._body("GET", f"/heartbeat?{query}", b"")
        return None if body is None else lease_of(body)

    async def halt(self, reason: str) -> bool:
        said = json.dumps({"who": WHO, "reason": reason}).encode()
        return await self._body("POST", "/halt", said) is not None

    def latched(self) -> bool:
        return False

    async def _body(self, method: str, path: str, body: bytes) -> bytes | None:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                status, _, answer = await self._ask(method, self._address + path, JSON, body)
        except (OSError, TimeoutError):
            return None
        return answer if status == OK else None
