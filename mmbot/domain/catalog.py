"""What is listed: sport events, lines, strikes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mmbot.domain.ids import LineId, MarketId, SportEventId, StrikeId

Side = Literal[0, 1]


@dataclass(frozen=True, slots=True)
class Competitor:
    name: str
    side: str  # "home" | "away" | ""


@dataclass(frozen=True, slots=True)
class SportEvent:
    """A fixture. `status` is the exchange's word; only `not_started` is pre-match."""

    event_id: SportEventId
    name: str
    tournament_id: int
    tournament_name: str
    start_ns: int
    status: str
    competitors: tuple[Competitor, ...] = ()
    sport_name: str = ""  # "American Football"; "" when the exchange does not say

    @property
    def pre_match(self) -> bool:
        return self.status == "not_started"


@dataclass(frozen=True, slots=True)
class Strike:
    """One outcome of one line. `number` is signed for spreads (-4.5 / +4.5)."""

    strike_id: StrikeId
    side: Side
    name: str
    number: float | None


PROP_PREFIXES = ("player_", "team_")
PROPS = frozenset({"both_teams_to_score", "first_team_to_score", "total_goal_odd_even"})


@dataclass(frozen=True, slots=True)
class Line:
    """(sport event, market, number) with its two opposite strikes."""

    line_id: LineId
    event_id: SportEventId
    market_id: MarketId
    market_type: str  # family: moneyline | spread | total ...
    sub_type: str  # the real kind; "" when absent
    market_name: str
    number: float | None
    strikes: tuple[Strike, Strike]
    status: str = "active"

    @property
    def is_prop(self) -> bool:
        """Props have channels of their own; the channel of the event does not carry them."""
        kind = self.sub_type.lower().replace("-", "_").replace(" ", "_")
        return kind.startswith(PROP_PREFIXES) or kind in PROPS

    def opposite(self, strike_id: StrikeId) -> StrikeId:
        a, b = self.strikes
        return b.strike_id if strike_id == a.strike_id else a.strike_id

    def side_of(self, strike_id: StrikeId) -> Side:
        return 0 if self.strikes[0].strike_id == strike_id else 1


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything listed at one moment."""

    events: Mapping[SportEventId, SportEvent] = field(default_factory=dict)
    lines: Mapping[LineId, Line] = field(default_factory=dict)
    line_of: Mapping[StrikeId, LineId] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[SportEvent], lines: Iterable[Line]) -> Catalog:
        by_line = {line.line_id: line for line in lines}
        line_of = {s.strike_id: line.line_id for line in by_line.values() for s in line.strikes}
        return cls({event.event_id: event for event in events}, by_line, line_of)

    def line_with(self, strike_id: StrikeId) -> Line | None:
        found = self.line_of.get(strike_id)
        return None if found is None else self.lines[found]
