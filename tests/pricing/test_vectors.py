"""Every worked example of the design that belongs to these modules, to 1e-8."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.domain.price import Price, complement, implied, profit_cents
from mmbot.pricing import book_fair, consensus, devig, odds, quoting
from tests.pricing.vectors import LATER, TOLERANCE, fallback_ladder, vectors

VECTORS = vectors()
LADDER = fallback_ladder()
TESTED_HERE = {
    "conversions", "snap_passive", "devig", "quotes", "indifference", "kelly", "commission",
    "microprice", "blend", "clv", "fills",
}  # fmt: skip


def close(value: object) -> Any:
    return pytest.approx(value, abs=TOLERANCE)


def test_no_vector_is_forgotten() -> None:
    assert set(VECTORS) - {"note"} == TESTED_HERE | LATER


@pytest.mark.parametrize("case", VECTORS["conversions"], ids=lambda case: str(case["american"]))
def test_conversion(case: dict[str, Any]) -> None:
    price = Price(case["american"])
    assert odds.decimal_odds(price) == close(case["decimal"])
    assert implied(price) == close(case["implied"])
    assert complement(price) == case["complement"]
    assert odds.american_odds(odds.decimal_odds(price)) == close(price)


@pytest.mark.parametrize("case", VECTORS["snap_passive"])
def test_makers_snap_to_the_side_that_costs_them_nothing(case: dict[str, Any]) -> None:
    price = LADDER.snap_passive(case["max_maker_prob"])
    assert price is not None
    assert price == case["american"]
    assert implied(price) == close(case["implied"])


@pytest.mark.parametrize("case", VECTORS["devig"], ids=lambda case: str(case["american"]))
def test_margin_is_removed_by_every_method(case: dict[str, Any]) -> None:
    quoted = tuple(implied(Price(a)) for a in case["american"])
    assert quoted == close(tuple(case["implied"]))
    assert sum(quoted) == close(case["booksum"])
    assert odds.hold(sum(quoted)) == close(case["hold"])
    for method in devig.METHODS:
        assert devig.devig(method, quoted) == close(tuple(case[method])), method
    assert devig.shin_z(quoted) == close(case["shin_z"])


@pytest.mark.parametrize("case", VECTORS["quotes"])
def test_quotes_before_the_edge_clamp(case: dict[str, Any]) -> None:
    prob, delta = case["fair"], case["half_spread"]
    center = quoting.reservation_logit(prob, case["D"], case["gamma"])
    assert center == close(case["logit_reservation"])
    assert odds.expit(center) == close(case["reservation"])
    limits = quoting.limit_probs(center, delta)
    assert limits == close((case["limit_prob_A"], case["limit_prob_B"]))
    prices = [LADDER.snap_passive(limit) for limit in limits]
    assert prices == [case["price_A"], case["price_B"]]
    edges = [
        quoting.edge_prob(p, Price(a))
        for p, a in ((prob, case["price_A"]), (1 - prob, case["price_B"]))
    ]
    assert edges == close([case["edge_A"], case["edge_B"]])


@pytest.mark.parametrize("case", VECTORS["indifference"])
def test_indifference_price_of_a_finite_size(case: dict[str, Any]) -> None:
    found = quoting.indifference_price(case["fair"], case["D"], case["gamma"], case["contracts"])
    assert found == close(case["price"])


@pytest.mark.parametrize("case", VECTORS["kelly"])
def test_kelly(case: dict[str, Any]) -> None:
    price = Price(case["american"])
    assert odds.kelly_fraction(case["p"], price) == close(case["fraction"])
    assert odds.value_per_stake(case["p"], price) == close(case["ev_per_stake"])


@pytest.mark.parametrize("case", VECTORS["commission"])
def test_commission_moves_the_break_even(case: dict[str, Any]) -> None:
    bought = implied(Price(case["american"]))
    even = odds.after_commission(bought, case["rate_on_winnings"])
    assert even == close(case["break_even"])
    assert odds.before_commission(even, case["rate_on_winnings"]) == close(bought)


def test_own_book_mid_and_micro() -> None:
    case = VECTORS["microprice"]
    ask, bid = implied(Price(-104)), 1 - implied(Price(-102))
    assert (ask, bid) == close((case["ask_A"], case["bid_A"]))
    assert book_fair.logit_mid(bid, ask) == close(case["logit_mid"])
    n_ask, n_bid = 200 / ask, 600 / implied(Price(-102))
    assert (n_ask, n_bid) == close((case["contracts_ask"], case["contracts_bid"]))
    assert book_fair.micro_price(bid, ask, n_bid, n_ask) == close(case["micro"])


def test_blend_by_precision() -> None:
    case = VECTORS["blend"]
    found = consensus.blend(case["probs"], case["logit_sd"])
    assert found.weights == close(tuple(case["weights"]))
    assert found.prob == close(case["blended"])
    assert found.sd_logit == close(case["sd"])


@pytest.mark.parametrize("case", VECTORS["clv"])
def test_closing_line_value(case: dict[str, Any]) -> None:
    found = odds.closing_line_value(Price(case["american"]), case["closing_fair"])
    assert found == close((case["clv_return"], case["clv_logit"]))


@pytest.mark.parametrize("case", VECTORS["fills"])
def test_both_sides_of_a_fill(case: dict[str, Any]) -> None:
    maker, taker = Price(case["maker_price"]), Price(case["taker_price"])
    assert complement(maker) == taker
    assert profit_cents(maker, case["maker_stake"] * 100) == case["maker_to_win"] * 100
    assert profit_cents(taker, case["taker_stake"] * 100) == case["taker_to_win"] * 100
