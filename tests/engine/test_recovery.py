"""Start = recovery: nothing is believed until the exchange has confirmed it."""
# faults: A16 H1 H3 D10 D14 E16

from __future__ import annotations

from typing import TypeVar

import pytest

from mmbot.domain.commands import CancelOrders, Command, ReadHistory, ReadOrder, ReadTransactions
from mmbot.domain.entries import Entry, RunStarted
from mmbot.domain.events import PlaceLost, ReadFailed
from mmbot.domain.facts import Alarm
from mmbot.domain.order import Order, State
from mmbot.engine.ledger import Ledger
from tests.builders import (
    EVENT,
    LINE,
    NOW,
    PREFIX,
    RUN,
    SECOND,
    a_404,
    a_history,
    a_ledger,
    a_report,
    an_open_order,
    an_order,
    lines_of,
    seen,
)

LATER = NOW + 30 * SECOND
T = TypeVar("T")


def only(kind: type[T], commands: tuple[Command, ...]) -> list[T]:
    return [c for c in commands if isinstance(c, kind)]


def reborn(*orders: Order, doubts: int = 0, ended: int = 0) -> Ledger:
    """A second process: orders that were open, intents without an answer, filled ones."""
    first = a_ledger()
    journal: list[Entry] = [RunStarted(RUN, NOW)]
    for order in orders:
        first.intend(order)
        first.apply(seen(a_report(order)), NOW)
    for _ in range(doubts):
        first.intend(an_order(f"{PREFIX}-{RUN}-{900 + len(first.orders())}"))
    for _ in range(ended):
        order = an_order(f"{PREFIX}-{RUN}-{900 + len(first.orders())}")
        first.intend(order)
        first.apply(seen(a_report(order, filled=100_00)), NOW)
    journal.extend(first.drain().entries)
    ledger = Ledger(PREFIX, line_of=lines_of())
    for entry in journal:
        ledger.replay(entry)
    ledger.begin_run("fedcba987654", LATER)
    return ledger


def is_ready(ledger: Ledger) -> bool:
    return ledger.recovered


def some(n: int) -> list[Order]:
    return [an_order(f"{PREFIX}-{RUN}-{i}") for i in range(n)]


def test_an_empty_ledger_is_recovered_when_the_list_of_what_is_alive_came() -> None:
    ledger = a_ledger()
    assert not is_ready(ledger)
    commands = ledger.start(NOW)
    assert [c.alive_only for c in only(ReadHistory, commands)] == [True]
    assert len(only(ReadTransactions, commands)) == 1
    assert not is_ready(ledger)
    ledger.apply(a_history(alive_only=True), NOW)
    assert is_ready(ledger)


def test_a_list_that_does_not_reach_back_leaves_the_start_open() -> None:
    ledger = a_ledger()
    ledger.start(NOW)
    ledger.apply(a_history(from_ns=NOW - SECOND, alive_only=True), NOW)
    assert not is_ready(ledger)


def test_every_live_order_is_confirmed_by_a_read() -> None:
    orders = some(3)
    ledger = reborn(*orders)
    commands = ledger.start(LATER)
    assert {c.external_id for c in only(ReadOrder, commands)} == {o.external_id for o in orders}
    ledger.apply(a_history(at_ns=LATER, alive_only=True), LATER)
    ledger.apply(seen(a_report(orders[0])), LATER)  # a message is no read
    ledger.apply(seen(a_report(orders[1]), "read", LATER, LATER), LATER)
    ledger.apply(seen(a_report(orders[2], status="canceled")), LATER)  # an end is an end
    assert not is_ready(ledger)
    ledger.apply(seen(a_report(orders[0], filled=20_00), "read", LATER, LATER), LATER)
    assert is_ready(ledger)
    assert ledger.exposure(LINE).position.stake_cents == (20_00, 0)  # filled while we were down


def test_many_live_orders_are_confirmed_by_the_list_and_the_missing_ones_singly() -> None:
    orders = some(40)
    ledger = reborn(*orders)
    assert not only(ReadOrder, ledger.start(LATER))
    listed = [a_report(order) for order in orders[:38]]
    ledger.apply(a_history(*listed, at_ns=LATER, alive_only=True), LATER)
    assert not is_ready(ledger)
    asked = only(ReadOrder, ledger.drain().commands)
    assert {c.external_id for c in asked} == {o.external_id for o in orders[38:]}
    for order in orders[38:]:
        ended = a_report(order, filled=100_00)
        ledger.apply(seen(ended, "read", LATER, LATER), LATER)
    assert is_ready(ledger)
    assert len(ledger.live()) == 38


def test_a_doubtful_order_must_have_been_looked_for_once() -> None:
    ledger = reborn(doubts=1)
    looks = [c for c in ledger.start(LATER) if isinstance(c, ReadHistory) and c.ends_doubt]
    assert len(looks) == 1  # the restart and the start ask for the same thing once
    ledger.apply(a_history(at_ns=LATER, alive_only=True), LATER)
    assert not is_ready(ledger)
    ledger.apply(a_history(at_ns=LATER), LATER)
    assert is_ready(ledger)
    assert ledger.in_doubt_count == 1  # looked for, and still counted


def test_reads_that_fail_are_asked_again_until_they_are_answered() -> None:
    orders = some(1)
    ledger = reborn(*orders)
    ledger.start(LATER)
    ledger.apply(ReadFailed("ReadHistory", "reporting_not_available"), LATER)
    ledger.apply(ReadFailed("ReadOrder", "502"), LATER)
    for second in range(1, 12):
        ledger.tick(LATER + second * SECOND)
    asked = ledger.drain().commands
    assert only(ReadOrder, asked)
    assert only(ReadHistory, asked)
    assert not is_ready(ledger)


