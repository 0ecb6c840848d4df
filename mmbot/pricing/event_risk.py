"""The worst case of one sport event: its scores, and beside them what no score decides.

Exact on each score. Scores of different periods, and lines that lie on none, are added by their
minima: a bound that no correlation can break. The fee is that of each market on what it wins on
one score, so it is never counted lower than it will be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mmbot.domain.catalog import Side
from mmbot.domain.ids import LineId, MarketId
from mmbot.pricing.event_grid import FIGURES, NO_RESULTS, Grid, Results
from mmbot.pricing.score import Cut, own_axis

BothResults = tuple[Results, Results]  # per figure: held, everything
NOTHING: BothResults = (NO_RESULTS, NO_RESULTS)


class Loss(NamedTuple):
    """Worst case in cents, 0 or more; `everything_cents` is never below `held_cents`."""

    held_cents: int
    everything_cents: int


NO_LOSS = Loss(0, 0)


class EventLosses(NamedTuple):
    """One line, its market and its sport event."""

    line: Loss
    market: Loss
    event: Loss


@dataclass(slots=True)
class _Line:
    market_id: MarketId
    cut: Cut
    results: BothResults = NOTHING


class EventRisk:
    """Takes what each line would pay, and answers what the sport event would at the least."""

    def __init__(self, fee_ppm: int) -> None:
        self._fee_ppm = fee_ppm
        self._lines: dict[LineId, _Line] = {}
        self._grids: dict[str, Grid] = {}
        # The least that is paid, per figure; never above 0.
        self._of_market: dict[MarketId, list[int]] = {}
        self._least = [0, 0]
        self.loss = NO_LOSS

    def __contains__(self, line_id: LineId) -> bool:
        return line_id in self._lines

    @property
    def empty(self) -> bool:
        return all(line.results == NOTHING for line in self._lines.values())

    def markets(self) -> dict[MarketId, Loss]:
        return {market: Loss(-held, -every) for market, (held, every) in self._of_market.items()}

    def anew(self) -> EventRisk:
        """The same lines, put one by one where nothing was."""
        fresh = EventRisk(self._fee_ppm)
        for line_id, line in self._lines.items():
            fresh.place(line_id, line.market_id, line.cut)
            fresh.put(line_id, line.results)
        return fresh

    def place(self, line_id: LineId, market_id: MarketId, cut: Cut) -> None:
        """Comes before anything else is said of the line; again when its cut is known better."""
        old, held = self._lines.get(line_id), NOTHING
        if old is not None:
            if old.cut == cut:
                return
            held = old.results
            self.put(line_id, NOTHING)
        self._lines[line_id] = _Line(market_id, cut)
        self._of_market.setdefault(market_id, [0, 0])
        grid = self._grids.get(cut.grid)
        if grid is None:
            grid = self._grids[cut.grid] = Grid(self._fee_ppm)
        grid.part(cut)
        self.put(line_id, held)

    def put(self, line_id: LineId, results: BothResults) -> None:
        """What the line pays from now on."""
        line = self._lines[line_id]
        grid, market = self._grids[line.cut.grid], self._of_market[line.market_id]
        for figure in FIGURES:
            now, before = results[figure], line.results[figure]
            if now == before:
                continue
            change = now[0] - before[0], now[1] - before[1]
            of_row, of_score = grid.put(figure, line.market_id, line.cut, change)
            market[figure] += of_row
            self._least[figure] += of_score
        line.results = results
        self.loss = Loss(-self._least[0], -self._least[1])

    def losses(self, line_id: LineId) -> EventLosses:
        line = self._lines[line_id]
        held, every = self._of_market[line.market_id]
        return EventLosses(_line_loss(line.results), Loss(-held, -every), self.loss)

    def losses_if_lost(self, line_id: LineId, winner: Side, stake_cents: int) -> EventLosses:
        """As `losses`, were so much more lost when side `winner` wins; nothing changes."""
        line = self._lines[line_id]
        grid, cut = self._grids[line.cut.grid], line.cut
        market, event = self._of_market[line.market_id][:], self._least[:]
        for figure in FIGURES:
            of_row, of_score = grid.if_lost(figure, line.market_id, cut, winner, stake_cents)
            market[figure] += of_row
            event[figure] += of_score
        now, (held, every) = _line_loss(line.results), line.results
        return EventLosses(
            Loss(
                max(now.held_cents, stake_cents - held[winner]),
                max(now.everything_cents, stake_cents - every[winner]),
            ),
            Loss(-market[0], -market[1]),
            Loss(-event[0], -event[1]),
        )

    def alone(self) -> list[tuple[LineId, MarketId]]:
        """Lines that have an axis of their own."""
        return [
            (line_id, line.market_id)
            for line_id, line in self._lines.items()
            if line.cut == own_axis(line_id)
        ]


def _line_loss(results: BothResults) -> Loss:
    """No fee: of a line alone it only takes from what is won."""
    held, every = results
    return Loss(max(0, -held[0], -held[1]), max(0, -every[0], -every[1]))
