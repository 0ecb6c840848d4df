"""Each difference from the exchange is classified, repaired, counted and told, once."""
# faults: A15 A16 B12 D14 D16 H3

from __future__ import annotations

import pytest

from mmbot.domain.commands import ReadOrder, ReadTrades
from mmbot.domain.difference import Difference, DifferenceFound, DifferenceKind, Repair
from mmbot.domain.events import HistoryRead, PlaceLost, PlaceRefused, TradesRead
from mmbot.domain.facts import Alarm, DifferenceRepaired, Reconciled
from mmbot.domain.fill import Trade
from mmbot.domain.ids import OrderId
from mmbot.domain.order import Order, State
from mmbot.engine.ledger import Ledger
from tests.builders import (
    LINE,
    NOW,
    PREFIX,
    SECOND,
    a_404,
    a_history,
    a_ledger,
    a_report,
    an_open_order,
    an_order,
    seen,
)

MINUTE = NOW + 60 * SECOND


def running() -> tuple[Ledger, Order]:
    """A ledger after its start, with one open order."""
    ledger = a_ledger()
    ledger.start(NOW)
    ledger.apply(a_history(alive_only=True), NOW)
    order = an_open_order(ledger)
    return ledger, order


def found(ledger: Ledger) -> list[Difference]:
    """What was found since the last drain: journalled and told alike."""
    said = ledger.drain()
    noted = [e.difference for e in said.entries if isinstance(e, DifferenceFound)]
    assert [f.difference for f in said.facts if isinstance(f, DifferenceRepaired)] == noted
    return noted


def passes(ledger: Ledger) -> list[Reconciled]:
    return [f for f in ledger.drain().facts if isinstance(f, Reconciled)]


def listed(ledger: Ledger, *orders: Order, at_ns: int = MINUTE, filled: int = 0) -> None:
    reports = [a_report(order, filled=filled) for order in orders]
    ledger.apply(a_history(*reports, at_ns=at_ns, alive_only=True), at_ns)


# --- while running --------------------------------------------------------------------------


def test_a_fill_that_the_stream_tells_a_moment_later_is_no_difference() -> None:
    ledger, order = running()
    ledger.tick(MINUTE)
    listed(ledger, order, filled=30_00)
    ledger.apply(seen(a_report(order, filled=30_00)), MINUTE + SECOND)
    ledger.tick(MINUTE + 20 * SECOND)
    assert not found(ledger)
    assert ledger.reconciliation.counts == {}


def test_a_fill_that_nobody_told_is_one_difference_with_both_sides() -> None:
    ledger, order = running()
    ledger.tick(MINUTE)
    listed(ledger, order, filled=30_00)
    listed(ledger, order, filled=30_00, at_ns=MINUTE + SECOND)
    ledger.tick(MINUTE + 20 * SECOND)
    (one,) = found(ledger)
    assert one == Difference(
        DifferenceKind.FILLED_TOTAL,
        order.external_id,
        "OPEN filled 0",
        "open filled 3000 open 7000",
        Repair.COUNTED,
        "audit",
    )
    assert ledger.exposure(LINE).position.stake_cents == (30_00, 0)


@pytest.mark.parametrize("status", ["wiped", "canceled", "invalid"])
def test_an_end_that_nobody_told_is_a_difference(status: str) -> None:
    ledger, order = running()
    ledger.tick(MINUTE)
    listed(ledger)
    asked = [c for c in ledger.drain().commands if isinstance(c, ReadOrder)]
    assert [c.external_id for c in asked] == [order.external_id]
    ended = a_report(order, status=status)
    ledger.apply(seen(ended, "read", MINUTE, MINUTE), MINUTE)
    ledger.tick(MINUTE + 20 * SECOND)
    (one,) = found(ledger)
    assert (one.kind, one.repair) == (DifferenceKind.STATUS, Repair.ENDED)
    assert not ledger.live()


