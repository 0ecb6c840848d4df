"""The ledger: one intent, at most one order, and a fill always counts."""
# faults: A1 A6 A7 A8 A9 A13 B5 B6 B8 C1 C2 C3 C5

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.commands import BATCH_ORDERS_MAX, CancelOrders, ReadOrder
from mmbot.domain.entries import OrderStepped, PlaceIntended
from mmbot.domain.events import PlaceLost, PlaceRefused
from mmbot.domain.facts import Alarm, FillCounted, OrderIntended, OrderMoved
from mmbot.domain.ids import OrderId
from mmbot.domain.order import OrderReport, State
from mmbot.domain.price import Price
from mmbot.pricing.exposure import line_worst_case_cents
from tests.builders import (
    AWAY,
    HOME,
    LINE,
    NOW,
    SECOND,
    a_ledger,
    a_report,
    an_open_order,
    an_order,
    ident,
    seen,
)


def test_an_intent_is_journalled_and_reserved_at_once() -> None:
    ledger = a_ledger()
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    said = ledger.drain()
    assert said.entries == (PlaceIntended(order),)
    assert said.facts == (OrderIntended(order),)
    assert ledger.exposure(LINE).resting_cents == (10_000, 0)
    assert ledger.portfolio.total.everything_cents == 10_000
    assert ledger.unmatched_cents == 10_000
    assert ledger.live_on(HOME) == ledger.live_on_line(LINE) == ledger.live() == (order,)


def test_ids_are_prefix_run_and_a_counter() -> None:
    ledger = a_ledger()
    assert [ledger.next_external_id(), ledger.next_external_id()] == [ident(1), ident(2)]
    assert ledger.is_ours(ident(1))
    assert not ledger.is_ours("somebody-else")
    assert not ledger.is_ours(None)


def test_an_id_is_used_once() -> None:
    ledger = a_ledger(an_order())
    with pytest.raises(AssertionError, match="used already"):
        ledger.intend(an_order())


def test_a_message_may_come_before_the_reply() -> None:
    order = an_order()
    ledger = a_ledger(order)
    ledger.apply(seen(a_report(order, filled=10_000)), NOW)
    ledger.apply(seen(a_report(order, status="inactive"), "reply"), NOW + 1)
    found = ledger.order(order.external_id)
    assert found is not None
    assert found.state is State.FILLED
    assert found.filled_cents == 10_000


def test_a_fill_after_the_cancel_still_counts() -> None:
    ledger = a_ledger(order := an_order(quantity=100_00))
    ledger.apply(seen(a_report(order, status="canceled")), NOW)
    ledger.apply(seen(a_report(order, filled=40_00, status="open", open_cents=0)), NOW)
    found = ledger.order(order.external_id)
    assert found is not None
    assert found.filled_cents == 40_00
    assert found.state is State.CANCELLED


def test_a_partly_filled_cancelled_order_is_over_though_its_status_is_open() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    ledger.want_cancel(order.external_id, NOW)
    cancelled = a_report(order, filled=40_00, matching_status="fully_matched", open_cents=0)
    ledger.apply(seen(cancelled), NOW)
    found = ledger.order(order.external_id)
    assert found is not None
    assert (found.state, found.filled_cents) == (State.CANCELLED, 40_00)
    assert ledger.exposure(LINE).resting_cents == (0, 0)
    assert ledger.live() == ()


def test_a_completion_that_overtook_its_last_fill_is_read() -> None:
    # faults: A10
    ledger = a_ledger()
    order = an_open_order(ledger)
    early = a_report(order, filled=40_00, matching_status="fully_matched", open_cents=0)
    ledger.apply(seen(early), NOW)
    assert ledger.live()[0].filled_cents == 40_00
    assert ledger.drain().commands == (ReadOrder(order.external_id, early.order_id),)
    ledger.apply(seen(a_report(order, filled=100_00), "read", NOW, NOW), NOW + 1)
    found = ledger.order(order.external_id)
    assert found is not None
    assert found.state is State.FILLED


