"""Our clock was set while we were down: what a former process wrote down is read by its clock."""
# faults: A2 A15 H1 H3

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.commands import CancelOrders, ReadHistory
from mmbot.domain.events import HistoryRead, OrderSeen, TransactionsRead
from mmbot.domain.order import Order, OrderReport, State
from mmbot.engine.ledger import Ledger
from tests.builders import (
    LINE,
    NOW,
    PREFIX,
    RUN,
    SECOND,
    a_history,
    a_report,
    an_order,
    lines_of,
    seen,
)
from tests.engine.busts import bust_row, void
from tests.engine.test_recovery import only

DOWN_NS = 40 * 60 * SECOND
HOUR_NS = 3_600 * SECOND
OPEN, LOST, GONE, FILLED = (an_order(f"{PREFIX}-{RUN}-{n}") for n in (1, 2, 3, 4))


def reborn(set_by_ns: int, down_ns: int = DOWN_NS) -> tuple[Ledger, int, int]:
    """The exchange's clock is the former process's; ours was set since. Also: now, by both."""
    first = Ledger(PREFIX, line_of=lines_of())
    first.begin_run(RUN, NOW)
    for order in (OPEN, LOST, GONE, FILLED):
        first.intend(order)
    first.apply(OrderSeen(a_report(OPEN), "reply", NOW, exchange_ns=NOW), NOW)
    first.apply(seen(a_report(GONE, status="canceled")), NOW)
    first.apply(seen(a_report(FILLED, filled=100_00)), NOW)
    ledger = Ledger(PREFIX, line_of=lines_of())
    for entry in first.drain().entries:
        ledger.replay(entry)
    theirs_ns = NOW + down_ns
    ours_ns = theirs_ns + set_by_ns
    ledger.begin_run("fedcba987654", ours_ns)
    ledger.exchange_ahead(theirs_ns - ours_ns)
    return ledger, ours_ns, theirs_ns


def told(read: HistoryRead, ours_ns: int) -> HistoryRead:
    """As it was received, by our clock."""
    return replace(read, received_ns=ours_ns)


def order_of(ledger: Ledger, order: Order) -> Order:
    found = ledger.order(order.external_id)
    assert found is not None
    return found


def state_of(ledger: Ledger, order: Order) -> State:
    return order_of(ledger, order).state


@pytest.mark.parametrize("set_by_ns", [-24 * HOUR_NS, -600 * SECOND, 0, 600 * SECOND])
def test_a_doubt_asks_from_before_its_intent_and_ends_in_time(set_by_ns: int) -> None:
    ledger, now_ns, theirs_ns = reborn(set_by_ns)
    asked = only(ReadHistory, ledger.start(now_ns))
    second = 0
    while state_of(ledger, LOST) is State.IN_DOUBT:
        second += 1
        assert second < 120, "absence was never believed"
        ours_ns, at_ns = now_ns + second * SECOND, theirs_ns + second * SECOND
        for one in asked:
            if not (one.alive_only or one.changed_only):
                assert one.from_ns <= NOW
                ledger.apply(told(a_history(at_ns=at_ns, from_ns=one.from_ns), ours_ns), ours_ns)
        ledger.tick(ours_ns)
        asked = only(ReadHistory, ledger.drain().commands)
    assert second > 70
    assert state_of(ledger, LOST) is State.REJECTED


def test_a_list_that_begins_after_the_intent_proves_no_absence() -> None:
    ledger, now_ns, theirs_ns = reborn(-24 * HOUR_NS)
    ledger.start(now_ns)
    for second in range(0, 30 * 3_600, 600):
        read = a_history(at_ns=theirs_ns + second * SECOND, from_ns=theirs_ns - 60 * SECOND)
        ledger.apply(told(read, now_ns + second * SECOND), now_ns + second * SECOND)
    assert state_of(ledger, LOST) is State.IN_DOUBT


@pytest.mark.parametrize("set_by_ns", [-24 * HOUR_NS, 24 * HOUR_NS])
def test_what_changed_is_asked_for_since_the_former_process_ended(set_by_ns: int) -> None:
    ledger, now_ns, theirs_ns = reborn(set_by_ns)
    ledger.start(now_ns)
    ledger.apply(told(a_history(at_ns=theirs_ns, alive_only=True), now_ns), now_ns)
    ledger.tick(now_ns)
    (asked,) = [c for c in only(ReadHistory, ledger.drain().commands) if c.changed_only]
    assert asked.from_ns < NOW