def test_an_order_that_is_nowhere_any_more_is_missing_and_in_doubt() -> None:
    ledger, order = running()
    ledger.apply(a_404(order, MINUTE), MINUTE)
    assert not found(ledger)  # one 404 proves nothing
    ledger.apply(a_404(order, MINUTE + 11 * SECOND), MINUTE + 11 * SECOND)
    (one,) = found(ledger)
    assert (one.kind, one.repair) == (DifferenceKind.MISSING_ORDER, Repair.DOUBTED)
    assert ledger.in_doubt_count == 1
    assert ledger.unmatched_cents == 100_00


def test_an_order_of_ours_that_the_ledger_does_not_know_is_a_difference() -> None:
    ledger, order = running()
    stranger = an_order(f"{PREFIX}-abcdefabcdef-7")
    listed(ledger, order, stranger)
    (one,) = found(ledger)
    assert (one.kind, one.repair) == (DifferenceKind.UNKNOWN_ORDER, Repair.ADOPTED)
    assert len(ledger.live()) == 2


def test_an_order_that_rests_although_it_was_given_up_is_a_difference() -> None:
    ledger = a_ledger(order := an_order())
    ledger.apply(PlaceRefused(order.external_id, "event_not_available", ""), NOW)
    ledger.apply(seen(a_report(order), "read", MINUTE, MINUTE), MINUTE)
    (one,) = found(ledger)
    assert (one.kind, one.repair) == (DifferenceKind.STATUS, Repair.REVIVED)
    assert one.ours == "REJECTED filled 0"
    assert ledger.live()[0].state is State.CANCELLING


def test_two_orders_for_one_id_are_told_once() -> None:
    ledger, order = running()
    other = a_report(order, order_id=OrderId("another"))
    for _ in range(3):
        ledger.apply(seen(other, "read", MINUTE, MINUTE), MINUTE)
    (one,) = found(ledger)
    assert (one.kind, one.repair) == (DifferenceKind.TWO_ORDERS, Repair.ALARMED)


def test_a_row_of_a_list_is_passed_over_only_when_it_says_what_is_known() -> None:
    for changed in ({"open_cents": 0}, {"order_id": OrderId("another")}, {"status": "wiped"}):
        ledger, order = running()
        row = a_report(order, **changed)
        ledger.apply(a_history(row, at_ns=MINUTE), MINUTE)
        ledger.tick(MINUTE + 20 * SECOND)
        assert len(found(ledger)) == 1, changed


def test_a_persons_order_is_told_once_and_left_alone() -> None:
    ledger, order = running()
    human = an_order("by-hand")
    for n in range(3):
        listed(ledger, order, human, at_ns=MINUTE + n * SECOND)
    (one,) = found(ledger)
    assert (one.kind, one.repair) == (DifferenceKind.MANUAL_ORDER, Repair.LEFT_ALONE)
    assert ledger.unmatched_cents == 200_00


def test_an_order_in_doubt_that_is_found_is_no_difference() -> None:
    ledger, _ = running()
    lost = an_order(ledger.next_external_id())
    ledger.intend(lost)
    ledger.apply(PlaceLost(lost.external_id, "reset"), NOW)
    ledger.apply(a_history(a_report(lost, filled=10_00), at_ns=MINUTE), MINUTE)
    ledger.tick(MINUTE + 30 * SECOND)
    assert not found(ledger)


# --- at start and after a gap ---------------------------------------------------------------


def test_after_a_gap_nobody_waits_for_the_stream() -> None:
    ledger, order = running()
    ledger.tick(NOW)
    passes(ledger)
    ledger.start(MINUTE, "reconnect")
    ledger.apply(seen(a_report(order, filled=100_00), "read", MINUTE, MINUTE), MINUTE)
    (one,) = found(ledger)
    assert (one.kind, one.cause) == (DifferenceKind.FILLED_TOTAL, "reconnect")
    listed(ledger)
    (done,) = passes(ledger)
    assert (done.cause, done.orders, done.differences) == ("reconnect", 1, 1)
    assert ledger.recovered


