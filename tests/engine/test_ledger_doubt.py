"""In doubt is a state: counted in full, ended only by evidence."""
# faults: A1 A2 A3 A3b A4 A11 A15 B12 C2 D16

from __future__ import annotations

import pytest

from mmbot.domain.commands import CancelOrders, Command, ReadHistory, SweepStrike
from mmbot.domain.events import PlaceLost, PlaceNotSent, PlaceRefused, ReadFailed
from mmbot.domain.facts import Alarm
from mmbot.domain.order import Order, State
from mmbot.engine.ledger import ARRIVAL_BOUND_NS, Ledger
from tests.builders import (
    EVENT,
    HOME,
    LINE,
    MARKET,
    NOW,
    SECOND,
    a_history,
    a_ledger,
    a_report,
    an_open_order,
    an_order,
    seen,
)

BOUND = NOW + ARRIVAL_BOUND_NS


def a_doubt(reason: str = "timeout", listed: bool = True) -> tuple[Ledger, Order]:
    ledger = a_ledger(listed=listed)
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    ledger.apply(PlaceLost(order.external_id, reason), NOW)
    return ledger, now_of(ledger, order)


def now_of(ledger: Ledger, order: Order) -> Order:
    found = ledger.order(order.external_id)
    assert found is not None
    return found


def looks(commands: tuple[Command, ...]) -> list[ReadHistory]:
    return [c for c in commands if isinstance(c, ReadHistory) and c.ends_doubt]


