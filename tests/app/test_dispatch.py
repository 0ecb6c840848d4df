"""Commands become calls and answers events; the last look before a write drops what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mmbot.app.departure import Cleared, LastLook
from mmbot.app.dispatch import Dispatcher, Writes
from mmbot.domain.commands import (
    CancelEverything,
    CancelOrders,
    CancelRef,
    CancelSportEvent,
    ReadBalance,
    ReadHistory,
    ReadOrder,
    SweepStrike,
)
from mmbot.domain.errors import FindOut
from mmbot.domain.events import BalanceSeen, CancelAcknowledged, Event, PlaceNotSent, ReadFailed
from mmbot.domain.ids import ExternalId, OrderId, SportEventId
from mmbot.domain.order import Order
from mmbot.engine.ports import PlaceOrders
from mmbot.engine.risk import Approved
from mmbot.runtime.clock import LoopClock
from tests.app.parts import beside, in_virtual_time, placement
from tests.engine.situations import LADDER, NOW_NS

REFS = (CancelRef(ExternalId("mm-1"), OrderId("o-1")),)


class Exchange:
    """Answers after a second; `asked` is what reached it."""

    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self.asked: list[str] = []
        self.broken = False
        self.waits_s = 0.0  # for a token or for the rate budget
        self.refused: list[str] = []

    async def _answer(self, asked: str) -> None:
        self.asked.append(asked)
        await self._clock.sleep(1)
        if self.broken:
            raise FindOut("connection lost")

    async def read_order(self, command: ReadOrder) -> Sequence[Event]:
        await self._answer("order")
        return ()

    async def read_history(self, command: ReadHistory) -> Sequence[Event]:
        await self._answer("history")
        return ()

    async def read_markets(self, event_ids: Sequence[SportEventId]) -> Sequence[Event]:
        await self._answer("markets")
        return ()

    async def read_balance(self) -> Sequence[Event]:
        await self._answer("balance")
        return (BalanceSeen(5, NOW_NS, 5),)

    async def read_transactions(self, from_ns: int) -> Sequence[Event]:
        await self._answer("transactions")
        return ()

    async def read_trades(self, from_ns: int) -> Sequence[Event]:
        await self._answer("trades")
        return ()

    async def load_ladder(self) -> Event:
        raise AssertionError(LADDER)

    async def place(self, orders: Sequence[Approved], cleared: Cleared) -> Sequence[Event]:
        await self._clock.sleep(self.waits_s)
        if self.broken:
            return [PlaceNotSent(one.order.external_id, "no token") for one in orders]
        if reason := await cleared():
            self.refused.append(reason)
            return ()
        await self._answer(f"place {' '.join(o.order.external_id for o in orders)}")
        return ()

    async def cancel(self, refs: Sequence[CancelRef]) -> Sequence[Event]:
        await self._answer("cancel")
        return [CancelAcknowledged(ref.external_id, "success") for ref in refs]

    async def sweep(self, command: SweepStrike) -> Sequence[Event]:
        await self._answer("sweep")
        return ()

    async def cancel_event(self, command: CancelSportEvent) -> Sequence[Event]:
        await self._answer(f"cancel event {command.event_id}")
        return ()

    async def cancel_everything(self, refs: Sequence[CancelRef]) -> Sequence[Event]:
        await self._answer("cancel everything")
        return ()


class Bench:
    def __init__(self, clock: LoopClock, writes: bool = True, drop: str = "") -> None:
        self.exchange = Exchange(clock)
        self.told: list[Event] = []
        self.drop = drop
        self.kept: set[str] = set()  # whatever `drop` says
        given: Writes | None = self.exchange if writes else None
        look = LastLook(self._drop_reason, clock)
        self.dispatcher = Dispatcher(self.exchange, given, self.told.append, look)

    def _drop_reason(self, order: Order, turn: int, now_ns: int) -> str:
        return self.drop if order.external_id not in self.kept else ""

    def place(self, placement: PlaceOrders) -> None:
        self.dispatcher.departure(placement).release()


def test_every_command_is_one_call_and_its_answer_an_event() -> None:
    async def work(clock: LoopClock) -> None:
        bench = Bench(clock)

        async def order() -> None:
            bench.dispatcher.commands([CancelOrders(REFS), ReadBalance()])
            bench.place(placement("mm-1", "mm-2"))
            await clock.sleep(0.5)
            assert bench.dispatcher.in_flight == 3
            await clock.sleep(1)
            assert bench.dispatcher.in_flight == 0

        await beside(bench.dispatcher.run, order)
        assert bench.exchange.asked == ["cancel", "balance", "place mm-1 mm-2"]
        assert set(bench.told) == {
            CancelAcknowledged(ExternalId("mm-1"), "success"),
            BalanceSeen(5, NOW_NS, 5),
        }

    in_virtual_time(work)


def test_a_read_under_way_is_not_asked_twice_but_again_afterwards() -> None:
    async def work(clock: LoopClock) -> None:
        bench = Bench(clock)

        async def order() -> None:
            for wait_s in (0.1, 2, 2):
                bench.dispatcher.commands([ReadBalance()])
                await clock.sleep(wait_s)

        await beside(bench.dispatcher.run, order)
        assert bench.exchange.asked == ["balance", "balance"]

    in_virtual_time(work)


def test_a_failed_read_is_told_and_may_be_asked_again() -> None:
    async def work(clock: LoopClock) -> None:
        bench = Bench(clock)
        bench.exchange.broken = True

        async def order() -> None:
            bench.dispatcher.commands([ReadBalance()])
            await clock.sleep(2)
            bench.exchange.broken = False
            bench.dispatcher.commands([ReadBalance()])
            await clock.sleep(2)

        await beside(bench.dispatcher.run, order)
        assert bench.told == [ReadFailed("ReadBalance", "connection lost"),
                              BalanceSeen(5, NOW_NS, 5)]  # fmt: skip

    in_virtual_time(work)


def test_what_the_last_look_refuses_is_told_as_not_sent() -> None:
    async def work(clock: LoopClock) -> None:
        bench = Bench(clock, drop="blind")

        async def order() -> None:
            bench.place(placement("mm-1"))
            bench.place(placement("mm-2", resend=True))
            await clock.sleep(2)

        await beside(bench.dispatcher.run, order)
        assert bench.exchange.asked == []
        # The second was a resend: it is as much in doubt as before, and may be sent again.
        assert bench.told == [PlaceNotSent(ExternalId(i), "blind") for i in ("mm-1", "mm-2")]

    in_virtual_time(work)


# faults: H12
def test_what_waited_for_a_token_or_for_budget_is_looked_at_once_more() -> None:
    async def work(clock: LoopClock) -> None:
        bench = Bench(clock)

        async def order() -> None:
            bench.exchange.waits_s = 1.5
            bench.place(placement("mm-1"))
            await clock.sleep(1)
            bench.drop = "halted"
            await clock.sleep(5)

        await beside(bench.dispatcher.run, order)
        assert bench.exchange.refused == ["halted"]
        assert bench.exchange.asked == []

    in_virtual_time(work)


@pytest.mark.parametrize(("waits_s", "leaves"), [(1.9, True), (2.1, False)])
@pytest.mark.parametrize("resend", [False, True])
def test_what_waits_for_its_turn_leaves_soon_or_never(
    waits_s: float, leaves: bool, resend: bool
) -> None:
    """The arrival bound of a resend counts on it."""

    async def work(clock: LoopClock) -> None:
        bench = Bench(clock)

        async def order() -> None:
            bench.exchange.waits_s = waits_s
            bench.place(placement("mm-1", resend=resend))
            await clock.sleep(5)

        await beside(bench.dispatcher.run, order)
        assert bench.exchange.asked == ["place mm-1"] * leaves
        assert bench.exchange.refused == ["decided too long ago"] * (not leaves)

    in_virtual_time(work)


@pytest.mark.parametrize("resend", [False, True])
def test_what_slept_for_seconds_is_not_sent_any_more(resend: bool) -> None:
    async def work(clock: LoopClock) -> None:
        bench = Bench(clock)

        async def order() -> None:
            old = placement("mm-1", resend=resend)
            bench.place(replace(old, decided_ns=NOW_NS - 3_000_000_000))
            await clock.sleep(2)

        await beside(bench.dispatcher.run, order)
        assert bench.exchange.asked == []
        assert bench.told == [PlaceNotSent(ExternalId("mm-1"), "decided too long ago")]

    in_virtual_time(work)


def test_without_the_write_half_nothing_is_written() -> None:
    async def work(clock: LoopClock) -> None:
        bench = Bench(clock, writes=False)

        async def order() -> None:
            bench.dispatcher.commands([CancelOrders(REFS), CancelEverything(), ReadBalance()])
            bench.place(placement("mm-1"))
            await clock.sleep(2)

        await beside(bench.dispatcher.run, order)
        assert bench.exchange.asked == ["balance"]
        assert PlaceNotSent(ExternalId("mm-1"), "observe mode") in bench.told

    in_virtual_time(work)


def test_what_is_ready_waits_for_its_intent_and_then_leaves() -> None:
    async def work(clock: LoopClock) -> None:
        bench = Bench(clock)

        async def order() -> None:
            departure = bench.dispatcher.departure(placement("mm-1", "mm-2"))
            departure.prepare()
            await clock.sleep(1)
            assert bench.exchange.asked == []
            departure.release()
            await clock.sleep(2)

        await beside(bench.dispatcher.run, order)
        assert bench.exchange.asked == ["place mm-1 mm-2"]
        assert bench.told == []

    in_virtual_time(work)


def test_without_its_intent_it_never_leaves() -> None:
    async def work(clock: LoopClock) -> None:
        bench = Bench(clock)

        async def order() -> None:
            departure = bench.dispatcher.departure(placement("mm-1"))
            departure.prepare()
            await clock.sleep(1)
            departure.withhold("journal failed")
            await clock.sleep(2)
            assert bench.dispatcher.in_flight == 0

        await beside(bench.dispatcher.run, order)
        assert bench.exchange.asked == []
        assert bench.told == [PlaceNotSent(ExternalId("mm-1"), "journal failed")]

    in_virtual_time(work)


def test_of_a_ready_batch_the_rest_leaves_when_one_is_dropped() -> None:
    async def work(clock: LoopClock) -> None:
        bench = Bench(clock, drop="blind")
        bench.kept.add("mm-2")

        async def order() -> None:
            departure = bench.dispatcher.departure(placement("mm-1", "mm-2"))
            departure.prepare()
            await clock.sleep(0.001)
            departure.release()
            await clock.sleep(2)

        await beside(bench.dispatcher.run, order)
        assert bench.exchange.asked == ["place mm-2"]
        assert bench.told == [PlaceNotSent(ExternalId("mm-1"), "blind")]

    in_virtual_time(work)


def test_what_failed_before_its_intent_was_durable_is_told_once_and_not_sent_again() -> None:
    async def work(clock: LoopClock) -> None:
        bench = Bench(clock)
        bench.exchange.broken = True

        async def order() -> None:
            departure = bench.dispatcher.departure(placement("mm-1"))
            departure.prepare()
            await clock.sleep(1)
            bench.exchange.broken = False
            departure.release()
            await clock.sleep(2)

        await beside(bench.dispatcher.run, order)
        assert bench.exchange.asked == []
        assert bench.told == [PlaceNotSent(ExternalId("mm-1"), "no token")]

    in_virtual_time(work)
