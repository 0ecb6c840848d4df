"""Fills that are taken back: only by a read and money, and then once."""
# faults: F11 B13 A8 A9

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.commands import ReadOrder, ReadTransactions
from mmbot.domain.entries import Entry, RunStarted
from mmbot.domain.facts import Alarm
from mmbot.domain.fill import Transaction
from mmbot.domain.ids import OrderId
from mmbot.domain.order import Order, State
from mmbot.engine.ledger import Ledger
from tests.builders import (
    LINE,
    NOW,
    PREFIX,
    RUN,
    SECOND,
    a_ledger,
    a_report,
    an_open_order,
    lines_of,
    seen,
)
from tests.engine.busts import (
    LATE,
    an_open_order_noted,
    bust_row,
    filled,
    filled_order,
    money,
    read,
    reversals,
    told,
    void,
)


@pytest.mark.parametrize("money_first", [True, False])
def test_a_read_and_a_row_lower_the_fill_once(money_first: bool) -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    told(ledger, void(order))
    if money_first:
        money(ledger, bust_row("1", 100_00))
    read(ledger, void(order), LATE + 5 * SECOND)
    if not money_first:
        money(ledger, bust_row("1", 100_00), at_ns=LATE + 6 * SECOND)
    for _ in range(2):
        read(ledger, void(order), LATE + 30 * SECOND)
        money(ledger, bust_row("1", 100_00), at_ns=LATE + 31 * SECOND)
    said = ledger.drain()
    assert [(e.filled_cents, e.reversed_cents, e.rows) for e in reversals(said.entries)] == [
        (0, 100_00, ("1",))
    ]
    assert [f.what for f in said.facts if isinstance(f, Alarm)] == ["fill taken back"]
    found = ledger.order(order.external_id)
    assert found is not None
    assert (found.state, found.filled_cents) == (State.CLOSED, 0)
    assert ledger.portfolio.total.everything_cents == 0
    assert ledger.unsettled_filled_orders == ()
    assert ledger.results() == {}
    ledger.check_sums()


def test_a_message_alone_is_only_a_reason_to_look() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    told(ledger, void(order))
    money(ledger, bust_row("1", 100_00))
    said = ledger.drain()
    assert [c.external_id for c in said.commands if isinstance(c, ReadOrder)] == [order.external_id]
    assert filled(ledger, order) == 100_00
    assert ledger.portfolio.total.everything_cents == 100_00
    assert ledger.results() == {}  # nobody knows how much the result is about


def test_a_read_without_money_is_alarmed_asked_about_and_believed_never() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    told(ledger, void(order))
    alarms, asked = [], 0
    for after_s in range(5, 300, 5):
        at_ns = LATE + after_s * SECOND
        read(ledger, void(order), at_ns)
        ledger.tick(at_ns)
        said = ledger.drain()
        alarms += [f.what for f in said.facts if isinstance(f, Alarm)]
        asked += sum(isinstance(c, ReadTransactions) for c in said.commands)
        assert not reversals(said.entries)
    assert alarms == ["fewer fills than counted"]
    assert asked >= 5
    assert filled(ledger, order) == 100_00


def test_a_reply_that_is_older_than_the_fill_is_no_reason_at_all() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    ledger.apply(seen(a_report(order), "reply", LATE), LATE)
    said = ledger.drain()
    assert not said.entries
    assert not any(isinstance(command, ReadTransactions) for command in said.commands)


def test_a_read_that_is_older_than_the_fill_starts_nothing() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    money(ledger, bust_row("1", 100_00))
    read(ledger, a_report(order), LATE, lag_s=80)
    read(ledger, a_report(order), LATE + 3 * SECOND, lag_s=4)
    assert filled(ledger, order) == 100_00
    read(ledger, a_report(order, filled=100_00), LATE + 9 * SECOND)
    read(ledger, a_report(order), LATE + 10 * SECOND, lag_s=80)
    assert filled(ledger, order) == 100_00


def test_money_of_another_market_or_another_sum_proves_nothing() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    told(ledger, void(order, left=40_00))
    read(ledger, void(order, left=40_00), LATE + 5 * SECOND)
    elsewhere = replace(bust_row("1", 60_00), market_id="999")
    money(ledger, elsewhere, bust_row("2", 59_99), at_ns=LATE + 6 * SECOND)
    assert filled(ledger, order) == 100_00
    money(ledger, bust_row("3", 9_00), at_ns=LATE + 7 * SECOND)  # more than enough is not it
    assert filled(ledger, order) == 100_00
    money(ledger, bust_row("4", 1), at_ns=LATE + 8 * SECOND)
    assert filled(ledger, order) == 40_00


def test_a_row_proves_one_reversal_and_no_second() -> None:
    ledger = a_ledger()
    first, second = filled_order(ledger), filled_order(ledger)
    money(ledger, bust_row("1", 100_00))
    for n, order in enumerate((first, second)):
        told(ledger, void(order), LATE + n * SECOND)
        read(ledger, void(order), LATE + (n + 5) * SECOND)
    assert (filled(ledger, first), filled(ledger, second)) == (0, 100_00)
    money(ledger, bust_row("2", 100_00), at_ns=LATE + 9 * SECOND)
    assert filled(ledger, second) == 0


