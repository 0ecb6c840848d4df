"""What a message told of money is read: it may be older than what we know, or the last of it."""
# faults: A8 A9 A16 F11

from __future__ import annotations

from dataclasses import replace

from mmbot.domain.commands import ReadHistory, ReadOrder
from mmbot.domain.entries import Entry, RunStarted
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.ledger import Ledger
from tests.builders import NOW, PREFIX, RUN, SECOND, a_history, a_ledger, a_report, lines_of
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

HOUR_S = 3_600


def reads(ledger: Ledger, from_s: int, to_s: int, start_ns: int = LATE) -> list[ExternalId]:
    """Orders that are asked for in these seconds, whatever is answered."""
    asked = []
    for second in range(from_s, to_s):
        ledger.tick(start_ns + second * SECOND)
        commands = ledger.drain().commands
        asked += [c.external_id for c in commands if isinstance(c, ReadOrder)]
    return asked


def settled(order: Order, word: str = "loss") -> OrderReport:
    return a_report(order, filled=100_00, status="closed", winning_status=word)


def test_a_fill_that_only_a_message_told_is_read_until_a_younger_read_says_so() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    assert reads(ledger, 0, 60, NOW) == []  # a list of what changed may prove it first
    assert order.external_id in reads(ledger, 60, 80, NOW)
    read(ledger, a_report(order, filled=100_00), NOW + 80 * SECOND, lag_s=79)  # as old as the fill
    assert order.external_id in reads(ledger, 80, 160, NOW)
    read(ledger, a_report(order, filled=100_00), NOW + 160 * SECOND)
    assert reads(ledger, 160, HOUR_S, NOW) == []


def test_a_list_proves_a_fill_as_well() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    at_ns = NOW + 60 * SECOND
    ledger.apply(a_history(a_report(order, filled=100_00), at_ns=at_ns, changed_only=True), at_ns)
    assert reads(ledger, 60, HOUR_S, NOW) == []


def test_an_older_image_that_came_last_is_found_out() -> None:
    """Filled, taken back, read; then the message of the fill, which is late and is the last."""
    ledger = a_ledger()
    order = filled_order(ledger, 60_00)
    money(ledger, bust_row("1", 60_00))
    told(ledger, void(order))
    read(ledger, void(order), LATE + 5 * SECOND)
    assert filled(ledger, order) == 0
    reads(ledger, 5, 30)
    told(ledger, a_report(order, filled=60_00), LATE + 30 * SECOND)
    assert order.external_id in reads(ledger, 30, 40)
    read(ledger, void(order), LATE + 40 * SECOND)
    assert reads(ledger, 40, HOUR_S) == []
    assert filled(ledger, order) == 0


def test_where_one_result_is_taken_back_the_others_of_the_sport_event_are_read() -> None:
    """Nobody told of theirs, and a lost stake has no row."""
    ledger = a_ledger()
    orders = [filled_order(ledger) for _ in range(3)]
    for order in orders:
        read(ledger, settled(order), LATE)
    assert reads(ledger, 0, 60) == []
    one = orders[0].external_id
    tbd = replace(a_report(orders[0], filled=100_00, winning_status="tbd"), open_cents=0)
    at_ns = LATE + 60 * SECOND
    ledger.apply(a_history(tbd, at_ns=at_ns, changed_only=True), at_ns)
    assert set(ledger.results()) == {order.external_id for order in orders[1:]}
    assert {order.external_id for order in orders} - {one} <= set(reads(ledger, 60, 70))


def test_what_is_settled_is_asked_about_as_long_as_it_may_be_taken_back() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    read(ledger, settled(order), LATE)
    ledger.start(LATE)
    ledger.apply(a_history(at_ns=LATE, alive_only=True), LATE)
    ledger.tick(LATE + 2 * SECOND)
    asked = [c for c in ledger.drain().commands if isinstance(c, ReadHistory) and c.changed_only]
    assert asked


