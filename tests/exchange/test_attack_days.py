"""Hours of foul weather: the session and the rate budget against what the exchange saw arrive."""

# faults: D1 D2 D3 D5 D6 D7 D8 J2

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

import pytest

from mmbot.domain.commands import ReadOrder
from mmbot.domain.ids import ExternalId, OrderId
from tests.exchange.answers import ref
from tests.exchange.foul_weather import HINT_S, LOGIN, FoulWeather
from tests.exchange.parts import Over, Parts, S, a_client, an_order, approved, kinds, run
from tests.exchange.session_stage import SetClock, unheard

FULL: Final = os.environ.get("FULL") == "1"
SEEDS: Final = range(1, 41) if FULL else (3,)  # one with many tokens, lapses and cancels
HOURS: Final = 3.0 if FULL else 0.75
RENEWED_WITHIN_S: Final = 26.0  # a hanging refresh takes 15 s, the pause after it at most 10
CANCELLED_WITHIN_S: Final = 3.0

Asked = tuple[float, float, bool]  # a cancel: when, until when, accepted


class Day:
    """A client that is busy, crashes, and whose clock is set; and what came of its cancels."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.draw = Random(seed)
        self.exchange = FoulWeather(Random(seed + 10**6), HOURS)
        self.cancels: list[Asked] = []
        self._clock = SetClock()
        self._file = folder / "session.json"
        self._flooding = False

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < HOURS * 3_600:
            # Between two processes a clock may be set at any time, and in both directions.
            self._clock.set_by_ns += self.draw.choice((-3_600, -90, 0, 90, 3_600)) * S
            try:
                async with asyncio.TaskGroup() as group:
                    await self._life(group)
            except* Over:
                pass

    async def _life(self, group: asyncio.TaskGroup) -> None:
        """One process until its crash."""
        parts = a_client(self._file, clock=self._clock, draw=self.draw.random)
        parts.session._http = parts.rest._http = self.exchange
        group.create_task(parts.session.run(unheard))
        order = ReadOrder(ExternalId("mm-0a-1"), OrderId("theirs-1"))
        busy: tuple[tuple[Callable[[], Awaitable[object]], float], ...] = (
            (lambda: parts.gateway.read_order(order), 0.5),
            (parts.gateway.read_balance, 2.0),
            (lambda: parts.gateway.place([approved(an_order(1))]), 1.0),
            (lambda: self._cancel(parts), 1.5),
            (lambda: self._flood(parts), 300.0),
        )
        for work, apart_s in busy:
            group.create_task(self._again_and_again(work, apart_s))
        group.create_task(self._flood(parts))
        await asyncio.sleep(self.draw.uniform(130, 400))
        if self.draw.random() < 0.5:
            self._clock.set_by_ns += round(self.draw.choice((3, 90, 3_600)) * S)
        await asyncio.sleep(self.draw.uniform(130, 900))
        group.create_task(self._flood(parts))
        await asyncio.sleep(0.2)
        raise Over

    async def _again_and_again(self, work: Callable[[], Awaitable[object]], apart_s: float) -> None:
        while True:
            await asyncio.sleep(self.draw.uniform(0, 2 * apart_s))
            await work()

    async def _cancel(self, parts: Parts) -> None:
        loop = asyncio.get_running_loop()
        asked_s = loop.time()
        events = kinds(await parts.gateway.cancel([ref(1)]))
        self.cancels.append((asked_s, loop.time(), events == ["CancelAcknowledged"]))

    async def _flood(self, parts: Parts) -> None:
        """More than a second has room for: reads, and cancels behind them. One at a time: how long
        a cancel may take is known for so many."""
        if self._flooding:
            return
        self._flooding = True
        try:
            await self._pour(parts)
        finally:
            self._flooding = False

    async def _pour(self, parts: Parts) -> None:
        order = ReadOrder(ExternalId("mm-0a-1"), OrderId("theirs-1"))
        async with asyncio.TaskGroup() as group:
            for _ in range(60):
                group.create_task(parts.gateway.read_order(order))
            for _ in range(60):
                group.create_task(self._cancel(parts))


def findings(day: Day) -> Iterator[str]:
    exchange = day.exchange
    if (busiest := exchange.busiest_second()) > 45:
        yield f"{busiest} requests within a second"
    if (gap_s := exchange.shortest_gap_s(LOGIN)) < 120:
        yield f"two log-ins {gap_s:.1f} s apart"
    yield from lapses(exchange)
    for asked_s, until_s, accepted in day.cancels:
        late = until_s - asked_s > CANCELLED_WITHIN_S
        if (late or not accepted) and possible(exchange, asked_s, until_s):
            yield f"a cancel asked at {asked_s:.1f} s, until {until_s:.1f}: accepted {accepted}"


def lapses(exchange: FoulWeather) -> Iterator[str]:
    """From when a token should have been renewed until there was another one."""
    for (since_s, until_s), (next_s, _) in pairwise(sorted(exchange.valid_s.values())):
        life_s = until_s - since_s
        due_s = since_s + min(480.0, 0.6 * life_s, life_s - 25)
        worked_s = exchange.auth_worked_s(due_s, next_s)
        if next_s > until_s and worked_s > RENEWED_WITHIN_S:
            yield f"no token from {until_s:.0f} to {next_s:.0f} s, though renewals were answered"


def possible(exchange: FoulWeather, asked_s: float, until_s: float) -> bool:
    """Was there a token, and did the exchange serve, all the time? What it asked us to wait for
    goes on after its weather has changed."""
    served = {
        one.rest
        for one, after in pairwise(exchange.weather)
        if one.since_s < until_s and after.since_s > asked_s - HINT_S
    }
    held = [span for span in sorted(exchange.valid_s.values()) if span[0] < asked_s - 1]
    return served <= {"fine", "full"} and bool(held) and held[-1][1] > until_s


@pytest.mark.parametrize("seed", SEEDS)
def test_hours_of_foul_weather(seed: int, tmp_path: Path) -> None:
    day = Day(seed, tmp_path)
    run(day.run())
    assert not list(findings(day))
    assert len(day.exchange.taken_s) > 100
    assert len(day.exchange.valid_s) > 5
