"""What orders may do, under each value of the rules that the contract leaves open."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.sim.core.matching import match_cents
from mmbot.sim.core.orders import Order, Refusal
from mmbot.sim.core.prices import complement, ratio
from mmbot.sim.rules import ActivationRules, Rules
from tests.sim.small_venue import MS, SmallVenue, status

PRICES = (-880, -230, -117, -101, 100, 104, 114, 185, 900)


def better_for_the_taker(price: int) -> Fraction:
    """A maker's own odds: the smaller, the more a taker gets."""
    num, den = ratio(price)
    return Fraction(num, den)


placed = st.tuples(
    st.integers(0, 2), st.integers(0, 1), st.sampled_from(PRICES), st.integers(100, 20_000)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(placed, min_size=2, max_size=25))
def test_matching_is_price_then_time_at_the_resting_price(
    items: list[tuple[int, int, int, int]],
) -> None:
    """Every fill is what a book kept as one plain list would have done."""
    venue = SmallVenue(Rules(self_match="invalid"))
    accounts = [venue.account(f"account-{number}", 100_000) for number in range(3)]
    plain: list[list[int]] = []  # number, account, side, price, open
    expected: list[tuple[int, int, int, int]] = []
    for number, (who, side, price, cents) in enumerate(items, start=1):
        crossing = [
            one
            for one in plain
            if one[2] != side
            and one[4]
            and better_for_the_taker(one[3]) * better_for_the_taker(price) <= 1
        ]
        crossing.sort(key=lambda one: (better_for_the_taker(one[3]), one[0]))
        venue.place(accounts[who], venue.sides()[side], price, cents / 100)
        if any(one[1] == who for one in crossing):
            continue  # invalid: it would have met its own account
        left = cents
        for one in crossing:
            while (stakes := match_cents(left, one[4], one[3])) != (0, 0):
                taken, made = stakes
                expected.append((one[0], taken, made, one[3]))
                left -= taken
                one[4] -= made
        plain.append([number, who, side, price, left])
    seen = [
        (fill.maker.number, fill.taker_cents, fill.maker_cents, fill.maker_price)
        for fill in venue.exchange.fills
    ]
    assert seen == expected
    for fill in venue.exchange.fills:
        assert fill.taker_price == complement(fill.maker_price)
        limit = better_for_the_taker(fill.taker.price)
        assert better_for_the_taker(fill.taker_price) >= limit


def test_a_book_is_not_left_crossed_by_a_cent_that_rounding_leaves() -> None:
    venue = SmallVenue()
    maker, taker = venue.account("maker"), venue.account("taker")
    side_a, side_b = venue.sides()
    resting = venue.place(maker, side_a, -192, 1.37)
    taken = venue.place(taker, side_b, 170, 29.02)
    assert resting.open_cents == 0
    assert (taken.filled_cents, taken.counter_cents) == (72, 137)
    stakes = [(fill.taker_cents, fill.maker_cents) for fill in venue.exchange.fills]
    assert stakes == [(71, 136), (1, 1)]


def test_what_is_worth_under_a_cent_does_not_turn_an_alo_order_away() -> None:
    venue = SmallVenue()
    maker, taker = venue.account("maker"), venue.account("taker")
    side_a, side_b = venue.sides()
    resting = venue.place(maker, side_a, -300, 5.02)
    venue.place(taker, side_b, 300, 1.67)
    assert resting.open_cents == 1
    quote = venue.place(taker, side_b, 280, 10.0, "ALO")
    assert quote.status == "open"


def test_an_order_against_ones_own_is_accepted_and_then_invalid_where_that_is_the_form() -> None:
    # faults: G7
    venue = SmallVenue(Rules(self_match="invalid"))
    maker = venue.account("maker")
    venue.place(maker, venue.sides()[0], 100, 10.0)
    order = venue.place(maker, venue.sides()[1], 100, 10.0)
    assert (order.status, order.reason) == ("invalid", "self_match")
    assert venue.exchange.fills == []


