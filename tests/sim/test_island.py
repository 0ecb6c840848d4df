"""The death of one participant: nothing of it runs again, and everybody else lives on."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from mmbot.sim.virtual.loop import LoopLimits, VirtualLoop, run_virtual


# faults: H1 H3
class _Daemon:
    """A participant with every construct that could run something after its death."""

    def __init__(self, said: list[str], inbox: asyncio.Queue[str]) -> None:
        self.said = said
        self.inbox = inbox

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.ticks())
            group.create_task(self.reads())
            group.create_task(self.streams())
            asyncio.get_running_loop().call_later(7.5, self.said.append, "timer")

    async def ticks(self) -> None:
        try:
            while True:
                await asyncio.sleep(1)
                self.said.append("tick")
        finally:
            self.said.append("last words")
            await asyncio.sleep(1)
            self.said.append("more last words")

    async def reads(self) -> None:
        try:
            while True:
                self.said.append(await self.inbox.get())
        except asyncio.CancelledError:
            self.said.append("cancelled")
            raise

    async def numbers(self) -> AsyncIterator[int]:
        try:
            for n in range(1000):
                yield n
                await asyncio.sleep(1)
        finally:
            self.said.append("generator closed")

    async def streams(self) -> None:
        async for n in self.numbers():
            self.said.append(f"number {n}")


def test_a_crash_runs_no_finally_and_everybody_else_lives_on() -> None:
    said: list[str] = []

    async def main(loop: VirtualLoop) -> int:
        inbox: asyncio.Queue[str] = asyncio.Queue()
        island = loop.island("daemon")
        island.start(_Daemon(said, inbox).run())
        await asyncio.sleep(3.5)
        inbox.put_nowait("letter")
        await asyncio.sleep(0.1)
        inbox.put_nowait("too late")  # its reader is ready to run when the crash comes
        island.abandon()
        assert await island.ended() is False
        before = len(said)
        await asyncio.sleep(100)
        inbox.put_nowait("to the dead")
        await asyncio.sleep(100)
        gc.collect()
        assert all(task.get_name() != "daemon" for task in asyncio.all_tasks())
        assert len(said) == before
        return before

    before = run_virtual(main, seed=1)
    assert {"tick", "letter", "number 3"} <= set(said[:before])
    assert not {"timer", "too late", "cancelled", "last words"} & set(said[:before])
    gc.collect()  # frames are closed, and no warning is left to appear later


def test_a_crash_from_inside_ends_at_the_next_wait() -> None:
    said: list[str] = []

    async def main(loop: VirtualLoop) -> None:
        island = loop.island("daemon")

        async def child() -> None:
            said.append("child")

        async def suicidal() -> None:
            try:
                island.abandon()
                loop.create_task(child())
                loop.call_soon(said.append, "callback")
                said.append("same step")
                await asyncio.sleep(0)
                said.append("next step")
            finally:
                if not loop.is_closed():
                    said.append("finally")

        island.start(suicidal())
        assert await island.ended() is False
        await asyncio.sleep(10)
        assert said == ["same step"]

    run_virtual(main, seed=1)


def test_an_island_can_end_by_itself_fail_or_be_cancelled() -> None:
    async def main(loop: VirtualLoop) -> None:
        async def fine() -> None:
            await asyncio.sleep(1)

        async def broken() -> None:
            raise OSError("disk")

        well, ill, stopped = (loop.island(name) for name in ("well", "ill", "stopped"))
        well.start(fine())
        ill.start(broken())
        stopped.start(fine())
        stopped.cancel()
        assert await well.ended() is True
        with pytest.raises(OSError, match="disk"):
            await ill.ended()
        with pytest.raises(asyncio.CancelledError):
            await stopped.ended()

    run_virtual(main, seed=1)


def test_an_error_unseen_in_a_dead_participant_is_nobodys_business() -> None:
    async def main(loop: VirtualLoop) -> None:
        async def fails() -> None:
            raise OSError("gone with it")

        async def parent() -> None:
            loop.create_task(fails())
            await asyncio.sleep(5)

        island = loop.island("daemon")
        island.start(parent())
        await asyncio.sleep(1)
        island.abandon()

    run_virtual(main, seed=1)


def test_a_crash_may_fall_before_or_after_the_work_of_an_executor() -> None:
    written: list[bool] = []

    async def main(loop: VirtualLoop) -> None:
        disk: list[str] = []

        async def daemon() -> None:
            await loop.run_in_executor(None, disk.append, "intent")
            disk.append("sent")

        island = loop.island("daemon")
        island.start(daemon())
        await asyncio.sleep(0.1)
        island.abandon()
        await asyncio.sleep(10)
        written.append(disk == ["intent"])

    for seed in range(12):
        run_virtual(main, seed=seed, limits=LoopLimits(executor_delay_s_max=1.0))
    assert {True, False} == set(written)


# faults: J1
def test_a_frozen_island_does_nothing_and_goes_on_in_order_when_it_thaws() -> None:
    said: list[str] = []

    async def main(loop: VirtualLoop) -> None:
        inbox: asyncio.Queue[str] = asyncio.Queue()
        island = loop.island("daemon")
        island.start(_Daemon(said, inbox).run())
        await asyncio.sleep(2.5)
        inbox.put_nowait("its reader is ready to run")
        island.freeze()
        before = list(said)
        await asyncio.sleep(60)
        inbox.put_nowait("came meanwhile")
        await asyncio.sleep(1)
        assert said == before
        island.thaw()
        await asyncio.sleep(0.001)
        assert sorted(said[len(before) :]) == sorted(
            ["its reader is ready to run", "came meanwhile", "tick", "number 3", "timer"]
        )
        await asyncio.sleep(3)
        assert said[-2:] == ["tick", "number 6"] or said[-2:] == ["number 6", "tick"]
        island.abandon()

    run_virtual(main, seed=1)


def test_a_frozen_island_can_be_killed_and_does_not_outlive_its_run() -> None:
    said: list[str] = []

    async def main(loop: VirtualLoop) -> None:
        killed, left = loop.island("killed"), loop.island("left")
        for island in (killed, left):
            island.start(_Daemon(said, asyncio.Queue()).run())
        await asyncio.sleep(1.5)
        before = len(said)
        for island in (killed, left):
            island.freeze()
        await asyncio.sleep(10)
        killed.abandon()
        killed.thaw()
        await asyncio.sleep(10)
        assert await killed.ended() is False
        assert len(said) == before

    run_virtual(main, seed=1)
    assert said.count("cancelled") == 1  # that which was left ends with the run
