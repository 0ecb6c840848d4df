"""The engine's inbox: what is conflated, what never is, and when it wakes."""

# faults: E15

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from mmbot.domain.book import Book
from mmbot.domain.errors import Stop
from mmbot.domain.events import BookUpdated, FairUpdated, OperatorSaid, PlaceLost
from mmbot.domain.ids import ExternalId, LineId, StrikeId
from mmbot.runtime.clock import NS_PER_S, LoopClock
from mmbot.runtime.inbox import Inbox
from mmbot.sim.virtual.loop import EPOCH_NS, VirtualLoop, run_virtual

T = TypeVar("T")


def virtually(scene: Coroutine[Any, Any, T]) -> T:
    def main(loop: VirtualLoop) -> Coroutine[Any, Any, T]:
        return scene

    return run_virtual(main, seed=1)


def a_book(line: str, received_ns: int) -> BookUpdated:
    return BookUpdated(Book(LineId(line), received_ns=received_ns))


def a_fair(strike: str, source: str, prob: float) -> FairUpdated:
    return FairUpdated(StrikeId(strike), prob, 0.1, source, 0, 0)


def a_loss(n: int) -> PlaceLost:
    return PlaceLost(ExternalId(f"mm-1-{n}"), "timeout")


def test_only_the_newest_book_of_a_line_and_fair_of_a_source_is_kept() -> None:
    async def scene() -> None:
        inbox = Inbox(LoopClock(EPOCH_NS))
        for event in (
            a_book("a", 1), a_fair("s", "x", 0.4), a_book("b", 1), a_book("a", 2),
            a_fair("s", "y", 0.5), a_fair("s", "x", 0.6),
        ):  # fmt: skip
            inbox.put(event)
        assert await inbox.batch() == [
            a_book("b", 1), a_book("a", 2), a_fair("s", "y", 0.5), a_fair("s", "x", 0.6),
        ]  # fmt: skip
        assert inbox.conflated_total == 2

    virtually(scene())


def test_what_a_read_shows_does_not_hide_what_the_stream_showed() -> None:
    async def scene() -> None:
        inbox = Inbox(LoopClock(EPOCH_NS))
        streamed, read = a_book("a", 1), BookUpdated(a_book("a", 2).book, asked_ns=1)
        newer = BookUpdated(a_book("a", 3).book, asked_ns=2)
        for event in (streamed, read, newer):
            inbox.put(event)
        assert await inbox.batch() == [streamed, newer]

    virtually(scene())


def test_order_events_are_all_kept_in_their_order() -> None:
    async def scene() -> None:
        inbox = Inbox(LoopClock(EPOCH_NS))
        losses = [a_loss(1), a_loss(1), a_loss(2), a_loss(1)]
        for loss in losses:
            inbox.put(loss)
            inbox.put(a_book("a", 1))
        assert [event for event in await inbox.batch() if isinstance(event, PlaceLost)] == losses

    virtually(scene())


def test_a_burst_of_books_stays_as_small_as_the_number_of_lines() -> None:
    async def scene() -> None:
        inbox = Inbox(LoopClock(EPOCH_NS), events_max=26)
        for n in range(5_000):
            inbox.put(a_book(f"line {n % 26}", n))
        assert len(inbox) == 26

    virtually(scene())


def test_when_nobody_consumes_any_more_the_process_stops_instead_of_forgetting() -> None:
    async def scene() -> None:
        inbox = Inbox(LoopClock(EPOCH_NS), events_max=3)
        for n in range(3):
            inbox.put(a_loss(n))
        with pytest.raises(Stop, match="inbox is full"):
            inbox.put(a_loss(3))

    virtually(scene())


def test_it_waits_for_the_first_event() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        inbox = Inbox(LoopClock(EPOCH_NS))
        loop.call_later(3, inbox.put, a_loss(1))
        assert await inbox.batch() == [a_loss(1)]
        assert loop.time() == pytest.approx(3)

    virtually(scene())


def test_wake_at_returns_an_empty_batch_once() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        clock = LoopClock(EPOCH_NS)
        inbox = Inbox(clock)
        inbox.wake_at(clock.now_ns() + 2 * NS_PER_S)
        assert await inbox.batch() == []
        assert loop.time() == pytest.approx(2)
        loop.call_later(5, inbox.put, a_loss(1))
        assert await inbox.batch() == [a_loss(1)]
        assert loop.time() == pytest.approx(7)

    virtually(scene())


def test_an_earlier_wish_to_wake_counts_while_it_already_waits() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        clock = LoopClock(EPOCH_NS)
        inbox = Inbox(clock)
        inbox.wake_at(clock.now_ns() + 60 * NS_PER_S)
        loop.call_later(1, inbox.wake_at, clock.now_ns() + 4 * NS_PER_S)
        assert await inbox.batch() == []
        assert loop.time() == pytest.approx(4)

    virtually(scene())


def test_the_lag_is_the_age_of_the_oldest_event_taken() -> None:
    async def scene() -> None:
        inbox = Inbox(LoopClock(EPOCH_NS))
        inbox.put(OperatorSaid("pause", "test"))
        await asyncio.sleep(1.5)
        inbox.put(a_loss(1))
        await inbox.batch()
        assert inbox.lag_ns == pytest.approx(1.5 * NS_PER_S)
        assert inbox.lag_max_ns == inbox.lag_ns

    virtually(scene())