def test_an_external_id_is_used_once_for_ever() -> None:
    # faults: A3 C5
    venue = SmallVenue()
    maker = venue.account("maker")
    order = venue.place(maker, venue.sides()[0], 300, 10.0)
    venue.exchange.cancel(order, venue.now_ns)
    again = venue.exchange.submit(maker, order.request, venue.now_ns)
    assert isinstance(again, Refusal)
    assert again.code == "order_external_id_existed"


def test_two_orders_on_their_way_that_would_meet_are_refused_at_once() -> None:
    # faults: G7
    venue = SmallVenue()
    maker = venue.account("maker")
    assert isinstance(venue.submit(maker, venue.sides()[0], 100, 10.0), Order)
    second = venue.submit(maker, venue.sides()[1], 100, 10.0)
    assert isinstance(second, Refusal)
    assert second.code == "self_match"


@pytest.mark.parametrize("usd", [30.0, 60.0])
def test_fill_or_kill_all_or_nothing(usd: float) -> None:
    venue = SmallVenue(Rules(fill_or_kill="all_or_nothing"))
    maker, taker = venue.account("maker"), venue.account("taker")
    venue.place(maker, venue.sides()[0], 100, 25.0)
    venue.place(maker, venue.sides()[0], 104, 20.0)
    order = venue.place(taker, venue.sides()[1], -110, usd, "fillOrKill")
    filled = 3_000 if usd == 30.0 else 0
    assert order.filled_cents == filled
    third = venue.place(maker, venue.sides()[0], 300, 1.0)
    venue.wait(2)
    assert order.filled_cents == filled
    assert order.open_cents == 0
    assert (order.status == "canceled") is (filled == 0)
    assert third.status == "open"


def test_all_or_nothing_counts_each_resting_order_once() -> None:
    venue = SmallVenue(Rules(fill_or_kill="all_or_nothing"))
    maker, taker = venue.account("maker"), venue.account("taker")
    for _ in range(5):
        venue.place(maker, venue.sides()[0], 100, 10.0)
    order = venue.place(taker, venue.sides()[1], 100, 60.0, "fillOrKill")
    assert order.filled_cents == 0
    order = venue.place(taker, venue.sides()[1], 100, 50.0, "fillOrKill")
    assert order.filled_cents == 5_000


def test_fill_or_kill_all_or_nothing_takes_all_when_it_comes_within_two_seconds() -> None:
    venue = SmallVenue(Rules(fill_or_kill="all_or_nothing"))
    maker, taker = venue.account("maker"), venue.account("taker")
    order = venue.place(taker, venue.sides()[1], 100, 30.0, "fillOrKill")
    venue.place(maker, venue.sides()[0], 100, 40.0)
    venue.wait(2)
    assert (order.filled_cents, order.matching_status) == (3_000, "fully_matched")


@pytest.mark.parametrize(
    ("rules", "inactive_s", "open_s"),
    [
        (ActivationRules(), 0.004, 0.006),
        (ActivationRules(delay="fixed", delay_ms=150), 0.149, 0.151),
        (ActivationRules(delay="spread", delay_ms=150, delay_ms_max=10_000), 0.149, 10.0),
    ],
)
def test_the_activation_delay_is_as_the_rules_say(
    rules: ActivationRules, inactive_s: float, open_s: float
) -> None:
    venue = SmallVenue(Rules(activation=rules))
    order = venue.submit(venue.account("maker"), venue.sides()[0], 300, 10.0)
    assert isinstance(order, Order)
    venue.wait(inactive_s)
    assert status(order) == "inactive"
    venue.wait(open_s - inactive_s)
    assert status(order) == "open"


