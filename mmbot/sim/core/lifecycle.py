"""What is listed: sport events, markets, lines and strikes; all can come, move and go."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from mmbot.sim.core.prices import logit
from mmbot.sim.games.fixtures import TEMPLATES as TEMPLATES
from mmbot.sim.games.fixtures import LineSpec as LineSpec
from mmbot.sim.games.fixtures import Tournament as Tournament
from mmbot.sim.games.fixtures import fair_points as fair_points
from mmbot.sim.games.fixtures import number_of, specs_of, tournament_of
from mmbot.sim.games.odds_files import Game
from mmbot.sim.games.props import prop_specs

NS = 1_000_000_000
START_STEP_S = 900
SECONDS_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Strike:
    """One of the two outcomes of a line: the thing one buys."""

    strike_id: str
    line_index: int
    side: int
    outcome_id: int
    number: float
    name: str
    display_name: str
    display_number: str
    competitor_id: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """Two opposite strikes of one market and number, and where the result axis divides them."""

    index: int
    event_id: int
    market_id: int
    kind: str
    number: float
    name: str
    favourite: bool
    strikes: tuple[Strike, Strike]
    base_logit: float
    wire_id: int
    spec: LineSpec
    event: SportEvent = field(compare=False, repr=False)

    @property
    def sub_type(self) -> str:
        return self.spec.sub_type or self.kind

    @property
    def threshold(self) -> float:
        """Side 0 wins when the result (margin, or total) is above this."""
        return self.number if self.kind == "total" else 0.0 - self.number


@dataclass(slots=True)
class SportEvent:
    """A relisted fixture; `status` moves with the clock of the box."""

    event_id: int
    game: Game
    tournament: Tournament
    start_ns: int
    lines: list[Line] = field(default_factory=list)
    status: str = "not_started"
    suspended: bool = False
    updated_ns: int = 0
    listed: bool = True
    live_disabled: bool = True
    suspended_markets: set[int] = field(default_factory=set)
    gone_lines: list[Line] = field(default_factory=list)
    settled_lines: set[int] = field(default_factory=set)

    @property
    def in_play(self) -> bool:
        return self.status == "live"

    @property
    def tradable(self) -> bool:
        open_now = self.status == "not_started" or (self.in_play and not self.live_disabled)
        return open_now and self.listed and not self.suspended

    @property
    def market_status(self) -> str:
        if self.status == "finished":
            return "settled"
        return "active" if self.tradable else "suspended"

    def accepts(self, line: Line) -> bool:
        """Whether orders on a line may come, and may trade."""
        if self.status != "not_started" and (self.live_disabled or self.status != "live"):
            return False
        if self.suspended or not self.listed:
            return False
        if not (self.settled_lines or self.suspended_markets):
            return True
        return line.index not in self.settled_lines and line.market_id not in self.suspended_markets

    def status_of(self, market_id: int) -> str:
        """The status of one market of this event."""
        return "suspended" if market_id in self.suspended_markets else self.market_status

    @property
    def name(self) -> str:
        return f"{self.game.away} at {self.game.home}"


class Listing:
    """The index of everything that can be traded; `lines` keeps the lines that are gone too."""

    def __init__(
        self, games: Sequence[Game] = (), started_ns: int = 0, start_after_s: int = 0
    ) -> None:
        self.events: dict[int, SportEvent] = {}
        self.lines: list[Line] = []
        self.strikes: dict[str, Strike] = {}
        self.gone: dict[str, Strike] = {}
        # whoever keeps something per line hears of each line that comes later
        self.line_added: list[Callable[[Line], None]] = []
        for number, game in enumerate(games):
            start_s = _start_s(game, number, started_ns // NS + start_after_s)
            event = SportEvent(
                event_id=event_id_of(game),
                game=game,
                tournament=tournament_of(game),
                start_ns=start_s * NS,
                updated_ns=started_ns,
                live_disabled=not game.in_play,
            )
            specs = specs_of(game) + prop_specs(game)
            if specs:
                self.add_event(event, specs)

    def add_event(self, event: SportEvent, specs: Iterable[LineSpec]) -> SportEvent:
        """List an event with lines made from their specifications."""
        self.events[event.event_id] = event
        for spec in specs:
            line = self._line(event, spec)
            event.lines.append(line)
            self._index(line)
        return event

    def line_of(self, strike: Strike) -> Line:
        return self.lines[strike.line_index]

    def is_current(self, line: Line) -> bool:
        """Whether the line's strike ids are still valid."""
        strike = line.strikes[0]
        return self.strikes.get(strike.strike_id) is strike

    def tournaments(self) -> list[Tournament]:
        found = {event.tournament.id: event.tournament for event in self.events.values()}
        return [found[key] for key in sorted(found)]

    def retire(self, line: Line) -> None:
        """The strike ids of a line become invalid; what rests on it stays known."""
        for strike in line.strikes:
            if self.strikes.pop(strike.strike_id, None) is not None:
                self.gone[strike.strike_id] = strike

    def move_line(self, line: Line, number: float) -> Line:
        """The same market at another number: a new line with strike ids of its own."""
        event = self.events[line.event_id]
        moved = self._line(event, replace(line.spec, number=number))
        if moved.strikes[0].strike_id in self.strikes:
            raise ValueError(f"{line.name}: {number:g} is listed already")
        self.retire(line)
        event.gone_lines.append(line)
        event.lines[event.lines.index(line)] = moved
        self._index(moved)
        return moved

    def reissue(self, event: SportEvent, event_id: int, now_ns: int) -> SportEvent:
        """The same fixture under a new event id; its strike ids are new, the old event stays."""
        for line in event.lines:
            self.retire(line)
        specs = [line.spec for line in event.lines]
        fresh = replace(event, event_id=event_id, lines=[], listed=True, updated_ns=now_ns)
        fresh.suspended_markets, fresh.settled_lines, fresh.gone_lines = set(), set(), []
        return self.add_event(fresh, specs)

    def _index(self, line: Line) -> None:
        self.lines.append(line)
        for strike in line.strikes:
            self.strikes[strike.strike_id] = strike
            self.gone.pop(strike.strike_id, None)
        for told in self.line_added:
            told(line)

    def _line(self, event: SportEvent, spec: LineSpec) -> Line:
        template_id, outcomes = TEMPLATES[spec.kind]
        market_id = spec.market_id or template_id
        index = len(self.lines)
        strikes = tuple(
            _strike(event, index, spec, side, (market_id, outcomes[side])) for side in (0, 1)
        )
        return Line(
            index=index,
            event_id=event.event_id,
            market_id=market_id,
            kind=spec.kind,
            number=spec.number,
            name=_line_name(spec),
            favourite=spec.main,
            strikes=(strikes[0], strikes[1]),
            base_logit=logit(spec.fair),
            wire_id=5_000_000 + number_of(strikes[0].strike_id, 900_000),
            spec=spec,
            event=event,
        )


