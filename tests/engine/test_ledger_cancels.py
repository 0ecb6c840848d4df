"""A cancel is repeated until there is evidence, and never faster than its pace."""
# faults: B1 B2 B3 B4 B5 B8 B10

from __future__ import annotations

from itertools import pairwise

import pytest

from mmbot.domain.commands import CancelOrders, Command, ReadOrder, SweepStrike
from mmbot.domain.events import (
    CancelAcknowledged,
    CancelLost,
    CancelRefused,
    SessionStateChanged,
)
from mmbot.domain.facts import Alarm
from mmbot.domain.order import Order, State
from mmbot.engine.conduct import OrderEvent
from mmbot.engine.ledger import Ledger
from tests.builders import NOW, SECOND, a_history, a_ledger, a_report, an_open_order, seen

MS = SECOND // 1000


def a_cancel() -> tuple[Ledger, Order]:
    """An order whose first cancel has just left."""
    ledger = a_ledger()
    order = an_open_order(ledger)
    ledger.want_cancel(order.external_id, NOW)
    assert cancels(ledger.drain().commands) == 1
    return ledger, order


def cancels(commands: tuple[Command, ...]) -> int:
    return len([c for c in commands if isinstance(c, CancelOrders)])


def reads(commands: tuple[Command, ...]) -> int:
    return len([c for c in commands if isinstance(c, ReadOrder)])


def state_of(ledger: Ledger, order: Order) -> State:
    found = ledger.order(order.external_id)
    assert found is not None
    return found.state


def test_a_bare_success_is_no_evidence_and_is_read_after_two_seconds() -> None:
    ledger, order = a_cancel()
    ledger.apply(CancelAcknowledged(order.external_id, "success"), NOW)
    assert state_of(ledger, order) is State.CANCELLING
    assert ledger.unmatched_cents == 100_00
    ledger.tick(NOW + 1999 * MS)
    assert not ledger.drain().commands
    ledger.tick(NOW + 2000 * MS)
    assert reads(ledger.drain().commands) == 1
    gone = seen(a_report(order, status="canceled"), "read", NOW, NOW)
    ledger.apply(gone, NOW + 2100 * MS)
    assert state_of(ledger, order) is State.CANCELLED


def test_a_copy_that_lags_is_read_when_it_can_show_the_cancel_and_never_later_than_15_s() -> None:
    for lag_s, due_s in ((0, 2), (8, 10), (40, 15)):
        ledger, order = a_cancel()
        lagging = seen(a_report(order), "read", NOW, NOW - lag_s * SECOND)
        ledger.apply(lagging, NOW)
        ledger.apply(CancelAcknowledged(order.external_id, "success"), NOW)
        ledger.tick(NOW + due_s * SECOND - 1)
        assert reads(ledger.drain().commands) == 0, lag_s
        ledger.tick(NOW + due_s * SECOND)
        assert reads(ledger.drain().commands) == 1, lag_s


def test_a_success_that_no_read_confirms_is_repeated() -> None:
    """Reports are down: nobody knows whether the exchange did what it said."""
    ledger, order = a_cancel()
    ledger.apply(CancelAcknowledged(order.external_id, "success"), NOW)
    sent_s = []
    for second in range(1, 40):
        ledger.tick(NOW + second * SECOND)
        commands = ledger.drain().commands
        if cancels(commands):
            sent_s.append(second)
            assert not reads(commands)
            ledger.apply(CancelAcknowledged(order.external_id, "success"), NOW + second * SECOND)
    assert sent_s == [16, 32]


@pytest.mark.parametrize("answered_s", [0, 6, 12])
def test_a_copy_that_lags_is_looked_at_once_before_the_cancel_is_repeated(answered_s: int) -> None:
    """However late its answer came: a cancel that nothing confirms goes again within 17 s."""
    ledger, order = a_cancel()
    ledger.apply(seen(a_report(order), "read", NOW, NOW - 40 * SECOND), NOW)
    answered_ns = NOW + answered_s * SECOND
    ledger.apply(CancelAcknowledged(order.external_id, "success"), answered_ns)
    ledger.tick(NOW + 15 * SECOND)
    first = ledger.drain().commands
    ledger.tick(NOW + 17 * SECOND)
    second = ledger.drain().commands
    assert (reads(first), cancels(first), reads(second), cancels(second)) == (1, 0, 0, 1)


