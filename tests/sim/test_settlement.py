"""Results into money: win, loss, push, draw, void, by hand, reversed, busted; fee and its net."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.sim.core.orders import Account, Order
from mmbot.sim.rules import LifeRules, MoneyRules, Rules
from tests.sim.small_venue import SmallVenue

WINS, LOSES = 0, 1


def a_pair(venue: SmallVenue) -> tuple[Account, Account]:
    return venue.account("maker"), venue.account("taker")


def ends(venue: SmallVenue, winners: dict[int, Any], how: Any = "automatic") -> None:
    verdicts = {venue.line(number).index: verdict for number, verdict in winners.items()}
    venue.exchange.settlement.settle(venue.event, verdicts, venue.now_ns, how=how)


def kinds(account: Account) -> list[tuple[str, int]]:
    return [(row.kind, row.amount_cents) for row in account.transactions]


@pytest.mark.parametrize(
    ("verdict", "maker_cents", "word", "status", "rows"),
    [
        (WINS, 9_800, "profit", "closed", ["TRADE", "PAY", "COMMISSION"]),
        (LOSES, -10_000, "loss", "closed", ["TRADE"]),
        (None, 0, "push", "closed", ["TRADE", "PUSH"]),
        ("push", 0, "push", "closed", ["TRADE", "PUSH"]),
        ("draw", 0, "draw", "closed", ["TRADE", "PUSH"]),
        ("no_result", 0, "no_result", "closed", ["TRADE", "REFUND"]),
        ("void", 0, "no_result", "void", ["TRADE", "VOID"]),
    ],
)
def test_each_verdict_pays_what_the_contract_says(
    verdict: object, maker_cents: int, word: str, status: str, rows: list[str]
) -> None:
    # faults: F11
    venue = SmallVenue()
    maker, taker = a_pair(venue)
    order = venue.trade(maker, taker, 100.0).maker
    before = maker.start_cents
    ends(venue, {0: verdict})
    assert maker.cash_cents - before == maker_cents
    assert (order.winning_status, order.status) == (word, status)
    assert [kind for kind, _ in kinds(maker)] == rows
    assert order.settled_ns == venue.now_ns
    assert maker.matched_cents == taker.matched_cents == 0
    fees = venue.exchange.wallet.chests["fees"]
    assert fees == (200 if verdict in (WINS, LOSES) else 0)


def test_a_dead_heat_halves_the_pot_and_an_odd_cent_stays_with_the_house() -> None:
    # faults: F11
    venue = SmallVenue()
    maker, taker = a_pair(venue)
    side_a, side_b = venue.sides()
    order = venue.place(maker, side_a, 300, 10.0)
    against = venue.place(taker, side_b, -300, 30.01)
    pot = order.filled_cents + against.filled_cents
    venue.exchange.settlement.dead_heat(venue.line(), venue.now_ns)
    fee = (pot // 2 - order.filled_cents) * 2 // 100
    assert maker.cash_cents == maker.start_cents + pot // 2 - order.filled_cents - fee
    assert taker.cash_cents == taker.start_cents + pot // 2 - against.filled_cents
    assert (order.winning_status, against.winning_status) == ("manually_won", "manually_lost")
    assert venue.exchange.wallet.chests["pot"] == 0
    assert venue.exchange.wallet.balance_cents([maker, taker]) == 0


def test_a_settlement_by_hand_says_so() -> None:
    # faults: F11
    venue = SmallVenue()
    maker, taker = a_pair(venue)
    fill = venue.trade(maker, taker, 50.0)
    ends(venue, {0: WINS}, how="manual")
    assert (fill.maker.status, fill.maker.winning_status) == ("manually_settled", "manually_won")
    assert (fill.taker.status, fill.taker.winning_status) == ("manually_settled", "manually_lost")
    assert maker.cash_cents == maker.start_cents + 4_900


@pytest.mark.parametrize(
    ("rule", "words"),
    [("settled_then_closed", ["settled", "closed"]), ("closed", ["closed"])],
)
def test_a_winner_is_settled_before_it_is_closed_unless_switched_off(
    rule: Any, words: list[str]
) -> None:
    venue = SmallVenue(Rules(life=LifeRules(winner_status=rule)))
    maker, taker = a_pair(venue)
    order = venue.trade(maker, taker, 50.0).maker
    venue.messages()
    ends(venue, {0: WINS})
    told = [info["status"] for info in venue.infos("orders") if info["order_id"] == order.order_id]
    assert told == words


def test_the_fee_is_on_the_net_of_a_market_and_not_on_each_line() -> None:
    """Two totals are one market: a loss on one is set off against the win on the other."""
    fees = {}
    for net in ("market", "order"):
        venue = SmallVenue(Rules(money=MoneyRules(fee_net=net)))
        maker, taker = a_pair(venue)
        venue.trade(maker, taker, 100.0, number=1)
        venue.trade(maker, taker, 60.0, number=2)
        ends(venue, {1: WINS, 2: LOSES})
        fees[net] = maker.start_cents + 4_000 - maker.cash_cents
    assert fees == {"market": 80, "order": 200}


def test_no_fee_without_net_winnings() -> None:
    venue = SmallVenue()
    maker, taker = a_pair(venue)
    venue.trade(maker, taker, 60.0, number=1)
    venue.trade(maker, taker, 100.0, number=2)
    ends(venue, {1: WINS, 2: LOSES})
    assert maker.cash_cents == maker.start_cents - 4_000


def test_a_settlement_reversed_twice_ends_as_the_last_result_says() -> None:
    # faults: F11
    venue = SmallVenue()
    maker, taker = a_pair(venue)
    order = venue.trade(maker, taker, 100.0).maker
    in_the_pot = maker.cash_cents
    for verdict in (WINS, LOSES):
        ends(venue, {0: verdict})
        venue.exchange.settlement.reverse(venue.event, venue.now_ns)
        assert maker.cash_cents == in_the_pot
        assert (order.status, order.winning_status) == ("open", "tbd")
        assert maker.matched_cents == 10_000
        assert venue.exchange.wallet.chests["fees"] == 0
    ends(venue, {0: WINS})
    assert maker.cash_cents == maker.start_cents + 9_800
    assert {"ADJUSTMENT_REDUCE", "ADJUSTMENT_INCREASE"} <= {kind for kind, _ in kinds(maker)}
    moved = sum(cents for _, cents in kinds(maker))
    assert moved == maker.cash_cents - maker.start_cents


def test_a_second_settlement_of_the_same_line_pays_nothing() -> None:
    venue = SmallVenue()
    maker, taker = a_pair(venue)
    venue.trade(maker, taker, 100.0)
    ends(venue, {0: WINS})
    cash = maker.cash_cents
    ends(venue, {0: WINS})
    ends(venue, {0: LOSES})
    assert maker.cash_cents == cash


def test_a_void_after_the_settlement_takes_it_back_and_keeps_the_rest_of_the_market() -> None:
    # faults: F11
    venue = SmallVenue()
    maker, taker = a_pair(venue)
    first = venue.trade(maker, taker, 100.0, number=1)
    second = venue.trade(maker, taker, 40.0, number=2)
    ends(venue, {1: WINS, 2: WINS})
    assert maker.cash_cents == maker.start_cents + 14_000 - 280
    venue.exchange.settlement.void(venue.line(1), venue.now_ns)
    assert (first.maker.status, first.maker.winning_status) == ("void", "no_result")
    assert (second.maker.status, second.maker.winning_status) == ("closed", "profit")
    assert maker.cash_cents == maker.start_cents + 4_000 - 80
    assert taker.cash_cents == taker.start_cents - 4_000


def test_a_partial_void_takes_back_some_fills_of_an_order() -> None:
    # faults: F11
    venue = SmallVenue()
    maker, taker = a_pair(venue)
    side_a, side_b = venue.sides()
    order = venue.place(maker, side_a, 100, 100.0)
    for usd in (30.0, 70.0):
        venue.place(taker, side_b, 100, usd)
    [first, _] = venue.exchange.fills
    assert venue.exchange.settlement.bust(first, venue.now_ns)
    assert (order.status, order.filled_cents, order.matching_status) == (
        "open",
        7_000,
        "fully_matched",
    )
    assert (first.taker.status, first.taker.winning_status) == ("void", "no_result")
    assert maker.cash_cents == maker.start_cents - 7_000
    ends(venue, {0: WINS})
    assert maker.cash_cents == maker.start_cents + 7_000 - 140


def test_one_void_order_is_taken_out_and_its_counterparts_get_their_money_back() -> None:
    # faults: F11
    venue = SmallVenue()
    maker, taker = a_pair(venue)
    side_a, side_b = venue.sides()
    order = venue.place(maker, side_a, 100, 100.0)
    against = venue.place(taker, side_b, 100, 30.0)
    venue.exchange.settlement.void(order, venue.now_ns)
    assert (order.status, order.open_cents, order.filled_cents) == ("void", 0, 0)
    assert (against.status, against.filled_cents) == ("void", 0)
    assert maker.cash_cents == maker.start_cents
    assert taker.cash_cents == taker.start_cents


@pytest.mark.parametrize("late_s", [899, 901])
def test_a_trade_is_busted_up_to_fifteen_minutes_later(late_s: int) -> None:
    # faults: F11
    venue = SmallVenue()
    maker, taker = a_pair(venue)
    fill = venue.trade(maker, taker, 100.0)
    venue.messages()
    venue.wait(late_s)
    in_time = late_s < 900
    assert venue.exchange.settlement.bust(fill, venue.now_ns) is in_time
    assert (maker.cash_cents == maker.start_cents) is in_time
    assert (fill.busted_ns == venue.now_ns) is in_time
    told = venue.infos("orders")
    assert len(told) == (2 if in_time else 0)
    assert all(info["status"] == "void" and info["total_filled_quantity"] == 0 for info in told)
    assert venue.exchange.settlement.bust(fill, venue.now_ns, waive=True) is not in_time
    assert maker.cash_cents == maker.start_cents
    assert not venue.exchange.settlement.bust(fill, venue.now_ns, waive=True)


def test_a_bust_can_be_a_changed_fill_only() -> None:
    venue = SmallVenue(Rules(life=LifeRules(bust_form="changed_fill")))
    maker, taker = a_pair(venue)
    fill = venue.trade(maker, taker, 100.0)
    venue.exchange.settlement.bust(fill, venue.now_ns)
    assert (fill.maker.status, fill.maker.matching_status) == ("open", "unmatched")
    assert maker.cash_cents == maker.start_cents


def test_a_bust_after_the_result_changes_what_was_paid() -> None:
    venue = SmallVenue()
    maker, taker = a_pair(venue)
    fill = venue.trade(maker, taker, 100.0)
    venue.trade(maker, taker, 50.0)
    ends(venue, {0: WINS})
    venue.exchange.settlement.bust(fill, venue.now_ns)
    assert maker.cash_cents == maker.start_cents + 4_900
    assert taker.cash_cents == taker.start_cents - 5_000


def test_what_rests_on_a_line_that_gets_its_verdict_ends() -> None:
    venue = SmallVenue()
    maker, _ = a_pair(venue)
    resting = venue.place(maker, venue.sides()[0], 300, 10.0)
    venue.exchange.settlement.void(venue.line(), venue.now_ns)
    assert resting.status == "void"
    late = venue.submit(maker, venue.sides()[0], 300, 10.0)
    assert not isinstance(late, Order)
    assert late.code == "event_not_available"
