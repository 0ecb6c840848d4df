"""The last cancel beside what fails: a broken step, a late order, a copy that lags, a person."""

# faults: H12

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mmbot.app.last_cancel import LAST_CANCEL_MAX_S, LastCancel
from mmbot.domain.commands import CancelRef, ReadHistory
from mmbot.domain.events import Event, HistoryRead, ReadFailed
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.ledger import Ledger
from mmbot.exchange.history_rows import one_by_one
from mmbot.runtime.clock import LoopClock
from tests.app.parts import in_virtual_time
from tests.builders import NOW, SECOND, a_ledger, a_report, an_open_order, an_order

Names = list[str]


class Venue:
    """Holds orders; `broken` steps raise, `lag_s` is how old its lists are."""

    def __init__(self, clock: LoopClock, orders: Sequence[Order], broken: Names) -> None:
        self.alive: dict[str, OrderReport] = {}
        self.asked: Names = []
        self.broken = broken
        self.lag_s = 0.0
        self.late: OrderReport | None = None  # lands after the second list, the known ones gone
        self._clock = clock
        for order in orders:
            self.add(a_report(order))

    def add(self, report: OrderReport) -> None:
        self.alive[report.order_id] = report

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.broken:
            raise TypeError(f"a bug in {what}")

    async def cancel(self, refs: Sequence[CancelRef]) -> Sequence[Event]:
        self._ask("cancel")
        for ref in refs:
            self.alive.pop(ref.order_id, None)
        return ()

    async def cancel_everything(self, refs: Sequence[CancelRef]) -> Sequence[Event]:
        self._ask("everything")
        self.alive.clear()
        return ()

    async def read_history(self, command: ReadHistory) -> Sequence[Event]:
        self._ask("read")
        assert command.alive_only
        if "answer" in self.broken:
            return (ReadFailed("ReadHistory", "503"),)
        now_ns = self._clock.now_ns()
        synced_ns = now_ns - round(self.lag_s * SECOND)
        reports = tuple(self.alive.values())
        if self.late is not None and self.asked.count("read") > 1:
            self.add(self.late)
            self.late = None
        whole = HistoryRead(command.from_ns, reports, synced_ns, now_ns, now_ns, True)
        if "next page" in self.broken:
            return (*one_by_one(whole), ReadFailed("ReadHistory", "502"))
        return (whole,)


class Scene:
    def __init__(self, broken: str = "", account: bool = False, orders: int = 3) -> None:
        self.ledger: Ledger = a_ledger(now_ns=NOW)
        self.orders = [an_open_order(self.ledger) for _ in range(orders)]
        self.broken = broken.split(", ")
        self.account = account
        self.late: OrderReport | None = None
        self.lag_s = 0.0
        self.extra: list[OrderReport] = []

    def play(self) -> bool:
        """Whether it was proven; `venue` and `took_s` tell the rest."""

        async def work(clock: LoopClock) -> bool:
            self.venue = Venue(clock, self.orders, self.broken)
            self.venue.late, self.venue.lag_s = self.late, self.lag_s
            for report in self.extra:
                self.venue.add(report)
            began_ns = clock.now_ns()
            half: Any = self.venue  # the half of the two ports that is asked here
            told: list[object] = []
            last = LastCancel(
                half, half, self.ledger, clock, self.account, told.append, random.Random(1)
            )
            proven = await last.run()
            self.took_s = (clock.now_ns() - began_ns) / SECOND
            return proven

        return in_virtual_time(work)


def by_hand(scene: Scene) -> OrderReport:
    return replace(a_report(an_order("by-hand")), external_id=None)


def test_all_goes_and_two_reads_prove_it() -> None:
    scene = Scene()
    assert scene.play()
    assert not scene.venue.alive
    assert scene.venue.asked.count("read") >= 2
    assert 2.0 < scene.took_s < 6.0  # younger than the cancel by the margin of the clocks


def test_a_broken_mass_cancel_does_not_keep_the_orders() -> None:
    scene = Scene("everything", account=True)
    assert scene.play()
    assert not scene.venue.alive


def test_a_broken_cancel_by_order_does_not_keep_the_mass_cancel() -> None:
    scene = Scene("cancel", account=True)
    assert scene.play()
    assert not scene.venue.alive


def test_a_placement_that_lands_later_goes_too() -> None:
    scene = Scene()
    scene.late = a_report(an_order(scene.ledger.next_external_id()))
    assert scene.play()
    assert not scene.venue.alive


def test_a_list_that_breaks_off_proves_nothing_and_what_it_showed_goes() -> None:
    # faults: D14 H12
    scene = Scene("next page")
    scene.late = a_report(an_order(scene.ledger.next_external_id()))
    assert not scene.play()
    assert not scene.venue.alive


def test_a_person_stays_unless_the_whole_account_was_halted() -> None:
    scene = Scene()
    scene.extra = [by_hand(scene)]
    assert scene.play()
    assert list(scene.venue.alive) == [by_hand(scene).order_id]
    scene = Scene(account=True)
    scene.late = by_hand(scene)  # after the mass cancel
    assert scene.play()
    assert not scene.venue.alive


def test_a_copy_from_before_the_cancel_proves_nothing() -> None:
    scene = Scene()
    scene.lag_s = 8.0
    assert scene.play()
    assert scene.took_s > 10.0


def test_while_an_order_is_in_doubt_nothing_is_proven() -> None:
    scene = Scene()
    scene.ledger.intend(an_order(scene.ledger.next_external_id()))
    assert not scene.play()
    assert not scene.venue.alive


def test_who_hears_nothing_says_so_in_time() -> None:
    scene = Scene("answer")
    assert not scene.play()
    assert scene.took_s <= LAST_CANCEL_MAX_S
    assert not scene.venue.alive