def test_what_was_put_off_is_asked_at_once_when_there_is_a_session_again() -> None:
    # faults: D3; a lost answer that is still waited for is not asked twice
    ledger, order = a_cancel()
    for second in range(4):
        ledger.apply(CancelLost(order.external_id, "no session"), NOW + second * SECOND)
        ledger.tick(NOW + second * SECOND)
    ledger.drain()
    back_ns = NOW + 3 * SECOND + 100 * MS
    ledger.tick(back_ns)
    assert not ledger.drain().commands
    for sent in (1, 0):
        ledger.apply(SessionStateChanged(NOW + 600 * SECOND), back_ns)
        ledger.tick(back_ns)
        assert cancels(ledger.drain().commands) == sent


def test_a_message_in_time_spares_the_read() -> None:
    ledger, order = a_cancel()
    ledger.apply(CancelAcknowledged(order.external_id, "success"), NOW)
    ledger.apply(seen(a_report(order, status="canceled")), NOW + 50 * MS)
    ledger.drain()
    ledger.tick(NOW + 60 * SECOND)
    assert not ledger.drain().commands


def test_a_read_that_still_shows_it_alive_cancels_again() -> None:
    ledger, order = a_cancel()
    ledger.apply(CancelAcknowledged(order.external_id, "already_cancelled"), NOW)
    ledger.tick(NOW + 2 * SECOND)
    ledger.drain()
    alive = seen(a_report(order), "read", NOW + 2 * SECOND, NOW + 2 * SECOND)
    ledger.apply(alive, NOW + 2 * SECOND)
    ledger.tick(NOW + 3 * SECOND)
    assert cancels(ledger.drain().commands) == 1


def test_a_lost_cancel_is_repeated_at_once_then_slower() -> None:
    ledger, order = a_cancel()
    ledger.apply(CancelLost(order.external_id, "timeout"), NOW)
    assert cancels(ledger.drain().commands) == 1
    ledger.apply(CancelLost(order.external_id, "timeout"), NOW)
    assert cancels(ledger.drain().commands) == 0
    ledger.tick(NOW + SECOND)
    assert cancels(ledger.drain().commands) == 1


def test_a_refused_cancel_goes_again_when_the_exchange_says() -> None:
    ledger, order = a_cancel()
    ledger.apply(CancelRefused(order.external_id, "order_is_placing", 800 * MS), NOW)
    ledger.tick(NOW + 799 * MS)
    assert cancels(ledger.drain().commands) == 0
    ledger.tick(NOW + 800 * MS)
    assert cancels(ledger.drain().commands) == 1
    assert state_of(ledger, order) is State.CANCELLING


def test_a_cancel_that_is_never_answered_is_repeated() -> None:
    ledger, _ = a_cancel()
    ledger.tick(NOW + 15 * SECOND)
    assert cancels(ledger.drain().commands) == 1


def test_a_cancel_refused_for_ever_is_paced_alarmed_and_never_given_up() -> None:
    ledger, order = a_cancel()
    sent, alarms, looked, swept_s = 0, 0, 0, []
    for tenth in range(3000):
        now_ns = NOW + tenth * 100 * MS
        ledger.tick(now_ns)
        said = ledger.drain()
        looked += reads(said.commands)
        alarms += len([f for f in said.facts if isinstance(f, Alarm)])
        swept_s += [tenth / 10 for c in said.commands if isinstance(c, SweepStrike)]
        if cancels(said.commands) or not tenth:
            sent += cancels(said.commands)
            ledger.apply(CancelRefused(order.external_id, "opened_retry", 0), now_ns)
    assert 55 < sent < 100  # 300 s: quick at first, then every 5 s
    assert 3 <= alarms <= 6
    assert looked >= 15
    assert 10 < swept_s[0] < 15  # a mass cancel takes what a cancel by id is refused
    # ... slower and slower, and never a minute without one: more may have landed there
    waits_s = [round(later - sooner) for sooner, later in pairwise([*swept_s, 300.0])]
    assert waits_s[:-1] == sorted(waits_s[:-1])
    assert waits_s[0] == 15
    assert max(waits_s) <= 60
    assert state_of(ledger, order) is State.CANCELLING


