"""The engine as a whole: one call in, effects out, and the rules that hold over all parts."""

# faults: E1 E2 H3

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.commands import (
    CancelEverything,
    CancelOrders,
    Command,
    ReadHistory,
    ReadMarkets,
    ReloadLadder,
)
from mmbot.domain.entries import OperatorNoted, PlaceIntended
from mmbot.domain.events import (
    Event,
    JournalStateChanged,
    LoopStalled,
    MarketStatusChanged,
    OperatorSaid,
    PlaceNotSent,
    PlaceRefused,
    SessionStateChanged,
    SportEventChanged,
    StrategyQuarantined,
    StreamStateChanged,
)
from mmbot.domain.facts import Alarm, ModeChanged, StrategyFailed
from mmbot.domain.ids import ExternalId
from mmbot.engine.modes import Mode
from mmbot.engine.ports import Budget, Effects
from tests.builders import a_report
from tests.engine.desk import Desk
from tests.engine.situations import AWAY, EVENT, HOME, LINE, S, an_order

BLIND = StreamStateChanged(False, True, "1", "closed")


def cancelled(effects: Effects) -> set[str]:
    return {
        ref.external_id
        for command in effects.commands
        if isinstance(command, CancelOrders)
        for ref in command.refs
    }


def asked(effects: Effects, kind: type[Command]) -> int:
    return sum(isinstance(command, kind) for command in effects.commands)


def test_both_sides_are_quoted_once_all_is_well() -> None:
    desk = Desk()
    effects = desk.all_well()
    assert {order.strike_id for order in desk.placed} == {HOME, AWAY}
    intents = [entry.order for entry in effects.entries if isinstance(entry, PlaceIntended)]
    assert intents == desk.placed
    assert desk.engine.mode is Mode.ENABLED


def test_nothing_is_placed_before_the_recovery_is_done() -> None:
    desk = Desk()
    desk.ledger.start(desk.now_ns)
    desk.tell(*desk.market(), *desk.account())
    assert desk.placed == []
    desk.wait(1, desk.history())
    assert len(desk.placed) == 2


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (BLIND, "blind"),
        (SessionStateChanged(1), "blind"),
        (OperatorSaid("pause", "test"), "paused"),
        (OperatorSaid("halt", "test"), "halted"),
        (OperatorSaid("stop", "test"), "stopping"),
    ],
)
def test_what_withdraws_every_wish_cancels_every_order_at_once(event: Event, word: str) -> None:
    desk = Desk()
    both = desk.quoting()
    effects = desk.tell(event)
    assert cancelled(effects) == {order.external_id for order in both}
    assert any(isinstance(f, ModeChanged) and f.after != "ENABLED" for f in effects.facts)
    assert word in desk.engine.drop_reason(both[0], 0, desk.now_ns)
    desk.wait(2, desk.fair(), desk.book())
    assert len(desk.placed) == 2


def test_a_sick_journal_stops_placing_but_leaves_what_rests() -> None:
    desk = Desk()
    first, second = desk.quoting()
    assert cancelled(desk.tell(JournalStateChanged(False, "disk full"))) == set()
    desk.tell(*desk.ended(first))
    assert len(desk.placed) == 2
    desk.wait(1, JournalStateChanged(True), desk.fair())
    assert len(desk.placed) == 3
    assert desk.placed[2].strike_id == first.strike_id
    assert second.external_id in {order.external_id for order in desk.ledger.live()}


@pytest.mark.parametrize(
    "event",
    [
        MarketStatusChanged(EVENT.event_id, LINE.market_id, None, "suspended"),
        SportEventChanged(replace(EVENT, status="live")),
    ],
)
def test_a_market_that_closes_is_left(event: Event) -> None:
    desk = Desk()
    both = desk.quoting()
    effects = desk.tell(event)
    assert cancelled(effects) == {order.external_id for order in both}
    assert len(desk.placed) == 2


def test_an_old_fair_value_withdraws_the_quotes_that_stand_on_it() -> None:
    desk = Desk()
    both = desk.quoting()
    assert cancelled(desk.wait(9, desk.book())) == set()
    assert cancelled(desk.wait(2, desk.book())) == {order.external_id for order in both}


def test_a_start_of_the_game_within_the_margin_withdraws_the_quotes() -> None:
    desk = Desk()
    both = desk.quoting()
    soon = replace(EVENT, start_ns=desk.now_ns + S)
    assert cancelled(desk.tell(SportEventChanged(soon))) == {o.external_id for o in both}


