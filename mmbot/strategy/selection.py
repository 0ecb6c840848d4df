"""Which lines a strategy owns. One line has one owner; an overlap is refused before quoting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

from mmbot.domain.catalog import Line, SportEvent

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Selection:
    """Every list must contain the line; an empty list contains all."""

    tournaments: frozenset[int] = frozenset()
    events: frozenset[int] = frozenset()
    market_types: frozenset[str] = frozenset()
    sub_types: frozenset[str] = frozenset()

    def selects(self, event: SportEvent, line: Line) -> bool:
        return (
            (not self.tournaments or event.tournament_id in self.tournaments)
            and (not self.events or event.event_id in self.events)
            and (not self.market_types or line.market_type in self.market_types)
            and (not self.sub_types or line.sub_type in self.sub_types)
        )

    def may_meet(self, other: Selection) -> bool:
        """Whether some line could belong to both, as far as the lists tell."""
        return (
            _share(self.tournaments, other.tournaments)
            and _share(self.events, other.events)
            and _share(self.market_types, other.market_types)
            and _share(self.sub_types, other.sub_types)
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """An enabled strategy and its selection."""

    name: str
    selection: Selection


def overlaps(enabled: Sequence[Claim]) -> list[str]:
    """One line for each pair of strategies that may claim the same line."""
    return [
        f"strategies {a.name} and {b.name} may own the same line: narrow [strategies.lines] of one"
        for a, b in combinations(enabled, 2)
        if a.selection.may_meet(b.selection)
    ]


def _share(a: frozenset[T], b: frozenset[T]) -> bool:
    return not a or not b or not a.isdisjoint(b)
