"""The queue in front of the rate budget, under the virtual clock."""

# faults: D7 D10

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from mmbot.domain.errors import TryAgain
from mmbot.runtime.clock import NS_PER_S, LoopClock
from mmbot.runtime.limiter import COUNTED_NS, Limiter, Priority
from mmbot.sim.virtual.loop import EPOCH_NS, VirtualLoop, run_virtual

COUNTED_S = COUNTED_NS / NS_PER_S + 0.001  # and a moment, as the queue looks a little late


def virtually(scene: Callable[[Limiter], Awaitable[None]], seed: int = 1) -> None:
    async def main(loop: VirtualLoop) -> None:
        limiter = Limiter(LoopClock(EPOCH_NS))
        await asyncio.sleep(1.001)  # the second before the start counts as full
        await scene(limiter)

    run_virtual(main, seed=seed)


def now_s() -> float:
    return asyncio.get_running_loop().time()


def test_higher_priority_first_and_in_order_of_asking_within_one() -> None:
    async def scene(limiter: Limiter) -> None:
        done: list[str] = []

        async def ask(priority: Priority, name: str, route: str = "submit_multiple_orders") -> None:
            await limiter.acquire(priority, route)
            done.append(name)

        async with asyncio.TaskGroup() as group:
            for n in range(25):
                group.create_task(ask(Priority.NEW, f"filler {n}"))
            await asyncio.sleep(0)
            group.create_task(ask(Priority.NEW, "NEW 0", "submit_order"))
            for priority in (Priority.AUDIT, Priority.NEW, Priority.REDUCE, Priority.CANCEL):
                for n in (1, 2):
                    group.create_task(ask(priority, f"{priority.name} {n}"))
        assert done[25:] == [
            "CANCEL 1", "CANCEL 2", "REDUCE 1", "REDUCE 2",
            "NEW 0", "NEW 1", "NEW 2", "AUDIT 1", "AUDIT 2",
        ]  # fmt: skip

    virtually(scene)


def test_a_cancel_leaves_at_once_behind_a_thousand_waiting_placements() -> None:
    async def scene(limiter: Limiter) -> None:
        async with asyncio.TaskGroup() as group:
            waiting = [
                group.create_task(limiter.acquire(Priority.NEW, "submit_multiple_orders"))
                for _ in range(1_000)
            ]
            await asyncio.sleep(0.5)
            before_s = now_s()
            for _ in range(15):
                await limiter.acquire(Priority.CANCEL, "cancel_multiple_orders")
            assert now_s() == before_s
            for task in waiting:
                task.cancel()
        assert limiter.waiting == 0

    virtually(scene)


def test_the_budget_is_what_would_leave_now_beyond_those_who_wait() -> None:
    async def scene(limiter: Limiter) -> None:
        assert limiter.placements_now() == 25
        for _ in range(25):
            await limiter.acquire(Priority.NEW, "submit_multiple_orders")
        assert limiter.placements_now() == 0
        assert limiter.placements_open_in_ns() / NS_PER_S == pytest.approx(COUNTED_S, abs=1e-3)
        await asyncio.sleep(COUNTED_S)
        assert limiter.placements_now() == 25
        assert limiter.placements_open_in_ns() == 0
        limiter.rest("submit_multiple_orders", round((now_s() + 4) * NS_PER_S))
        assert limiter.placements_open_in_ns() / NS_PER_S == pytest.approx(4)

    virtually(scene)


def test_a_query_route_waits_for_its_own_second_while_others_pass() -> None:
    async def scene(limiter: Limiter) -> None:
        began_s = now_s()
        times: list[float] = []

        async def ask(route: str) -> None:
            await limiter.acquire(Priority.DOUBT, route)
            times.append(now_s() - began_s)

        async with asyncio.TaskGroup() as group:
            for route in ("get_balance", "get_balance", "get_balance", "get_order_history"):
                group.create_task(ask(route))
        assert times == pytest.approx([0, 0, COUNTED_S, 2 * COUNTED_S], abs=0.005)

    virtually(scene)


