"""Log-odds and conversions at their edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.pricing.odds import after_commission, american_odds, before_commission, expit, logit


@given(st.floats(-30.0, 30.0))
def test_expit_undoes_logit(x: float) -> None:
    assert logit(expit(x)) == pytest.approx(x, abs=1e-2 if x > 15 else 1e-8)
    assert expit(x) + expit(-x) == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("x", [-800.0, 800.0])
def test_expit_does_not_overflow(x: float) -> None:
    assert expit(x) in (pytest.approx(0.0), pytest.approx(1.0))


@pytest.mark.parametrize("prob", [0.0, 1.0, -0.1, 1.1, float("nan")])
def test_there_are_no_log_odds_of_the_certain(prob: float) -> None:
    with pytest.raises(ValueError):
        logit(prob)


def test_even_money_is_plus_100() -> None:
    assert american_odds(2.0) == 100.0
    with pytest.raises(ValueError):
        american_odds(1.0)


@given(st.floats(0.01, 0.99), st.floats(0.0, 0.1))
def test_commission_never_cheapens_a_bet(prob: float, rate: float) -> None:
    assert after_commission(prob, rate) >= prob - 1e-15
    assert before_commission(after_commission(prob, rate), rate) == pytest.approx(prob)
