"""Results and money rows: once each, whichever channel, however often."""
# faults: F11 H3 A9

from __future__ import annotations

from mmbot.domain.commands import ReadOrder, ReadTransactions
from mmbot.domain.entries import SettlementSeen, TransactionBooked
from mmbot.domain.events import TransactionsRead
from mmbot.domain.facts import Alarm
from mmbot.domain.order import State
from mmbot.engine.ledger import Ledger
from tests.builders import (
    LINE,
    NOW,
    SECOND,
    a_history,
    a_ledger,
    a_report,
    a_row,
    an_open_order,
    seen,
)


def test_a_result_is_booked_once_and_ends_the_risk_not_the_state() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    ledger.apply(seen(a_report(order, filled=100_00)), NOW)
    assert unsettled(ledger) == 1
    ledger.drain()
    won = a_report(order, filled=100_00, status="settled", winning_status="profit")
    for channel in ("stream", "read", "stream"):
        ledger.apply(seen(won, "read" if channel == "read" else "stream"), NOW)
    booked = [e for e in ledger.drain().entries if isinstance(e, SettlementSeen)]
    assert [e.winning_status for e in booked] == ["profit"]
    found = ledger.order(order.external_id)
    assert found is not None
    assert found.state is State.FILLED
    assert ledger.portfolio.total.everything_cents == 0
    assert unsettled(ledger) == 0
    assert found.filled_cents == 100_00
    assert ledger.results() == {order.external_id: "profit"}
    ledger.check_sums()


def test_to_be_decided_is_no_result() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    ledger.apply(seen(a_report(order, filled=100_00, winning_status="tbd")), NOW)
    assert unsettled(ledger) == 1


def test_a_fill_and_its_result_in_one_report_both_count() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    report = a_report(order, filled=60_00, status="closed", winning_status="loss")
    ledger.apply(seen(report), NOW)
    found = ledger.order(order.external_id)
    assert found is not None
    assert (found.state, found.filled_cents) == (State.CLOSED, 60_00)
    assert ledger.results() == {order.external_id: "loss"}
    assert ledger.exposure(LINE).position.stake_cents == (0, 0)


def test_a_result_that_changes_is_booked_again_with_an_alarm() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    for word, late_s in (("profit", 0), ("loss", 20)):
        report = a_report(order, filled=100_00, status="closed", winning_status=word)
        at_ns = NOW + late_s * SECOND
        ledger.apply(seen(report, "stream", at_ns), at_ns)
        assert ledger.results() == {order.external_id: "profit"}  # perhaps an older image
        ledger.apply(seen(report, "read", at_ns, at_ns), at_ns)
    assert ledger.results() == {order.external_id: "loss"}
    alarms = [f.what for f in ledger.drain().facts if isinstance(f, Alarm)]
    assert alarms == ["result changed"]


def test_money_is_the_sum_of_the_rows_that_come_from_trading() -> None:
    ledger = a_ledger()
    rows = (
        a_row("1", 100_000_00, "DEPOSIT"),
        a_row("2", -50_00, "TRADE"),
        a_row("3", 95_00, "PAY"),
        a_row("4", -90, "COMMISSION"),
        a_row("5", -500_00, "WITHDRAW"),
        a_row("6", 7, "SOMETHING_NEW"),
    )
    for _ in range(3):
        ledger.apply(TransactionsRead(rows, 0, NOW), NOW)
    assert ledger.pnl_cents == -50_00 + 95_00 - 90 + 7
    booked = [e for e in ledger.drain().entries if isinstance(e, TransactionBooked)]
    assert len(booked) == 6


def test_a_settlement_that_is_taken_back_counts_once() -> None:
    ledger = a_ledger()
    moves = (
        ("TRADE", -200_00), ("PAY", 230_00), ("COMMISSION", -60), ("ADJUSTMENT_INCREASE", 60),
        ("ADJUSTMENT_REDUCE", -230_00), ("PAY", 230_00), ("COMMISSION", -60),
    )  # fmt: skip
    of_the_market = [
        a_row(str(n), cents, kind, event_id=501, market_id="251")
        for n, (kind, cents) in enumerate(moves)
    ]
    of_nobody = a_row("promo", 50_00, "ADJUSTMENT_INCREASE")
    ledger.apply(TransactionsRead((*of_the_market, of_nobody), 0, NOW), NOW)
    assert ledger.pnl_cents == 29_40


def test_the_first_read_of_money_after_a_restart_reaches_back_to_the_last_row() -> None:
    ledger = a_ledger()
    row = a_row("1", -50_00, created_ns=NOW + 500 * SECOND)
    ledger.apply(TransactionsRead((row,), 0, NOW), NOW)
    reads = [c for c in ledger.start(NOW + 9_000 * SECOND) if isinstance(c, ReadTransactions)]
    assert [NOW < c.from_ns < row.created_ns for c in reads] == [True]


def test_when_one_result_of_a_fixture_is_known_the_others_are_asked_for() -> None:
    ledger = a_ledger()
    ledger.start(NOW)
    ledger.apply(a_history(alive_only=True), NOW)
    orders = [an_open_order(ledger) for _ in range(4)]
    for order in orders:
        ledger.apply(seen(a_report(order, filled=100_00)), NOW)
    for order in orders[:2]:
        over = a_report(order, filled=100_00, status="closed", winning_status="loss")
        ledger.apply(seen(over), NOW)
    ledger.drain()
    assert reads(ledger, NOW + 2 * SECOND) == set()
    late = reads(ledger, NOW + 3 * SECOND) | reads(ledger, NOW + 4 * SECOND)
    assert late == {order.external_id for order in orders[2:]}


def unsettled(ledger: Ledger) -> int:
    return len(ledger.unsettled_filled_orders)


def reads(ledger: Ledger, now_ns: int) -> set[str]:
    ledger.tick(now_ns)
    return {c.external_id for c in ledger.drain().commands if isinstance(c, ReadOrder)}