def test_a_pass_ends_when_everything_that_it_asked_for_is_answered() -> None:
    ledger, order = running()
    start = ledger.reconciliation.last
    assert start is not None
    assert start.cause == "start"
    ledger.tick(MINUTE)
    assert ledger.reconciliation.running is not None
    listed(ledger, at_ns=MINUTE + 2 * SECOND)
    assert not passes(ledger)  # one is not in the list, and is read
    ended = a_report(order, filled=100_00)
    ledger.apply(seen(ended, "read", MINUTE, MINUTE), MINUTE + 3 * SECOND)
    ledger.tick(MINUTE + 3 * SECOND)
    (audit,) = passes(ledger)
    assert (audit.cause, audit.orders, audit.took_ns) == ("audit", 1, 3 * SECOND)


def test_a_list_that_does_not_reach_back_ends_no_audit() -> None:
    ledger, order = running()
    ledger.tick(MINUTE)
    short = HistoryRead(MINUTE, (a_report(order),), MINUTE, MINUTE, MINUTE, alive_only=True)
    ledger.apply(short, MINUTE)
    ledger.tick(MINUTE + SECOND)
    assert ledger.reconciliation.running is not None


def test_very_many_that_are_missing_are_read_at_a_pace() -> None:
    # faults: D10 F3
    ledger, _ = running()
    for _ in range(99):
        an_open_order(ledger)
    ledger.tick(MINUTE)
    listed(ledger)
    assert not [c for c in ledger.drain().commands if isinstance(c, ReadOrder)]
    ledger.apply(a_history(at_ns=MINUTE, changed_only=True), MINUTE)  # and explains none
    counts = []
    for second in range(1, 9):
        counts.append(sum(isinstance(c, ReadOrder) for c in ledger.drain().commands))
        ledger.tick(MINUTE + second * SECOND)
    assert counts == [15, 15, 15, 15, 15, 15, 10, 0]


# --- trades ---------------------------------------------------------------------------------


def traded(ledger: Ledger, *rows: Trade, at_ns: int = MINUTE) -> list[ReadOrder]:
    ledger.drain()
    ledger.apply(TradesRead(rows, NOW, at_ns), at_ns)
    return [c for c in ledger.drain().commands if isinstance(c, ReadOrder)]


def a_trade(order: Order, n: int, cents: int) -> Trade:
    assert order.order_id is not None
    return Trade(f"t-{n}", order.order_id, cents)


def test_trades_that_are_counted_ask_for_nothing() -> None:
    # faults: A9
    ledger, order = running()
    ledger.apply(seen(a_report(order, filled=50_00)), NOW)
    rows = a_trade(order, 1, 20_00), a_trade(order, 2, 30_00)
    assert not traded(ledger, *rows)
    assert not traded(ledger, *rows)
    assert not traded(ledger, Trade("t-3", rows[0].order_id, 0))  # it names no amount


@pytest.mark.parametrize("cents", [20_00, 0])
def test_a_trade_that_nobody_told_is_looked_at_and_counted_by_the_read(cents: int) -> None:
    ledger, order = running()
    (asked,) = traded(ledger, a_trade(order, 1, cents))
    assert asked.external_id == order.external_id
    assert ledger.exposure(LINE).position.stake_cents == (0, 0)  # a row alone is no total
    ledger.apply(seen(a_report(order, filled=20_00), "read", MINUTE, MINUTE), MINUTE)
    ledger.tick(MINUTE + 20 * SECOND)
    (one,) = found(ledger)
    assert (one.kind, one.repair) == (DifferenceKind.FILL_UNKNOWN, Repair.COUNTED)
    assert ledger.exposure(LINE).position.stake_cents == (20_00, 0)


