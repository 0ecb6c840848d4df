"""What changed is asked for in lists; singly only what they do not explain."""

from __future__ import annotations

from mmbot.domain.commands import ReadHistory, ReadOrder
from mmbot.domain.events import ReadFailed
from tests.builders import NOW, SECOND, a_history, a_report, seen
from tests.engine.test_recovery import LATER, only, reborn


def test_what_changed_while_we_were_down_is_asked_for_in_one_list() -> None:
    # faults: C13 H1
    ledger = reborn(ended=25)
    ledger.start(LATER)
    ledger.apply(a_history(at_ns=LATER, alive_only=True), LATER)
    ledger.tick(LATER)
    said = ledger.drain().commands
    (asked,) = [c for c in only(ReadHistory, said) if c.changed_only]
    assert asked.from_ns < NOW
    assert not only(ReadOrder, said)
    won = [a_report(o, filled=100_00, winning_status="profit") for o in ledger.orders()]
    ledger.apply(a_history(*won, at_ns=LATER, from_ns=asked.from_ns, changed_only=True), LATER)
    assert not ledger.unsettled_filled_orders
    for second in range(9):
        ledger.tick(LATER + second * SECOND)
    assert not only(ReadOrder, ledger.drain().commands)


def test_the_next_list_goes_on_where_the_last_one_was_synced() -> None:
    # faults: D10
    ledger = reborn(ended=1)
    ledger.start(LATER)
    ledger.apply(a_history(at_ns=LATER, alive_only=True), LATER)
    ledger.apply(a_history(at_ns=LATER, from_ns=NOW, changed_only=True), LATER)
    froms_ns, until_ns = [], 0
    for minute in range(1, 4):
        ledger.drain()
        at_ns = LATER + minute * 60 * SECOND
        ledger.tick(at_ns)
        ledger.apply(a_history(at_ns=at_ns, alive_only=True), at_ns)
        (asked,) = [c for c in only(ReadHistory, ledger.drain().commands) if c.changed_only]
        froms_ns.append(asked.from_ns)
        assert asked.from_ns < NOW or asked.from_ns == until_ns - 10 * SECOND
        until_ns = at_ns - 20 * SECOND
        read = a_history(at_ns=at_ns, from_ns=NOW, changed_only=True, synced_ns=until_ns)
        ledger.apply(read, at_ns)
    assert froms_ns[0] < NOW, "once more from where the start read: no read was younger than it"
    assert min(froms_ns[1:]) > NOW


def test_a_list_that_failed_is_asked_for_again_and_not_first_by_the_next_audit() -> None:
    # faults: C13 D14
    ledger = reborn(ended=1)
    ledger.start(LATER)
    ledger.apply(a_history(at_ns=LATER, alive_only=True), LATER)
    asked_s = []
    for second in range(20):
        at_ns = LATER + second * SECOND
        ledger.tick(at_ns)
        lists = [c for c in only(ReadHistory, ledger.drain().commands) if c.changed_only]
        asked_s += [second] * len(lists)
        if lists and second < 10:  # the third one comes
            ledger.apply(ReadFailed("ReadHistory", "lost"), at_ns)
        elif lists:
            ledger.apply(a_history(at_ns=at_ns, from_ns=NOW, changed_only=True), at_ns)
    assert asked_s == [0, 5, 10]
    ledger.apply(ReadFailed("ReadHistory", "of another kind"), LATER + 21 * SECOND)
    for second in range(21, 40):
        ledger.tick(LATER + second * SECOND)
    assert not only(ReadHistory, ledger.drain().commands)


def test_results_that_the_list_leaves_out_are_read_singly_and_at_a_pace() -> None:
    """One order of the fixture has its result: the others should, too."""
    # faults: C13 D10
    ledger = reborn(ended=26)
    ledger.start(LATER)
    ledger.apply(a_history(at_ns=LATER, alive_only=True), LATER)
    ledger.apply(a_history(at_ns=LATER, from_ns=NOW, changed_only=True), LATER)
    first, *_ = ledger.orders()
    ledger.apply(seen(a_report(first, filled=100_00, winning_status="profit")), LATER)
    ledger.tick(LATER + 3 * SECOND)
    said = ledger.drain().commands
    assert any(c.changed_only for c in only(ReadHistory, said))
    assert not only(ReadOrder, said)
    at_ns = LATER + 4 * SECOND
    ledger.apply(a_history(at_ns=at_ns, from_ns=NOW, changed_only=True), at_ns)
    counts = []
    for second in range(4):
        ledger.tick(at_ns + second * SECOND)
        counts.append(len(only(ReadOrder, ledger.drain().commands)))
    assert counts == [10, 10, 5, 0]


def test_an_audit_reads_a_few_that_wait_each_in_its_turn() -> None:
    ledger = reborn(ended=12)
    ledger.start(LATER)
    ledger.drain()
    read = []
    for minute in range(1, 4):
        at_ns = LATER + minute * 60 * SECOND
        ledger.tick(at_ns)
        read.append([c.external_id for c in only(ReadOrder, ledger.drain().commands)])
        none = [a_report(order, filled=100_00) for order in ledger.orders()]
        ledger.apply(a_history(*none, at_ns=at_ns, changed_only=True), at_ns)
    assert [len(idents) for idents in read] == [5, 5, 2]
    assert len({ident for idents in read for ident in idents}) == 12