def test_a_position_counts_half_a_cent_of_rounding_for_the_venue() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger, price=Price(150), quantity=100_00)
    ledger.apply(seen(a_report(order, filled=30_00)), NOW)
    ledger.apply(seen(a_report(order, filled=100_00)), NOW)
    position = ledger.exposure(LINE).position
    assert position.stake_cents == (100_00, 0)
    assert position.profit_cents == (29_99 * 3 // 2 + 69_99 * 3 // 2, 0)


def test_thirteen_of_twenty_land_and_seven_fail_each_in_its_own_way() -> None:
    ledger = a_ledger()
    orders = [an_order(ledger.next_external_id()) for _ in range(20)]
    for order in orders:
        ledger.intend(order)
    for order in orders[:13]:
        ledger.apply(seen(a_report(order, status="inactive"), "reply"), NOW)
    for order in orders[13:17]:
        ledger.apply(PlaceRefused(order.external_id, "invalid_price", "no"), NOW)
    for order in orders[17:]:
        ledger.apply(PlaceLost(order.external_id, "in neither list"), NOW)
    states = [o.state for o in ledger.orders()]
    assert states == [State.OPEN] * 13 + [State.REJECTED] * 4 + [State.IN_DOUBT] * 3
    assert ledger.in_doubt_count == 3
    assert ledger.unmatched_cents == 16 * 100_00


def test_cancels_leave_in_batches_of_twenty() -> None:
    ledger = a_ledger()
    orders = [an_open_order(ledger) for _ in range(45)]
    an_open_order(ledger)  # stays, so that no wider cancel will do
    for order in orders:
        ledger.want_cancel(order.external_id, NOW)
        ledger.want_cancel(order.external_id, NOW)
    batches = [c for c in ledger.drain().commands if isinstance(c, CancelOrders)]
    assert [len(batch.refs) for batch in batches] == [BATCH_ORDERS_MAX, BATCH_ORDERS_MAX, 5]


def test_a_fill_above_the_quantity_counts_and_alarms() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    ledger.apply(seen(a_report(order, filled=101_00, open_cents=0)), NOW)
    said = ledger.drain()
    assert ledger.exposure(LINE).position.stake_cents == (101_00, 0)
    assert [f.what for f in said.facts if isinstance(f, Alarm)] == ["filled above quantity"]


def test_a_status_never_seen_is_read_and_believed_only_when_nothing_is_open() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    ledger.apply(seen(a_report(order, status="pausing", open_cents=100_00)), NOW)
    said = ledger.drain()
    assert ledger.live() == (order,)
    assert [type(c) for c in said.commands] == [ReadOrder]
    assert [f.what for f in said.facts if isinstance(f, Alarm)] == ["strange report"]
    ledger.apply(seen(a_report(order, status="expired", open_cents=0)), NOW)
    assert ledger.live() == ()


def test_one_id_with_two_order_ids_is_alarmed_and_changes_nothing() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    twin = replace(a_report(order, filled=50_00), order_id=OrderId("another"))
    ledger.apply(seen(twin), NOW)
    assert ledger.live() == (order,)
    alarms = [f.what for f in ledger.drain().facts if isinstance(f, Alarm)]
    assert alarms == ["two orders for one id"]


def test_what_happened_is_told_once() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    for _ in range(5):
        ledger.apply(seen(a_report(order, filled=25_00)), NOW)
    said = ledger.drain()
    assert [f.stake_cents for f in said.facts if isinstance(f, FillCounted)] == [25_00]
    assert len([e for e in said.entries if isinstance(e, OrderStepped)]) == 1
    ledger.apply(seen(a_report(order, filled=100_00)), NOW)
    moves = [f for f in ledger.drain().facts if isinstance(f, OrderMoved)]
    assert [(m.before, m.order.state) for m in moves] == [(State.OPEN, State.FILLED)]
    assert moves[0].evidence == "message orders open"


def test_an_intent_without_any_answer_does_not_stay_intended() -> None:
    ledger = a_ledger(order := an_order())
    ledger.tick(NOW + 71 * SECOND)
    assert ledger.in_doubt_count == 0
    ledger.tick(NOW + 72 * SECOND)
    assert ledger.in_doubt_count == 1
    assert ledger.live()[0].external_id == order.external_id


# --- properties -----------------------------------------------------------------------------

fills = st.integers(0, 100_00)
statuses = st.sampled_from(["open", "inactive", "canceled", "wiped", "settled"])


@st.composite
def honest_reports(draw: st.DrawFn) -> list[OrderReport]:
    """The exchange's true history of one order: fills grow, then it may end."""
    order = an_order()
    totals = sorted(draw(st.lists(fills, min_size=1, max_size=5)))
    reports = [a_report(order, status="inactive")]
    reports += [a_report(order, filled=total) for total in totals]
    end = draw(st.sampled_from(["", "cancel", "wiped"]))
    if end == "cancel" and totals[-1]:
        reports.append(a_report(order, filled=totals[-1], open_cents=0))
    elif end:
        status = "canceled" if end == "cancel" else "wiped"
        reports.append(a_report(order, filled=totals[-1], status=status))
    return reports


@settings(max_examples=200, deadline=None)
@given(honest_reports(), st.data())
def test_any_order_of_any_duplicates_ends_in_the_same_fills(
    reports: list[OrderReport], data: st.DataObject
) -> None:
    twice = data.draw(st.permutations(reports + reports))
    order = an_order()
    ledger = a_ledger(order)
    if data.draw(st.booleans()):
        ledger.want_cancel(order.external_id, NOW)
    last = 0
    for report in twice:
        ledger.apply(seen(report, data.draw(st.sampled_from(["reply", "stream", "read"]))), NOW)
        found = ledger.order(order.external_id)
        assert found is not None
        assert found.filled_cents >= last, "a fill was taken back"
        last = found.filled_cents
        ledger.check_sums()
    assert last == max(report.filled_cents for report in reports)
    assert ledger.exposure(LINE).position.stake_cents == (last, 0)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 50_000), fills), max_size=12))
def test_the_worst_case_is_never_below_what_the_orders_could_lose(
    legs: list[tuple[bool, int, int]],
) -> None:
    ledger = a_ledger()
    for home, quantity, filled in legs:
        order = an_open_order(
            ledger,
            side=0 if home else 1,
            strike_id=HOME if home else AWAY,
            quantity=quantity,
        )
        ledger.apply(seen(a_report(order, filled=min(filled, quantity))), NOW)
    exposure = ledger.exposure(LINE)
    worst = line_worst_case_cents(exposure.position, exposure.resting_cents)
    assert ledger.portfolio.total.everything_cents == worst
    ledger.check_sums()
