"""How long an attempt may still arrive: what waits, what was lost again, and whose clock counts."""
# faults: A2 A3b A15 B12 C2 H5

from __future__ import annotations

import pytest

from mmbot.domain.commands import Command, SweepStrike
from mmbot.domain.events import HistoryRead, PlaceLost, PlaceRefused, ReadFailed
from mmbot.domain.facts import Alarm
from mmbot.domain.order import Order, State
from mmbot.engine.ledger import ARRIVAL_BOUND_NS, Ledger
from tests.builders import (
    EVENT,
    HOME,
    MARKET,
    NOW,
    SECOND,
    a_history,
    a_ledger,
    a_report,
    an_order,
    seen,
)

BOUND = NOW + ARRIVAL_BOUND_NS
SWEEP = SweepStrike(EVENT, MARKET, HOME)


def a_doubt() -> tuple[Ledger, Order]:
    ledger = a_ledger()
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    ledger.apply(PlaceLost(order.external_id, "timeout"), NOW)
    ledger.drain()
    return ledger, order


def state_of(ledger: Ledger, order: Order) -> State:
    found = ledger.order(order.external_id)
    assert found is not None
    return found.state


def absent_at(ledger: Ledger, *at: int) -> None:
    for at_ns in at:
        ledger.apply(a_history(at_ns=at_ns), at_ns)


def sweeps(commands: tuple[Command, ...]) -> int:
    return sum(isinstance(command, SweepStrike) for command in commands)


# --- an attempt that is still on its way ----------------------------------------------------


def test_the_bound_of_a_resend_counts_from_the_last_moment_at_which_it_may_leave() -> None:
    ledger, order = a_doubt()
    ledger.note_resend(order.external_id, NOW + 3 * SECOND)
    absent_at(ledger, BOUND + 6 * SECOND, BOUND + 17 * SECOND)  # it may have left after 2 s
    assert state_of(ledger, order) is State.IN_DOUBT
    absent_at(ledger, BOUND + 28 * SECOND)
    assert state_of(ledger, order) is State.REJECTED


def test_the_bound_counts_from_the_last_moment_at_which_it_may_have_left() -> None:
    ledger = a_ledger(order := an_order())
    ledger.apply(PlaceLost(order.external_id, "timeout"), NOW + 12 * SECOND)
    absent_at(ledger, BOUND + 3 * SECOND, BOUND + 14 * SECOND)  # it may have left after 2 s
    assert state_of(ledger, order) is State.IN_DOUBT
    absent_at(ledger, BOUND + 25 * SECOND)
    assert state_of(ledger, order) is State.REJECTED


def test_an_intent_that_nobody_answered_is_looked_for() -> None:
    ledger = a_ledger(order := an_order())
    ledger.tick(BOUND + SECOND)
    assert state_of(ledger, order) is State.IN_DOUBT  # a timer proves that no answer came: no more
    ledger.apply(PlaceRefused(order.external_id, "event_not_available", ""), BOUND + 2 * SECOND)
    assert state_of(ledger, order) is State.REJECTED


def test_our_clock_set_forward_does_not_let_the_bound_pass() -> None:
    ledger = a_ledger()
    ledger.exchange_ahead(0)
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    ledger.apply(PlaceLost(order.external_id, "timeout"), NOW)
    hour = 3600 * SECOND
    for n in range(15):  # the exchange's clock goes on: it seems to be an hour behind now
        theirs = NOW + (10 + 4 * n) * SECOND
        read = HistoryRead(NOW - 2 * hour, (), theirs, theirs, theirs + hour)
        ledger.apply(read, theirs + hour)
    assert state_of(ledger, order) is State.IN_DOUBT


# --- sweeps that fail -----------------------------------------------------------------------


def test_a_sweep_that_fails_goes_again_and_slower() -> None:
    ledger, order = a_doubt()
    ledger.want_cancel(order.external_id, NOW)
    assert sweeps(ledger.drain().commands) == 1
    asked = []
    for second in range(1, 40):
        now_ns = NOW + second * SECOND
        ledger.tick(now_ns)
        if sweeps(ledger.drain().commands):
            asked.append(second)
        ledger.apply(ReadFailed("SweepStrike", "502"), now_ns)
    assert asked == [3, 7, 15, 31]


def waits_after_sweeps(failing_s: int) -> int:
    ledger, order = a_doubt()
    ledger.want_cancel(order.external_id, NOW)
    for second in range(65):
        ledger.tick(NOW + second * SECOND)
        ledger.drain()
        if second < failing_s:
            ledger.apply(ReadFailed("SweepStrike", "502"), NOW + second * SECOND)
    return ledger.waiting()["deadlines"].waiting


def test_however_often_a_sweep_failed_the_bound_asks_for_one() -> None:
    assert waits_after_sweeps(failing_s=30) == waits_after_sweeps(failing_s=0)


def test_a_sweep_that_worked_is_not_repeated_before_the_bound() -> None:
    ledger, order = a_doubt()
    ledger.want_cancel(order.external_id, NOW)
    ledger.drain()
    ledger.tick(BOUND - SECOND)
    assert sweeps(ledger.drain().commands) == 0
    ledger.tick(BOUND)
    assert sweeps(ledger.drain().commands) == 1


def test_the_strike_is_swept_as_soon_as_the_human_order_is_gone() -> None:
    ledger, order = a_doubt()
    human = a_report(an_order("by-hand"))
    ledger.apply(seen(human), NOW)
    ledger.want_cancel(order.external_id, NOW)
    alarms = 0
    for second in range(1, 30):
        ledger.tick(NOW + second * SECOND)
        said = ledger.drain()
        assert not sweeps(said.commands)
        alarms += sum(f.what == "cannot sweep" for f in said.facts if isinstance(f, Alarm))
    assert alarms == 1
    ledger.apply(seen(a_report(an_order("by-hand"), status="canceled")), NOW + 30 * SECOND)
    ledger.tick(NOW + 60 * SECOND)
    assert SWEEP in ledger.drain().commands


def test_a_doubt_that_ended_is_swept_no_more() -> None:
    ledger, order = a_doubt()
    ledger.want_cancel(order.external_id, NOW)
    ledger.apply(ReadFailed("SweepStrike", "502"), NOW)
    ledger.apply(seen(a_report(order, status="canceled")), NOW + SECOND)
    ledger.drain()
    ledger.tick(BOUND + 60 * SECOND)
    assert not sweeps(ledger.drain().commands)


# --- a run that nobody knows ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("created_s", "seen_s", "suspected"),
    [(10, 11, True), (-10, 11, False), (10, 80, False)],
)
def test_an_unknown_run_after_our_start_stops_placing_until_the_bound(
    created_s: int, seen_s: int, suspected: bool
) -> None:
    ledger = a_ledger()
    stranger = an_order("mm-abcdefabcdef-7", intended_ns=NOW + created_s * SECOND)
    ledger.apply(seen(a_report(stranger)), NOW + seen_s * SECOND)
    assert bool(ledger.suspicion(NOW + seen_s * SECOND)) is suspected
    assert not ledger.suspicion(NOW + 100 * SECOND)
    alarms = {f.what for f in ledger.drain().facts if isinstance(f, Alarm)}
    assert ("unknown run" in alarms) is suspected
