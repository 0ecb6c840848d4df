"""Whose order is it? Ours is adopted, a human's is counted and never touched."""
# faults: B12 G6 H4 H5

from __future__ import annotations

from dataclasses import replace

from mmbot.domain.commands import CancelOrders, ReadOrder, SweepStrike
from mmbot.domain.entries import PlaceIntended
from mmbot.domain.events import TransactionsRead
from mmbot.domain.facts import Alarm
from mmbot.domain.ids import LineId
from mmbot.domain.order import State
from mmbot.engine.ledger import ARRIVAL_BOUND_NS, Ledger
from tests.builders import (
    AWAY,
    HOME,
    LINE,
    NOW,
    PREFIX,
    RUN,
    SECOND,
    a_history,
    a_ledger,
    a_report,
    an_order,
    lines_of,
    seen,
)

FOREIGN = f"{PREFIX}-abcdefabcdef-7"


def alarms(ledger: Ledger) -> list[str]:
    return [fact.what for fact in ledger.drain().facts if isinstance(fact, Alarm)]


def test_an_order_of_ours_that_the_ledger_does_not_know_is_adopted() -> None:
    ledger = a_ledger()
    stranger = an_order(FOREIGN, strike_id=AWAY)
    ledger.apply(a_history(a_report(stranger, filled=30_00)), NOW)
    adopted = ledger.live()[0]
    assert (adopted.line_id, adopted.side) == (LINE, 1)
    assert (adopted.state, adopted.filled_cents) == (State.OPEN, 30_00)
    exposure = ledger.exposure(LINE)
    assert exposure.resting_cents == (0, 70_00)
    assert exposure.position.stake_cents == (0, 30_00)
    intents = [e for e in ledger.drain().entries if isinstance(e, PlaceIntended)]
    assert [e.adopted for e in intents] == [True]


def test_an_adopted_order_can_be_cancelled() -> None:
    ledger = a_ledger()
    stranger = an_order(FOREIGN)
    ledger.apply(seen(a_report(stranger)), NOW)
    ledger.want_cancel(stranger.external_id, NOW)
    assert [c for c in ledger.drain().commands if isinstance(c, CancelOrders)]


def test_an_old_order_of_ours_that_carries_no_risk_is_left_alone() -> None:
    ledger = a_ledger()
    stranger = an_order(FOREIGN)
    settled = a_report(stranger, filled=100_00, status="closed", winning_status="loss")
    ledger.apply(a_history(a_report(stranger, status="canceled"), settled), NOW)
    assert ledger.orders() == ()


def test_a_foreign_run_that_places_after_our_start_is_a_second_daemon() -> None:
    ledger = a_ledger()
    young = NOW + ARRIVAL_BOUND_NS + SECOND
    stranger = an_order(FOREIGN, intended_ns=young)
    ledger.apply(seen(a_report(stranger)), young)
    assert "second daemon" in alarms(ledger)


def test_an_order_of_a_former_run_that_landed_late_is_no_second_daemon() -> None:
    ledger = a_ledger()
    stranger = an_order(FOREIGN, intended_ns=NOW + ARRIVAL_BOUND_NS - SECOND)
    ledger.apply(seen(a_report(stranger)), NOW + 3600 * SECOND)
    assert alarms(ledger) == ["adopted"]


def test_an_unknown_order_of_our_own_run_is_adopted_without_accusing_anybody() -> None:
    ledger = a_ledger()
    mine = an_order(f"{PREFIX}-{RUN}-77", intended_ns=NOW + 3600 * SECOND)
    ledger.apply(seen(a_report(mine)), NOW + 3600 * SECOND)
    assert alarms(ledger) == ["adopted"]


def test_on_an_unknown_strike_nothing_offsets_until_the_catalogue_comes() -> None:
    ledger = Ledger(PREFIX)
    ledger.begin_run(RUN, NOW)
    for n, strike in enumerate((HOME, AWAY)):
        stranger = an_order(f"{PREFIX}-{RUN}-{n}", strike_id=strike)
        ledger.apply(seen(a_report(stranger)), NOW)
    manual = an_order("by-hand", strike_id=AWAY)
    ledger.apply(seen(a_report(manual)), NOW)
    assert ledger.portfolio.total.everything_cents == 300_00
    assert alarms(ledger).count("unknown strike") == 2
    ledger.line_of = lines_of()
    ledger.tick(NOW + SECOND)
    assert ledger.exposure(LineId("?")).resting_cents == (0, 0)
    assert ledger.exposure(LINE).resting_cents == (100_00, 200_00)
    assert len(ledger.live_on_line(LINE)) == 2
    ledger.check_sums()
    again = Ledger(PREFIX, line_of=lines_of())
    for entry in ledger.drain().entries:
        again.replay(entry)
    assert len(again.live_on_line(LINE)) == 2


def test_the_age_of_an_adopted_order_is_told_by_our_clock() -> None:
    ledger = a_ledger()
    ledger.exchange_ahead(600 * SECOND)
    stranger = an_order(FOREIGN, intended_ns=NOW + 590 * SECOND)
    ledger.apply(seen(a_report(stranger)), NOW)
    found = ledger.order(stranger.external_id)
    assert found is not None
    assert found.intended_ns == NOW - 10 * SECOND


