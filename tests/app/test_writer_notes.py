"""Notes are kept soon, and no placement ever waits for one."""
# faults: H1

from __future__ import annotations

from mmbot.app.writer import NOTE_WAIT_S, NOTES_APART_MAX, NOTES_WAITING_MAX
from mmbot.domain.notes import RequestSent, ResendDecided
from mmbot.runtime.clock import LoopClock
from mmbot.store.journal import JournalError
from tests.app.parts import Desk, Disk, beside, in_virtual_time, intent, placement


def a_note(number: int) -> RequestSent:
    return RequestSent(number, "place", (), number)


def test_a_note_rides_with_the_next_commit_on_which_nothing_depends() -> None:
    async def work(clock: LoopClock) -> None:
        desk = Desk(Disk(clock), clock)
        writer = desk.writer()

        async def order() -> None:
            writer.note(a_note(1))
            writer.enqueue([intent("mm-1")], [placement("mm-1")])
            await clock.sleep(0.01)
            assert desk.disk.kept == [intent("mm-1")]  # a placement waited for this commit
            writer.enqueue([intent("mm-2")], [])
            await clock.sleep(0.01)
            assert desk.disk.kept[1:] == [intent("mm-2"), a_note(1)]
            assert writer.times.count == 2

        await beside(writer.run, order)

    in_virtual_time(work)


def test_alone_it_is_kept_within_its_wait() -> None:
    async def work(clock: LoopClock) -> None:
        desk = Desk(Disk(clock), clock)
        writer = desk.writer()

        async def order() -> None:
            writer.note(a_note(1))
            writer.note(a_note(2))
            idle = [writer.idle]  # the end of the daemon waits for it
            await clock.sleep(NOTE_WAIT_S + 0.01)
            assert desk.disk.kept == [a_note(1), a_note(2)]
            assert [*idle, writer.idle] == [False, True]
            writer.note(a_note(3))
            await clock.sleep(NOTE_WAIT_S + 0.01)
            assert writer.times.count == 2

        await beside(writer.run, order)

    in_virtual_time(work)


def test_a_resend_whose_decision_is_noted_leaves_at_once() -> None:
    async def work(clock: LoopClock) -> None:
        desk = Desk(Disk(clock), clock)
        writer = desk.writer()

        async def order() -> None:
            await clock.sleep(0.001)
            again = ResendDecided(intent("mm-1").order.external_id, None, 7)
            writer.enqueue([again], [placement("mm-1", resend=True)])
            assert desk.released == ["mm-1"]
            await clock.sleep(NOTE_WAIT_S + 0.01)
            assert desk.disk.kept == [again]

        await beside(writer.run, order)

    in_virtual_time(work)


def test_a_note_that_comes_due_during_a_commit_is_kept_after_it() -> None:
    async def work(clock: LoopClock) -> None:
        desk = Desk(Disk(clock, [NOTE_WAIT_S * 2, 0.001, 0.001]), clock)
        writer = desk.writer()

        async def order() -> None:
            writer.enqueue([intent("mm-1")], [placement("mm-1")])
            writer.note(a_note(1))
            await clock.sleep(NOTE_WAIT_S * 2 + 0.05)
            assert desk.disk.kept == [intent("mm-1"), a_note(1)]

        await beside(writer.run, order)

    in_virtual_time(work)


def test_a_pile_of_notes_rides_with_any_commit() -> None:
    async def work(clock: LoopClock) -> None:
        desk = Desk(Disk(clock), clock)
        writer = desk.writer()

        async def order() -> None:
            for number in range(NOTES_APART_MAX + 1):
                writer.note(a_note(number))
            writer.enqueue([intent("mm-1")], [placement("mm-1")])
            await clock.sleep(0.01)
            assert len(desk.disk.kept) == NOTES_APART_MAX + 2
            assert desk.disk.kept[0] == intent("mm-1")

        await beside(writer.run, order)

    in_virtual_time(work)


def test_while_the_disk_fails_notes_are_bounded_and_those_taken_are_not_lost() -> None:
    async def work(clock: LoopClock) -> None:
        full = JournalError("the ledger could not be written: disk is full")
        desk = Desk(Disk(clock, [full, full]), clock)
        writer = desk.writer()

        async def order() -> None:
            writer.note(a_note(1))
            await clock.sleep(NOTE_WAIT_S + 0.01)
            for number in range(2, NOTES_WAITING_MAX + 100):
                writer.note(a_note(number))
            await clock.sleep(5)
            assert desk.disk.kept[0] == a_note(1)
            assert len(desk.disk.kept) == NOTES_WAITING_MAX + 1

        await beside(writer.run, order)

    in_virtual_time(work)
