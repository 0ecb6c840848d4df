"""From a bookmaker's implied probabilities to fair ones: seven ways to remove the margin.

A book that no method can make sense of gives None: an incomplete or stale set of outcomes
must not become a price. Two outcomes have closed forms (Shin is then exactly additive), which
matter because every poll of a feed de-vigs hundreds of pairs by every method.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Final, Literal, assert_never, get_args

from mmbot.pricing.odds import expit, logit

DevigMethod = Literal["multiplicative", "additive", "power", "shin", "probit", "odds_ratio", "goto"]
Probabilities = tuple[float, ...]

BOOK_SUM_MIN: Final = 0.98
BOOK_SUM_TWO_WAY_MAX: Final = 1.25
ROOT_STEPS_MAX: Final = 200
ROOT_TOLERANCE: Final = 1e-14
POWER_MAX: Final = 8.0
SHIN_Z_MAX: Final = 0.5
NORMAL: Final = NormalDist()
BOOKS_KEPT: Final = 8192  # most bookmakers say at one poll what they said at the last


def devig(method: DevigMethod, implied: Probabilities) -> Probabilities | None:
    """Fair probabilities that sum to 1, in the order given; None when the book is suspect."""
    if len(implied) < 2 or not all(0.0 < q < 1.0 for q in implied):
        return None
    book_sum = sum(implied)
    if book_sum < BOOK_SUM_MIN or (len(implied) == 2 and book_sum > BOOK_SUM_TWO_WAY_MAX):
        return None
    if book_sum <= 1.0:  # exchanges and best-of-many: there is no margin to model
        return multiplicative(implied)
    found = _solve(method, implied)
    if found is None or not all(0.0 < p < 1.0 for p in found):
        return None
    return found


@lru_cache(BOOKS_KEPT)
def method_spread_logit(implied: Probabilities) -> float:
    """Largest disagreement between the methods over the outcomes: max - min in logit units."""
    if devig("multiplicative", implied) is None or sum(implied) <= 1.0:
        return 0.0
    found = (_solve(method, implied) for method in METHODS)
    answers = [p for p in found if p is not None and min(p) > 0.0]
    if len(implied) == 2:  # the second outcome's log-odds are the first's, negated
        firsts = [log(first / second) for first, second in answers]
        return max(firsts) - min(firsts)
    columns = [[logit(answer[i]) for answer in answers] for i in range(len(implied))]
    return max(max(column) - min(column) for column in columns)


def _solve(method: DevigMethod, implied: Probabilities) -> Probabilities | None:
    match method:
        case "multiplicative":
            return multiplicative(implied)
        case "additive":
            return additive(implied)
        case "power":
            return power(implied)
        case "shin":
            return shin(implied)
        case "probit":
            return probit(implied)
        case "odds_ratio":
            return odds_ratio(implied)
        case "goto":
            return equal_errors(implied)
        case _:
            assert_never(method)


def multiplicative(implied: Probabilities) -> Probabilities:
    book_sum = sum(implied)
    return tuple(q / book_sum for q in implied)


def additive(implied: Probabilities) -> Probabilities:
    share = (sum(implied) - 1.0) / len(implied)
    return tuple(q - share for q in implied)


def equal_errors(implied: Probabilities) -> Probabilities:
    """ "goto": the margin is shared in proportion to each outcome's standard error."""
    errors = [sqrt(1.0 - q) for q in implied]
    scale = (sum(implied) - 1.0) / sum(errors)
    return tuple(q - error * scale for q, error in zip(implied, errors, strict=True))


def power(implied: Probabilities) -> Probabilities | None:
    """The sum of q^k falls and is convex in k, so Newton from k = 1 never overshoots."""
    logs = [log(q) for q in implied]
    k = 1.0
    for _ in range(ROOT_STEPS_MAX):
        powers = [exp(k * x) for x in logs]
        excess = sum(powers) - 1.0
        if excess <= ROOT_TOLERANCE:
            return multiplicative(tuple(powers))
        k -= excess / sum(x * p for x, p in zip(logs, powers, strict=True))
        if k > POWER_MAX:
            return None
    return None


def shin(implied: Probabilities) -> Probabilities | None:
    if len(implied) == 2:
        return additive(implied)
    return _fitted(lambda z: _shin_at(z, implied), (0.0, SHIN_Z_MAX))


def shin_z(implied: Probabilities) -> float | None:
    """Shin's share of insiders; None when no share in [0, 0.5) explains the margin."""
    return _root(lambda z: sum(_shin_at(z, implied)) - 1.0, (0.0, SHIN_Z_MAX))


def probit(implied: Probabilities) -> Probabilities | None:
    scores = [NORMAL.inv_cdf(q) for q in implied]
    if len(scores) == 2:
        first = NORMAL.cdf((scores[0] - scores[1]) / 2.0)
        return first, 1.0 - first
    most = max(scores) - NORMAL.inv_cdf(1.0 / len(scores))
    return _fitted(lambda c: tuple(NORMAL.cdf(s - c) for s in scores), (0.0, most))


def odds_ratio(implied: Probabilities) -> Probabilities | None:
    scores = [logit(q) for q in implied]
    if len(scores) == 2:
        first = expit((scores[0] - scores[1]) / 2.0)
        return first, 1.0 - first
    most = max(scores) - logit(1.0 / len(scores))
    return _fitted(lambda c: tuple(expit(s - c) for s in scores), (0.0, most))


METHODS: Final[tuple[DevigMethod, ...]] = get_args(DevigMethod)


def _shin_at(z: float, implied: Probabilities) -> Probabilities:
    book_sum = sum(implied)
    kept = 1.0 - z
    return tuple((sqrt(z * z + 4.0 * kept * q * q / book_sum) - z) / (2.0 * kept) for q in implied)


def _fitted(
    at: Callable[[float], Probabilities], bracket: tuple[float, float]
) -> Probabilities | None:
    """The outcome probabilities at the parameter that makes them sum to 1."""
    root = _root(lambda parameter: sum(at(parameter)) - 1.0, bracket)
    return None if root is None else multiplicative(at(root))


def _root(f: Callable[[float], float], bracket: tuple[float, float]) -> float | None:
    """A zero of a falling function inside the bracket (Illinois method); None when none is."""
    low, high = bracket
    f_low, f_high = f(low), f(high)
    if f_low < -ROOT_TOLERANCE or f_high > ROOT_TOLERANCE:
        return None
    kept_side = 0
    for _ in range(ROOT_STEPS_MAX):
        if f_low == f_high:
            return low
        middle = (low * f_high - high * f_low) / (f_high - f_low)
        f_middle = f(middle)
        if abs(f_middle) <= ROOT_TOLERANCE:
            return middle
        if f_middle > 0.0:
            low, f_low = middle, f_middle
            f_high = f_high / 2.0 if kept_side > 0 else f_high
            kept_side = 1
        else:
            high, f_high = middle, f_middle
            f_low = f_low / 2.0 if kept_side < 0 else f_low
            kept_side = -1
    return (low + high) / 2.0
