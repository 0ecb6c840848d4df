"""Funds: when they are taken, what caps say, what is lent, and fills that are still being paid."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.sim.core.orders import Account, Order, Refusal
from mmbot.sim.rules import MoneyRules, Rules
from tests.sim.small_venue import NS, SmallVenue, status


def code(found: Order | Refusal) -> tuple[int, str]:
    assert isinstance(found, Refusal), found
    return found.status, found.code


def test_funds_on_placement_are_debited_then_given_back() -> None:
    venue = SmallVenue(Rules(money=MoneyRules(funds="on_placement")))
    maker, taker = venue.account("maker", 100), venue.account("taker")
    side_a, side_b = venue.sides()
    first = venue.place(maker, side_a, 100, 60.0)
    assert maker.cash_cents == 4_000
    too_much = venue.place(maker, side_a, 300, 50.0)
    assert (too_much.status, too_much.reason) == ("invalid", "insufficient_funds")
    venue.place(taker, side_b, 100, 20.0)
    assert maker.cash_cents == 4_000
    venue.exchange.cancel(first, venue.now_ns)
    assert (maker.cash_cents, maker.matched_cents) == (8_000, 2_000)
    assert [(row.kind, row.amount_cents) for row in maker.transactions] == [
        ("TRADE", -6_000),
        ("CANCEL", 4_000),
    ]


@pytest.mark.parametrize("cap", ["invalid", "refuse"])
def test_ten_times_the_cash_may_rest_and_no_more(cap: Any) -> None:
    # faults: G2
    venue = SmallVenue(Rules(money=MoneyRules(resting_cap=cap)), games=4)
    maker = venue.account("maker", 100)
    lines = venue.exchange.listing.lines
    for line in lines[:9]:
        assert venue.place(maker, line.strikes[0], 300, 100.0).status == "open"
    assert venue.place(maker, lines[9].strikes[0], 300, 99.9).status == "open"  # 9.99 times
    over = venue.submit(maker, lines[10].strikes[0], 300, 1.0)
    if cap == "refuse":
        assert code(over) == (403, "insufficient_amount")
        return
    assert isinstance(over, Order)
    venue.wait(0.1)
    assert (over.status, over.reason) == ("invalid", "max_stake_exceeded")


def test_when_the_cash_falls_a_resting_order_cannot_be_paid_and_new_ones_wait() -> None:
    # faults: G2 C9
    venue = SmallVenue()
    maker, taker = venue.account("maker", 100), venue.account("taker")
    side_a, side_b = venue.sides()
    order = venue.place(maker, side_a, 100, 100.0)
    venue.exchange.set_cash(maker, 150, venue.now_ns)
    assert maker.transactions[-1].kind == "WITHDRAW"
    assert code(venue.submit(maker, side_a, 300, 1.0)) == (429, "too_many_delayed_requests")
    venue.place(taker, side_b, 100, 100.0)
    assert order.status == "canceled"
    assert maker.cash_cents == 150


def test_beyond_fifty_times_the_activation_may_be_slow_instead() -> None:
    # faults: G2 D8
    venue = SmallVenue(Rules(money=MoneyRules(delayed="slow"), resting_cash_multiple_max=1_000))
    maker = venue.account("maker", 100)
    for line in venue.exchange.listing.lines[:2]:
        venue.place(maker, line.strikes[0], 300, 100.0)
    venue.exchange.set_cash(maker, 300, venue.now_ns)
    slow = venue.submit(maker, venue.sides()[0], 300, 1.0)
    assert isinstance(slow, Order)
    venue.wait(9.9)
    assert status(slow) == "inactive"
    venue.wait(0.2)
    assert status(slow) == "open"


def test_one_strike_may_have_a_limit_of_its_own() -> None:
    venue = SmallVenue(Rules(money=MoneyRules(strike_resting_usd_max=22)))
    maker = venue.account("maker")
    assert venue.place(maker, venue.sides()[0], 300, 20.0).status == "open"
    over = venue.place(maker, venue.sides()[0], 300, 3.0)
    assert (over.status, over.reason) == ("invalid", "max_stake_exceeded")
    assert venue.place(maker, venue.sides()[1], 300, 3.0).status == "open"


# -- exposure credit ----------------------------------------------------------------------


def hedged(venue: SmallVenue, maker: Account, taker: Account, first: float, second: float) -> None:
    """The maker holds both sides of the moneyline at even money."""
    side_a, side_b = venue.sides()
    venue.place(maker, side_a, 100, first)
    venue.place(taker, side_b, 100, first)
    venue.place(maker, side_b, 100, second)
    venue.place(taker, side_a, 100, second)


def test_exposure_credit_is_what_the_market_pays_back_in_any_case() -> None:
    """The formula of the contract, 8.4: GEC = max(0, min(0, p1 - s2, p2 - s1) + c)."""
    venue = SmallVenue(Rules(money=MoneyRules(credit="gec")))
    maker, taker = venue.account("maker", 300), venue.account("taker")
    hedged(venue, maker, taker, 100.0, 60.0)
    venue.wait(11)
    worst = min(0, 10_000 - 6_000, 6_000 - 10_000)
    assert venue.exchange.credit_cents(maker) == max(0, worst + 16_000) == 12_000


def test_exposure_credit_moves_only_when_both_sides_are_matched_and_comes_late() -> None:
    venue = SmallVenue(Rules(money=MoneyRules(credit="gec")))
    maker, taker = venue.account("maker", 300), venue.account("taker")
    venue.wait(2)
    venue.trade(maker, taker, 100.0)
    venue.wait(20)
    assert venue.exchange.credit_cents(maker) == 0
    hedged(venue, maker, taker, 1.0, 101.0)
    assert venue.exchange.credit_cents(maker) == 0
    seen = []
    for _ in range(12):
        venue.wait(1)
        seen.append(venue.exchange.credit_cents(maker))
    assert seen[-1] == 20_200
    assert 5 <= seen.index(20_200) + 1 <= 10


def test_without_the_switch_there_is_no_credit() -> None:
    venue = SmallVenue()
    maker, taker = venue.account("maker", 300), venue.account("taker")
    hedged(venue, maker, taker, 100.0, 100.0)
    venue.wait(30)
    assert venue.exchange.credit_cents(maker) == 0


def test_credit_is_spent_before_cash_and_paid_back_when_the_market_ends() -> None:
    venue = SmallVenue(Rules(money=MoneyRules(credit="gec")))
    maker, taker = venue.account("maker", 250), venue.account("taker")
    hedged(venue, maker, taker, 100.0, 100.0)
    venue.wait(11)
    assert maker.cash_cents == 5_000
    fill = venue.trade(maker, taker, 120.0, number=1)
    assert fill.maker_cents == 12_000
    assert (maker.cash_cents, maker.lent_cents) == (5_000, 12_000)
    assert venue.exchange.credit_cents(maker) == 8_000
    venue.exchange.settlement.settle(venue.event, {venue.line().index: 0}, venue.now_ns)
    assert (maker.cash_cents, maker.lent_cents) == (5_000 + 20_000 - 12_000, 0)
    venue.exchange.settlement.settle(venue.event, {venue.line(1).index: 1}, venue.now_ns)
    assert maker.cash_cents == maker.start_cents - 12_000
    chests = venue.exchange.wallet.chests
    assert (chests["pot"], chests["loans"]) == (0, 0)


def test_a_reversed_settlement_lends_again_what_it_had_collected() -> None:
    venue = SmallVenue(Rules(money=MoneyRules(credit="gec")))
    maker, taker = venue.account("maker", 250), venue.account("taker")
    hedged(venue, maker, taker, 100.0, 100.0)
    venue.wait(11)
    venue.trade(maker, taker, 120.0, number=1)
    before = (maker.cash_cents, maker.lent_cents)
    venue.exchange.settlement.settle(venue.event, {venue.line().index: 0}, venue.now_ns)
    assert maker.lent_cents == 0
    venue.exchange.settlement.reverse(venue.event, venue.now_ns)
    assert (maker.cash_cents, maker.lent_cents) == before


def test_local_credit_pays_the_opposite_outcome_of_the_same_line() -> None:
    found = {}
    for credit in ("gec", "lec_and_gec"):
        venue = SmallVenue(Rules(money=MoneyRules(credit=credit)))
        maker, taker = venue.account("maker", 100), venue.account("taker")
        side_a, side_b = venue.sides()
        venue.place(maker, side_a, 100, 100.0)
        venue.place(taker, side_b, 100, 100.0)
        order = venue.place(maker, side_b, 100, 150.0)
        found[credit] = order.status
        if credit == "lec_and_gec":
            venue.place(taker, side_a, 100, 150.0)
            assert (maker.cash_cents, maker.lent_cents) == (0, 15_000)
            venue.exchange.settlement.settle(venue.event, {venue.line().index: 0}, venue.now_ns)
            assert maker.cash_cents == 5_000
    assert found == {"gec": "invalid", "lec_and_gec": "open"}


# -- fills that are being paid ------------------------------------------------------------


@pytest.mark.parametrize("form", ["refuse_422", "refuse_500", "allow"])
def test_a_single_cancel_is_refused_while_a_fill_is_being_paid(form: Any) -> None:
    # faults: B8
    rules = Rules(
        money=MoneyRules(fill_payment_ms=2_000, cancel_while_paying=form),
        first_pass_ms=0,
    )
    venue = SmallVenue(rules)
    maker, taker = venue.account("maker"), venue.account("taker")
    order = venue.place(maker, venue.sides()[0], 100, 100.0)
    venue.place(taker, venue.sides()[1], 100, 30.0)
    refusal = venue.exchange.cancel_refusal(order, venue.now_ns)
    if form == "allow":
        assert refusal is None
        return
    assert refusal is not None
    assert (refusal.status, refusal.code) == (int(form[-3:]), "invalid_request")
    assert "processing" in refusal.message
    venue.wait(2)
    assert venue.exchange.cancel_refusal(order, venue.now_ns) is None


@pytest.mark.parametrize("refunds", [True, False])
def test_a_mass_cancel_may_cost_a_fill_that_is_being_paid(refunds: bool) -> None:
    # faults: B8 B13
    money = MoneyRules(fill_payment_ms=2_000, mass_cancel_refunds=refunds)
    venue = SmallVenue(Rules(money=money))
    maker, taker = venue.account("maker"), venue.account("taker")
    order = venue.place(maker, venue.sides()[0], 100, 100.0)
    venue.place(taker, venue.sides()[1], 100, 30.0)
    venue.wait(3)
    venue.place(taker, venue.sides()[1], 100, 20.0)
    assert venue.exchange.mass_cancel(list(maker.alive.values()), venue.now_ns) == 1
    kept = 3_000 if refunds else 5_000
    assert (order.filled_cents, order.open_cents) == (kept, 0)
    assert maker.cash_cents == maker.start_cents - kept
    assert taker.cash_cents == taker.start_cents - kept
    assert (maker.transactions[-1].kind == "REFUND") is refunds
    assert venue.now_ns < order.fills[-1].at_ns + 2 * NS if order.fills else False
    assert venue.exchange.wallet.balance_cents([maker, taker]) == 0