def run_until(ledger: Ledger, end_ns: int, *, answer: bool = True) -> list[int]:
    """Tick through time as the engine would; every look is answered: nothing there."""
    asked = []
    now_ns = NOW
    while now_ns <= end_ns:
        ledger.tick(now_ns)
        for look in looks(ledger.drain().commands):
            asked.append(now_ns)
            if answer:
                ledger.apply(a_history(at_ns=now_ns, from_ns=look.from_ns), now_ns)
        now_ns = max(now_ns + SECOND // 10, min(ledger.next_due_ns or end_ns, end_ns))
    return asked


def test_a_lost_reply_is_looked_for_at_once_then_soon_then_at_a_pace() -> None:
    ledger, order = a_doubt()
    asked = run_until(ledger, NOW + 40 * SECOND)
    seconds = [round((at - NOW) / SECOND, 1) for at in asked]
    assert seconds == [0, 1, 11, 21, 31]
    assert now_of(ledger, order).state is State.IN_DOUBT
    assert ledger.exposure(LINE).resting_cents == (100_00, 0)


def test_the_look_starts_before_the_intent() -> None:
    ledger, order = a_doubt()
    assert looks(ledger.drain().commands)[0].from_ns < order.intended_ns


def test_absence_is_believed_after_two_late_reads_ten_seconds_apart() -> None:
    ledger, order = a_doubt()
    ended_before = BOUND + 14 * SECOND
    run_until(ledger, ended_before + SECOND)
    assert now_of(ledger, order).state is State.REJECTED
    assert ledger.unmatched_cents == 0
    assert ledger.in_doubt_count == 0


@pytest.mark.parametrize(
    ("first_s", "second_s", "state"),
    [
        (5, 16, State.REJECTED),
        (5, 14, State.IN_DOUBT),  # nine seconds apart
        (-5, 14, State.IN_DOUBT),  # the first one was before the bound
        (-30, -10, State.IN_DOUBT),
    ],
)
def test_what_two_reads_must_show(first_s: int, second_s: int, state: State) -> None:
    ledger, order = a_doubt()
    for at_s in (first_s, second_s):
        at_ns = BOUND + at_s * SECOND
        ledger.apply(a_history(at_ns=at_ns), at_ns)
    assert now_of(ledger, order).state is state


def test_a_lagging_copy_of_the_database_proves_nothing() -> None:
    ledger, order = a_doubt()
    for at_s in (100, 120, 140):
        at_ns = BOUND + at_s * SECOND
        ledger.apply(a_history(at_ns=at_ns, synced_ns=BOUND), at_ns)
    assert now_of(ledger, order).state is State.IN_DOUBT


def test_a_read_that_begins_after_the_intent_proves_nothing() -> None:
    ledger, order = a_doubt()
    for at_s in (100, 120):
        at_ns = BOUND + at_s * SECOND
        ledger.apply(a_history(at_ns=at_ns, from_ns=NOW + SECOND), at_ns)
    assert now_of(ledger, order).state is State.IN_DOUBT


def test_a_list_of_what_is_alive_proves_no_absence() -> None:
    ledger, order = a_doubt()
    for at_s in (100, 120):
        at_ns = BOUND + at_s * SECOND
        ledger.apply(a_history(at_ns=at_ns, alive_only=True), at_ns)
    assert now_of(ledger, order).state is State.IN_DOUBT


def test_the_exchange_clock_decides_not_ours() -> None:
    """The exchange is a minute behind: its synced times mean a minute more of ours."""
    ledger, order = a_doubt(listed=False)
    for at_s in (20, 40):
        at_ns = BOUND + at_s * SECOND
        read = a_history(at_ns=at_ns, from_ns=NOW - 600 * SECOND, synced_ns=at_ns)
        theirs = at_ns - 60 * SECOND
        ledger.apply(
            type(read)(read.from_ns, (), theirs - SECOND, theirs, at_ns),
            at_ns,
        )
    assert now_of(ledger, order).state is State.REJECTED
    ledger, order = a_doubt(listed=False)
    for at_s in (20, 40):
        at_ns = BOUND + at_s * SECOND
        # The exchange is a minute ahead: what looks late enough is not.
        theirs = at_ns + 60 * SECOND
        read = a_history(at_ns=at_ns, synced_ns=BOUND + 50 * SECOND)
        ledger.apply(type(read)(read.from_ns, (), read.synced_ns, theirs, at_ns), at_ns)
    assert now_of(ledger, order).state is State.IN_DOUBT


def test_an_order_that_shows_up_is_ours_and_open() -> None:
    ledger, order = a_doubt()
    late = NOW + 45 * SECOND
    ledger.apply(a_history(a_report(order), at_ns=late), late)
    assert now_of(ledger, order).state is State.OPEN
    ledger.drain()
    assert run_until(ledger, NOW + 200 * SECOND) == []  # nobody looks any more


def test_a_failed_look_is_asked_again() -> None:
    ledger, order = a_doubt()
    assert looks(ledger.drain().commands)
    ledger.apply(ReadFailed("ReadHistory", "503"), NOW + SECOND)
    ledger.tick(NOW + 2 * SECOND)
    assert looks(ledger.drain().commands)
    assert now_of(ledger, order).state is State.IN_DOUBT


def test_only_one_look_is_under_way() -> None:
    ledger, _ = a_doubt()
    asked = run_until(ledger, NOW + 60 * SECOND, answer=False)
    assert len(asked) == 1


# --- sending the same id again --------------------------------------------------------------


def test_the_same_id_may_go_again_every_two_seconds() -> None:
    ledger, order = a_doubt()
    ident = order.external_id
    assert not ledger.may_resend(ident, NOW + SECOND)
    assert ledger.may_resend(ident, NOW + 2 * SECOND)
    ledger.note_resend(ident, NOW + 2 * SECOND)
    assert not ledger.may_resend(ident, NOW + 10 * SECOND)  # its answer is outstanding
    ledger.apply(PlaceLost(ident, "timeout"), NOW + 14 * SECOND)
    assert ledger.may_resend(ident, NOW + 14 * SECOND)


def test_the_refusal_of_a_resend_leaves_the_doubt() -> None:
    ledger, order = a_doubt()
    ledger.note_resend(order.external_id, NOW + 2 * SECOND)
    ledger.apply(PlaceRefused(order.external_id, "event_not_available", ""), NOW + 3 * SECOND)
    assert now_of(ledger, order).state is State.IN_DOUBT


def test_the_refusal_of_the_only_attempt_ends_it() -> None:
    ledger, order = a_doubt()
    ledger.apply(PlaceRefused(order.external_id, "invalid_price", ""), NOW + SECOND)
    assert now_of(ledger, order).state is State.REJECTED


def test_a_late_answer_to_a_resend_does_not_shake_an_order_that_opened_meanwhile() -> None:
    for answer in (PlaceNotSent, PlaceRefused):
        ledger, order = a_doubt()
        ledger.note_resend(order.external_id, NOW + 2 * SECOND)
        ledger.apply(seen(a_report(order)), NOW + 3 * SECOND)
        ledger.drain()
        if answer is PlaceNotSent:
            ledger.apply(PlaceNotSent(order.external_id, "429"), NOW + 4 * SECOND)
        else:
            ledger.apply(PlaceRefused(order.external_id, "suspended", ""), NOW + 4 * SECOND)
        assert now_of(ledger, order).state is State.OPEN
        assert not ledger.drain().facts


def test_a_resend_starts_the_arrival_bound_anew() -> None:
    ledger, order = a_doubt()
    again = NOW + 60 * SECOND
    ledger.note_resend(order.external_id, again)
    ledger.apply(PlaceLost(order.external_id, "timeout"), again + 12 * SECOND)
    for at_s in (5, 16):
        at_ns = BOUND + at_s * SECOND
        ledger.apply(a_history(at_ns=at_ns), at_ns)
    assert now_of(ledger, order).state is State.IN_DOUBT
    for at_s in (5, 16):
        at_ns = again + ARRIVAL_BOUND_NS + at_s * SECOND
        ledger.apply(a_history(at_ns=at_ns), at_ns)
    assert now_of(ledger, order).state is State.REJECTED


def test_an_id_that_existed_has_landed_and_absence_is_not_believed() -> None:
    ledger, order = a_doubt("external_id_existed")
    assert not ledger.may_resend(order.external_id, NOW + 60 * SECOND)
    for at_s in (5, 16, 30):
        at_ns = BOUND + at_s * SECOND
        ledger.apply(a_history(at_ns=at_ns), at_ns)
    assert now_of(ledger, order).state is State.IN_DOUBT
    ledger.apply(a_history(a_report(order), at_ns=BOUND), BOUND + 60 * SECOND)
    assert now_of(ledger, order).state is State.OPEN


# --- when it must go ------------------------------------------------------------------------


def test_an_unwanted_doubt_sweeps_its_strike_now_and_at_the_bound() -> None:
    ledger, order = a_doubt()
    neighbour = an_open_order(ledger)
    ledger.drain()
    ledger.want_cancel(order.external_id, NOW)
    ledger.want_cancel(order.external_id, NOW)
    sweep = SweepStrike(EVENT, MARKET, HOME)
    assert ledger.drain().commands.count(sweep) == 1
    assert now_of(ledger, neighbour).state is State.CANCELLING
    ledger.tick(BOUND - SECOND)
    assert sweep not in ledger.drain().commands
    ledger.tick(BOUND)
    assert sweep in ledger.drain().commands
    assert not ledger.may_resend(order.external_id, BOUND)


def test_a_mark_on_an_intent_sweeps_when_its_reply_is_lost() -> None:
    ledger = a_ledger(order := an_order())
    ledger.want_cancel(order.external_id, NOW)
    ledger.apply(PlaceLost(order.external_id, "reset"), NOW)
    assert SweepStrike(EVENT, MARKET, HOME) in ledger.drain().commands


# faults: A3b B12 E16
def test_a_strike_where_a_human_order_may_have_come_unheard_is_not_swept() -> None:
    """After a gap of the private channel only younger lists tell: here, of what came since."""
    ledger, order = a_doubt()
    ledger.disconnected(NOW + SECOND)
    ledger.connected("2", after_gap=True, now_ns=NOW + 5 * SECOND)
    ledger.want_cancel(order.external_id, NOW + 5 * SECOND)
    older = a_history(at_ns=NOW + 6 * SECOND, from_ns=NOW - 600 * SECOND)  # clocks agree to 2 s
    younger = a_history(at_ns=NOW + 9 * SECOND, from_ns=NOW - 600 * SECOND)
    said = []
    for read, tick_s in ((older, 8), (younger, 12)):
        ledger.apply(read, read.received_ns)
        ledger.tick(NOW + tick_s * SECOND)
        said.append(SweepStrike(EVENT, MARKET, HOME) in ledger.drain().commands)
    assert said == [False, True]


# faults: B12 E16
def test_a_sweep_that_no_list_allows_yet_asks_for_one() -> None:
    ledger, order = a_doubt()
    ledger.disconnected(NOW + SECOND)
    ledger.connected("2", after_gap=True, now_ns=NOW + 5 * SECOND)
    at_ns = NOW + 6 * SECOND
    ledger.apply(a_history(at_ns=at_ns, synced_ns=NOW + 3 * SECOND, alive_only=True), at_ns)
    ledger.drain()
    ledger.want_cancel(order.external_id, NOW + 8 * SECOND)
    asked = ledger.drain().commands
    assert [c.alive_only for c in asked if isinstance(c, ReadHistory)] == [True]


def test_a_strike_with_a_human_order_is_not_swept() -> None:
    ledger, order = a_doubt()
    ledger.apply(seen(a_report(an_order("by-hand"))), NOW)
    ledger.drain()
    ledger.want_cancel(order.external_id, NOW)
    said = ledger.drain()
    assert not [c for c in said.commands if isinstance(c, SweepStrike)]
    assert [f.what for f in said.facts if isinstance(f, Alarm)] == ["cannot sweep"]
    assert now_of(ledger, order).cancel_wanted


def test_an_unwanted_doubt_that_shows_up_is_cancelled_by_id() -> None:
    ledger, order = a_doubt()
    ledger.want_cancel(order.external_id, NOW)
    ledger.drain()
    ledger.apply(seen(a_report(order)), NOW + SECOND)
    assert now_of(ledger, order).state is State.CANCELLING
    assert [c for c in ledger.drain().commands if isinstance(c, CancelOrders)]


def test_a_doubt_that_does_not_end_is_alarmed_now_and_then() -> None:
    ledger, _ = a_doubt("external_id_existed")
    alarms = 0
    for second in range(1, 1200):
        ledger.tick(NOW + second * SECOND)
        said = ledger.drain()
        alarms += len([f for f in said.facts if isinstance(f, Alarm)])
        for _ in looks(said.commands):
            ledger.apply(a_history(at_ns=NOW + second * SECOND), NOW + second * SECOND)
    assert 3 <= alarms <= 6
