"""One score (margin x total), cut into the cells that the lines upon it can tell apart.

Between two neighbouring cuts every score pays the same, so a few cells stand for all scores,
however far they reach. A margin m and a total t come together only if |m| <= t and both are odd
or both even. Money is integer cents; the fee on what a market wins is rounded up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from operator import add
from typing import Final, Literal

from mmbot.domain.catalog import Side
from mmbot.domain.ids import MarketId
from mmbot.pricing.score import NUMBER_MAX, AxisName, Cut

Figure = Literal[0, 1]  # what is held; as if everything filled
FIGURES: Final[tuple[Figure, Figure]] = (0, 1)

Results = tuple[int, int]  # cents of one line if its side 0, or its side 1, wins
NO_RESULTS: Final[Results] = (0, 0)
Cell = tuple[int, int]  # first and last score of it, both included
FAR: Final = 4 * NUMBER_MAX  # beyond every cut, in points
PPM: Final = 1_000_000


def cells_of(cuts: Iterable[int], lowest: int) -> list[Cell]:
    """The scores from `lowest` up, parted at the cuts (in halves); a push is a cell of its own."""
    found: list[Cell] = []
    first = lowest
    for halves in sorted(set(cuts)):
        below, above = (halves - 1) // 2, halves // 2 + 1
        if first <= below:
            found.append((first, below))
        if below + 1 < above and first <= below + 1:
            found.append((below + 1, below + 1))
        first = max(first, above)
    return [*found, (first, FAR)]


def come_together(margins: Cell, totals: Cell) -> bool:
    """Whether any score has a margin of the one and a total of the other cell."""
    for total in range(totals[1], max(totals[0], totals[1] - 1) - 1, -1):
        first, last = max(margins[0], -total), min(margins[1], total)
        if first < last or (first == last and (first - total) % 2 == 0):
            return True
    return False


@dataclass(slots=True)
class _Row:
    """What one market pays on each cell, the same after the fee, and its least (not above 0)."""

    pays: list[int]
    nets: list[int]
    least: int = 0


class _Axis:
    """Cells of one dimension, and per figure what the markets upon it pay there."""

    def __init__(self, lowest: int) -> None:
        self._cuts: set[int] = set()
        self.cells = cells_of((), lowest)
        self.rows: tuple[dict[MarketId, _Row], dict[MarketId, _Row]] = ({}, {})
        self.nets = [[0], [0]]
        # Per figure: the least that the other axis pays beside each cell, until that changes.
        self.beside: list[list[int] | None] = [None, None]
        self._spans: dict[int, tuple[int, int]] = {}

    def part(self, halves: int) -> bool:
        """At a cut; False when it was there. Each part of a cell pays what the cell did."""
        if halves in self._cuts:
            return False
        self._cuts.add(halves)
        firsts = [first for first, _ in self.cells]
        self.cells = cells_of(self._cuts, firsts[0])
        was = [bisect_right(firsts, first) - 1 for first, _ in self.cells]
        for figure in FIGURES:
            for row in self.rows[figure].values():
                row.pays, row.nets = [row.pays[i] for i in was], [row.nets[i] for i in was]
            self.nets[figure] = [self.nets[figure][i] for i in was]
        self._spans.clear()
        return True

    def row(self, figure: Figure, market_id: MarketId) -> _Row:
        rows = self.rows[figure]
        found = rows.get(market_id)
        if found is None:
            count = len(self.cells)
            found = rows[market_id] = _Row([0] * count, [0] * count)
        return found

    def span(self, halves: int) -> tuple[int, int]:
        """How many cells lie below the cut, and which is the first above it."""
        found = self._spans.get(halves)
        if found is None:
            below = sum(2 * last < halves for _, last in self.cells)
            above = sum(2 * first <= halves for first, _ in self.cells)
            found = self._spans[halves] = (below, above)
        return found


class Grid:
    """Both axes of one score, in as many cells as the lines that it was told of need."""

    def __init__(self, fee_ppm: int) -> None:
        self._fee_ppm = fee_ppm
        self._axes: dict[AxisName, _Axis] = {"margin": _Axis(-FAR), "total": _Axis(0)}
        self._fits: dict[tuple[int, int], bool] = {}  # cells of margin and total, as asked
        self.least = [0, 0]  # per figure; never above 0: a game may be called off

    def part(self, cut: Cut) -> None:
        """Comes before a line with this cut is put; changes nothing that is paid."""
        if self._axes[cut.axis].part(cut.halves):
            self._fits.clear()
            for axis in self._axes.values():
                axis.beside = [None, None]

    def put(
        self, figure: Figure, market_id: MarketId, cut: Cut, change: Results
    ) -> tuple[int, int]:
        """A line with this cut pays so much more (or less) than before. By how much that moves
        the least of the market's row and of the score."""
        axis = self._axes[cut.axis]
        row, of_axis = axis.row(figure, market_id), axis.nets[figure]
        pays, nets = row.pays, row.nets
        below, above = axis.span(cut.halves)
        high, low = change[cut.high_side], change[1 - cut.high_side]
        for more, cells in ((low, range(below)), (high, range(above, len(of_axis)))):
            for i in cells if more else ():
                net = pays[i] = pays[i] + more
                if net > 0:
                    net = self._net(net)
                of_axis[i] += net - nets[i]
                nets[i] = net
        self._axes[_other(cut.axis)].beside[figure] = None
        was, row.least = row.least, min(0, *nets)
        of_score = min(map(add, of_axis, self._beside(figure, cut.axis)))
        before, self.least[figure] = self.least[figure], min(0, of_score)
        return row.least - was, self.least[figure] - before

    def if_lost(
        self, figure: Figure, market_id: MarketId, cut: Cut, winner: Side, stake_cents: int
    ) -> tuple[int, int]:
        """What `put` would answer were so much more lost if side `winner` of the line wins.

        Only the cells where it wins pay less, so no other cell can make a new least.
        """
        axis = self._axes[cut.axis]
        row, of_axis = axis.row(figure, market_id), axis.nets[figure]
        pays, nets, beside = row.pays, row.nets, self._beside(figure, cut.axis)
        below, above = axis.span(cut.halves)
        of_row, of_score = row.least, self.least[figure]
        # One loop and no call: the gate asks this of every order.
        for i in range(above, len(pays)) if winner == cut.high_side else range(below):
            net = pays[i] - stake_cents
            if net > 0:
                net = self._net(net)
            of_row = net if net < of_row else of_row
            score = of_axis[i] - nets[i] + net + beside[i]
            of_score = score if score < of_score else of_score
        return of_row - row.least, of_score - self.least[figure]

    def _net(self, paid: int) -> int:
        """What is left of winnings after the fee, which is rounded up to the cent."""
        return paid + -paid * self._fee_ppm // PPM

    def _beside(self, figure: Figure, name: AxisName) -> list[int]:
        axis = self._axes[name]
        found = axis.beside[figure]
        if found is None:
            other = self._axes[_other(name)].nets[figure]
            order = sorted(range(len(other)), key=other.__getitem__)
            found = axis.beside[figure] = [
                next(other[j] for j in order if self._come_together(name, i, j))
                for i in range(len(axis.cells))
            ]
        return found

    def _come_together(self, name: AxisName, cell: int, other: int) -> bool:
        """`cell` of the axis `name`, and one of the other axis."""
        pair = (cell, other) if name == "margin" else (other, cell)
        fit = self._fits.get(pair)
        if fit is None:
            margins, totals = (self._axes[of].cells for of in ("margin", "total"))
            fit = self._fits[pair] = come_together(margins[pair[0]], totals[pair[1]])
        return fit


def _other(axis: AxisName) -> AxisName:
    return "total" if axis == "margin" else "margin"
