"""Odds arithmetic beyond the ladder (which lives in `domain/price.py`).

Probabilities are floats in (0, 1); `decimal` is what 1 staked returns when it wins.
"""

from __future__ import annotations

from math import exp, log

from mmbot.domain.price import Price, implied

EVEN_DECIMAL = 2.0


def logit(prob: float) -> float:
    """Log-odds of a probability in (0, 1); raises ValueError outside."""
    if not 0.0 < prob < 1.0:
        raise ValueError(f"no log-odds for probability {prob}")
    return log(prob / (1.0 - prob))


def expit(x: float) -> float:
    """Probability of log-odds `x`, stable at both ends."""
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    grown = exp(x)
    return grown / (1.0 + grown)


def decimal_odds(price: Price) -> float:
    """American to decimal: -110 -> 1.909..."""
    return 1.0 + (price / 100.0 if price > 0 else 100.0 / -price)


def american_odds(decimal: float) -> float:
    """Decimal to exact (unrounded) American; even money is +100. ValueError unless > 1."""
    if decimal <= 1.0:
        raise ValueError(f"decimal odds must exceed 1, got {decimal}")
    if decimal >= EVEN_DECIMAL:
        return 100.0 * (decimal - 1.0)
    return -100.0 / (decimal - 1.0)


def hold(book_sum: float) -> float:
    """Share of all stakes that a book with this sum of implied probabilities keeps."""
    return 1.0 - 1.0 / book_sum


def after_commission(prob: float, fee_rate: float) -> float:
    """Break-even probability of a bet bought at `prob` when `fee_rate` is taken from wins."""
    return prob / (prob + (1.0 - prob) * (1.0 - fee_rate))


def before_commission(break_even: float, fee_rate: float) -> float:
    """The implied probability whose break-even is `break_even`: inverse of the above."""
    kept = 1.0 - fee_rate
    return break_even * kept / (1.0 - break_even * fee_rate)


def value_per_stake(prob: float, price: Price) -> float:
    """Expected profit of 1 staked at `price`."""
    return prob * decimal_odds(price) - 1.0


def kelly_fraction(prob: float, price: Price) -> float:
    """Growth-optimal share of capital; negative when the bet has no value."""
    return value_per_stake(prob, price) / (decimal_odds(price) - 1.0)


def closing_line_value(price: Price, closing_prob: float) -> tuple[float, float]:
    """How a fill compares with the close: (return on stake, difference in log-odds)."""
    bought = implied(price)
    return closing_prob / bought - 1.0, logit(closing_prob) - logit(bought)
