"""What the tests of the session share: a clock that is set, an exchange that hangs."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest

from mmbot.domain.errors import TryAgain
from mmbot.domain.events import Event
from mmbot.exchange.http import HttpReply
from mmbot.runtime.clock import LoopClock
from tests.exchange.parts import (
    EPOCH_NS,
    Asked,
    Parts,
    S,
    reply,
    tokens,
)

REFRESH, LOGIN = "/auth/refresh", "/auth/login"
DONE = reply({"data": {"success": True}})


class SetClock(LoopClock):
    """A wall clock that somebody sets; what it counts by stays true, until the machine starts anew
    and counts from 0."""

    def __init__(self, set_by_ns: int = 0, machine_began_ns: int = 0) -> None:
        super().__init__(EPOCH_NS)
        self.set_by_ns = set_by_ns
        self._machine_began_ns = machine_began_ns

    def now_ns(self) -> int:
        return super().now_ns() + self._machine_began_ns + self.set_by_ns

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() - self._machine_began_ns


def counting(life_s: float = 600) -> Callable[[Asked], HttpReply]:
    """A new name for each token."""
    numbers = itertools.count(2)
    return lambda _: tokens(f"t{next(numbers)}", life_s, refresh=None)


def unheard(_: Event) -> None:
    """For who does not care what the session says."""


class Hanging:
    """An exchange that never answers."""

    async def request(self, method: str, path: str, *rest: object) -> HttpReply:
        await asyncio.Event().wait()
        raise AssertionError


async def why_not(asked: Awaitable[str]) -> str:
    with pytest.raises(TryAgain) as caught:
        await asked
    return str(caught.value)


def gaps_s(parts: Parts, path: str) -> list[float]:
    """Seconds between the requests of one path, as they left."""
    left_ns = [one.at_ns for one in parts.http.asked if one.path == path]
    return [(after - before) / S for before, after in itertools.pairwise(left_ns)]
