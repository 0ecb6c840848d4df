"""What a strategy sees of one line when it is asked for its quotes."""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.domain.book import Book
from mmbot.domain.catalog import Line, Side, SportEvent
from mmbot.domain.ids import StrikeId
from mmbot.domain.price import Ladder


@dataclass(frozen=True, slots=True)
class Fair:
    """A source's probability of one strike; the other strike has 1 - prob."""

    prob: float
    sd_logit: float
    source: str
    source_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True)
class Position:
    """Filled stakes and what they would win, in cents, per side of one line."""

    stake_cents: tuple[int, int] = (0, 0)
    profit_cents: tuple[int, int] = (0, 0)

    def result_if(self, side: Side) -> int:
        """Cash result of the filled orders if that side wins."""
        return self.profit_cents[side] - self.stake_cents[1 - side]

    @property
    def swing_cents(self) -> int:
        """W_A - W_B: what one unit of probability of side 0 is worth (market-making 3.1)."""
        return self.result_if(0) - self.result_if(1)


@dataclass(frozen=True, slots=True)
class MarketView:
    """One line at one moment: immutable, complete, and all that `quotes(view)` may use.

    `competing` is the book without our own orders; `fairs` holds one entry per healthy source,
    stated for side 0.
    """

    now_ns: int
    event: SportEvent
    line: Line
    ladder: Ladder
    book: Book
    competing: Book
    fairs: tuple[Fair, ...]
    position: Position

    @property
    def strikes(self) -> tuple[StrikeId, StrikeId]:
        return self.line.strikes[0].strike_id, self.line.strikes[1].strike_id
