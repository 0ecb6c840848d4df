"""One value that several tasks share: the newest wins, nobody queues."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Set by one task, read by any; a slow reader skips what it missed."""

    def __init__(self, value: T) -> None:
        self._value = value
        self._version = 0
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def version(self) -> int:
        """Grows by one with every `set`."""
        return self._version

    def get(self) -> T:
        return self._value

    def set(self, value: T) -> None:
        self._value = value
        self._version += 1
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self, since_version: int | None = None) -> T:
        """Wait for a `set` after `since_version` (default: after this call)."""
        since = self._version if since_version is None else since_version
        while self._version <= since:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            finally:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        return self._value
