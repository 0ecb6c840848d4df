"""Services are kept running, give up together, and end in order."""

# faults: H10

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from mmbot.domain.errors import SetUpError, Stop, TryAgain
from mmbot.runtime.clock import LoopClock
from mmbot.runtime.supervisor import (
    Restart,
    RestartPolicy,
    Service,
    ServiceEnded,
    ServiceEscalated,
    ServiceFailed,
    ServiceIgnoresStop,
    ServiceStarted,
    Supervisor,
    SupervisorEvent,
    delays,
)
from mmbot.sim.virtual.loop import EPOCH_NS, VirtualLoop, run_virtual

POLICY = RestartPolicy(delay_min_s=1, delay_max_s=8, jitter=0, healthy_after_s=60, failures_max=5)


@dataclass
class House:
    """A supervisor and what was seen of it."""

    supervisor: Supervisor
    told: list[SupervisorEvent] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def started(self, name: str) -> int:
        return sum(1 for e in self.told if isinstance(e, ServiceStarted) and e.name == name)

    async def note_and_wait(self, name: str) -> None:
        """A service that runs until it is told to end."""
        try:
            await asyncio.Event().wait()
        finally:
            self.notes.append(f"{name} ended")

    def steady(self, name: str) -> Service:
        return Service(name, lambda: self.note_and_wait(name))


def virtually(scene: Callable[[House], Awaitable[None]]) -> None:
    async def main(loop: VirtualLoop) -> None:
        told: list[SupervisorEvent] = []
        supervisor = Supervisor(LoopClock(EPOCH_NS), random.Random(1), told.append, POLICY)
        house = House(supervisor, told)
        asyncio.get_running_loop().call_later(1_000, supervisor.stop)
        await scene(house)

    run_virtual(main, seed=1)


def now_s() -> float:
    return asyncio.get_running_loop().time()


def test_a_failed_service_is_started_again_after_growing_delays() -> None:
    async def scene(house: House) -> None:
        starts_s: list[float] = []

        async def flaky() -> None:
            starts_s.append(now_s())
            if len(starts_s) <= 4:
                raise ValueError("no")
            await asyncio.Event().wait()

        await house.supervisor.run([Service("flaky", flaky)])
        assert starts_s == pytest.approx([0, 1, 3, 7, 15])
        failures = [e for e in house.told if isinstance(e, ServiceFailed)]
        assert [failure.retry_in_s for failure in failures] == [1, 2, 4, 8]

    virtually(scene)


def test_the_delays_start_over_after_a_healthy_time() -> None:
    async def scene(house: House) -> None:
        starts_s: list[float] = []

        async def fails_now_and_then() -> None:
            starts_s.append(now_s())
            await asyncio.sleep(100)
            raise ValueError("no")

        await house.supervisor.run([Service("rare", fails_now_and_then)])
        gaps = [b - a for a, b in pairwise(starts_s)]
        assert gaps == pytest.approx([101.0] * len(gaps))
        assert len(gaps) >= 8  # many failures, but never too many within the window

    virtually(scene)


def test_too_many_failures_in_the_window_stop_the_process_and_say_why() -> None:
    async def scene(house: House) -> None:
        async def broken() -> None:
            raise ValueError("bad cable")

        with pytest.raises(Stop, match=r"broken failed 6 times within 300 s: ValueError: bad"):
            await house.supervisor.run([Service("broken", broken), house.steady("other")])
        assert house.notes == ["other ended"]
        assert house.started("broken") == 6

    virtually(scene)


@pytest.mark.parametrize("error", [Stop("enough"), SetUpError("wrong key")])
def test_stop_and_set_up_errors_end_everybody_at_once(error: Exception) -> None:
    async def scene(house: House) -> None:
        async def says_all_of_us() -> None:
            raise error

        with pytest.raises(type(error), match=str(error)):
            await house.supervisor.run([Service("a", says_all_of_us), house.steady("b")])
        assert now_s() == 0
        assert house.notes == ["b ended"]
        assert ServiceEscalated("a", error) in house.told

    virtually(scene)


def test_a_critical_service_is_never_patched_up() -> None:
    async def scene(house: House) -> None:
        async def engine() -> None:
            raise KeyError("line")

        with pytest.raises(Stop, match="service engine failed: KeyError") as caught:
            await house.supervisor.run([Service("engine", engine, critical=True)])
        assert isinstance(caught.value.__cause__, KeyError)
        assert house.started("engine") == 1

    virtually(scene)


@pytest.mark.parametrize(
    ("restart", "fails", "starts"),
    [
        (Restart.NEVER, False, 1),
        (Restart.NEVER, True, 1),
        (Restart.ON_ERROR, False, 1),
        (Restart.ON_ERROR, True, 6),
    ],
)
def test_who_is_started_again(restart: Restart, fails: bool, starts: int) -> None:
    async def scene(house: House) -> None:
        async def short() -> None:
            if fails:
                raise ValueError

        try:
            await house.supervisor.run([Service("short", short, restart)])
        except Stop:
            assert starts > 1
        assert house.started("short") == starts
        assert (ServiceEnded("short") in house.told) is (starts == 1)

    virtually(scene)


def test_a_service_that_ends_well_and_should_run_always_starts_again_without_blame() -> None:
    async def scene(house: House) -> None:
        async def short() -> None:
            await asyncio.sleep(30)

        await house.supervisor.run([Service("poller", short, Restart.ALWAYS)])
        assert house.started("poller") > 20
        assert not any(isinstance(event, ServiceFailed) for event in house.told)

    virtually(scene)


