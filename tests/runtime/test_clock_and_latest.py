"""Clocks that never go back, and the value that wakes whoever waits for a change."""

from __future__ import annotations

import asyncio
import time

from mmbot.runtime.clock import NS_PER_S, LoopClock, SystemClock
from mmbot.runtime.latest import Latest


def test_the_system_clock_is_the_wall_clock_and_never_goes_back() -> None:
    clock = SystemClock()
    assert abs(clock.now_ns() - time.time_ns()) < NS_PER_S
    stamps = [clock.now_ns() for _ in range(1_000)]
    assert stamps == sorted(stamps)


def test_after_a_suspend_the_system_clock_catches_up() -> None:
    clock = SystemClock()
    clock._offset_ns -= 3_600 * NS_PER_S  # as if an hour of monotonic time were missing
    assert abs(clock.now_ns() - time.time_ns()) < NS_PER_S


async def test_the_loop_clock_counts_from_its_epoch() -> None:
    clock = LoopClock(epoch_ns=1_000)
    loop = asyncio.get_running_loop()
    assert abs(clock.now_ns() - 1_000 - loop.time() * NS_PER_S) < NS_PER_S


async def test_a_change_wakes_everybody_with_the_newest_value() -> None:
    latest = Latest("a")
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(latest.changed()) for _ in range(3)]
        await asyncio.sleep(0)
        latest.set("b")
        latest.set("c")
    assert [task.result() for task in waiting] == ["c", "c", "c"]
    assert latest.get() == "c"


async def test_a_change_missed_since_a_version_is_seen_at_once() -> None:
    latest = Latest(1)
    seen = latest.version
    latest.set(2)
    assert await latest.changed(seen) == 2
