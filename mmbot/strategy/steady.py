"""Not moving for nothing: a line's last answer is repeated until something has really changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mmbot.domain.ids import LineId
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView

LINES_MAX: Final = 5_000

Inputs = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    inputs: Inputs
    quotes: tuple[Quote, ...]


class Steady:
    """One answer per line. `tolerances`: how far each input may move before it is forgotten."""

    def __init__(self, tolerances: Inputs) -> None:
        self._tolerances = tolerances
        self._answers: dict[LineId, Answer] = {}

    def last(self, view: MarketView, inputs: Inputs) -> tuple[Quote, ...] | None:
        """The last answer while it holds; None: think again."""
        answer = self._answers.get(view.line.line_id)
        if answer is None or any(quote.price not in view.ladder for quote in answer.quotes):
            return None
        pairs = zip(inputs, answer.inputs, self._tolerances, strict=True)
        return None if any(abs(new - old) > far for new, old, far in pairs) else answer.quotes

    def keep(
        self, view: MarketView, inputs: Inputs, quotes: tuple[Quote, ...]
    ) -> tuple[Quote, ...]:
        """Remember and return `quotes`; beyond the limit the oldest line is forgotten."""
        self._answers.pop(view.line.line_id, None)
        self._answers[view.line.line_id] = Answer(inputs, quotes)
        if len(self._answers) > LINES_MAX:
            del self._answers[next(iter(self._answers))]
        return quotes