def test_a_fill_of_which_nobody_told_makes_the_row_larger_than_the_fall() -> None:
    """Counted 100.00; 25.00 more were filled unheard; then the 100.00 were taken back."""
    ledger = a_ledger()
    order = an_open_order(ledger, quantity=200_00)
    ledger.apply(seen(a_report(order, filled=100_00)), NOW)
    trades = [replace(bust_row(f"t{n}", -c), kind="TRADE") for n, c in enumerate((100_00, 25_00))]
    told(ledger, a_report(order, filled=25_00))
    read(ledger, a_report(order, filled=25_00), LATE + 5 * SECOND)
    money(ledger, trades[0], bust_row("1", 100_00), at_ns=LATE + 6 * SECOND)
    assert filled(ledger, order) == 100_00  # the rows of the market do not add up to 25.00
    money(ledger, *trades, at_ns=LATE + 7 * SECOND)
    assert filled(ledger, order) == 25_00


def refilled_where_a_person_trades(ledger: Ledger) -> Order:
    """100.00 were filled and taken back, 25.00 filled anew, and nobody told; a read shows it."""
    order = an_open_order(ledger, quantity=200_00)
    ledger.apply(seen(a_report(order, filled=100_00)), NOW)
    by_hand = a_report(order, 30_00, order_id=OrderId("by-hand"), external_id=None)
    ledger.apply(seen(by_hand), NOW)
    read(ledger, a_report(order, filled=25_00), LATE)
    read(ledger, a_report(order, filled=25_00), LATE + 5 * SECOND)
    return order


def trade_row(ident: str, cents: int) -> Transaction:
    return replace(bust_row(ident, -cents), kind="TRADE")


def test_where_a_person_trades_lasting_reads_and_the_money_lower_a_fill_that_came_anew() -> None:
    """The rows of the market never add up to ours alone."""
    ledger = a_ledger()
    order = refilled_where_a_person_trades(ledger)
    rows = [trade_row("t1", 100_00), bust_row("1", 100_00), trade_row("t2", 25_00)]
    money(ledger, trade_row("by-hand", 30_00), *rows, at_ns=LATE + 6 * SECOND)
    assert filled(ledger, order) == 100_00  # two reads of one moment may be one mistake
    read(ledger, a_report(order, filled=25_00), LATE + 20 * SECOND)
    money(ledger, at_ns=LATE + 21 * SECOND)
    assert filled(ledger, order) == 25_00


def test_where_a_person_trades_what_a_row_gave_back_beyond_one_fall_is_left_for_others() -> None:
    """One fell by 75.00, its row gave 100.00 back, and the row of the other is younger."""
    ledger = a_ledger()
    order = refilled_where_a_person_trades(ledger)
    second = an_open_order(ledger, quantity=200_00)
    ledger.apply(seen(a_report(second, filled=60_00)), NOW)
    read(ledger, a_report(second), LATE)
    money(ledger, bust_row("1", 100_00), bust_row("2", 60_00), at_ns=LATE + 6 * SECOND)
    assert filled(ledger, second) == 60_00
    for after_s in range(20, 60, 20):
        at_ns = LATE + after_s * SECOND
        read(ledger, a_report(order, filled=25_00), at_ns)
        money(ledger, at_ns=at_ns + SECOND)
        read(ledger, a_report(second), at_ns + 2 * SECOND)
        money(ledger, at_ns=at_ns + 3 * SECOND)
    assert (filled(ledger, order), filled(ledger, second)) == (25_00, 0)


def test_where_a_person_trades_too_little_money_lowers_nothing() -> None:
    ledger = a_ledger()
    order = refilled_where_a_person_trades(ledger)
    money(ledger, bust_row("1", 74_00), at_ns=LATE + 6 * SECOND)
    for after_s in range(10, 200, 10):
        read(ledger, a_report(order, filled=25_00), LATE + after_s * SECOND)
        money(ledger, at_ns=LATE + (after_s + 1) * SECOND)
    assert filled(ledger, order) == 100_00


def test_the_first_read_that_can_be_believed_is_not_slept_past() -> None:
    """Reads are 40 s old: one that comes 43 s after the first can hold all that we had counted."""
    ledger = a_ledger()
    order = filled_order(ledger)
    read(ledger, void(order), LATE, lag_s=40)
    asked_s = []
    for second in range(1, 60):
        ledger.tick(LATE + second * SECOND)
        if any(isinstance(c, ReadOrder) for c in ledger.drain().commands):
            asked_s.append(second)
    assert 43 in asked_s


def test_what_is_undone_after_the_first_of_it_is_disputed_too() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    told(ledger, void(order, left=60_00))
    assert ledger.exposure(LINE).position.profit_cents[0] > 0
    told(ledger, void(order), LATE + SECOND)
    told(ledger, void(order, left=60_00), LATE + 2 * SECOND)  # older than the last, perhaps
    assert ledger.exposure(LINE).position.profit_cents == (0, 0)
    ledger.check_sums()


