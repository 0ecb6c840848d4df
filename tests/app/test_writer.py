"""Durable first: what a failing or slow journal does to orders, and how it comes back."""

# faults: H1

from __future__ import annotations

from mmbot.domain.events import JournalStateChanged
from mmbot.runtime.clock import LoopClock
from mmbot.store.journal import JournalError
from tests.app.parts import Desk, Disk, beside, in_virtual_time, intent, placement

FULL = JournalError("the ledger could not be written: database or disk is full")


def a_desk(clock: LoopClock, *plan: float | JournalError) -> Desk:
    return Desk(Disk(clock, list(plan)), clock)


def states(desk: Desk) -> list[bool]:
    return [event.healthy for event in desk.told if isinstance(event, JournalStateChanged)]


def test_a_placement_leaves_after_the_commit_of_its_intent() -> None:
    async def work(clock: LoopClock) -> None:
        desk = a_desk(clock, 0.1)
        writer = desk.writer()

        async def order() -> None:
            writer.enqueue([intent("mm-1")], [placement("mm-1")])
            await clock.sleep(0.05)
            assert (desk.prepared, desk.released) == (["mm-1"], [])
            await clock.sleep(0.1)
            assert desk.released == ["mm-1"]
            assert desk.disk.kept == [intent("mm-1")]
            assert writer.idle

        await beside(writer.run, order)
        assert desk.told == []

    in_virtual_time(work)


def test_what_comes_during_a_commit_shares_the_next_one() -> None:
    async def work(clock: LoopClock) -> None:
        desk = a_desk(clock, 0.1)
        writer = desk.writer()

        async def order() -> None:
            for n in range(1, 4):
                writer.enqueue([intent(f"mm-{n}")], [placement(f"mm-{n}")])
                await clock.sleep(0.01)
            await clock.sleep(0.2)

        await beside(writer.run, order)
        assert desk.released == ["mm-1", "mm-2", "mm-3"]
        assert writer.times.count == 2

    in_virtual_time(work)


def test_a_failed_commit_keeps_its_entries_in_order_and_sends_nothing() -> None:
    async def work(clock: LoopClock) -> None:
        desk = a_desk(clock, FULL, FULL)
        writer = desk.writer()

        async def order() -> None:
            writer.enqueue([intent("mm-1")], [placement("mm-1"), placement("mm-0", resend=True)])
            await clock.sleep(0.1)
            assert states(desk) == [False]
            writer.enqueue([intent("mm-2")], [placement("mm-2")])
            assert not writer.idle
            await clock.sleep(3)
            writer.enqueue([intent("mm-3")], [placement("mm-3")])
            await clock.sleep(1)

        await beside(writer.run, order)
        assert desk.disk.kept == [intent("mm-1"), intent("mm-2"), intent("mm-3")]
        assert desk.withheld == ["mm-1", "mm-0", "mm-2"]
        assert desk.released == ["mm-3"]
        assert states(desk) == [False, True]

    in_virtual_time(work)


def test_a_hanging_commit_is_told_while_it_hangs_and_its_orders_do_not_leave() -> None:
    async def work(clock: LoopClock) -> None:
        desk = a_desk(clock, 30.0)
        writer = desk.writer()

        async def order() -> None:
            writer.enqueue([intent("mm-1")], [placement("mm-1")])
            await clock.sleep(1.5)
            assert states(desk) == [False]
            await clock.sleep(30)

        await beside(writer.run, order)
        assert desk.disk.kept == [intent("mm-1")]
        assert desk.released == []
        assert desk.withheld == ["mm-1"]
        assert states(desk) == [False, True]

    in_virtual_time(work)
