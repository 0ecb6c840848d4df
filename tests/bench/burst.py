"""One burst: book frames to one stack, and how long each order and each cancel took to come back.

All quotes first, then all pulls, each after the one before was answered; so there is one tick
under way at a time, and never more requests in a second than the exchange allows.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from tests.bench import listing

ANSWER_TIMEOUT_S: Final = 2.0
SETTLE_S: Final = 0.05


class Audience(Protocol):
    """Who is shown the frames."""

    burst: Burst | None
    shown: dict[int, listing.Tick]

    def send(self, payload: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class BurstPlan:
    """`frames_per_s` 0 = one at a time, `gap_s` after the answer; else frames at that rate, of
    which one in `every` is a tick that trades. `polls`: the far end looks for the answer without
    sleeping, so that its own waking up is not measured; it needs a core of its own."""

    seed: int
    ticks: int
    gap_s: float = 0.005
    frames_per_s: float = 0.0
    every: int = 1
    polls: bool = False


@dataclass(slots=True)
class Burst:
    """Filled while it runs; the figures are nanoseconds from writing the frame."""

    place_ns: list[int] = field(default_factory=list)
    cancel_ns: list[int] = field(default_factory=list)
    orders: list[tuple[str, int]] = field(default_factory=list)  # strike, price
    missed: int = 0
    unasked: int = 0
    _quoted_ns: dict[str, int] = field(default_factory=dict)
    _pulled_ns: dict[str, int] = field(default_factory=dict)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    def ordered(self, order: dict[str, Any], read_ns: int) -> None:
        self._stop_clock(self._quoted_ns, self.place_ns, order["strike_id"], read_ns)
        self.orders.append((order["strike_id"], order["price"]))

    def cancelled(self, order: dict[str, Any], read_ns: int) -> None:
        self._stop_clock(self._pulled_ns, self.cancel_ns, order["strike_id"], read_ns)

    def _stop_clock(self, started: dict[str, int], to: list[int], strike: str, now: int) -> None:
        start_ns = started.pop(strike, None)
        if start_ns is None:
            self.unasked += 1
            return
        to.append(now - start_ns)
        self._answered.set()

    def start_clock(self, tick: listing.Tick) -> None:
        """Call it just before the frame is written."""
        clocks = self._quoted_ns if tick.tight else self._pulled_ns
        self._answered.clear()
        clocks[listing.strike_id(tick.line, 0)] = time.perf_counter_ns()

    async def answer(self, polls: bool) -> None:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while polls and not self._answered.is_set():  # noqa: ASYNC110 - no sleep
                    await asyncio.sleep(0)
                await self._answered.wait()
        except TimeoutError:
            self.missed += 1
            self._quoted_ns.clear()
            self._pulled_ns.clear()

    async def all_answered(self) -> None:
        """The end of a burst with load: what is still out after a while is missed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while self._quoted_ns or self._pulled_ns:
                    self._answered.clear()
                    await self._answered.wait()
        self.missed += len(self._quoted_ns) + len(self._pulled_ns)

    def result(self) -> dict[str, Any]:
        return {
            "place_ns": self.place_ns,
            "cancel_ns": self.cancel_ns,
            "orders": self.orders,
            "missed": self.missed,
            "unasked": self.unasked,
        }


def script(plan: BurstPlan, ladder: tuple[int, ...]) -> list[listing.Tick]:
    """The same for every stack that gets the same plan."""
    walk = listing.Walk(plan.seed, ladder)
    lines = range(plan.ticks)
    trades = [walk.tick(line, tight=True) for line in lines]
    trades += [walk.tick(line, tight=False) for line in lines]
    idle = range(plan.ticks, listing.LINES)
    ticks = []
    for number, trade in enumerate(trades):
        ticks.append(trade)
        for filler in range(plan.every - 1):
            line = idle[(number * plan.every + filler) % len(idle)]
            ticks.append(walk.tick(line, tight=False))
    return ticks


async def run_burst(audience: Audience, plan: BurstPlan, ladder: tuple[int, ...]) -> dict[str, Any]:
    """Play the plan to one stack; what it did in return."""
    burst = audience.burst = Burst()
    ticks = script(plan, ladder)
    began_s = time.perf_counter()
    for number, tick in enumerate(ticks):
        trades = number % plan.every == 0
        now_ns = time.time_ns()
        message = listing.book_message(tick, listing.selections(tick, ladder, now_ns), now_ns)
        audience.shown[tick.line] = tick
        if plan.frames_per_s:
            due_s = began_s + number / plan.frames_per_s
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        if trades:
            burst.start_clock(tick)
        audience.send(message)
        if not plan.frames_per_s:
            await burst.answer(plan.polls)
            await asyncio.sleep(plan.gap_s)
    await burst.all_answered()
    await asyncio.sleep(SETTLE_S)
    audience.burst = None
    return burst.result()
