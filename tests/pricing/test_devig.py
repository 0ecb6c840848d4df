"""De-vig: the properties of market-making 1.5, for all seven methods."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mmbot.pricing.devig import (
    BOOK_SUM_MIN,
    BOOK_SUM_TWO_WAY_MAX,
    METHODS,
    DevigMethod,
    devig,
    method_spread_logit,
    odds_ratio,
    probit,
    shin,
    shin_z,
)

EVERY_METHOD = pytest.mark.parametrize("method", METHODS)
shares = st.lists(st.floats(0.02, 1.0), min_size=2, max_size=6)
margins = st.floats(1.0001, 1.2)


def a_book(weights: list[float], book_sum: float) -> tuple[float, ...]:
    quoted = tuple(w / sum(weights) * book_sum for w in weights)
    assume(max(quoted) < 0.97)
    return quoted


@EVERY_METHOD
@given(shares, margins)
def test_fair_probabilities_sum_to_one_and_keep_their_order(
    method: DevigMethod, weights: list[float], book_sum: float
) -> None:
    quoted = a_book(weights, book_sum)
    fair = devig(method, quoted)
    assume(fair is not None)  # additive and goto refuse extreme long shots
    assert fair is not None
    assert sum(fair) == pytest.approx(1.0, abs=1e-12)
    by_quote = sorted(range(len(quoted)), key=lambda i: quoted[i])
    assert all(fair[a] <= fair[b] + 1e-12 for a, b in pairwise(by_quote))


@EVERY_METHOD
@given(st.integers(2, 8), margins)
def test_equal_quotes_are_equally_likely(method: DevigMethod, n: int, book_sum: float) -> None:
    fair = devig(method, (book_sum / n,) * n)
    assert fair == pytest.approx((1 / n,) * n, abs=1e-12)


@EVERY_METHOD
@given(shares)
def test_a_book_without_margin_stays_as_it_is(method: DevigMethod, weights: list[float]) -> None:
    quoted = a_book(weights, 1.0)
    assert devig(method, quoted) == pytest.approx(quoted, abs=1e-9)


@EVERY_METHOD
@given(st.floats(0.05, 0.9), st.floats(1e-7, 1e-5))
def test_a_vanishing_margin_changes_next_to_nothing(
    method: DevigMethod, first: float, margin: float
) -> None:
    quoted = (first, 1.0 - first + margin)
    assert devig(method, quoted) == pytest.approx(quoted, abs=3 * margin)


@given(st.floats(0.05, 0.9), st.floats(1.001, 1.2))
def test_the_closed_forms_of_two_outcomes_solve_the_general_equations(
    first: float, book_sum: float
) -> None:
    """Shin's two-way answer is additive, and its general equation must agree with it."""
    quoted = (first, book_sum - first)
    assume(0.05 < quoted[1] < 0.95)
    z = shin_z(quoted)
    assert z is not None
    at_z = [((z * z + 4 * (1 - z) * q * q / book_sum) ** 0.5 - z) / (2 * (1 - z)) for q in quoted]
    assert shin(quoted) == pytest.approx(at_z, abs=1e-9)
    # A third outcome too unlikely to matter takes the iterative branch.
    speck = 1e-9
    for method in (odds_ratio, probit):
        two, three = method(quoted), method((*quoted, speck))
        assert two is not None
        assert three is not None
        assert three[:2] == pytest.approx(two, abs=1e-6)


@pytest.mark.parametrize(
    "quoted",
    [
        (0.5, 0.4),  # half a book
        (0.7, 0.6),  # two prices of different times
        (0.5,),
        (1.0, 0.05),
        (0.0, 1.0),
        (-0.2, 1.2),
        (float("nan"), 0.5),
    ],
)
@EVERY_METHOD
def test_a_suspect_book_gives_no_price(method: DevigMethod, quoted: tuple[float, ...]) -> None:
    assert devig(method, quoted) is None


@EVERY_METHOD
def test_the_limits_of_the_book_sum(method: DevigMethod) -> None:
    assert devig(method, (0.5, BOOK_SUM_MIN - 0.5 + 1e-9)) is not None
    assert devig(method, (0.625, BOOK_SUM_TWO_WAY_MAX - 0.625 - 1e-9)) is not None
    assert devig(method, (0.625, BOOK_SUM_TWO_WAY_MAX - 0.625 + 1e-6)) is None


def test_additive_refuses_what_it_would_make_impossible() -> None:
    assert devig("additive", (0.99, 0.03)) == pytest.approx((0.98, 0.02))
    assert devig("additive", (0.995, 0.004 + 0.05, 0.004)) is None


def test_methods_disagree_about_favourites_and_not_about_even_games() -> None:
    assert method_spread_logit((0.52, 0.52)) == pytest.approx(0.0, abs=1e-12)
    mild, heavy = method_spread_logit((0.6, 0.434782609)), method_spread_logit((0.941, 0.1087))
    assert 0.0 < mild < 0.03 < heavy