def test_the_wait_that_an_error_asks_for_is_kept() -> None:
    async def scene(house: House) -> None:
        starts_s: list[float] = []

        async def limited() -> None:
            starts_s.append(now_s())
            if len(starts_s) == 1:
                raise TryAgain("429", retry_after_s=20)
            await asyncio.Event().wait()

        await house.supervisor.run([Service("limited", limited)])
        assert starts_s == pytest.approx([0, 20])

    virtually(scene)


def test_sys_exit_and_a_cancel_of_itself_end_one_service_and_not_the_process() -> None:
    async def scene(house: House) -> None:
        async def leaves() -> None:
            sys.exit(3)

        async def cancels_itself() -> None:
            task = asyncio.current_task()
            assert task is not None
            raise asyncio.CancelledError

        services = [
            Service("leaves", leaves, Restart.NEVER),
            Service("cancels", cancels_itself, Restart.NEVER),
            house.steady("other"),
        ]
        await house.supervisor.run(services)
        assert now_s() == pytest.approx(1_000)
        failed = {e.name: e.error for e in house.told if isinstance(e, ServiceFailed)}
        assert isinstance(failed["leaves"], SystemExit)
        assert isinstance(failed["cancels"], asyncio.CancelledError)

    virtually(scene)


def test_a_stop_ends_the_inner_services_then_winds_down_then_ends_the_outer_ones() -> None:
    async def scene(house: House) -> None:
        async def wind_down() -> None:
            await asyncio.sleep(5)
            house.notes.append("wound down")

        await house.supervisor.run(
            [house.steady("feed"), house.steady("engine")], [house.steady("strategy")], wind_down
        )
        assert house.notes[:2] == ["strategy ended", "wound down"]
        assert sorted(house.notes[2:]) == ["engine ended", "feed ended"]
        assert now_s() == pytest.approx(1_005)

    virtually(scene)


def test_an_escalation_interrupts_the_winding_down() -> None:
    async def scene(house: House) -> None:
        async def wind_down() -> None:
            await asyncio.sleep(500)
            house.notes.append("wound down")

        async def engine() -> None:
            await asyncio.sleep(1_100)
            raise ValueError("late")

        with pytest.raises(Stop, match="late"):
            await house.supervisor.run(
                [Service("engine", engine, critical=True)], [house.steady("s")], wind_down
            )
        assert house.notes == ["s ended"]
        assert now_s() == pytest.approx(1_100)

    virtually(scene)


def test_a_second_stop_does_not_wait_for_the_end_of_the_winding_down() -> None:
    async def scene(house: House) -> None:
        async def wind_down() -> None:
            await asyncio.sleep(500)
            house.notes.append("wound down")

        asyncio.get_running_loop().call_later(1_010, house.supervisor.stop)
        await house.supervisor.run([house.steady("feed")], [house.steady("s")], wind_down)
        assert house.notes == ["s ended", "feed ended"]
        assert now_s() == pytest.approx(1_010)

    virtually(scene)


def test_a_wind_down_that_fails_is_told() -> None:
    async def scene(house: House) -> None:
        async def wind_down() -> None:
            raise Stop("orders may be open")

        with pytest.raises(Stop, match="orders may be open"):
            await house.supervisor.run([house.steady("feed")], (), wind_down)
        assert house.notes == ["feed ended"]

    virtually(scene)


def test_a_service_that_ignores_its_end_is_named_and_waited_for() -> None:
    async def scene(house: House) -> None:
        async def stubborn() -> None:
            for _ in range(3):
                try:
                    await asyncio.sleep(3_000)
                except asyncio.CancelledError:
                    continue

        await house.supervisor.run([Service("stubborn", stubborn, Restart.NEVER)])
        assert ServiceIgnoresStop("stubborn", 5.0) in house.told
        assert ServiceIgnoresStop("stubborn", 10.0) in house.told

    virtually(scene)


def test_an_inner_service_that_ignores_its_end_does_not_hold_up_the_wind_down() -> None:
    async def scene(house: House) -> None:
        done = asyncio.Event()

        async def stubborn() -> None:
            while not done.is_set():
                with suppress(asyncio.CancelledError):
                    await done.wait()

        async def wind_down() -> None:
            done.set()

        asyncio.get_running_loop().call_later(1, house.supervisor.stop)
        asyncio.get_running_loop().call_later(100, done.set)
        inner = [Service("stubborn", stubborn, Restart.NEVER)]
        await house.supervisor.run([house.steady("feed")], inner, wind_down)
        assert house.told.count(ServiceIgnoresStop("stubborn", 5.0)) == 1
        assert ServiceIgnoresStop("stubborn", 10.0) not in house.told
        assert house.notes == ["feed ended"]

    virtually(scene)


def test_a_cancel_from_outside_ends_inner_before_outer() -> None:
    async def scene(house: House) -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(
                house.supervisor.run([house.steady("outer")], [house.steady("inner")])
            )
            await asyncio.sleep(1)
            task.cancel()
        assert house.notes == ["inner ended", "outer ended"]

    virtually(scene)


def test_jitter_only_shortens_and_comes_from_the_given_source() -> None:
    policy = RestartPolicy(delay_min_s=1, delay_max_s=8, jitter=0.5)
    drawn = delays(policy, random.Random(3))
    again = delays(policy, random.Random(3))
    for full_s in (1, 2, 4, 8, 8, 8):
        delay_s = next(drawn)
        assert full_s / 2 <= delay_s <= full_s
        assert delay_s == next(again)