def test_an_order_that_is_not_found_does_not_hold_the_start_but_stays_counted() -> None:
    orders = some(1)
    ledger = reborn(*orders)
    ledger.start(LATER)
    ledger.apply(a_history(at_ns=LATER, alive_only=True), LATER)
    ledger.apply(a_404(orders[0], LATER), LATER)
    assert is_ready(ledger)
    assert ledger.unmatched_cents == 100_00


def test_a_reconnect_asks_everything_again() -> None:
    ledger = a_ledger()
    ledger.start(NOW)
    ledger.apply(a_history(alive_only=True), NOW)
    order = an_open_order(ledger)
    lost = an_order(ledger.next_external_id())
    ledger.intend(lost)
    ledger.apply(PlaceLost(lost.external_id, "reset"), NOW)
    ledger.drain()
    commands = ledger.start(LATER, "reconnect")
    assert not is_ready(ledger)
    assert [c.external_id for c in only(ReadOrder, commands)] == [order.external_id]
    ledger.apply(a_history(a_report(order), at_ns=LATER, alive_only=True), LATER)
    ledger.apply(a_history(a_report(lost), at_ns=LATER), LATER)
    assert is_ready(ledger)
    assert ledger.in_doubt_count == 0


# --- the audit ------------------------------------------------------------------------------


def running() -> tuple[Ledger, Order]:
    ledger = a_ledger()
    ledger.start(NOW)
    ledger.apply(a_history(alive_only=True), NOW)
    order = an_open_order(ledger)
    return ledger, order


def test_the_audit_comes_every_minute_by_itself() -> None:
    ledger, order = running()
    minutes = []
    for second in range(1, 200):
        now_ns = NOW + second * SECOND
        ledger.tick(now_ns)
        ledger.audit(now_ns)
        if any(asked.alive_only for asked in only(ReadHistory, ledger.drain().commands)):
            minutes.append(second)
            ledger.apply(a_history(a_report(order), at_ns=now_ns, alive_only=True), now_ns)
    assert minutes == [60, 120, 180]


def test_a_fill_that_no_message_told_is_found_by_the_audit() -> None:
    ledger, order = running()
    minute = NOW + 60 * SECOND
    ledger.tick(minute)
    part = a_report(order, filled=30_00)
    ledger.apply(a_history(part, at_ns=minute, alive_only=True), minute)
    assert ledger.exposure(LINE).position.stake_cents == (30_00, 0)


def test_an_end_that_no_message_told_is_found_by_the_audit() -> None:
    ledger, order = running()
    minute = NOW + 60 * SECOND
    ledger.tick(minute)
    ledger.drain()
    ledger.apply(a_history(at_ns=minute, alive_only=True), minute)
    assert only(ReadOrder, ledger.drain().commands)
    wiped = a_report(order, filled=10_00, status="wiped")
    ledger.apply(seen(wiped, "read", minute, minute), minute)
    found = ledger.order(order.external_id)
    assert found is not None
    assert (found.state, found.filled_cents) == (State.CLOSED, 10_00)


def test_what_the_stream_should_have_told_is_alarmed_when_it_does_not_follow() -> None:
    for follows in (True, False):
        ledger, order = running()
        minute = NOW + 60 * SECOND
        ledger.tick(minute)
        part = a_report(order, filled=30_00)
        ledger.apply(a_history(part, at_ns=minute, alive_only=True), minute)
        if follows:  # the read was merely faster than the message
            ledger.apply(seen(part), minute + SECOND)
        ledger.drain()
        ledger.tick(minute + 12 * SECOND)
        alarms = [f.what for f in ledger.drain().facts if isinstance(f, Alarm)]
        assert alarms == ([] if follows else ["the stream missed something"])


# --- surprises ------------------------------------------------------------------------------


def test_a_sport_event_is_trusted_again_once_it_is_reconciled() -> None:
    ledger, order = running()
    other = an_open_order(ledger)
    ledger.apply(seen(a_report(order, status="canceled")), NOW)
    ledger.apply(seen(a_report(order, filled=10_00, open_cents=0)), NOW)  # after its end
    assert ledger.distrusted_events == {EVENT}
    asked = only(ReadOrder, ledger.drain().commands)
    assert {c.external_id for c in asked} == {order.external_id, other.external_id}
    ended = a_report(order, filled=10_00, open_cents=0)
    ledger.apply(seen(ended, "read", LATER, LATER), LATER)
    ledger.apply(seen(a_report(other), "read", LATER, LATER), LATER)
    assert ledger.distrusted_events == {EVENT}
    ledger.apply(a_history(a_report(other), at_ns=LATER, alive_only=True), LATER)
    assert ledger.distrusted_events == set()


def test_an_operator_may_trust_it_again() -> None:
    ledger, order = running()
    ledger.apply(seen(a_report(order, filled=100_00)), NOW)
    ledger.apply(seen(a_report(order, filled=101_00)), NOW)
    assert ledger.distrusted_events == {EVENT}
    ledger.trust_again(EVENT)
    assert ledger.distrusted_events == set()


@pytest.mark.parametrize("wanted", [True, False])
def test_after_a_restart_an_order_wanted_gone_goes(wanted: bool) -> None:
    first = a_ledger()
    order = an_order(first.next_external_id())
    first.intend(order)
    if wanted:
        first.want_cancel(order.external_id, NOW)
    ledger = Ledger(PREFIX, line_of=lines_of())
    for entry in (RunStarted(RUN, NOW), *first.drain().entries):
        ledger.replay(entry)
    ledger.begin_run("fedcba987654", LATER)
    ledger.drain()
    ledger.apply(a_history(a_report(order), at_ns=LATER), LATER)
    assert bool(only(CancelOrders, ledger.drain().commands)) is wanted