def test_the_budget_holds_placements_back_and_lets_them_out_later() -> None:
    desk = Desk()
    desk.recovered()
    effects = desk.tell(*desk.market(), *desk.account(), budget=Budget(0))
    assert desk.placed == []
    assert effects.wake_at_ns is not None
    assert effects.wake_at_ns - desk.now_ns < S // 10
    desk.wait(0.05)
    assert len(desk.placed) == 2


def test_a_stall_of_our_own_makes_books_old_and_reads_them_again() -> None:
    desk = Desk()
    desk.quoting()
    effects = desk.wait(40, LoopStalled(40 * S), desk.fair())
    assert asked(effects, ReadMarkets) == 1
    assert [f.what for f in effects.facts if isinstance(f, Alarm)] == ["loop stalled"]
    assert desk.engine.drop_reason(desk.placed[0], 0, desk.now_ns).startswith("data_is_fresh")
    desk.wait(1, desk.book(), desk.fair(), *desk.ended(*desk.placed[:2]))
    assert len(desk.placed) == 4


def test_a_halt_cancels_the_account_and_repeats_while_something_lives() -> None:
    desk = Desk()
    both = desk.quoting()
    assert asked(desk.tell(OperatorSaid("halt", "test")), CancelEverything) == 1
    assert asked(desk.wait(1), CancelEverything) == 0
    assert asked(desk.wait(1.1), CancelEverything) == 1
    desk.tell(*desk.ended(*both))
    assert asked(desk.wait(5), CancelEverything) == 0


def test_a_halt_cancels_the_account_although_nothing_of_ours_rests() -> None:
    desk = Desk()
    desk.strategy.wants = ()
    desk.all_well()
    assert asked(desk.tell(OperatorSaid("halt", "test")), CancelEverything) == 1
    assert asked(desk.wait(5), CancelEverything) == 0


def test_a_halt_with_the_scope_ours_cancels_only_ours() -> None:
    desk = Desk(whole_account=False)
    both = desk.quoting()
    effects = desk.tell(OperatorSaid("halt", "test"))
    assert asked(effects, CancelEverything) == 0
    assert cancelled(effects) == {order.external_id for order in both}


def test_a_resume_brings_the_quotes_back() -> None:
    desk = Desk()
    both = desk.quoting()
    said = desk.tell(OperatorSaid("halt", "test", "news")).entries
    assert [(e.word, e.reason) for e in said if isinstance(e, OperatorNoted)] == [("halt", "news")]
    desk.tell(*desk.ended(*both))
    assert len(desk.placed) == 2
    desk.tell(OperatorSaid("resume", "test"))
    assert len(desk.placed) == 4


def test_a_stop_is_done_only_when_a_read_has_shown_nothing_alive() -> None:
    desk = Desk()
    both = desk.quoting()
    desk.tell(OperatorSaid("stop", "test"))
    assert not desk.engine.flat
    effects = desk.tell(*desk.ended(*both))
    effects = effects if asked(effects, ReadHistory) else desk.wait(0.1)
    assert asked(effects, ReadHistory) >= 1
    assert not desk.engine.flat
    desk.wait(0.5, desk.history())
    assert desk.engine.flat


def test_a_stop_before_the_start_has_read_what_rests_proves_nothing() -> None:
    desk = Desk()  # with an empty journal: what rests of a lost one is not known yet
    desk.ledger.start(desk.now_ns)
    effects = desk.tell(OperatorSaid("stop", "test"))
    proofs = [one for one in effects.commands if isinstance(one, ReadHistory)]
    day_ns = 86_400 * S
    assert proofs
    assert all(one.from_ns < desk.now_ns - 6 * day_ns for one in proofs), "whatever our clock says"
    desk.wait(0.1, replace(desk.history(), from_ns=desk.now_ns))
    assert not desk.engine.flat
    desk.wait(0.1, desk.history())
    assert desk.engine.flat


def test_a_read_that_shows_one_of_ours_alive_is_no_proof() -> None:
    desk = Desk()
    both = desk.quoting()
    desk.tell(OperatorSaid("stop", "test"))
    desk.tell(*desk.ended(*both))
    desk.wait(1, desk.history(both[0]))
    assert not desk.engine.flat