def test_a_manual_order_counts_and_is_never_touched() -> None:
    ledger = a_ledger()
    manual = an_order("by-hand")
    for _ in range(3):
        ledger.apply(seen(a_report(manual, filled=40_00)), NOW)
    assert ledger.unmatched_cents == 60_00
    assert ledger.portfolio.total.everything_cents == 100_00
    assert ledger.exposure(LINE).position.stake_cents == (40_00, 0)
    assert ledger.live() == ()
    ledger.check_sums()
    for minute in range(1, 10):
        ledger.tick(NOW + minute * 60 * SECOND)
    commands = ledger.drain().commands
    assert not [c for c in commands if isinstance(c, CancelOrders | SweepStrike)]


# faults: A13 B12
def test_a_manual_order_in_a_status_that_nobody_knows_may_still_fill() -> None:
    ledger = a_ledger()
    ledger.apply(seen(a_report(an_order("by-hand"), status="parked", open_cents=100_00)), NOW)
    assert ledger.portfolio.total.everything_cents == 100_00
    ledger.check_sums()


def test_a_manual_order_that_ended_keeps_its_fill_until_the_result() -> None:
    ledger = a_ledger()
    manual = an_order("by-hand")
    ledger.apply(seen(a_report(manual, filled=40_00)), NOW)
    ledger.apply(seen(a_report(manual, filled=40_00, open_cents=0)), NOW)
    assert ledger.unmatched_cents == 0
    assert ledger.portfolio.total.everything_cents == 40_00
    over = a_report(manual, filled=40_00, status="closed", winning_status="loss")
    ledger.apply(seen(over), NOW)
    assert ledger.portfolio.total.everything_cents == 0
    assert ledger.manual() == ()


# faults: F11 B12
def test_a_manual_fill_is_taken_back_by_a_younger_read_alone_and_stays_so() -> None:
    ledger = a_ledger()
    manual = an_order("by-hand")
    full, less = (a_report(manual, filled=cents, open_cents=60_00) for cents in (40_00, 10_00))
    ledger.apply(seen(full), NOW)
    minute_ns = NOW + 60 * SECOND
    ledger.apply(seen(less), minute_ns)
    ledger.apply(seen(less, "read", minute_ns, NOW), minute_ns)
    assert ledger.portfolio.total.everything_cents == 100_00  # each may be older than the fill
    ledger.apply(seen(less, "read", minute_ns, minute_ns), minute_ns)
    assert ledger.exposure(LINE).position.stake_cents == (10_00, 0)
    ledger.check_sums()
    again = Ledger(PREFIX, line_of=lines_of())
    again.rebuild(ledger.drain().entries)
    assert again.exposures() == ledger.exposures()


def test_a_manual_order_that_is_no_longer_listed_is_read() -> None:
    ledger = a_ledger()
    manual = a_report(an_order("by-hand"))
    ledger.apply(seen(manual), NOW)
    ledger.drain()
    ledger.apply(a_history(alive_only=True), NOW)
    asked = ledger.drain().commands
    assert [getattr(c, "order_id", None) for c in asked] == [manual.order_id]


def test_money_of_manual_orders_is_in_the_account_result_too() -> None:
    ledger = a_ledger()
    ledger.apply(TransactionsRead((), 0, NOW), NOW)
    assert ledger.pnl_cents == 0


def test_a_manual_fill_counts_after_a_restart_until_its_result_is_known() -> None:
    # faults: H3 G6
    ledger = a_ledger()
    manual = an_order("by-hand")
    ledger.apply(seen(a_report(manual, filled=40_00)), NOW)
    journal = list(ledger.drain().entries)
    again = Ledger(PREFIX, line_of=lines_of())
    for entry in journal:
        again.replay(entry)
    again.begin_run("fedcba987654", NOW)
    assert again.portfolio.total.everything_cents == 100_00
    again.start(NOW)
    again.apply(a_history(alive_only=True), NOW)  # it rests no more: how did it end?
    asked = [c for c in again.drain().commands if isinstance(c, ReadOrder)]
    assert [c.order_id for c in asked] == [a_report(manual).order_id]
    ended = a_report(manual, filled=40_00, open_cents=0)
    again.apply(seen(ended, "read", NOW, NOW), NOW)
    assert again.portfolio.total.everything_cents == 40_00
    again.drain()
    again.tick(NOW + 60 * SECOND)  # and its result is looked for
    asked = [c for c in again.drain().commands if isinstance(c, ReadOrder)]
    assert [c.order_id for c in asked] == [ended.order_id]
    lost = a_report(manual, filled=40_00, status="closed", winning_status="loss")
    again.apply(seen(lost, "read", NOW, NOW), NOW + 61 * SECOND)
    assert again.portfolio.total.everything_cents == 0
    third = Ledger(PREFIX, line_of=lines_of())
    for entry in (*journal, *again.drain().entries):
        third.replay(entry)
    assert third.portfolio.total.everything_cents == 0


def test_a_report_without_our_id_counts_only_until_the_order_is_known_as_ours() -> None:
    # faults: A13
    ledger = a_ledger()
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    report = a_report(order)
    ledger.apply(seen(replace(report, external_id=None)), NOW)
    assert [one.order_id for one in ledger.manual()] == [report.order_id]  # whose, nobody knows
    ledger.apply(seen(report), NOW)
    journal = list(ledger.drain().entries)
    ledger.apply(seen(replace(report, external_id=None)), NOW)
    again = Ledger(PREFIX, line_of=lines_of())
    for entry in journal:
        again.replay(entry)
    again.begin_run("fedcba987654", NOW)
    for one in (ledger, again):
        assert one.manual() == ()
        assert one.portfolio.total.everything_cents == 100_00
        one.check_sums()
