"""Which of the exchange's sport events and strikes a feed speaks of, or why none.

A pair of names and a start time identify a fixture, in either order of home and away. Sides
are then mapped by name, never by position. What is ambiguous is listed and never priced: a
price on the wrong game is the dearest mistake a quoting bot can make.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from mmbot.domain.catalog import Catalog, Line, Side, SportEvent
from mmbot.domain.ids import SportEventId
from mmbot.sources.feed import Family, FeedEvent, FeedLine

START_GAP_MAX_NS: Final = 90 * 60 * 10**9
FULL_GAME: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {family: frozenset({family}) for family in ("moneyline", "spread", "total")}
)

Why = Literal["no_such_teams", "other_time", "ambiguous", "nearer_rival", "unnamed"]
TeamPair = frozenset[str]
# Sport event, family, name of one side, its number: enough to find the line and the side.
SideKey = tuple[SportEventId, str, str, float | None]

SEPARATORS: Final = MappingProxyType(
    {ord(c): " " for c in "-–—_/,:;()[]@|+"} | {ord(c): "" for c in ".'’`"}
)
# Letters that carry their stroke inside, so that NFKD leaves them alone.
STROKED: Final = MappingProxyType(str.maketrans("øłđð", "oldd"))


def normalised(name: str) -> str:
    """Case, accents and punctuation taken away: `São Paulo F.C.` -> `sao paulo fc`."""
    plain = name.casefold().replace("&", " and ").translate(STROKED)
    letters = (c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return " ".join("".join(letters).translate(SEPARATORS).split())


@dataclass(frozen=True, slots=True)
class MatchRules:
    """`aliases`: other spelling -> the exchange's, both `normalised` (see `with_aliases`)."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    start_gap_max_ns: int = START_GAP_MAX_NS
    sub_types: Mapping[str, frozenset[str]] = field(default_factory=lambda: FULL_GAME)

    @classmethod
    def with_aliases(cls, spellings: Mapping[str, str]) -> MatchRules:
        return cls({normalised(k): normalised(v) for k, v in spellings.items()})

    def team(self, name: str) -> str:
        """The comparable form of a name, through the alias table."""
        plain = normalised(name)
        return self.aliases.get(plain, plain)


@dataclass(frozen=True, slots=True)
class Unmatched:
    feed_id: str
    teams: tuple[str, str]
    why: Why


@dataclass(frozen=True, slots=True)
class Matches:
    """Feed events by the sport event they are; the rest with the reason."""

    found: Mapping[SportEventId, FeedEvent]
    unmatched: tuple[Unmatched, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A catalog in comparable names. Built once per seeding, not once per poll."""

    catalog: Catalog
    rules: MatchRules
    events: Mapping[TeamPair, tuple[SportEvent, ...]]
    sides: Mapping[SideKey, tuple[Line, Side]]

    @classmethod
    def of(cls, catalog: Catalog, rules: MatchRules) -> Listed:
        events: dict[TeamPair, tuple[SportEvent, ...]] = {}
        for event in catalog.events.values():
            pair = frozenset(rules.team(name) for name in _team_names(event))
            if len(pair) == 2 and "" not in pair:
                events[pair] = (*events.get(pair, ()), event)
        sides: dict[SideKey, tuple[Line, Side]] = {}
        doubled: set[SideKey] = set()
        for line in catalog.lines.values():
            for key, side in _keys(line, rules):
                doubled |= {key} & sides.keys()
                sides[key] = (line, side)
        known = {key: found for key, found in sides.items() if key not in doubled}
        return cls(catalog, rules, events, known)


def match_events(events: Iterable[FeedEvent], listed: Listed) -> Matches:
    """Each sport event gets at most one feed event: the only one nearest to its start."""
    claims: dict[SportEventId, list[tuple[int, FeedEvent]]] = {}
    unmatched: list[Unmatched] = []
    for event in events:
        found = _nearest(event, listed)
        if isinstance(found, str):
            unmatched.append(Unmatched(event.feed_id, event.teams, found))
            continue
        claims.setdefault(found.event_id, []).append((abs(found.start_ns - event.start_ns), event))
    settled: dict[SportEventId, FeedEvent] = {}
    for event_id, claimants in claims.items():
        claimants.sort(key=lambda claim: claim[0])
        tied = len(claimants) > 1 and claimants[0][0] == claimants[1][0]
        if not tied:
            settled[event_id] = claimants[0][1]
        losers = claimants if tied else claimants[1:]
        why: Why = "ambiguous" if tied else "nearer_rival"
        unmatched += [Unmatched(event.feed_id, event.teams, why) for _, event in losers]
    return Matches(settled, tuple(unmatched))


def match_line(event_id: SportEventId, said: FeedLine, listed: Listed) -> tuple[Line, Side] | None:
    """The listed line, and which of its sides the feed's first side is; None when not listed."""
    first, second = (_side_name(said.family, name, listed.rules) for name in said.sides)
    found = listed.sides.get((event_id, said.family, first, said.number))
    if found is None:
        return None
    line, side = found
    opposite = None if said.number is None else _opposite_number(said.family, said.number)
    other = listed.sides.get((event_id, said.family, second, opposite))
    is_whole_line = other is not None and other[0] is line and other[1] != side
    return (line, side) if is_whole_line else None


def full_game(line: Line, rules: MatchRules) -> bool:
    """A half or a quarter carries the family too; only the sub type tells them apart."""
    return line.sub_type in rules.sub_types.get(line.market_type, frozenset())


def _keys(line: Line, rules: MatchRules) -> Iterator[tuple[SideKey, Side]]:
    if not full_game(line, rules):
        return
    for strike in line.strikes:
        number = None if line.market_type == "moneyline" else strike.number
        name = _side_name(line.market_type, _bare(strike.name, number), rules)
        yield (line.event_id, line.market_type, name, number), strike.side


def _side_name(family: str, name: str, rules: MatchRules) -> str:
    return normalised(name) if family == "total" else rules.team(name)


def _opposite_number(family: Family, number: float) -> float:
    return -number if family == "spread" else number


def _bare(name: str, number: float | None) -> str:
    """`Schalke 04 +3.5` -> `Schalke 04`: only the line's own number is taken off."""
    head, _, tail = name.strip().rpartition(" ")
    try:
        stated = float(tail.replace("−", "-"))
    except ValueError:
        return name
    return head if head and number is not None and abs(stated) == abs(number) else name


def _team_names(event: SportEvent) -> list[str]:
    names = [competitor.name for competitor in event.competitors]
    return names if len(names) == 2 else re.split(r"\s+(?:at|vs\.?|v)\s+|\s*@\s*", event.name)


def _nearest(event: FeedEvent, listed: Listed) -> SportEvent | Why:
    pair = frozenset(listed.rules.team(name) for name in event.teams)
    if len(pair) != 2 or "" in pair:
        return "unnamed"
    namesakes = listed.events.get(pair, ())
    if not namesakes:
        return "no_such_teams"
    gaps = sorted((abs(one.start_ns - event.start_ns), i) for i, one in enumerate(namesakes))
    if gaps[0][0] > listed.rules.start_gap_max_ns:
        return "other_time"
    if len(gaps) > 1 and gaps[0][0] == gaps[1][0]:
        return "ambiguous"
    return namesakes[gaps[0][1]]
