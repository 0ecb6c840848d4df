"""The box's own fair value per line: a seeded martingale around the bookmakers' consensus."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from random import Random

from mmbot.sim.core.lifecycle import Line, Listing
from mmbot.sim.core.prices import sigmoid
from mmbot.sim.market.options import Drift

LAG_STEPS_MAX = 40


class FairBoard:
    """Current and slightly older logits of side 0 of every line."""

    def __init__(self, listing: Listing, drift: Drift, rng: Random) -> None:
        self._listing = listing
        self._drift = drift
        self._rng = rng
        self._shift = [0.0] * len(listing.lines)
        self._past: deque[tuple[int, tuple[float, ...]]] = deque(maxlen=LAG_STEPS_MAX)
        self.news_ns: dict[int, int] = {}
        self.on_news: list[Callable[[int, int], None]] = []

    def step(self, now_ns: int) -> None:
        """One step of the drift; prices stay martingales."""
        seconds = self._drift.step_ms / 1000
        sd = self._drift.sd_per_sqrt_s * math.sqrt(seconds)
        own = self._drift.own_share
        common_weight = math.sqrt(1.0 - own * own)
        self._follow_listing()
        for event in self._listing.events.values():
            common = self._rng.gauss(0.0, 1.0)
            for line in event.lines:
                draw = common_weight * common + own * self._rng.gauss(0.0, 1.0)
                fair = self.probability(line.index)
                self._shift[line.index] += (fair - 0.5) * sd * sd + sd * draw
        self._past.append((now_ns, tuple(self._shift)))

    def news(self, event_id: int, shift: float, now_ns: int) -> None:
        """The fair of a whole event jumps; whoever listens hears of it at once."""
        self._follow_listing()
        for line in self._listing.events[event_id].lines:
            self._shift[line.index] += shift
        self.news_ns[event_id] = now_ns
        self._past.append((now_ns, tuple(self._shift)))
        for listener in self.on_news:
            listener(event_id, now_ns)

    def x(self, line_index: int) -> float:
        return self._listing.lines[line_index].base_logit + self.shift(line_index)

    def shift(self, line_index: int) -> float:
        """How far the line has moved from the bookmakers' prices, in logit."""
        if line_index >= len(self._shift):
            self._follow_listing()
        return self._shift[line_index]

    def x_at(self, line_index: int, at_ns: int) -> float:
        """The logit as it was at an earlier time (as far back as is remembered)."""
        base = self._listing.lines[line_index].base_logit
        for ns, shifts in reversed(self._past):
            if line_index >= len(shifts):  # the line is younger than that
                return self.x(line_index)
            if ns <= at_ns:
                return base + shifts[line_index]
        return base + (self._past[0][1][line_index] if self._past else 0.0)

    def probability(self, line_index: int, side: int = 0) -> float:
        fair = sigmoid(self.x(line_index))
        return fair if side == 0 else 1.0 - fair

    def _follow_listing(self) -> None:
        """A new line of a known game starts where the game's other lines have moved to."""
        for line in self._listing.lines[len(self._shift) :]:
            self._shift.append(self._shift_of_game(line))

    def _shift_of_game(self, line: Line) -> float:
        event = self._listing.events.get(line.event_id)
        known = [
            self._shift[other.index]
            for other in (event.lines if event is not None else ())
            if other.index < len(self._shift)
        ]
        return sum(known) / len(known) if known else 0.0
