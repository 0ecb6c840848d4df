"""The flagship of this version, on views of one line. # faults: E11 F12 J6"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.book import Book
from mmbot.domain.ids import LineId
from mmbot.domain.price import Price, crosses, implied
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView, Position
from mmbot.pricing.odds import expit, logit
from mmbot.strategy.foreign import ask
from strategies.consensus import Consensus, Params
from tests.engine.situations import an_order
from tests.strategy.views import (
    EVENT,
    LINE,
    NOW_NS,
    OVER,
    UNDER,
    S,
    a_book,
    a_fair,
    a_view,
    later,
    the_ladder,
)

QUICK = Params(requote_logit=0.0, jump_logit=50.0)


def by_strike(strategy: Consensus, view: MarketView) -> dict[str, Quote]:
    answer = ask(strategy, view)
    assert not isinstance(answer, str), answer
    quotes = {str(quote.strike_id): quote for quote in answer}
    assert len(quotes) == len(answer), "one level by default"
    return quotes


def test_both_strikes_are_quoted_below_their_fair_value() -> None:
    quotes = by_strike(Consensus(Params()), a_view(0.5))
    assert set(quotes) == {OVER, UNDER}
    assert 0.0 < 0.5 - implied(quotes["over"].price) < 0.04
    assert 0.0 < 0.5 - implied(quotes["under"].price) < 0.04
    assert quotes["over"].order_strategy == "ALO"


def test_when_the_fair_value_rises_the_quote_that_leaves_is_that_of_the_other_side() -> None:
    """Orientation: a quote buys its strike. Over rises: our under is too dear now, and goes."""
    from mmbot.engine.planner import plan

    strategy = Consensus(Params(keep_ticks=0))
    before, after = (by_strike(strategy, a_view(p, now_ns=NOW_NS)) for p in (0.50, 0.52))
    assert implied(after["over"].price) > implied(before["over"].price)
    assert implied(after["under"].price) < implied(before["under"].price)
    assert implied(before["under"].price) > 1 - 0.52 - 0.02, "it has lost its edge"
    for strike, side in (("over", 0), ("under", 1)):
        old = before[strike]
        order = replace(an_order(old.price, old.quantity_cents), strike_id=old.strike_id)
        generous = replace(after[strike], keep_ticks=100, quantity_cents=old.quantity_cents)
        planned = plan([generous], [order], the_ladder())
        assert bool(planned.cancels) == (side == 1)


@given(st.floats(0.03, 0.97), st.floats(0.01, 0.12), st.integers(-90_000, 90_000))
def test_quotes_are_near_the_fair_value_never_lose_and_never_cross(
    prob: float, sd: float, swing_cents: int
) -> None:
    side = 0 if swing_cents > 0 else 1
    wins = (abs(swing_cents), 0) if side == 0 else (0, abs(swing_cents))
    view = a_view(fairs=(a_fair(prob, sd=sd),), position=Position(profit_cents=wins))
    quotes = by_strike(Consensus(QUICK), view)
    assert set(quotes) == {OVER, UNDER}
    for strike, fair in (("over", prob), ("under", 1 - prob)):
        edge = fair - implied(quotes[strike].price)
        assert QUICK.edge_min_prob - 1e-9 <= edge
        if swing_cents == 0:
            assert edge <= 0.08
        assert 100 <= quotes[strike].quantity_cents <= 2_500
    assert not crosses(quotes["over"].price, quotes["under"].price)


@given(st.floats(0.03, 0.97))
def test_at_default_settings_a_flat_line_is_quoted_within_eight_percent(prob: float) -> None:
    quotes = by_strike(Consensus(Params()), a_view(prob))
    assert prob - implied(quotes["over"].price) <= 0.08
    assert 1 - prob - implied(quotes["under"].price) <= 0.08


def test_what_we_hold_makes_its_side_cheaper_and_smaller_and_the_other_dearer() -> None:
    strategy = Consensus(QUICK)
    flat = by_strike(strategy, a_view(0.5))
    long_over = Position(stake_cents=(25_000, 0), profit_cents=(25_000, 0))
    held = by_strike(strategy, a_view(0.5, position=long_over))
    assert implied(held["over"].price) < implied(flat["over"].price)
    assert implied(held["under"].price) > implied(flat["under"].price)
    assert held["over"].quantity_cents < flat["over"].quantity_cents
    full = Position(stake_cents=(50_000, 0), profit_cents=(50_000, 0))
    assert set(by_strike(strategy, a_view(0.5, position=full))) == {UNDER}


def test_the_skew_is_linear_in_log_odds() -> None:
    strategy = Consensus(replace(QUICK, risk_capital_usd=2_000.0))
    long_over = Position(stake_cents=(20_000, 0), profit_cents=(20_000, 0))
    price = by_strike(strategy, a_view(0.5, position=long_over))["over"].price
    limit = expit(logit(0.5) - 400 / 2_000 - (0.06 + 0.03))
    assert price == the_ladder().snap_passive(limit)


def test_small_moves_leave_the_orders_where_they_are() -> None:
    strategy = Consensus(Params())
    first = by_strike(strategy, a_view(0.500))
    assert {q.price for q in by_strike(strategy, a_view(0.504)).values()} == {
        q.price for q in first.values()
    }
    moved = by_strike(strategy, a_view(0.510))
    assert moved["over"].price != first["over"].price


def test_patience_ends_where_the_edge_does() -> None:
    strategy = Consensus(Params(requote_logit=5.0))
    by_strike(strategy, a_view(0.50))
    quotes = by_strike(strategy, a_view(0.52))
    assert 0.48 - implied(quotes["under"].price) >= 0.0025


def test_without_a_recent_fair_value_nothing_is_wanted() -> None:
    assert by_strike(Consensus(Params()), a_view(None)) == {}
    assert by_strike(Consensus(Params()), a_view(fairs=(a_fair(0.5, age_s=601),))) == {}


def test_an_ageing_fair_value_widens_the_quotes_and_then_withdraws_them() -> None:
    strategy = Consensus(QUICK)
    view = a_view(0.5)
    widths = [
        0.5 - implied(by_strike(strategy, later(view, age))["over"].price)
        for age in (0, 110, 350, 590)
    ]
    assert widths[0] == widths[1] < widths[2] < widths[3]
    assert by_strike(strategy, later(view, 600)) == {}


def test_near_the_start_patience_is_shorter() -> None:
    soon = replace(EVENT, start_ns=NOW_NS + 1_200 * S)
    view = replace(a_view(fairs=(a_fair(0.5, age_s=91),)), event=soon)
    assert by_strike(Consensus(Params()), view) == {}


def test_a_stamp_from_the_future_does_not_stay_fresh() -> None:
    fair = replace(a_fair(0.5), source_ns=NOW_NS + 10**6 * S)
    view = a_view(fairs=(fair,))
    quote = by_strike(Consensus(Params()), view)["over"]
    assert quote.valid_until_ns == NOW_NS + 600 * S
    assert by_strike(Consensus(Params()), later(view, 601)) == {}


def test_sources_count_by_their_precision() -> None:
    fairs = (a_fair(0.50, sd=0.02, source="sharp"), a_fair(0.60, sd=0.20, source="soft"))
    quotes = by_strike(Consensus(QUICK), a_view(fairs=fairs))
    weight = 0.02**-2 / (0.02**-2 + 0.20**-2)
    sd = 1 / sqrt(0.02**-2 + 0.20**-2)
    mean = weight * logit(0.5) + (1 - weight) * logit(0.6)
    assert quotes["over"].price == the_ladder().snap_passive(expit(mean - 0.06 - sd))


def test_news_withdraws_the_whole_event_then_comes_back_wide() -> None:
    strategy = Consensus(Params())
    calm = by_strike(strategy, a_view(0.50))
    assert by_strike(strategy, a_view(0.55, now_ns=NOW_NS + 2 * S)) == {}
    other = replace(
        a_view(0.4, now_ns=NOW_NS + 3 * S), line=replace(LINE, line_id=LineId("7/18/3.5"))
    )
    assert by_strike(strategy, other) == {}
    assert by_strike(strategy, a_view(0.55, now_ns=NOW_NS + 31 * S)) == {}
    wide = by_strike(strategy, a_view(0.55, now_ns=NOW_NS + 33 * S))
    width, calm_width = 0.55 - implied(wide["over"].price), 0.5 - implied(calm["over"].price)
    assert width > 1.8 * calm_width
    later_on = by_strike(strategy, a_view(0.55, now_ns=NOW_NS + 400 * S))
    assert 0.55 - implied(later_on["over"].price) < 1.2 * calm_width


def test_a_book_far_from_the_consensus_is_a_dispute() -> None:
    far = a_book(over=[(-270, 50)], under=[(330, 50)])
    assert by_strike(Consensus(Params()), a_view(0.5, book=far)) == {}


@pytest.mark.parametrize(
    "book",
    [
        a_book(),
        a_book(over=[(105, 50)]),
        a_book(over=[(-120, 50)], under=[(-120, 50)]),  # crossed
        a_book(over=[(4900, 1)], under=[(4900, 1)]),  # .02 / .98
    ],
)
def test_a_book_that_says_nothing_disputes_nothing(book: Book) -> None:
    assert by_strike(Consensus(Params()), replace(a_view(0.5), competing=book))


def test_levels_go_outwards_and_grow() -> None:
    answer = ask(Consensus(Params(levels=3, risk_capital_usd=100_000.0)), a_view(0.5))
    assert not isinstance(answer, str)
    over = [quote for quote in answer if quote.strike_id == OVER]
    assert [quote.quantity_cents for quote in over] == [2_500, 3_750, 5_000]
    assert [implied(q.price) for q in over] == sorted(
        (implied(q.price) for q in over), reverse=True
    )


def test_the_same_views_in_the_same_order_give_the_same_quotes() -> None:
    views = [a_view(0.5 + i % 7 / 300, now_ns=NOW_NS + i * S) for i in range(200)]
    first, second = Consensus(Params()), Consensus(Params())
    assert [ask(first, v) for v in views] == [ask(second, v) for v in views]


def test_a_ladder_that_changes_takes_its_quotes_with_it() -> None:
    strategy = Consensus(Params())
    old = by_strike(strategy, a_view(0.5))["over"].price
    ladder = the_ladder().of(price for price in the_ladder().prices if price != old)
    moved = by_strike(strategy, replace(a_view(0.5), ladder=ladder))
    assert moved["over"].price != old
    assert Price(moved["over"].price) in ladder


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"quantity_usd": 0.0}, "quantity_usd must be above 0"),
        ({"levels": 11}, "levels must be 1 to 10"),
        ({"fair_hard_s": 100.0}, "fair_soft_s_and_fair_hard_s must be above 0"),
    ],
)
def test_parameters_out_of_range_are_named(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(Params(), **wrong)  # type: ignore[arg-type]  # wrong on purpose
