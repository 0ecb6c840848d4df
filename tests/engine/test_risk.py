"""The one gate. # faults: F1 G1 G2 G3 G4 G5 G6 G7"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.order import Order, State
from mmbot.domain.price import Price, crosses, profit_cents
from mmbot.domain.view import Position
from mmbot.engine.risk import CHECKS, Approved, Gate, Refused
from mmbot.engine.situation import Situation
from mmbot.pricing.exposure import line_worst_case_cents
from tests.engine.situations import (
    ALL_IS_WELL,
    BOOK,
    EVENT,
    LADDER,
    LIMITS,
    LINE,
    NOW_NS,
    Held,
    S,
    an_order,
    approved,
    levels,
)


def refusal(order: Order, situation: Situation, resend: bool = False) -> str:
    verdict = Gate(BOOK).review(order, situation, resend)
    return verdict.check if isinstance(verdict, Refused) else ""


def test_an_order_leaves_when_all_is_well() -> None:
    verdict = Gate(BOOK).review(an_order(), ALL_IS_WELL)
    assert isinstance(verdict, Approved)
    assert (verdict.order, verdict.resend) == (an_order(), False)


def test_nobody_else_can_make_an_approved() -> None:
    real = approved(an_order())
    with pytest.raises(TypeError, match="only the risk gate"):
        Approved(an_order(), False, object())
    with pytest.raises((ValueError, TypeError), match="InitVar"):  # by version of Python
        replace(real, order=an_order(ident="x"))  # type: ignore[call-arg]  # shown to fail
    with pytest.raises(AttributeError):
        real.order = an_order()  # type: ignore[misc]  # shown to fail
    assert copy.copy(real).order == real.order


RICH = Position(profit_cents=(900_000, 900_000))  # nothing that rests makes a loss

REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("not_halted", {"halted": True}),
    ("not_halted", {"mode": "HALTED"}),
    ("may_write", {"writable": False}),
    ("mode_allows", {"mode": "CANCEL_ONLY"}),
    ("market_is_open", {"line": None}),
    ("market_is_open", {"line": replace(LINE, status="suspended")}),
    ("strike_is_of_line", {"line": replace(LINE, strikes=LINE.strikes[::-1])}),
    ("event_is_pre_match", {"event": None}),
    ("event_is_pre_match", {"event": replace(EVENT, status="live")}),
    ("start_is_far_enough", {"event": replace(EVENT, start_ns=NOW_NS + 120 * S)}),
    ("start_is_far_enough", {"event": replace(EVENT, start_ns=NOW_NS - S)}),
    ("on_ladder", {"ladder": None}),
    ("data_is_fresh", {"book_age_ns": None}),
    ("data_is_fresh", {"book_age_ns": 30 * S + 1}),
    ("data_is_fresh", {"fair_age_ns": 10 * S + 1}),
    ("not_blind", {"blind": True}),
    ("not_crossing_ourselves", {"opposite_live": (Price(130), Price(-105))}),
    ("not_twice_at_one_price", {"same_price_live": True}),
    ("within_line_loss", {"exposure": Held(resting_cents=(45_001, 0))}),
    ("within_unmatched_cash", {"unmatched_cents": 7_995_001}),
    ("within_unmatched_cash", {"cash_cents": None}),
    ("within_unmatched_cash", {"cash_cents": 0}),
    ("within_unmatched_cash", {"cash_cents": -500}),
    ("within_market_loss", {"levels_after": levels(market=70_001)}),
    ("within_event_loss", {"levels_after": levels(event=80_001)}),
    ("within_tournament_loss", {"levels_after": levels(tournament=150_001)}),
    ("within_tournament_held", {"levels_after": levels(tournament_held=90_001)}),
    ("within_total_loss", {"levels_after": levels(portfolio=200_001)}),
    ("within_total_held", {"levels_after": levels(portfolio_held=100_001)}),
    ("within_strike_resting", {"exposure": Held(RICH, (55_001, 0))}),
    ("within_market_resting", {"market_resting_cents": 195_001}),
    ("within_open_orders", {"open_orders": 100}),
    ("leaves_the_reserve", {"cash_cents": 24_999}),
]


@pytest.mark.parametrize(("check", "changed"), REFUSED)
def test_each_check_refuses_by_its_name(check: str, changed: dict[str, Any]) -> None:
    assert refusal(an_order(), replace(ALL_IS_WELL, **changed)) == check


def test_every_check_has_been_seen_to_refuse() -> None:
    seen = {check for check, _ in REFUSED} | {"quantity_allowed", "profit_at_least_a_cent"}
    seen.add("price_in_range")
    assert seen == {check.__name__ for check in CHECKS}


LIMIT_REACHED: list[dict[str, Any]] = [
    {"book_age_ns": 30 * S},
    {"fair_age_ns": 10 * S},
    {"fair_age_ns": None},  # the strategy does not use fair values
    {"opposite_live": (Price(-104),)},  # +105 pays for .488, -104 for .510: they do not meet
    {"exposure": Held(resting_cents=(45_000, 45_000))},
    {"unmatched_cents": 7_995_000},
    {"exposure": Held(RICH, (55_000, 60_000))},
    {"market_resting_cents": 195_000},
    {"levels_after": levels(market=70_000, event=80_000)},
    {"levels_after": levels(tournament=150_000, portfolio=200_000)},
    {"levels_after": levels(tournament_held=90_000, portfolio_held=100_000)},
    {"open_orders": 99},
    {"cash_cents": 25_000},
    {"event": replace(EVENT, start_ns=NOW_NS + 120 * S + 1)},
]


@pytest.mark.parametrize("changed", LIMIT_REACHED)
def test_at_the_limit_is_within_it(changed: dict[str, Any]) -> None:
    assert refusal(an_order(), replace(ALL_IS_WELL, **changed)) == ""


@pytest.mark.parametrize("price", [0, 99, -99, -100, 131, -131])
def test_a_price_off_the_ladder_is_refused_and_never_computed_with(price: int) -> None:
    for mode in ("ENABLED", "REDUCE_ONLY"):
        check = refusal(an_order(price), replace(ALL_IS_WELL, mode=mode))
        assert check == ("on_ladder" if mode == "ENABLED" else "mode_allows")


@pytest.mark.parametrize("quantity", [0, -5_000, 99, 10_001, 50.0, float("nan"), True, None])
def test_a_strange_quantity_is_refused(quantity: Any) -> None:
    assert refusal(an_order(quantity_cents=quantity), ALL_IS_WELL) == "quantity_allowed"


def test_an_order_that_would_win_less_than_a_cent_is_refused() -> None:
    ladder = LADDER.of([-20_000, 105])
    order = an_order(-20_000, 199)
    assert refusal(order, replace(ALL_IS_WELL, ladder=ladder)) == "profit_at_least_a_cent"
    enough = an_order(-20_000, 200)
    assert refusal(enough, replace(ALL_IS_WELL, ladder=ladder)) == "price_in_range"


@pytest.mark.parametrize("price", [10_000, -10_000, 10_001, -10_001])
def test_a_price_beyond_decimal_101_is_a_slip_whatever_the_ladder_says(price: int) -> None:
    listed = replace(ALL_IS_WELL, ladder=LADDER.of([price, 105]))
    check = refusal(an_order(price), listed)
    assert check == ("" if abs(price) == 10_000 else "price_in_range")


def test_a_profit_never_counts_as_a_loss() -> None:
    assert refusal(an_order(), replace(ALL_IS_WELL, exposure=Held(RICH))) == ""


def test_a_resent_order_is_counted_once() -> None:
    full = replace(
        ALL_IS_WELL,
        exposure=Held(resting_cents=(50_000, 0)),
        levels_after=levels(portfolio=200_000),
        unmatched_cents=8_000_000,
        market_resting_cents=200_000,
        open_orders=100,
        same_price_live=True,
    )
    assert refusal(an_order(), full, resend=True) == ""
    assert refusal(an_order(), full) != ""


def test_the_limits_in_force_hold_for_a_resend_too() -> None:
    lowered = replace(ALL_IS_WELL, exposure=Held(resting_cents=(50_001, 0)))
    assert refusal(an_order(), lowered, resend=True) == "within_line_loss"
    assert refusal(an_order(), replace(ALL_IS_WELL, mode="CANCEL_ONLY"), resend=True)


# Long the home side: 100.00 staked at +105, so 100.00 is lost if the away side wins.
LONG_HOME = Position(stake_cents=(10_000, 0), profit_cents=(10_500, 0))


def test_reduce_only_lets_through_what_lowers_the_loss_and_nothing_else() -> None:
    reducing = replace(ALL_IS_WELL, mode="REDUCE_ONLY", exposure=Held(LONG_HOME))
    assert refusal(an_order(105, 5_000, side=1), reducing) == ""
    assert refusal(an_order(105, 5_000, side=0), reducing) == "mode_allows"
    flat = replace(ALL_IS_WELL, mode="REDUCE_ONLY")
    assert refusal(an_order(105, 5_000, side=1), flat) == "mode_allows"


def test_reducing_orders_together_never_turn_the_position_round() -> None:
    resting = Held(LONG_HOME, resting_cents=(0, 17_000))
    reducing = replace(ALL_IS_WELL, mode="REDUCE_ONLY", exposure=resting)
    assert refusal(an_order(105, 5_000, side=1), reducing) == "mode_allows"


def test_the_last_look_before_the_write() -> None:
    gate = Gate(BOOK)
    assert gate.still_good(ALL_IS_WELL) == ""
    assert gate.still_good(replace(ALL_IS_WELL, mode="REDUCE_ONLY")) == ""
    assert gate.still_good(replace(ALL_IS_WELL, mode="CANCEL_ONLY")).startswith("mode_places: ")
    assert gate.still_good(replace(ALL_IS_WELL, halted=True)).startswith("not_halted: ")
    assert gate.still_good(replace(ALL_IS_WELL, book_age_ns=31 * S)).startswith("data_is_fresh: ")


PRICES = st.sampled_from(LADDER.prices)
SIDES = st.sampled_from([0, 1])


@given(
    st.lists(
        st.tuples(SIDES, PRICES, st.integers(1, 10_000), st.booleans()), min_size=1, max_size=40
    )
)
def test_whatever_fills_at_once_the_worst_case_was_limited_before(
    tried: list[tuple[Any, Price, int, bool]],
) -> None:
    """Every approved order may fill in full, in any combination, at any moment."""
    position, resting = Position(), [0, 0]
    live: list[list[Price]] = [[], []]
    for side, price, quantity, fills in tried:
        held = Held(position, (resting[0], resting[1]))
        situation = replace(
            ALL_IS_WELL,
            exposure=held,
            unmatched_cents=sum(resting),
            opposite_live=tuple(live[1 - side]),
            same_price_live=price in live[side],
        )
        order = an_order(price, quantity, side=side, state=State.INTENDED)
        if refusal(order, situation):
            continue
        assert not any(crosses(price, other) for other in live[1 - side])
        if fills:
            stakes, wins = [*position.stake_cents], [*position.profit_cents]
            stakes[side] += quantity
            wins[side] += profit_cents(price, quantity)
            position = Position((stakes[0], stakes[1]), (wins[0], wins[1]))
        else:
            resting[side] += quantity
            live[side].append(price)
        worst = line_worst_case_cents(position, (resting[0], resting[1]))
        assert worst <= LIMITS.line_loss_max_cents
