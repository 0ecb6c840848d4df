"""Prices are American odds that stand on the exchange's ladder.

They are ordered by what they pay, never by the raw integer: -101 and +100 are neighbours.
A higher implied probability is a better price for the taker and a dearer one for its holder.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NewType

Price = NewType("Price", int)
PROBABILITY_TOLERANCE = 1e-9


def profit_ratio(price: Price) -> Fraction:
    """Profit for 1 staked, exact: +150 -> 3/2, -150 -> 2/3."""
    if -100 < price < 100:
        raise ValueError(f"not an American price: {price}")
    return Fraction(price, 100) if price > 0 else Fraction(100, -price)


def implied(price: Price) -> float:
    """Implied probability of a price: +150 -> 0.4."""
    return 100 / (price + 100) if price > 0 else -price / (100 - price)


def complement(price: Price) -> Price:
    """The fair price of the other outcome; even money is always written +100."""
    return Price(100) if abs(price) == 100 else Price(-price)


def profit_cents(price: Price, stake_cents: int) -> int:
    """What a stake wins, rounded down to the cent (the exchange's own rounding is unknown)."""
    won, staked = _won_and_staked(price)
    return stake_cents * won // staked


def crosses(price_a: Price, price_b: Price) -> bool:
    """True when orders on opposite outcomes would trade: q(a) + q(b) >= 1, exactly."""
    won_a, staked_a = _won_and_staked(price_a)
    won_b, staked_b = _won_and_staked(price_b)
    return won_a * won_b <= staked_a * staked_b


def _won_and_staked(price: Price) -> tuple[int, int]:
    """The profit ratio without making a Fraction: this stands on the way of every order."""
    return (price, 100) if price > 0 else (100, -price)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The prices that the exchange accepts, dearest last (by implied probability)."""

    prices: tuple[Price, ...]
    _implied: tuple[float, ...] = field(repr=False)
    _index: dict[Price, int] = field(repr=False)

    @classmethod
    def of(cls, prices: Iterable[int]) -> Ladder:
        """Build from any order; raises ValueError on values that are no American odds.

        -100 is no place on a ladder, nor does it stand for +100 (contract 5).
        """
        distinct = {Price(p) for p in prices if p != -100}
        if not distinct:
            raise ValueError("an empty ladder")
        ordered = tuple(sorted(distinct, key=profit_ratio, reverse=True))
        return cls(
            ordered, tuple(implied(p) for p in ordered), {p: i for i, p in enumerate(ordered)}
        )

    def __contains__(self, price: object) -> bool:
        return price in self._index

    def __len__(self) -> int:
        return len(self.prices)

    def without(self, price: Price) -> Ladder:
        """The same without one price; nothing may be left."""
        if price not in self._index:
            return self
        i = self._index[price]
        prices = self.prices[:i] + self.prices[i + 1 :]
        index = {price: i for i, price in enumerate(prices)}
        return Ladder(prices, self._implied[:i] + self._implied[i + 1 :], index)

    def snap_passive(self, implied_max: float) -> Price | None:
        """The dearest price that still costs its holder at most `implied_max`; None if none."""
        i = bisect_right(self._implied, implied_max + PROBABILITY_TOLERANCE)
        return self.prices[i - 1] if i else None

    def step(self, price: Price, ticks: int) -> Price | None:
        """`ticks` dearer (positive) or cheaper (negative); None beyond either end."""
        i = self._index[price] + ticks
        return self.prices[i] if 0 <= i < len(self.prices) else None

    def ticks_between(self, cheap: Price, dear: Price) -> int:
        """Signed number of ladder steps from `cheap` to `dear`."""
        return self._index[dear] - self._index[cheap]
