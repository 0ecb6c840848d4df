"""The virtual clock: order, determinism, jumps, and dead ends."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time

import pytest

from mmbot.sim.virtual.loop import (
    Deadlock,
    HorizonPassed,
    LoopLimits,
    RealNetworkRefused,
    Spin,
    UnhandledError,
    VirtualLoop,
    run_virtual,
)


def test_a_day_passes_in_no_time() -> None:
    async def main(loop: VirtualLoop) -> float:
        assert loop.time() == 0
        await asyncio.sleep(23 * 3600)
        return loop.time()

    began_s = time.monotonic()
    assert run_virtual(main, seed=1) == 23 * 3600
    assert time.monotonic() - began_s < 5


def test_timers_of_one_instant_run_in_order_of_creation_and_never_together() -> None:
    async def main(loop: VirtualLoop) -> list[tuple[int, int]]:
        seen: list[tuple[int, int]] = []
        done = loop.create_future()

        def note(n: int) -> None:
            seen.append((n, loop.now_ns()))

        for n in range(1000):
            loop.call_at(5.0, note, n)
        loop.call_at(5.1, done.set_result, None)
        await done
        return seen

    seen = run_virtual(main, seed=1)
    assert [n for n, _ in seen] == list(range(1000))
    assert len({ns for _, ns in seen}) == 1000
    assert seen[-1][1] - seen[0][1] == 999  # nanoseconds


def test_ready_callbacks_stay_first_in_first_out() -> None:
    async def main(loop: VirtualLoop) -> list[int]:
        seen: list[int] = []
        for n in range(50):
            (loop.call_soon if n % 2 else loop.call_soon_threadsafe)(seen.append, n)
        await asyncio.sleep(0)
        return seen

    assert run_virtual(main, seed=1) == list(range(50))


def test_a_negative_delay_is_now_and_timeouts_work() -> None:
    async def main(loop: VirtualLoop) -> float:
        fired: list[float] = []
        loop.call_later(-5, lambda: fired.append(loop.time()))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await loop.create_future()
        assert fired[0] < 1e-6
        return loop.time()

    assert run_virtual(main, seed=1) == pytest.approx(2.5, abs=1e-6)


async def _busy(loop: VirtualLoop) -> list[str]:
    """Many tasks that race, are cancelled in a set, and use an executor."""
    story: list[str] = []

    async def worker(name: str) -> None:
        try:
            for _ in range(20):
                await asyncio.sleep(loop.random.random())
                await asyncio.to_thread(story.append, f"{name} {loop.now_ns()}")
        except asyncio.CancelledError:
            story.append(f"{name} cancelled")
            raise

    with contextlib.suppress(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            for n in range(30):
                group.create_task(worker(f"w{n}"))
            await asyncio.sleep(3)
            raise ValueError
    return story


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    limits = LoopLimits(executor_delay_s_max=0.01)
    first = run_virtual(_busy, seed=5, limits=limits)
    litter = [object() for _ in range(10_000)]  # other addresses, so another order by address
    assert run_virtual(_busy, seed=5, limits=limits) == first
    assert run_virtual(_busy, seed=6, limits=limits) != first
    assert len(litter) == 10_000


async def _naps(nap_s: float) -> None:
    for _ in itertools.repeat(None):
        await asyncio.sleep(nap_s)


def test_waiting_for_nobody_is_a_deadlock_that_names_who_waits() -> None:
    async def main(loop: VirtualLoop) -> None:
        async def lonely_reader() -> None:
            await asyncio.Queue[int]().get()

        async with asyncio.TaskGroup() as group:
            group.create_task(lonely_reader(), name="reader")

    with pytest.raises(Deadlock, match=r"reader waits in queues.py:\d+ Queue.get"):
        run_virtual(main, seed=1)


def test_the_horizon_ends_a_run_that_would_go_on() -> None:
    async def main(loop: VirtualLoop) -> None:
        await _naps(5)

    with pytest.raises(HorizonPassed):
        run_virtual(main, seed=1, limits=LoopLimits(horizon_s=3600))
    with pytest.raises(ValueError, match="horizon_s"):
        LoopLimits(horizon_s=1e9)


def test_spinning_without_time_is_an_error() -> None:
    async def main(loop: VirtualLoop) -> None:
        await _naps(0)

    with pytest.raises(Spin, match="time stands still"):
        run_virtual(main, seed=1, limits=LoopLimits(steps_per_instant_max=1000))


def test_the_watchdog_on_real_time_stops_a_slow_run() -> None:
    async def main(loop: VirtualLoop) -> None:
        await _naps(1)

    with pytest.raises(Spin, match="of real time"):
        run_virtual(main, seed=1, limits=LoopLimits(real_limit_s=1e-6))


def test_real_sockets_are_refused() -> None:
    async def main(loop: VirtualLoop) -> None:
        with pytest.raises(RealNetworkRefused):
            await asyncio.open_connection("127.0.0.1", 9)
        with pytest.raises(RealNetworkRefused):
            await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        with pytest.raises(RealNetworkRefused):
            await loop.getaddrinfo("localhost", 80)
        with pytest.raises(RealNetworkRefused):
            await asyncio.create_subprocess_exec("true")

    run_virtual(main, seed=1)


def test_an_executor_runs_jobs_in_order_here_and_takes_virtual_time() -> None:
    async def main(loop: VirtualLoop) -> list[int]:
        order: list[int] = []
        jobs = [loop.run_in_executor(None, order.append, n) for n in range(20)]
        for job in jobs:
            await job
        assert 0 < loop.time() < 20 * 0.5
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        return order

    limits = LoopLimits(executor_delay_s_max=0.5)
    assert run_virtual(main, seed=3, limits=limits) == list(range(20))


def test_a_job_for_an_executor_is_done_even_if_nobody_waits_any_more() -> None:
    async def main(loop: VirtualLoop) -> list[str]:
        done: list[str] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.0001):
                await loop.run_in_executor(None, done.append, "written")
        await asyncio.sleep(1)
        return done

    assert run_virtual(main, seed=3, limits=LoopLimits(executor_delay_s_max=0.5)) == ["written"]


def test_a_failure_that_nobody_saw_fails_the_run() -> None:
    async def main(loop: VirtualLoop) -> None:
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)

    with pytest.raises(UnhandledError, match="division"):
        run_virtual(main, seed=1)


def test_tasks_left_over_are_cancelled_in_order_of_birth() -> None:
    ended: list[int] = []

    async def main(loop: VirtualLoop) -> None:
        async def leftover(n: int) -> None:
            try:
                await loop.create_future()
            finally:
                await asyncio.sleep(1)
                ended.append(n)

        for n in range(10):
            loop.create_task(leftover(n))
        await asyncio.sleep(1)

    run_virtual(main, seed=1)
    assert ended == list(range(10))