def _start_s(game: Game, number: int, first_s: int) -> int:
    """Generated games say when they begin; the others follow one another."""
    if game.start_offset_s is not None:
        return first_s + round(game.start_offset_s)
    after_s = first_s + number * 2 * START_STEP_S
    return -(-after_s // START_STEP_S) * START_STEP_S


def _line_name(spec: LineSpec) -> str:
    if spec.kind == "total":
        return f"{spec.label or 'Total'} {spec.number:g}"
    if spec.kind == "spread":
        return f"{spec.label or 'Spread'} {spec.number:+g}"
    return spec.label or "Moneyline"


def _strike(
    event: SportEvent, index: int, spec: LineSpec, side: int, ids: tuple[int, int]
) -> Strike:
    market_id, outcome_id = ids
    game, number = event.game, spec.number
    team = (game.home, game.away)[side]
    own = -number if spec.kind == "spread" and side == 1 else number
    seed = f"{game.key}|{market_id}|{outcome_id}|{own:g}"
    if event.event_id != event_id_of(game):  # relisted under a new id
        seed += f"|{event.event_id}"
    if spec.kind == "total":
        word = ("over", "under")[side]
        prefix = f"{spec.label} " if spec.label else ""
        name, display = f"{prefix}{word} {number:g}", f"{prefix}{word.capitalize()} {number:g}"
        shown = f"{number:g}"
    else:
        suffix = f" {own:+g}" if spec.kind == "spread" else ""
        name, display = team + suffix, team.split()[-1] + suffix
        shown = suffix.strip()
    return Strike(
        strike_id=hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest(),
        line_index=index,
        side=side,
        outcome_id=outcome_id,
        number=own if spec.kind in ("spread", "total") else 0.0,
        name=name,
        display_name=display,
        display_number=shown,
        competitor_id=None if spec.kind == "total" else competitor_id(team),
    )


def event_id_of(game: Game) -> int:
    """The id under which a game is listed first."""
    return 10_000_000 + number_of(game.key, 9_000_000)


def competitor_id(team: str) -> int:
    return 4000 + number_of(team, 90_000)


def iso_utc(ns: int) -> str:
    """RFC 3339 with nanoseconds where they are not zero."""
    seconds, rest = divmod(ns, NS)
    text = _second_utc(seconds)
    return f"{text}.{rest:09d}Z" if rest else f"{text}Z"


@lru_cache(SECONDS_KEPT)
def _second_utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def iso_seconds(ns: int) -> str:
    return iso_utc(ns // NS * NS)