def test_where_refusals_come_slowly_the_strike_is_swept_by_the_clock() -> None:
    # faults: A14 B3 B4
    ledger, order = a_cancel()
    swept_s = []
    for after_s in (0, 7, 14, 21, 28):  # between them replies are lost
        now_ns = NOW + after_s * SECOND
        ledger.tick(now_ns)
        ledger.apply(CancelRefused(order.external_id, "order_is_placing", 0), now_ns)
        said = ledger.drain().commands
        swept_s += [after_s for command in said if isinstance(command, SweepStrike)]
    assert swept_s == [21]


def test_lost_answers_count_as_attempts_but_alone_they_sweep_nothing() -> None:
    # faults: A14 B4
    for refused_first, swept in ((True, [26]), (False, [])):
        ledger, order = a_cancel()
        swept_s = []
        if refused_first:
            ledger.apply(CancelRefused(order.external_id, "order_is_placing", 0), NOW)
        for after_s in (13, 26, 39):
            now_ns = NOW + after_s * SECOND
            ledger.tick(now_ns)
            ledger.apply(CancelLost(order.external_id, "no reply"), now_ns)
            said = ledger.drain().commands
            swept_s += [after_s for command in said if isinstance(command, SweepStrike)]
        assert swept_s[:1] == swept


def test_a_cancel_that_lost_the_race_ends_filled() -> None:
    ledger, order = a_cancel()
    ledger.apply(CancelAcknowledged(order.external_id, "order_already_filled"), NOW)
    ledger.apply(seen(a_report(order, filled=100_00)), NOW + MS)
    assert state_of(ledger, order) is State.FILLED
    ledger.drain()
    ledger.tick(NOW + 60 * SECOND)
    assert not ledger.drain().commands


def test_http_and_message_in_both_orders_are_one_end() -> None:
    for reverse in (False, True):
        ledger, order = a_cancel()
        events: list[OrderEvent] = [
            CancelAcknowledged(order.external_id, "success"),
            seen(a_report(order, status="canceled")),
        ]
        for event in reversed(events) if reverse else events:
            ledger.apply(event, NOW)
        assert state_of(ledger, order) is State.CANCELLED
        assert len(ledger.drain().entries) == 1


def test_an_answer_about_an_order_we_never_had_is_ignored() -> None:
    ledger = a_ledger()
    ghost = an_open_order(a_ledger())
    for event in (
        CancelAcknowledged(ghost.external_id, "404"),
        CancelLost(ghost.external_id, "timeout"),
        CancelRefused(ghost.external_id, "opened_retry", 0),
    ):
        ledger.apply(event, NOW)
    said = ledger.drain()
    assert not said.entries
    assert not said.commands


# faults: A14 E16
def test_a_sweep_that_no_list_allows_yet_is_asked_for_every_ten_seconds() -> None:
    """Nothing was asked of the exchange: the pause after a refused sweep begins anew (seed 809)."""
    ledger, order = a_cancel()
    ledger.disconnected(NOW)
    ledger.connected("2", after_gap=True, now_ns=NOW)  # its list of what rests stays out
    swept_s, alarmed_s = [], []
    for second in range(200):
        now_ns = NOW + second * SECOND
        ledger.tick(now_ns)
        if second == 100:
            ledger.apply(a_history(at_ns=now_ns, synced_ns=now_ns, alive_only=True), now_ns)
        ledger.apply(CancelRefused(order.external_id, "order_is_placing", 0), now_ns)
        said = ledger.drain()
        swept_s += [second for c in said.commands if isinstance(c, SweepStrike)]
        told = [f.what for f in said.facts if isinstance(f, Alarm)]
        alarmed_s += [second] * told.count("cannot sweep")
    assert alarmed_s == list(range(alarmed_s[0], 100, 10))
    assert 100 < swept_s[0] <= 110
    assert swept_s[1] - swept_s[0] == 15