def test_a_trade_of_an_order_that_nobody_knows_finds_it() -> None:
    """Filled at once, between two audits: no list of what is alive ever shows it."""
    ledger, _ = running()
    for n, name in enumerate((f"{PREFIX}-abcdefabcdef-7", "by-hand")):
        gone = a_report(an_order(name), filled=100_00)
        (asked,) = traded(ledger, Trade(f"u-{n}", gone.order_id, 100_00))
        assert asked.order_id == gone.order_id
        ledger.apply(seen(gone, "read", MINUTE, MINUTE), MINUTE)
        assert len(found(ledger)) == 1
    assert ledger.exposure(LINE).position.stake_cents == (200_00, 0)
    assert set(ledger.reconciliation.counts) == {
        DifferenceKind.UNKNOWN_ORDER,
        DifferenceKind.MANUAL_ORDER,
    }


def test_trades_are_read_from_where_the_last_read_ended() -> None:
    ledger, order = running()
    reads = [c for c in ledger.start(NOW) if isinstance(c, ReadTrades)]
    assert len(reads) == 1
    traded(ledger, at_ns=NOW + 50 * SECOND)
    ledger.tick(MINUTE)
    (audit,) = [c for c in ledger.drain().commands if isinstance(c, ReadTrades)]
    assert audit.from_ns == NOW - 70 * SECOND
    listed(ledger, order)


# --- who is told ----------------------------------------------------------------------------


def test_the_stream_that_missed_something_is_an_alarm_too() -> None:
    ledger, order = running()
    ledger.tick(MINUTE)
    listed(ledger, order, filled=30_00)
    ledger.tick(MINUTE + 20 * SECOND)
    alarms = [f.what for f in ledger.drain().facts if isinstance(f, Alarm)]
    assert alarms == ["the stream missed something"]


def after_a_gap(read_as_of_ns: int) -> tuple[Ledger, Order]:
    """We hear the exchange again since `MINUTE`; a list as of then, which came later, found all as
    we knew it."""
    ledger, order = running()
    ledger.connected("1", after_gap=False, now_ns=NOW)
    ledger.disconnected(NOW + 50 * SECOND)
    ledger.connected("2", after_gap=True, now_ns=MINUTE)
    at_ns, row = MINUTE + 5 * SECOND, a_report(order)
    ledger.apply(a_history(row, at_ns=at_ns, synced_ns=read_as_of_ns, alive_only=True), at_ns)
    ledger.drain()
    assert ledger.recovered
    return ledger, order


@pytest.mark.parametrize("lag_s", [0, 40])
def test_a_fill_in_a_gap_is_nothing_that_the_stream_has_missed(lag_s: int) -> None:
    """Seen 2026-11-23: the copy that the first reads show is older than the gap, and only an audit
    shows what happened in it. What a read as of later agreed with, the stream has to tell."""
    ledger, order = after_a_gap(MINUTE + (4 - lag_s) * SECOND)
    ledger.tick(MINUTE + 60 * SECOND)
    ledger.drain()
    listed(ledger, order, at_ns=MINUTE + 61 * SECOND, filled=30_00)
    ledger.tick(MINUTE + 75 * SECOND)
    said = ledger.drain()
    (one,) = [f.difference for f in said.facts if isinstance(f, DifferenceRepaired)]
    alarms = [f.what for f in said.facts if isinstance(f, Alarm)]
    assert (one.cause, alarms) == (
        ("reconnect", []) if lag_s else ("audit", ["the stream missed something"])
    )
    assert ledger.exposure(LINE).position.stake_cents == (30_00, 0)


def test_what_the_stream_tells_after_a_gap_it_has_to_go_on_telling() -> None:
    ledger, order = after_a_gap(MINUTE - 40 * SECOND)
    ledger.apply(seen(a_report(order, filled=10_00)), MINUTE + 30 * SECOND)
    ledger.drain()
    listed(ledger, order, at_ns=MINUTE + 61 * SECOND, filled=30_00)
    ledger.tick(MINUTE + 75 * SECOND)
    assert "the stream missed something" in {
        fact.what for fact in ledger.drain().facts if isinstance(fact, Alarm)
    }