def test_after_429_placements_wait_for_the_pause_and_go_on_by_themselves() -> None:
    async def scene(limiter: Limiter) -> None:
        limiter.pause(round((now_s() + 10) * NS_PER_S))
        began_s = now_s()
        await limiter.acquire(Priority.CANCEL, "cancel_multiple_orders")
        assert now_s() == began_s
        await limiter.acquire(Priority.NEW, "submit_multiple_orders")
        assert now_s() - began_s == pytest.approx(10, abs=0.001)

    virtually(scene)


@pytest.mark.parametrize("seed", range(5))
def test_under_any_traffic_no_second_holds_more_than_42_and_everyone_gets_through(
    seed: int,
) -> None:
    async def scene(limiter: Limiter) -> None:
        draw = random.Random(seed)
        sent_s: list[float] = []
        routes = ["submit_multiple_orders", "get_order", "get_balance", "get_order_history"]

        async def ask(after_s: float, priority: Priority, route: str) -> None:
            await asyncio.sleep(after_s)
            await limiter.acquire(priority, route)
            sent_s.append(now_s())

        async with asyncio.TaskGroup() as group:
            for _ in range(300):
                priority = draw.choice(list(Priority))
                route = "cancel_multiple_orders" if priority is Priority.CANCEL else None
                route = route or draw.choices(routes, weights=[80, 10, 2, 2])[0]
                group.create_task(ask(draw.uniform(0, 2), priority, route))
        assert len(sent_s) == 300
        for i, at_s in enumerate(sent_s):
            assert sum(1 for other in sent_s[: i + 1] if other >= at_s - 1) <= 42

    virtually(scene, seed)


def test_a_waiter_that_is_cancelled_gives_its_place_away() -> None:
    async def scene(limiter: Limiter) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(25):
                await limiter.acquire(Priority.NEW, "submit_multiple_orders")
            given_up = group.create_task(limiter.acquire(Priority.NEW, "submit_multiple_orders"))
            await asyncio.sleep(0)
            given_up.cancel()
            await limiter.acquire(Priority.NEW, "submit_multiple_orders")
        assert limiter.granted_total == 26

    virtually(scene)


def test_a_wall_clock_that_is_set_forward_opens_no_second_budget() -> None:
    class SetClock(LoopClock):
        set_by_ns = 0

        def now_ns(self) -> int:
            return super().now_ns() + self.set_by_ns

    async def main(loop: VirtualLoop) -> None:
        clock = SetClock(EPOCH_NS)
        limiter = Limiter(clock)
        await asyncio.sleep(1.001)
        for _ in range(25):
            await limiter.acquire(Priority.NEW, "submit_multiple_orders")
        clock.set_by_ns = 3_600 * NS_PER_S
        assert limiter.placements_now() == 0

    run_virtual(main, seed=1)


def test_reads_that_pile_up_keep_no_cancel_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmbot.runtime.limiter.WAITING_MAX", 50)
    monkeypatch.setattr("mmbot.runtime.limiter.URGENT_WAITING", 10)

    async def scene(limiter: Limiter) -> None:
        limiter.pause(round((now_s() + 60) * NS_PER_S))
        async with asyncio.TaskGroup() as group:
            reads = [
                group.create_task(limiter.acquire(Priority.DOUBT, "get_order")) for _ in range(40)
            ]
            await asyncio.sleep(0)
            with pytest.raises(TryAgain):
                await limiter.acquire(Priority.DOUBT, "get_order")
            await limiter.acquire(Priority.CANCEL, "cancel_multiple_orders")
            for read in reads:
                read.cancel()
        assert limiter.waiting == 0

    virtually(scene)


def test_a_route_that_rests_holds_up_itself_alone_and_goes_on_by_itself() -> None:
    async def scene(limiter: Limiter) -> None:
        began_s = now_s()
        limiter.rest("submit_multiple_orders", round((began_s + 10) * NS_PER_S))
        limiter.rest("cancel_multiple_orders", round((began_s + 10) * NS_PER_S))
        assert limiter.placements_now() == 0
        await limiter.acquire(Priority.CANCEL, "cancel_multiple_orders")
        await limiter.acquire(Priority.DOUBT, "get_order")
        assert now_s() == began_s
        await limiter.acquire(Priority.NEW, "submit_multiple_orders")
        assert now_s() - began_s == pytest.approx(10, abs=0.001)
        assert limiter.placements_now() == 24

    virtually(scene)