def test_activations_keep_the_order_of_submission() -> None:
    venue = SmallVenue(Rules(activation=ActivationRules(delay="spread")))
    maker = venue.account("maker")
    orders = [venue.submit(maker, venue.sides()[0], 300, 10.0) for _ in range(12)]
    venue.wait(30)
    assert all(isinstance(one, Order) for one in orders)
    opened = [name for name, what in venue.notes.changes if what == "open"]
    assert opened == [f"x-{number}" for number in range(1, 13)]


def test_an_activation_that_never_comes_and_can_be_called_off() -> None:
    # faults: A14
    venue = SmallVenue(Rules(activation=ActivationRules(delay="never")))
    maker = venue.account("maker")
    first = venue.submit(maker, venue.sides()[0], 300, 10.0)
    second = venue.submit(maker, venue.sides()[0], 300, 10.0)
    assert isinstance(first, Order)
    assert isinstance(second, Order)
    venue.wait(3600 - 1)
    assert (status(first), status(second)) == ("inactive", "inactive")
    venue.exchange.mass_cancel([first], venue.now_ns)
    venue.exchange.resume_activation(venue.now_ns)
    assert (status(first), status(second)) == ("canceled", "open")


@pytest.mark.parametrize(
    ("failure", "reason"), [("funds", "insufficient_funds"), ("cap", "max_stake_exceeded")]
)
def test_an_activation_may_fail_for_no_reason_of_the_order(failure: Any, reason: str) -> None:
    # faults: A14
    rules = ActivationRules(failure=failure)
    venue = SmallVenue(Rules(activation=rules))
    order = venue.place(venue.account("maker"), venue.sides()[0], 300, 10.0)
    assert (order.status, order.reason) == ("invalid", reason)


def test_the_next_activations_may_fail_on_demand() -> None:
    # faults: A14
    venue = SmallVenue()
    maker = venue.account("maker")
    venue.exchange.activation.failures_left = 2
    statuses = [venue.place(maker, venue.sides()[0], 300, 10.0).status for _ in range(3)]
    assert statuses == ["invalid", "invalid", "open"]


@pytest.mark.parametrize(("http", "code"), [(425, "order_opened_retry"), (500, "opened_retry")])
def test_the_first_pass_refuses_a_cancel_in_both_forms(http: Any, code: str) -> None:
    # faults: B3
    rules = Rules(first_pass_ms=300, first_pass_status=http)
    venue = SmallVenue(rules)
    order = venue.place(venue.account("maker"), venue.sides()[0], 300, 10.0)
    refusal = venue.exchange.cancel_refusal(order, venue.now_ns)
    assert refusal is not None
    assert (refusal.status, refusal.code) == (http, code)
    assert venue.exchange.cancel_refusal(order, order.opened_ns + 300 * MS) is None


def test_a_mass_cancel_may_leave_inactive_orders() -> None:
    venue = SmallVenue(Rules(mass_cancel_inactive=False))
    maker = venue.account("maker")
    opened = venue.place(maker, venue.sides()[0], 300, 10.0)
    waiting = venue.submit(maker, venue.sides()[0], 300, 10.0)
    assert isinstance(waiting, Order)
    assert venue.exchange.mass_cancel(list(maker.alive.values()), venue.now_ns) == 1
    assert (opened.status, waiting.status) == ("canceled", "inactive")


@pytest.mark.parametrize(
    ("rule", "found"),
    [("refuse_400", (400, "order_already_cancelled")), ("not_found", (404, "data_not_found"))],
)
def test_a_second_cancel_is_refused_in_both_forms(rule: Any, found: tuple[int, str]) -> None:
    # faults: B2
    venue = SmallVenue(Rules(cancel_again=rule))
    order = venue.place(venue.account("maker"), venue.sides()[0], 300, 10.0)
    venue.exchange.cancel(order, venue.now_ns)
    refusal = venue.exchange.cancel_refusal(order, venue.now_ns)
    assert refusal is not None
    assert (refusal.status, refusal.code) == found


