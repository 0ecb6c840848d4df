"""Results that are taken back, and fills without rows: evidence of another kind."""
# faults: F11 A8

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.commands import ReadOrder
from mmbot.domain.entries import Entry, RunStarted, SettlementSeen
from mmbot.domain.events import BalanceSeen, TransactionsRead
from mmbot.engine.ledger import Ledger
from mmbot.engine.reversals import rows_of_sum
from tests.builders import (
    NOW,
    PREFIX,
    RUN,
    SECOND,
    a_ledger,
    a_report,
    lines_of,
)
from tests.engine.busts import (
    LATE,
    an_open_order_noted,
    bust_row,
    filled,
    filled_order,
    money,
    read,
    told,
    void,
)


def test_after_a_result_both_change_and_the_replay_says_the_same() -> None:
    ledger = a_ledger()
    journal: list[Entry] = [RunStarted(RUN, NOW)]
    order = an_open_order_noted(ledger, journal)
    won = a_report(order, filled=100_00, status="closed", winning_status="profit")
    told(ledger, won, NOW)
    again = a_report(order, filled=100_00, winning_status="tbd")
    read(ledger, replace(again, open_cents=0), LATE)
    assert len(ledger.unsettled_filled_orders) == 1
    assert ledger.portfolio.total.everything_cents == 100_00
    told(ledger, void(order), LATE + SECOND)
    money(ledger, bust_row("1", 100_00), at_ns=LATE + 2 * SECOND)
    read(ledger, void(order), LATE + 6 * SECOND)
    assert filled(ledger, order) == 0
    journal.extend(ledger.drain().entries)
    words = [e.winning_status for e in journal if isinstance(e, SettlementSeen)]
    assert words == ["profit", "tbd"]
    rebuilt = Ledger(PREFIX, line_of=lines_of())
    for entry in journal:
        rebuilt.replay(entry)
    assert rebuilt.orders() == ledger.orders()
    assert rebuilt.results() == ledger.results() == {}
    assert rebuilt.exposures() == ledger.exposures()
    rebuilt.check_sums()


def test_an_older_image_takes_no_result_back() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    at_ns = LATE
    told(ledger, a_report(order, filled=100_00, status="closed", winning_status="loss"), at_ns)
    told(ledger, a_report(order, filled=100_00, winning_status="tbd"), at_ns)
    read(ledger, a_report(order, filled=100_00, winning_status="tbd"), at_ns, lag_s=12)
    assert ledger.results() == {order.external_id: "loss"}
    ledger.drain()
    ledger.tick(at_ns + 3 * SECOND)
    assert not any(isinstance(c, ReadOrder) for c in ledger.drain().commands)  # would be as old
    ledger.tick(at_ns + 15 * SECOND)
    assert any(isinstance(c, ReadOrder) for c in ledger.drain().commands)


def test_what_was_lowered_to_nothing_has_no_result() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    told(ledger, a_report(order, filled=100_00, status="closed", winning_status="profit"), NOW)
    assert ledger.results()
    money(ledger, bust_row("1", 100_00))
    told(ledger, void(order))
    read(ledger, void(order), LATE + 5 * SECOND)
    assert filled(ledger, order) == 0
    assert ledger.results() == {}


@pytest.mark.parametrize("once", ["read", "balance"])
def test_where_no_row_can_be_booked_two_reads_and_the_balance_prove_it(once: str) -> None:
    """Neither of the two may be the word of one moment."""
    ledger = a_ledger()
    balance(ledger, 1000_00, NOW)
    order = filled_order(ledger)
    for n in range(3):
        nothing = TransactionsRead((), 0, NOW, NOW + n, by_rows=False)
        ledger.apply(nothing, NOW + n * SECOND)
    balance(ledger, 900_00, NOW + 15 * SECOND)
    told(ledger, void(order))
    read(ledger, void(order), LATE + 5 * SECOND)
    if once == "read":
        balance(ledger, 1000_00, LATE + 8 * SECOND)
    else:
        read(ledger, void(order), LATE + 17 * SECOND)
    balance(ledger, 1000_00, LATE + 18 * SECOND)
    assert filled(ledger, order) == 100_00
    balance(ledger, 1000_00, LATE + 33 * SECOND)
    read(ledger, void(order), LATE + 34 * SECOND)
    assert filled(ledger, order) == 0
    assert ledger.pnl_cents == 0


def balance(ledger: Ledger, cents: int, at_ns: int) -> None:
    ledger.apply(BalanceSeen(cents, at_ns, cents, at_ns), at_ns)
    ledger.drain()


def test_rows_are_chosen_by_their_sum() -> None:
    rows = {"a": 5, "b": 7, "c": 3}
    assert rows_of_sum(rows, 8) is not None
    assert sorted(rows_of_sum(rows, 8) or ()) == ["a", "c"]
    assert rows_of_sum(rows, 11) is None
    assert rows_of_sum({}, 1) is None
    many = {str(n): 1 << n for n in range(40)}
    assert rows_of_sum(many, 3) is None  # bounded: the youngest only