def test_an_order_of_a_second_daemon_halts_us() -> None:
    desk = Desk()
    both = desk.quoting()
    desk.now_ns += 120 * S
    stranger = replace(an_order(ident="mm-ffffffffffff-1"), order_id=None, intended_ns=desk.now_ns)
    effects = desk.tell(*desk.opened(stranger), desk.book(), desk.fair())
    assert desk.engine.mode is Mode.HALTED
    assert "second daemon" in {f.what for f in effects.facts if isinstance(f, Alarm)}
    assert {o.external_id for o in both} <= cancelled(effects)


def test_a_strategy_that_fails_wants_nothing_and_is_named_once() -> None:
    desk = Desk()
    both = desk.quoting()
    desk.strategy.wants = "strategy.py:7: ValueError: a bug"
    effects = desk.wait(1, desk.book(), desk.fair())
    assert cancelled(effects) == {order.external_id for order in both}
    assert [f.error for f in effects.facts if isinstance(f, StrategyFailed)] == [
        "strategy.py:7: ValueError: a bug"
    ]
    again = desk.wait(1, desk.book(), desk.fair())
    assert not [f for f in again.facts if isinstance(f, StrategyFailed)]


def test_a_quarantined_strategy_is_not_asked_any_more() -> None:
    desk = Desk()
    both = desk.quoting()
    effects = desk.tell(StrategyQuarantined("test", "it hung"))
    assert cancelled(effects) == {order.external_id for order in both}
    desk.wait(1, desk.book(), desk.fair())
    assert len(desk.placed) == 2


def test_who_may_not_write_places_nothing() -> None:
    desk = Desk(writable=False)
    effects = desk.all_well()
    assert desk.placed == []
    assert effects.placements == ()


def test_a_filled_side_is_quoted_again() -> None:
    desk = Desk()
    first, second = desk.quoting()
    filled = a_report(first, filled=first.quantity_cents, status="open", open_cents=0)
    desk.tell(replace(desk.opened(first)[0], report=filled))
    assert [order.strike_id for order in desk.placed[2:]] == [first.strike_id]
    assert desk.placed[2].external_id not in {ExternalId(first.external_id), second.external_id}


def test_a_refusal_that_stays_is_not_repeated_at_the_full_rate() -> None:
    desk = Desk()
    desk.all_well()
    told: list[str] = []
    for _ in range(300):  # a minute of refusals, looked at five times a second
        answers = [
            PlaceRefused(order.external_id, "insufficient_fund", "no")
            for order in desk.placed
            if desk.ledger.order(order.external_id) in desk.ledger.live()
        ]
        said = desk.wait(0.2, *answers, desk.fair(), desk.book(), *desk.account())
        told += [f.detail for f in said.facts if isinstance(f, Alarm) and "goes on" in f.what]
    tries = len(desk.placed) / 2
    assert 5 <= tries <= 12
    assert len(told) == 1, "said once, not each time"
    assert "insufficient_fund" in told[0]


def test_an_order_that_comes_and_goes_by_nobodys_word_is_not_repeated_at_once() -> None:
    desk = Desk()
    desk.all_well()
    for _ in range(100):  # it crosses something that we do not see, and the exchange drops it
        gone = [o for o in desk.placed if desk.ledger.order(o.external_id) in desk.ledger.live()]
        desk.wait(0.1, *desk.ended(*gone), desk.fair(), desk.book(), *desk.account())
    assert 3 <= len(desk.placed) / 2 <= 10


def test_one_order_that_opens_makes_the_next_one_quick_again() -> None:
    desk = Desk()
    desk.all_well()
    refused, _ = desk.placed
    desk.tell(PlaceNotSent(refused.external_id, "401"))
    assert len(desk.placed) == 2
    desk.wait(0.3, desk.fair())
    again = desk.placed[2]
    assert again.strike_id == refused.strike_id
    desk.tell(*desk.opened(again))
    desk.tell(*desk.ended(again))
    assert desk.placed[3].strike_id == refused.strike_id


@pytest.mark.parametrize(("code", "reads"), [("invalid_price", 1), ("insufficient_fund", 0)])
def test_a_refused_price_makes_us_read_the_ladder_again(code: str, reads: int) -> None:
    desk = Desk()
    desk.all_well()
    effects = desk.tell(PlaceRefused(desk.placed[0].external_id, code, "no"))
    assert asked(effects, ReloadLadder) == reads
