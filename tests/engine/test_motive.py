"""Each intent says why: the view that its strategy saw, and the figures of the gate."""

from __future__ import annotations

from dataclasses import replace

from mmbot.domain.book import Book, Level
from mmbot.domain.entries import OrderStepped, PlaceIntended, RunStarted
from mmbot.domain.events import BookUpdated, OrderSeen, PlaceLost
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.ids import OrderId
from mmbot.domain.motive import FairSeen
from mmbot.domain.notes import IdExists, ManualSeen, RequestSent, ResendDecided
from mmbot.domain.order import Step
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.engine.ledger import Ledger
from mmbot.engine.ports import Effects
from mmbot.engine.risk import CHECK_NAMES, CHECKS
from tests.builders import (
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
from tests.engine.desk import BOTH_SIDES, Desk
from tests.engine.situations import AWAY, HOME, LIMITS, LINE, S


def intents(effects: Effects) -> list[PlaceIntended]:
    return [entry for entry in effects.entries if isinstance(entry, PlaceIntended)]


def test_an_intent_holds_what_its_strategy_was_shown() -> None:
    desk = Desk()
    desk.recovered()
    levels = ((Level(Price(110), 7_000),), (Level(Price(-125), 3_000), Level(Price(-130), 9_000)))
    desk.tell(*desk.market())
    desk.now_ns += 2 * S
    book = BookUpdated(Book(LINE.line_id, levels, desk.now_ns - S // 2))
    first, second = intents(desk.tell(book, *desk.account()))
    assert first.motive is not None
    assert first.motive == second.motive  # one look at the line made both
    assert first.motive.fairs == (FairSeen("feed", 500_000, 2_000),)
    assert first.motive.best == (levels[0][0], levels[1][0])
    assert first.motive.book_age_ms == 500
    assert first.motive.position.stake_cents == (0, 0)


def test_our_own_orders_are_no_motive() -> None:
    desk = Desk()
    own = desk.quoting()
    resting = tuple((Level(order.price, order.quantity_cents),) for order in own)
    desk.strategy.wants = (*BOTH_SIDES, Quote(HOME, Price(120), 1_000))
    book = BookUpdated(Book(LINE.line_id, (resting[0], resting[1]), desk.now_ns))
    [more] = intents(desk.tell(book))
    assert more.motive is not None
    assert more.motive.best == (None, None)


def test_a_verdict_holds_what_is_held_what_may_fill_and_the_limits() -> None:
    desk = Desk()
    first, second = intents(desk.all_well())
    assert first.verdict is not None
    assert second.verdict is not None
    assert (first.verdict.line_held_cents, first.verdict.line_full_cents) == (0, 5_000)
    assert first.verdict.line_limit_cents == LIMITS.line_loss_max_cents
    assert (first.verdict.total_full_cents, first.verdict.total_limit_cents) == (5_000, 200_000)
    assert (first.verdict.unmatched_cents, second.verdict.unmatched_cents) == (5_000, 10_000)
    assert first.verdict.unmatched_limit_cents == 8_000_000
    assert first.verdict.mode == "ENABLED"


def test_what_is_in_doubt_counts_as_held_and_a_resend_is_judged_again() -> None:
    desk = Desk()
    desk.strategy.wants = BOTH_SIDES[:1]
    desk.all_well()
    [lost] = desk.placed
    desk.tell(PlaceLost(lost.external_id, "reset"))
    desk.strategy.wants = (BOTH_SIDES[0], Quote(AWAY, Price(105), 1_000))
    [away] = intents(desk.wait(1))
    assert away.verdict is not None
    assert away.verdict.line_held_cents == lost.quantity_cents
    effects = desk.wait(3, desk.book())
    [again] = [entry for entry in effects.entries if isinstance(entry, ResendDecided)]
    assert again.external_id == lost.external_id
    assert again.verdict is not None
    assert again.verdict.line_full_cents == lost.quantity_cents  # counted once
    assert not intents(effects)


def test_a_run_names_the_checks_of_its_gate() -> None:
    ledger = Ledger(PREFIX)
    ledger.begin_run(RUN, NOW, CHECK_NAMES)
    assert ledger.drain().entries == (RunStarted(RUN, NOW, CHECK_NAMES),)
    assert len(CHECK_NAMES) == len(CHECKS)


def test_a_cancel_says_what_is_wanted_instead() -> None:
    desk = Desk()
    desk.quoting()
    desk.strategy.wants = (Quote(HOME, Price(150), 2_000),)
    effects = desk.tell(desk.book())
    steps = [e for e in effects.entries if isinstance(e, OrderStepped)]
    assert [(e.step, e.evidence.detail) for e in steps] == [
        (Step.CANCEL_WANTED, "wanted now: +150 x 20.00"),
        (Step.CANCEL_WANTED, "no quote is wanted"),
    ]


def test_a_cancel_on_a_line_that_cannot_be_judged_names_the_check() -> None:
    desk = Desk()
    desk.quoting()
    effects = desk.wait(LIMITS.fair_age_max_ns / S + 1, desk.book())
    details = {e.evidence.detail for e in effects.entries if isinstance(e, OrderStepped)}
    assert details == {"unfit: data_is_fresh"}


# --- what else is journalled for the story ----------------------------------------------------


def test_a_persons_order_is_noted_when_it_comes_and_when_it_changes() -> None:
    ledger = a_ledger()
    order = an_order("by-hand", order_id=OrderId("theirs-hand"))

    def notes(filled: int, status: str = "open") -> list[ManualSeen]:
        ledger.apply(seen(a_report(order, filled, status, external_id=None)), NOW)
        return [e for e in ledger.drain().entries if isinstance(e, ManualSeen)]

    [came] = notes(0)
    assert (came.order_id, came.open_cents, came.status) == ("theirs-hand", 10_000, "open")
    assert came.evidence.kind is Kind.MESSAGE
    assert notes(0) == []
    [filled] = notes(2_500)
    assert filled.filled_cents == 2_500
    [ended] = notes(2_500, "canceled")
    assert (ended.status, ended.open_cents) == ("canceled", 0)


def test_one_that_ended_without_a_fill_before_we_looked_is_not_noted() -> None:
    ledger = a_ledger()
    report = a_report(an_order("by-hand"), status="canceled", external_id=None)
    ledger.apply(OrderSeen(report, "read", NOW), NOW)
    assert not [e for e in ledger.drain().entries if isinstance(e, ManualSeen)]


def test_an_id_that_exists_is_remembered_over_a_restart() -> None:
    """Without that the next run would believe its absence."""
    order = an_order()
    first = a_ledger(order)
    first.apply(PlaceLost(order.external_id, "order_external_id_existed: twice"), NOW)
    entries = first.drain().entries
    [exists] = [e for e in entries if isinstance(e, IdExists)]
    assert exists.evidence == Evidence(Kind.SAME_ID, "place", "order_external_id_existed: twice")
    absent = []
    for kept in (entries, [e for e in entries if e is not exists]):
        ledger = Ledger(PREFIX, line_of=lines_of())
        for entry in (RunStarted(RUN, NOW), PlaceIntended(order), *kept):
            ledger.replay(entry)
        ledger.begin_run("fedcba987654", NOW + SECOND)
        for after_s in (300, 311):
            at_ns = NOW + after_s * SECOND
            ledger.apply(a_history(at_ns=at_ns), at_ns)
        absent.append(not ledger.live())
    assert absent == [False, True]


def test_notes_change_nothing_of_what_is_rebuilt() -> None:
    order = replace(an_order())
    with_notes, without = Ledger(PREFIX), Ledger(PREFIX)
    note = RequestSent(1, "place", (order.external_id,), NOW)
    for ledger, entries in (
        (with_notes, (note, ResendDecided(order.external_id, None, NOW))),
        (without, ()),
    ):
        for entry in (RunStarted(RUN, NOW), PlaceIntended(order), *entries):
            ledger.replay(entry)
    assert with_notes.orders() == without.orders()
    assert with_notes.manual() == without.manual()