def test_a_restart_forgets_neither_the_reversal_nor_the_dispute() -> None:
    ledger = a_ledger()
    journal: list[Entry] = [RunStarted(RUN, NOW)]
    gone, open_ = (an_open_order_noted(ledger, journal) for _ in range(2))
    for order in (gone, open_):
        told(ledger, a_report(order, filled=100_00), NOW)
        told(ledger, void(order))
    money(ledger, bust_row("1", 100_00))
    read(ledger, void(gone), LATE + 5 * SECOND)
    journal.extend(ledger.drain().entries)
    rebuilt = Ledger(PREFIX, line_of=lines_of())
    for entry in journal:
        rebuilt.replay(entry)
    rebuilt.begin_run("fedcba987654", LATE + 20 * SECOND)
    assert rebuilt.exposures() == ledger.exposures()
    assert rebuilt.exposure(LINE).position.profit_cents == (0, 0)  # disputed: it wins nothing
    rebuilt.drain()
    later = LATE + 30 * SECOND
    rebuilt.tick(later)
    asked = [c.external_id for c in rebuilt.drain().commands if isinstance(c, ReadOrder)]
    assert open_.external_id in asked
    told(rebuilt, a_report(gone, filled=100_00), later)  # an old image
    read(rebuilt, void(open_), later + 5 * SECOND)
    assert filled(rebuilt, gone) == 0
    assert filled(rebuilt, open_) == 100_00  # its row was used before the restart


def test_what_stands_of_a_part_keeps_its_risk_and_a_later_fill_adds_to_it() -> None:
    ledger = a_ledger()
    order = filled_order(ledger, 60_00)
    told(ledger, a_report(order, filled=20_00))
    money(ledger, bust_row("1", 40_00))
    shown = replace(a_report(order, filled=20_00), open_cents=40_00)
    read(ledger, shown, LATE + 5 * SECOND)
    assert filled(ledger, order) == 20_00
    position = ledger.exposure(LINE).position
    assert position.stake_cents == (20_00, 0)
    assert 29_95 <= position.profit_cents[0] <= 30_00
    more = replace(a_report(order, filled=60_00), open_cents=0)
    told(ledger, more, LATE + 20 * SECOND)
    assert filled(ledger, order) == 20_00  # that was true before, too: only a read can tell
    read(ledger, more, LATE + 21 * SECOND, lag_s=17)
    assert filled(ledger, order) == 20_00
    read(ledger, more, LATE + 40 * SECOND)
    assert filled(ledger, order) == 60_00
    ledger.check_sums()


# faults: B13
def test_a_read_from_before_a_later_fill_tells_nothing_of_the_new_total() -> None:
    ledger = a_ledger()
    order = filled_order(ledger, 40_00)
    less = replace(a_report(order, filled=20_00), open_cents=80_00)
    told(ledger, less)
    read(ledger, less, LATE + 5 * SECOND)  # a half was taken back; no row of it yet
    told(ledger, a_report(order, filled=70_00), LATE + 10 * SECOND)  # and 50 came since
    money(ledger, bust_row("1", 20_00), bust_row("2", 30_00), at_ns=LATE + 11 * SECOND)
    assert filled(ledger, order) == 70_00
    read(ledger, a_report(order, filled=70_00), LATE + 30 * SECOND)
    assert filled(ledger, order) == 70_00
    ledger.check_sums()


# faults: D14
def test_rows_are_asked_for_from_what_is_booked_however_young_the_claim() -> None:
    """No row could be read for long; a later read would count as having read what was before."""
    ledger = a_ledger()
    order = filled_order(ledger)
    hour_ns = NOW + 3_600 * SECOND
    told(ledger, void(order), hour_ns)
    read(ledger, void(order), hour_ns + 5 * SECOND)
    asked = [c for c in ledger.drain().commands if isinstance(c, ReadTransactions)]
    assert [c.from_ns < NOW for c in asked] == [True]


def test_a_row_that_gave_money_back_has_the_orders_of_its_market_read() -> None:
    """The message of it was lost."""
    ledger = a_ledger()
    order, other = filled_order(ledger), an_open_order(ledger)
    money(ledger, bust_row("1", 100_00))
    ledger.drain()
    ledger.tick(LATE + 6 * SECOND)
    asked = [c.external_id for c in ledger.drain().commands if isinstance(c, ReadOrder)]
    assert asked == [order.external_id]
    read(ledger, void(order), LATE + 7 * SECOND)
    ledger.tick(LATE + 12 * SECOND)
    read(ledger, void(order), LATE + 13 * SECOND)
    assert filled(ledger, order) == 0
    assert other.external_id not in asked


def test_one_that_can_fill_again_is_cancelled() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    alive = a_report(order, filled=30_00)
    told(ledger, alive)
    money(ledger, bust_row("1", 70_00))
    read(ledger, alive, LATE + 5 * SECOND)
    found = ledger.order(order.external_id)
    assert found is not None
    assert (found.state, found.filled_cents) == (State.CANCELLING, 30_00)
    ledger.check_sums()