def test_rows_that_do_not_add_up_have_the_orders_read() -> None:
    ledger = a_ledger()
    order = filled_order(ledger)
    read(ledger, settled(order), LATE)
    money(ledger, replace(bust_row("1", -100_00), kind="TRADE"), at_ns=LATE)
    assert reads(ledger, 0, 60) == []
    paid = replace(bust_row("2", 250_00), kind="PAY", created_ns=LATE + 58 * SECOND)
    money(ledger, paid, at_ns=LATE + 60 * SECOND)
    assert order.external_id in reads(ledger, 60, 70)


def test_after_a_start_nobody_knows_what_was_read() -> None:
    ledger = a_ledger()
    journal: list[Entry] = [RunStarted(RUN, NOW)]
    orders = [an_open_order_noted(ledger, journal) for _ in range(3)]
    for order in orders:
        told(ledger, settled(order), NOW)
    journal.extend(ledger.drain().entries)
    rebuilt = Ledger(PREFIX, line_of=lines_of())
    for entry in journal:
        rebuilt.replay(entry)
    rebuilt.begin_run("fedcba987654", LATE)
    rebuilt.drain()
    assert reads(rebuilt, 0, 60) == []
    assert set(reads(rebuilt, 60, 80)) == {order.external_id for order in orders}


def test_where_many_are_near_one_list_tells_which_were_meant_and_the_rest_are_read_later() -> None:
    ledger = a_ledger()
    orders = [filled_order(ledger) for _ in range(8)]
    for order in orders:
        read(ledger, settled(order), LATE)
    tbd = replace(a_report(orders[0], filled=100_00, winning_status="tbd"), open_cents=0)
    read(ledger, tbd, LATE + 60 * SECOND)
    asked = []
    for second in range(60, 80):
        ledger.tick(LATE + second * SECOND)
        asked += [c for c in ledger.drain().commands if isinstance(c, ReadOrder | ReadHistory)]
    lists = [c for c in asked if isinstance(c, ReadHistory)]
    assert [c.changed_only for c in lists] == [True]
    singly = {c.external_id for c in asked if isinstance(c, ReadOrder)}
    assert not singly & {order.external_id for order in orders[1:]}
    # The list names one more; of the others it is believed, but not for ever.
    also = replace(a_report(orders[3], filled=100_00, winning_status="tbd"), open_cents=0)
    at_ns = LATE + 80 * SECOND
    ledger.apply(a_history(also, at_ns=at_ns, changed_only=True), at_ns)
    assert orders[3].external_id not in ledger.results()
    silent = {orders[n].external_id for n in (1, 2, 4, 5, 6, 7)}
    assert not silent & set(reads(ledger, 95, 120))
    at_ns = LATE + 120 * SECOND  # again something was undone, so there is another list
    ledger.apply(a_history(also, at_ns=at_ns, changed_only=True), at_ns)
    assert not silent & set(reads(ledger, 120, 400))
    assert silent <= set(reads(ledger, 400, 450))


def test_where_a_fill_was_refunded_no_list_is_trusted() -> None:
    ledger = a_ledger()
    orders = [filled_order(ledger) for _ in range(8)]
    money(ledger, bust_row("1", 60_00))
    assert {order.external_id for order in orders} <= set(reads(ledger, 5, 20))


def test_reads_that_lag_prove_what_goes_on_being_undone() -> None:
    """Rows lag as reads do: what a row shows, a read of that moment shows as well."""
    ledger, lag_s = a_ledger(), 90
    order = filled_order(ledger)
    shown = a_report(order, filled=100_00)
    asked = []
    for second in range(100, 1_000):
        at_ns = NOW + second * SECOND
        if second % 20 == 0:  # somebody else's
            undone = bust_row(str(second), 1_00, "ADJUSTMENT_INCREASE")
            row = replace(undone, created_ns=at_ns - lag_s * SECOND)
            money(ledger, row, at_ns=at_ns)
        for _ in reads(ledger, second, second + 1, NOW):
            asked.append(second)
            read(ledger, shown, at_ns, lag_s)
    assert ledger.waiting()["proofs"].waiting == 0
    assert len(asked) == 46  # once for each
