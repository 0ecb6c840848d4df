"""A settlement counts as booked only when the rows of money end in the exchange's balance."""

from __future__ import annotations

import pytest

from mmbot.domain.commands import ReadTransactions
from mmbot.domain.events import BalanceSeen, HistoryRead, ReadFailed, TransactionsRead
from mmbot.domain.fill import Transaction
from mmbot.engine.housekeeping import ROWS_LATE_MAX_NS, SECOND_NS, Housekeeping

START_NS = 1_000 * SECOND_NS
SETTLED_NS = START_NS + 100 * SECOND_NS


def row(n: int, created_ns: int, balance_cents: int | None) -> Transaction:
    return Transaction(f"t{n}", "PAY", 100, created_ns=created_ns, balance_cents=balance_cents)


def house(balance_cents: int, *rows: Transaction, read_after_s: float = 2.0) -> Housekeeping:
    """What is known after a settlement, a balance and a read of these rows."""
    made = Housekeeping()
    made.settlement_seen(SETTLED_NS)
    made.apply(BalanceSeen(balance_cents, SETTLED_NS + SECOND_NS, balance_cents))
    read_ns = SETTLED_NS + round(read_after_s * SECOND_NS)
    made.apply(TransactionsRead(rows, START_NS, read_ns))
    return made


OLD = row(1, SETTLED_NS - 5 * SECOND_NS, 900)
NEW = row(2, SETTLED_NS, 1_000)


# faults: D14
@pytest.mark.parametrize(
    ("rows", "booked"),
    [
        ((OLD, NEW), True),
        ((OLD,), False),  # the reporting copy lags behind the settlement
        ((), False),
        ((OLD, row(3, SETTLED_NS, None)), False),
    ],
)
def test_rows_that_end_in_the_balance_are_complete(
    rows: tuple[Transaction, ...], booked: bool
) -> None:
    assert house(1_000, *rows).money_booked is booked


def test_a_figure_asked_for_before_the_settlement_proves_nothing_when_it_comes_after() -> None:
    made = house(1_000, NEW)
    early_ns, late_ns = SETTLED_NS - SECOND_NS, SETTLED_NS + 3 * SECOND_NS
    made.apply(BalanceSeen(900, late_ns, 900, asked_ns=early_ns))
    made.apply(TransactionsRead((OLD,), START_NS, late_ns, asked_ns=SETTLED_NS + SECOND_NS))
    assert not made.money_booked  # both are old, and agree


def test_missing_rows_are_asked_for_again_soon_and_not_for_ever() -> None:
    late = house(1_000, OLD)
    assert late.next_due_ns() <= SETTLED_NS + 6 * SECOND_NS
    after_s = ROWS_LATE_MAX_NS / SECOND_NS + 1
    assert house(1_000, OLD, read_after_s=after_s).money_booked


def test_a_copy_that_lags_for_longer_is_waited_for_by_its_own_word() -> None:
    after_s = ROWS_LATE_MAX_NS / SECOND_NS + 1
    made = house(1_000, OLD, read_after_s=after_s)
    synced_ns = SETTLED_NS - 90 * SECOND_NS
    made.apply(HistoryRead(0, (), synced_ns, SETTLED_NS, SETTLED_NS))
    assert not made.money_booked
    read_ns = SETTLED_NS + round((after_s + 90) * SECOND_NS)
    made.apply(TransactionsRead((OLD,), START_NS, read_ns))
    assert made.money_booked


def test_a_read_from_before_the_settlement_proves_nothing() -> None:
    made = house(1_000, NEW)
    made.settlement_seen(SETTLED_NS + 50 * SECOND_NS)
    assert not made.money_booked


# faults: H12
def test_after_a_halt_nothing_stays_overdue() -> None:
    """What is due in the past makes the engine turn a thousand times a second."""
    made = Housekeeping()
    made.due(START_NS, True, 0, START_NS)
    resumed_ns = START_NS + 3600 * SECOND_NS
    made.due(resumed_ns, False, 0, START_NS)
    assert made.next_due_ns() > resumed_ns


# faults: D14
def test_rows_that_could_not_be_read_are_asked_for_again_soon() -> None:
    made = house(1_000, OLD)
    due_ns = SETTLED_NS + 6 * SECOND_NS
    made.due(due_ns, stopping=False, live=0, rows_from_ns=0)
    made.apply(ReadFailed("ReadTransactions", "reporting_not_available"))
    assert made.due(due_ns, stopping=False, live=0, rows_from_ns=0) == []
    asked = made.due(due_ns + 6 * SECOND_NS, stopping=False, live=0, rows_from_ns=0)
    assert any(isinstance(command, ReadTransactions) for command in asked)
