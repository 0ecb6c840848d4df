"""The order book of one line: resting maker orders per side, best first.

The wire lists what a taker can get on an outcome; the codec has turned each level round, so
that `levels[side]` are orders resting ON that side's strike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mmbot.domain.catalog import Side
from mmbot.domain.ids import LineId
from mmbot.domain.price import Price


class Level(NamedTuple):
    """Resting maker stake at one price (an estimate, for quoting only; never for a limit).

    A tuple, because every message brings twenty and a frozen dataclass costs three times as much.
    """

    price: Price
    stake_cents: int


@dataclass(frozen=True, slots=True)
class Book:
    """A full image of one line; `received_ns` is our clock, 0 means never seen."""

    line_id: LineId
    levels: tuple[tuple[Level, ...], tuple[Level, ...]] = ((), ())
    received_ns: int = 0

    def best(self, side: Side) -> Level | None:
        """The dearest resting order on that side's strike."""
        return self.levels[side][0] if self.levels[side] else None