@pytest.mark.parametrize(("rounding", "cents"), [("half_up", 88), ("floor", 87)])
def test_profit_and_stakes_are_rounded_as_the_rules_say(rounding: Any, cents: int) -> None:
    venue = SmallVenue(Rules(profit_rounding=rounding))
    maker, taker = venue.account("maker"), venue.account("taker")
    venue.place(maker, venue.sides()[0], -114, 50.0)
    order = venue.place(taker, venue.sides()[1], 114, 0.77)
    assert order.profit_cents == cents
    [fill] = venue.exchange.fills
    assert (fill.taker_cents, fill.maker_cents) == (77, cents)


@pytest.mark.parametrize(("rule", "cents"), [("kept", 10_000), ("shrunk", 4_000)])
def test_the_quantity_after_the_cancel_of_the_rest(rule: Any, cents: int) -> None:
    venue = SmallVenue(Rules(quantity_after_cancel=rule))
    maker, taker = venue.account("maker"), venue.account("taker")
    order = venue.place(maker, venue.sides()[0], 100, 100.0)
    venue.place(taker, venue.sides()[1], 100, 40.0)
    venue.messages()
    venue.exchange.cancel(order, venue.now_ns)
    assert order.quantity_cents == order.profit_cents == cents
    [info] = venue.infos("orders")
    assert (info["quantity"], info["filled_quantity"], info["open_quantity"]) == (
        cents / 100,
        0.0,
        0.0,
    )


@pytest.mark.parametrize(("rule", "sides"), [("one", [1]), ("two", [1, 0])])
def test_a_trade_is_printed_once_or_once_per_side(rule: Any, sides: list[int]) -> None:
    venue = SmallVenue(Rules(trade_prints=rule))
    venue.trade(venue.account("maker"), venue.account("taker"), 10.0)
    strikes = [info["strike_id"] for info in venue.infos("matched_order")]
    assert strikes == [venue.sides()[side].strike_id for side in sides]


@pytest.mark.parametrize(("unit", "divisor"), [("us", 1_000), ("ns", 1)])
def test_sequence_numbers_grow_with_the_clock_in_their_unit(unit: Any, divisor: int) -> None:
    # faults: J5
    venue = SmallVenue(Rules(sequence_unit=unit))
    for _ in range(3):
        venue.place(venue.account("maker"), venue.sides()[0], 300, 10.0)
    numbers = [int(str(info["sequence_number"])) for info in venue.infos("orders")]
    assert numbers == sorted(set(numbers))
    assert abs(numbers[-1] - venue.now_ns // divisor) < 10**9 // divisor


def test_a_message_says_how_the_order_was_then_and_not_how_it_is_now() -> None:
    venue = SmallVenue()
    maker, taker = venue.account("maker"), venue.account("taker")
    order = venue.place(maker, venue.sides()[0], 100, 10.0)
    venue.place(taker, venue.sides()[1], 100, 4.0)
    venue.exchange.cancel(order, venue.now_ns)
    told = [info for info in venue.infos("orders") if info["order_id"] == order.order_id]
    assert [(one["matching_status"], one["open_quantity"]) for one in told] == [
        ("unmatched", 10.0),
        ("partially_matched", 6.0),
        ("fully_matched", 0.0),
    ]
    assert [one["update_type"] for one in told] == ["status", "matching", "status"]


def test_a_book_may_show_the_nominal_quantity_behind_a_level() -> None:
    shown = {}
    for rule in ("staked", "nominal"):
        venue = SmallVenue(Rules(book_quantity=rule))
        venue.place(venue.account("maker"), venue.sides()[0], 100, 10.0)
        venue.place(venue.account("taker"), venue.sides()[1], 100, 4.0)
        last = venue.infos("market_selections")[-1]
        sides = last["selections"]
        assert isinstance(sides, list)
        level = sides[1][0]
        shown[rule] = (level["quantity"], level["value"])
    assert shown == {"staked": (6.0, 6.0), "nominal": (10.0, 6.0)}
