"""An order that cannot be found, and one that comes back after it was given up."""
# faults: A8 A11 A15 D16

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.commands import CancelOrders, ReadOrder
from mmbot.domain.events import PlaceLost
from mmbot.domain.facts import Alarm
from mmbot.domain.order import Order, State
from mmbot.engine.ledger import ARRIVAL_BOUND_NS, Ledger
from tests.builders import (
    LINE,
    NOW,
    SECOND,
    a_404,
    a_history,
    a_ledger,
    a_report,
    an_open_order,
    an_order,
    seen,
)

BOUND = NOW + ARRIVAL_BOUND_NS
GIVEN_UP = BOUND + 20 * SECOND


def now_of(ledger: Ledger, order: Order) -> Order:
    found = ledger.order(order.external_id)
    assert found is not None
    return found


def a_rejected_doubt() -> tuple[Ledger, Order]:
    """Lost, and absent from two reads past the bound."""
    ledger = a_ledger()
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    ledger.apply(PlaceLost(order.external_id, "timeout"), NOW)
    for at_ns in (GIVEN_UP - 11 * SECOND, GIVEN_UP):
        ledger.apply(a_history(at_ns=at_ns), at_ns)
    ledger.drain()
    assert now_of(ledger, order).state is State.REJECTED
    return ledger, order


def test_slow_replies_do_not_let_the_arrival_bound_pass_early() -> None:
    """Ten seconds on the way look like a clock that is ten seconds behind."""
    ledger = a_ledger()
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    ledger.apply(PlaceLost(order.external_id, "timeout"), NOW)
    ledger.apply(a_history(at_ns=NOW + SECOND), NOW + SECOND)  # a quick one
    for at_ns in (BOUND + 3 * SECOND, BOUND + 14 * SECOND):
        told_ns = at_ns - 10 * SECOND
        slow = replace(a_history(at_ns=at_ns), date_ns=told_ns, synced_ns=told_ns)
        ledger.apply(slow, at_ns)
    assert now_of(ledger, order).state is State.IN_DOUBT  # only one of the two is past the bound


def test_one_false_404_changes_nothing_and_is_read_again() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    late = NOW + 60 * SECOND
    ledger.apply(a_404(order, late), late)
    assert now_of(ledger, order).state is State.OPEN
    ledger.tick(late + 10 * SECOND)
    assert ReadOrder(order.external_id, a_report(order).order_id) in ledger.drain().commands
    ledger.apply(seen(a_report(order), "read", late, late), late + 10 * SECOND)
    again = late + 11 * SECOND
    ledger.apply(a_404(order, again), again)
    assert now_of(ledger, order).state is State.OPEN  # the first 404 was refuted


def test_a_vanished_order_is_doubted_then_rejected() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    late = NOW + 60 * SECOND
    ledger.apply(a_404(order, late), late)
    ledger.apply(a_404(order, late + 11 * SECOND), late + 11 * SECOND)
    assert now_of(ledger, order).state is State.IN_DOUBT
    assert not ledger.may_resend(order.external_id, late + 30 * SECOND)  # the id is spent
    said = ledger.drain()
    assert "order vanished" in [f.what for f in said.facts if isinstance(f, Alarm)]
    for at_s in (100, 111):
        at_ns = late + at_s * SECOND
        ledger.apply(a_404(order, at_ns), at_ns)
    assert now_of(ledger, order).state is State.REJECTED


@pytest.mark.parametrize("fresh", [True, False])
def test_a_lost_order_that_comes_back_alive_is_taken_back_only_on_a_fresh_read(
    fresh: bool,
) -> None:
    ledger, order = a_rejected_doubt()
    later = NOW + 1800 * SECOND
    ledger.apply(seen(a_report(order, filled=40_00)), later)  # the message proves nothing alone
    assert now_of(ledger, order).state is State.REJECTED
    assert now_of(ledger, order).filled_cents == 40_00  # yet its fill counts
    assert [c for c in ledger.drain().commands if isinstance(c, ReadOrder)]
    synced = later if fresh else GIVEN_UP - 60 * SECOND
    ledger.apply(seen(a_report(order, filled=40_00), "read", later, synced), later)
    state = State.CANCELLING if fresh else State.REJECTED
    assert now_of(ledger, order).state is state
    said = ledger.drain()
    assert any(isinstance(c, CancelOrders) for c in said.commands) is fresh
    assert ledger.exposure(LINE).resting_cents == ((60_00, 0) if fresh else (0, 0))


def test_a_rejected_order_that_a_read_shows_ended_is_closed_and_keeps_its_fills() -> None:
    ledger, order = a_rejected_doubt()
    later = NOW + 1800 * SECOND
    ended = a_report(order, filled=40_00, open_cents=0)
    ledger.apply(seen(ended, "read", later, later), later)
    found = now_of(ledger, order)
    assert (found.state, found.filled_cents) == (State.CLOSED, 40_00)
    assert ledger.exposure(LINE).position.stake_cents == (40_00, 0)


def test_a_slower_image_after_the_end_costs_a_few_reads_and_no_more() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    ledger.apply(seen(a_report(order, status="canceled")), NOW)
    ledger.drain()
    reads = 0
    for tenth in range(3000):
        now_ns = NOW + tenth * SECOND // 10
        ledger.apply(seen(a_report(order)), now_ns)
        ledger.tick(now_ns)
        reads += len([c for c in ledger.drain().commands if isinstance(c, ReadOrder)])
    assert 1 <= reads <= 16
    assert now_of(ledger, order).state is State.CANCELLED
