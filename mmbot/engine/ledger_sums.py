"""Running sums per line and over all: what is filled, and what may still fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mmbot.domain.catalog import Side
from mmbot.domain.ids import LineId, market_of
from mmbot.domain.price import Price, profit_cents
from mmbot.domain.view import Position
from mmbot.engine.books import FEE_MAX_BPS
from mmbot.pricing.exposure import NOTHING_OPEN, OpenStakes
from mmbot.pricing.portfolio import LineStakes, Place, Portfolio


@dataclass(frozen=True, slots=True)
class LineExposure:
    """Filled stakes, and cents of our own stake that may still fill, per side."""

    position: Position
    resting_cents: OpenStakes


PPM_PER_BP: Final = 100
NO_STAKES: Final = LineStakes()
NO_EXPOSURE = LineExposure(Position(), NOTHING_OPEN)


@dataclass(frozen=True, slots=True)
class Stakes:
    """A change of one side of one line: filled stake, what it wins, stake that may fill, and
    of this what is in doubt."""

    filled_cents: int = 0
    profit_cents: int = 0
    resting_cents: int = 0
    doubt_cents: int = 0

    def minus(self, other: Stakes) -> Stakes:
        return Stakes(
            self.filled_cents - other.filled_cents,
            self.profit_cents - other.profit_cents,
            self.resting_cents - other.resting_cents,
            self.doubt_cents - other.doubt_cents,
        )


NOTHING = Stakes()


def fill_profit_cents(price: Price, stake_cents: int) -> int:
    """The least that one fill wins: the maker's stake was rounded to the cent by the venue."""
    return profit_cents(price, max(0, stake_cents - 1))


class _Line:
    """Per side. Lists, and asked for its worst case as it is: it changes with every order."""

    __slots__ = (
        "doubt_cents",
        "place",
        "profit_cents",
        "resting_cents",
        "shown",
        "stake_cents",
    )

    def __init__(self, line_id: LineId) -> None:
        self.place = Place.of(line_id)
        self.stake_cents = [0, 0]
        self.profit_cents = [0, 0]
        self.resting_cents = [0, 0]
        self.doubt_cents = [0, 0]
        self.shown: LineExposure | None = None  # as last asked for, until something changes

    def exposure(self) -> LineExposure:
        if self.shown is None:
            self.shown = self._exposure()
        return self.shown

    def _exposure(self) -> LineExposure:
        held = self.stakes()
        return LineExposure(Position(held.stake_cents, held.profit_cents), held.resting_cents)

    def stakes(self) -> LineStakes:
        (stake_0, stake_1), (profit_0, profit_1) = self.stake_cents, self.profit_cents
        (rests_0, rests_1), (doubt_0, doubt_1) = self.resting_cents, self.doubt_cents
        return LineStakes(
            (stake_0, stake_1), (profit_0, profit_1), (rests_0, rests_1), (doubt_0, doubt_1)
        )

    @property
    def empty(self) -> bool:
        return self.resting_cents == self.stake_cents == self.profit_cents == [0, 0]


class LineSums:
    """O(1) per change."""

    def __init__(self, portfolio: Portfolio | None = None) -> None:
        """`portfolio`: by default one that is strict, for those who do not ask it."""
        self._portfolio = portfolio or Portfolio(FEE_MAX_BPS * PPM_PER_BP, None)
        self._moved: dict[LineId, None] = {}  # since the portfolio was last asked for
        self._lines: dict[LineId, _Line] = {}
        self._resting_of_market: dict[str, int] = {}  # where anything rests
        self.resting_total_cents = 0

    def add(self, line_id: LineId, side: Side, change: Stakes) -> None:
        line = self._lines.get(line_id)
        if line is None:
            line = self._lines[line_id] = _Line(line_id)
        line.shown = None
        line.stake_cents[side] += change.filled_cents
        line.profit_cents[side] += change.profit_cents
        line.resting_cents[side] += change.resting_cents
        line.doubt_cents[side] += change.doubt_cents
        self._moved[line_id] = None
        if change.resting_cents:
            self._rests(market_of(line_id), change.resting_cents)
        if line.empty:
            del self._lines[line_id]

    def _rests(self, market: str, added_cents: int) -> None:
        self.resting_total_cents += added_cents
        after = self._resting_of_market.get(market, 0) + added_cents
        if after:
            self._resting_of_market[market] = after
        else:
            self._resting_of_market.pop(market, None)

    def market_resting_cents(self, line_id: LineId) -> int:
        """Stake that may still fill on all lines of the market of this one."""
        return self._resting_of_market.get(market_of(line_id), 0)

    def markets(self) -> dict[str, int]:
        """Stake that may still fill, of every market on which any rests."""
        return dict(self._resting_of_market)

    @property
    def portfolio(self) -> Portfolio:
        """As orders stand now: what has moved is told only when somebody asks, for a start takes
        a hundred thousand orders in."""
        for line_id in self._moved:
            line = self._lines.get(line_id)
            place = Place.of(line_id) if line is None else line.place
            self._portfolio.put(place, NO_STAKES if line is None else line)
        self._moved.clear()
        return self._portfolio

    def exposure(self, line_id: LineId) -> LineExposure:
        line = self._lines.get(line_id)
        return NO_EXPOSURE if line is None else line.exposure()

    def lines(self) -> dict[LineId, LineExposure]:
        return {line_id: line.exposure() for line_id, line in self._lines.items()}

    def stakes(self) -> dict[LineId, LineStakes]:
        return {line_id: line.stakes() for line_id, line in self._lines.items()}
