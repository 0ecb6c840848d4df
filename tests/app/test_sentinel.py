"""The sentinel beside the exchange in the box: when it acts, what it leaves, when it ends."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

from mmbot.store.lease import Lease, sentinel_lease
from tests.app.sentinel_stage import NS, Stage, sentinel


def test_while_the_daemon_beats_nothing_is_touched() -> None:
    async def play(stage: Stage) -> None:
        await stage.place(3)
        await stage.beats(60)
        assert stage.resting == 3
        assert not stage.tripped()
        assert stage.count("cancel") == 0
        assert stage.count("login") == 1

    sentinel(play)


def test_without_a_daemon_it_waits() -> None:
    async def play(stage: Stage) -> None:
        await stage.place(1)
        await asyncio.sleep(600)
        assert stage.resting == 1
        assert not stage.post.levels().armed

    sentinel(play)


# faults: H14
def test_a_lease_that_runs_out_flattens_latches_and_is_verified() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(5)
        await stage.place(30)
        await asyncio.sleep(4.9)  # the last beat was a second before
        assert stage.resting == 30
        await asyncio.sleep(1)
        assert stage.resting == 0
        assert stage.latch.latched
        assert "no heartbeat" in stage.latch.reason
        await asyncio.sleep(11)
        trip = stage.trip
        assert trip.verified_ns is not None
        assert trip.verified_ns - trip.at_ns < 15 * NS
        assert stage.post.levels().verified
        assert stage.logged.count("SentinelTripped") == 1

    sentinel(play)


def test_what_arrives_before_the_bound_is_found_and_cancelled() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(3)
        await stage.place(2)
        await asyncio.sleep(20)
        assert stage.post.levels().verified
        for _ in range(4):
            await stage.place(1)
            await asyncio.sleep(10)
            assert stage.resting == 0
        await asyncio.sleep(30)
        assert stage.trip.done
        asked = len(stage.asked)
        await asyncio.sleep(20)
        assert stage.count("cancel") == sum("cancel" in path for _, path in stage.asked[:asked])

    sentinel(play)


def test_a_daemon_that_left_in_order_is_not_missed() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(3)
        await stage.beats(1, ended=True)
        await asyncio.sleep(120)
        assert not stage.tripped()
        assert not stage.latch.latched
        await stage.beats(3, ended=False)
        assert stage.post.levels().armed
        await asyncio.sleep(8)
        assert stage.latch.latched

    sentinel(play)


def test_a_lease_file_that_is_gone_is_a_lease_that_ran_out() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(3)
        (stage.folder / "daemon.lease").unlink()
        await asyncio.sleep(7)
        assert stage.latch.latched

    sentinel(play)


def test_a_daemon_that_cannot_hear_the_exchange_is_flattened_by_one_that_does() -> None:
    async def play(stage: Stage) -> None:
        await stage.place(2)
        await stage.beats(5, deaf_s=15.0)
        assert stage.resting == 2
        await stage.beats(3, deaf_s=15.1)
        assert stage.resting == 0
        assert stage.latch.latched

    sentinel(play)


def test_when_nobody_hears_the_exchange_nobody_is_to_blame() -> None:
    async def play(stage: Stage) -> None:
        await stage.place(2)
        await stage.beats(2)
        stage.blocked = True
        await stage.beats(40)
        await stage.beats(60, deaf_s=60.0)
        assert not stage.tripped()
        stage.blocked = False
        await stage.beats(10, deaf_s=0.1)
        assert not stage.tripped()
        assert stage.resting == 2

    sentinel(play)


def test_cut_off_itself_it_flattens_as_soon_as_it_can() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(3)
        await stage.place(5)
        stage.blocked = True
        await asyncio.sleep(200)
        assert stage.latch.latched  # that needs no exchange
        assert stage.resting == 5
        assert not stage.trip.done
        stage.blocked = False
        await asyncio.sleep(5)
        assert stage.resting == 0
        await asyncio.sleep(15)
        assert stage.trip.done

    sentinel(play)


def test_a_person_resumes_and_it_is_armed_again() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(3)
        await asyncio.sleep(12)
        await stage.beats(20, halted=True)  # a new daemon, which read the latch
        assert stage.tripped()
        stage.latch.release()
        await stage.beats(3, halted=False)
        assert not stage.tripped()
        await stage.place(2)
        await stage.beats(20)
        assert stage.resting == 2
        await asyncio.sleep(8)
        assert stage.resting == 0
        assert stage.post.sentinel.trips == 2

    sentinel(play)


# faults: J1
def test_a_daemon_that_thaws_and_beats_is_still_to_be_halted() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(3)
        await asyncio.sleep(60)
        await stage.place(1)
        await stage.beats(2)  # it has not read the latch yet
        await stage.beats(60, halted=True)
        assert stage.resting == 0
        assert not stage.trip.done  # 72 s after the last beat of a daemon that was not halted
        await stage.beats(25, halted=True)
        assert stage.trip.done

    sentinel(play)


def test_a_latch_that_cannot_be_set_is_tried_until_it_can() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(3)
        away = stage.folder.with_name(f"{stage.folder.name}-away")
        stage.folder.rename(away)
        await asyncio.sleep(10)
        assert stage.trip.latched_ns is None
        away.rename(stage.folder)
        await asyncio.sleep(1)
        assert stage.latch.latched

    sentinel(play)


def test_where_only_ours_are_to_be_cancelled_a_persons_orders_stay() -> None:
    async def play(stage: Stage) -> None:
        await stage.place(3)
        await stage.beats(3)
        await asyncio.sleep(20)
        assert stage.resting == 3
        assert stage.post.levels().verified
        assert stage.count("cancel") == 0

    sentinel(play, scope="ours")


def test_lost_answers_and_refusals_end_in_an_empty_account() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(3)
        await stage.place(25)
        await stage.faults(
            {"fault": "reply_reset", "rate": 0.4, "on": ["cancel"]},
            {"fault": "error_before", "rate": 0.4, "on": ["cancel"]},
            {"fault": "request_hangs", "rate": 0.1, "on": ["cancel"]},
        )
        await asyncio.sleep(60)
        assert stage.resting == 0
        assert stage.post.levels().verified

    sentinel(play)


def test_seed_is_flattened_by_order_where_there_is_no_mass_cancel() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(3)
        await stage.place(45)
        stage.no_mass_cancel = True
        await asyncio.sleep(30)
        assert stage.resting == 0
        assert stage.count("cancel_batch_orders") >= 3
        assert stage.post.levels().verified

    sentinel(play, dialect="seed")


def test_its_requests_stay_within_its_share() -> None:
    async def play(stage: Stage) -> None:
        stage.no_mass_cancel = True
        await stage.beats(3)
        await stage.place(100)
        await asyncio.sleep(60)
        times = [at_ns for at_ns, _ in stage.asked]
        assert all(fourth - first > NS for first, fourth in zip(times, times[3:], strict=False))

    sentinel(play)


def test_only_reads_of_what_was_after_the_cancel_verify() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(3)
        await stage.place(5)
        await asyncio.sleep(12)
        assert stage.resting == 0
        assert not stage.post.levels().verified  # the copy that is read stands 20 s back
        await asyncio.sleep(30)
        assert stage.post.levels().verified
        assert stage.count("order_history") >= 3 * 6

    sentinel(play, session={"reporting_lag_s": 20.0})


def test_one_empty_read_is_not_enough() -> None:
    async def play(stage: Stage) -> None:
        await stage.beats(3)
        counts = []
        for _ in range(200):
            await asyncio.sleep(0.1)
            if not stage.post.levels().verified:
                counts.append(stage.count("order_history"))
        assert stage.post.levels().verified
        assert counts[-1] >= 3 * 2 + 2  # three questions are one look; the first is too early

    sentinel(play)


def test_it_beats_while_it_hears_the_exchange_and_not_longer() -> None:
    async def play(stage: Stage) -> None:
        seen: list[Lease | None] = []
        for _ in range(3):
            await asyncio.sleep(5)
            seen.append(sentinel_lease(stage.folder).read())
        beats = [one.beat for one in seen if one is not None]
        assert all(later > earlier for earlier, later in pairwise(beats))
        stage.blocked = True
        await asyncio.sleep(30)
        last = sentinel_lease(stage.folder).read()
        await asyncio.sleep(10)
        assert sentinel_lease(stage.folder).read() == last

    sentinel(play)


def test_watching_costs_little() -> None:
    async def play(stage: Stage) -> None:
        began_s = time.process_time()
        await stage.beats(600)
        assert stage.count("login") == 1
        assert len(stage.asked) < 600
        assert time.process_time() - began_s < 10

    sentinel(play)
