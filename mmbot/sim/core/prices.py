"""American prices, their odds and stakes in integer cents, written from the contract alone."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

EVEN_MONEY = 100


class DataError(Exception):
    """A file of the box is missing or not of the expected form; the text is for a person."""


@lru_cache(maxsize=4096)
def ratio(price: int) -> tuple[int, int]:
    """Profit per 1 staked, as an exact fraction."""
    if price >= EVEN_MONEY:
        return price, 100
    if price < -EVEN_MONEY:
        return 100, -price
    raise ValueError(f"not an American price: {price}")


def rank(price: int) -> int:
    """A whole number that grows with the odds, 0 at even money."""
    return price - EVEN_MONEY if price > 0 else price + EVEN_MONEY


def crosses(price: int, other: int) -> bool:
    """Whether orders at these prices on opposite strikes trade: their ranks sum to 0 at most."""
    return price + other <= 0 or price == other == EVEN_MONEY


def is_american(price: int) -> bool:
    return price >= EVEN_MONEY or price < -EVEN_MONEY


def complement(price: int) -> int:
    """The fair price of the other outcome; even money is its own complement."""
    return EVEN_MONEY if price == EVEN_MONEY else -price


@lru_cache(maxsize=4096)
def implied(price: int) -> float:
    """Implied probability of the outcome bought at this price."""
    num, den = ratio(price)
    return den / (num + den)


def at_least_as_good(price: int, limit: int) -> bool:
    """Whether the holder of `price` wins at least as much per stake as at `limit`."""
    num, den = ratio(price)
    limit_num, limit_den = ratio(limit)
    return num * limit_den >= limit_num * den


def half_up(num: int, den: int) -> int:
    return (2 * num + den) // (2 * den)


def profit_cents(price: int, stake_cents: int, *, floor: bool = False) -> int:
    """What a stake wins on top of itself, rounded half up to the cent, or down."""
    num, den = ratio(price)
    return stake_cents * num // den if floor else half_up(stake_cents * num, den)


def wins_a_cent(price: int, stake_cents: int) -> bool:
    num, den = ratio(price)
    return stake_cents * num >= den


def usd(cents: int) -> float:
    return cents / 100


def logit(probability: float) -> float:
    return math.log(probability / (1.0 - probability))


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def nearest_american(probability: float) -> int:
    """The integer American price whose implied probability is nearest."""
    odds = (1.0 - probability) / probability
    price = round(100 * odds) if odds >= 1.0 else -round(100 / odds)
    return EVEN_MONEY if price == -EVEN_MONEY else price


def devig_two(first: float, second: float) -> float:
    """Fair probability of the first of two outcomes (additive, which is Shin for two)."""
    margin = first + second - 1.0
    fair = first - margin / 2
    floor = 0.002
    if fair <= floor or fair >= 1.0 - floor:
        return first / (first + second)
    return fair


@dataclass(frozen=True, slots=True)
class Ladder:
    """The prices the box accepts, ordered from the largest implied probability down."""

    prices: tuple[int, ...]
    wire: tuple[int, ...]
    members: frozenset[int]
    negated_implied: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[int]) -> Ladder:
        ordered = tuple(sorted(values, key=implied, reverse=True))
        return cls(
            ordered,
            tuple(sorted(values)),
            frozenset(values),
            tuple(-implied(price) for price in ordered),
        )

    def __contains__(self, price: object) -> bool:
        return price in self.members

    def at_most(self, probability: float) -> int | None:
        """The price with the largest implied probability not above the given one."""
        index = bisect_left(self.negated_implied, -probability - 1e-12)
        return self.prices[index] if index < len(self.prices) else None


def load_ladder(path: Path) -> Ladder:
    try:
        document = msgspec.json.decode(path.read_bytes())
        values = [int(value) for value in document["values"]]
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"price ladder {path}: {error}") from error
    if not values or not all(is_american(value) for value in values):
        raise DataError(f"price ladder {path}: holds values that are not American prices")
    return Ladder.of(values)