def test_an_ended_order_that_lives_is_cancelled_after_the_first_read_that_shows_it() -> None:
    ledger, now_ns, theirs_ns = reborn(-24 * HOUR_NS)
    ledger.start(now_ns)
    alive = a_report(GONE)
    read_ns = theirs_ns + 10 * SECOND
    ledger.apply(OrderSeen(alive, "read", now_ns + 10 * SECOND, read_ns), now_ns + 10 * SECOND)
    assert state_of(ledger, GONE) is State.CANCELLING
    assert only(CancelOrders, ledger.drain().commands)


def test_a_fill_that_was_told_before_is_proven_by_the_first_read_after() -> None:
    ledger, now_ns, theirs_ns = reborn(-24 * HOUR_NS)
    ledger.start(now_ns)
    ledger.tick(now_ns + SECOND)
    assert ledger.waiting()["proofs"].waiting == 1
    read_ns = theirs_ns + 10 * SECOND
    filled = a_report(FILLED, filled=100_00)
    ledger.apply(OrderSeen(filled, "read", now_ns + 10 * SECOND, read_ns), now_ns + 10 * SECOND)
    assert ledger.waiting()["proofs"].waiting == 0


def reborn_with(*told: OrderSeen | TransactionsRead) -> tuple[Ledger, int, int]:
    """As `reborn`, a day back; the former process was told this of an order."""
    first = Ledger(PREFIX, line_of=lines_of())
    first.begin_run(RUN, NOW)
    first.intend(OPEN)
    for one in told:
        first.apply(one, one.received_ns)
    ledger = Ledger(PREFIX, line_of=lines_of())
    for entry in first.drain().entries:
        ledger.replay(entry)
    theirs_ns = NOW + DOWN_NS
    now_ns = theirs_ns - 24 * HOUR_NS
    ledger.begin_run("fedcba987654", now_ns)
    ledger.exchange_ahead(theirs_ns - now_ns)
    return ledger, now_ns, theirs_ns


def read_at(
    report: OrderReport, ours_ns: int, theirs_ns: int, after_s: int
) -> tuple[OrderSeen, int]:
    at_ns = ours_ns + after_s * SECOND
    return OrderSeen(report, "read", at_ns, theirs_ns + after_s * SECOND), at_ns


def test_a_result_that_was_seen_before_is_taken_back_by_the_first_read_after() -> None:
    won = a_report(OPEN, filled=100_00, status="settled", winning_status="won")
    ledger, now_ns, theirs_ns = reborn_with(seen(won))
    assert ledger.results() == {OPEN.external_id: "won"}
    lost = replace(won, winning_status="lost")
    ledger.apply(*read_at(lost, now_ns, theirs_ns, 10))
    assert ledger.results() == {OPEN.external_id: "lost"}


def test_a_reversal_that_was_told_before_is_believed_by_the_first_read_after() -> None:
    full = a_report(OPEN, filled=100_00)
    ledger, now_ns, theirs_ns = reborn_with(seen(full), seen(void(OPEN)))
    ledger.apply(*read_at(void(OPEN), now_ns, theirs_ns, 10))
    at_ns = now_ns + 11 * SECOND
    ledger.apply(TransactionsRead((bust_row("1", 100_00),), 0, at_ns, at_ns), at_ns)
    assert order_of(ledger, OPEN).filled_cents == 0


def test_a_total_that_was_lowered_before_is_raised_by_the_first_read_after() -> None:
    young_ns = NOW + 10 * SECOND
    ledger, now_ns, theirs_ns = reborn_with(
        seen(a_report(OPEN, filled=60_00)),
        seen(a_report(OPEN), "stream", NOW),
        seen(a_report(OPEN), "read", young_ns, young_ns),
        TransactionsRead((bust_row("1", 60_00),), 0, young_ns, young_ns),
    )
    assert order_of(ledger, OPEN).filled_cents == 0
    anew = a_report(OPEN, filled=60_00)
    ledger.apply(*read_at(anew, now_ns, theirs_ns, 10))
    assert order_of(ledger, OPEN).filled_cents == 60_00


def test_a_fill_of_a_person_that_was_heard_before_is_undone_by_the_first_read_after() -> None:
    by_hand = a_report(an_order("by-hand"), filled=40_00, external_id=None)
    ledger, now_ns, theirs_ns = reborn_with(seen(by_hand))
    assert ledger.exposure(LINE).position.profit_cents != (0, 0)
    undone = replace(by_hand, filled_cents=0, open_cents=0, status="canceled")
    ledger.apply(*read_at(undone, now_ns, theirs_ns, 10))
    assert ledger.exposure(LINE).position.profit_cents == (0, 0)
