"""What is listed: sport events, markets, lines and strikes, made from the odds of past games."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from mmbot.sim.odds_files import Game
from mmbot.sim.prices import devig_two, implied, logit, sigmoid

NS = 1_000_000_000
START_STEP_S = 900
PAIR_SUM_MIN, PAIR_SUM_MAX = 0.98, 1.25


@dataclass(frozen=True, slots=True)
class Tournament:
    id: int
    name: str
    sport_id: int
    sport_name: str


# Ids that the vendor published for these leagues; others get a number made from their key.
TOURNAMENTS: Final = {
    "americanfootball_nfl": Tournament(31, "NFL", 16, "American Football"),
    "basketball_nba": Tournament(132, "NBA", 2, "Basketball"),
    "baseball_mlb": Tournament(109, "MLB", 3, "Baseball"),
    "icehockey_nhl": Tournament(234, "NHL", 4, "Ice Hockey"),
    "soccer_fifa_world_cup": Tournament(53, "World Cup", 1, "Soccer"),
}
# (market id, outcome ids of both sides) per kind; soccer totals have a template of their own
TEMPLATES: Final = {
    "moneyline": (219, (4, 5)),
    "spread": (223, (1714, 1715)),
    "total": (225, (12, 13)),
}
SOCCER_TOTAL = 18


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

    @property
    def threshold(self) -> float:
        """Side 0 wins when the result (margin, or total) is above this."""
        return self.number if self.kind == "total" else -self.number


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

    @property
    def tradable(self) -> bool:
        return self.status == "not_started" and not self.suspended

    @property
    def market_status(self) -> str:
        if self.status == "finished":
            return "settled"
        return "active" if self.tradable else "suspended"

    @property
    def name(self) -> str:
        return f"{self.game.away} at {self.game.home}"


class Listing:
    """The index of everything that can be traded."""

    def __init__(self, games: Sequence[Game], started_ns: int, start_after_s: int) -> None:
        self.events: dict[int, SportEvent] = {}
        self.lines: list[Line] = []
        self.strikes: dict[str, Strike] = {}
        for number, game in enumerate(games):
            after_s = start_after_s + number * 2 * START_STEP_S
            start_s = -(-(started_ns // NS + after_s) // START_STEP_S) * START_STEP_S
            event = SportEvent(
                event_id=10_000_000 + _number(game.key, 9_000_000),
                game=game,
                tournament=_tournament(game),
                start_ns=start_s * NS,
                updated_ns=started_ns,
            )
            self._add_lines(event)
            if event.lines:
                self.events[event.event_id] = event

    def line_of(self, strike: Strike) -> Line:
        return self.lines[strike.line_index]

    def tournaments(self) -> list[Tournament]:
        found = {event.tournament.id: event.tournament for event in self.events.values()}
        return [found[key] for key in sorted(found)]

    def _add_lines(self, event: SportEvent) -> None:
        fairs = fair_points(event.game)
        for kind in ("moneyline", "spread", "total"):
            of_kind = {number: p for (k, number), p in fairs.items() if k == kind}
            if not of_kind:
                continue
            main = min(of_kind, key=lambda number: abs(logit(of_kind[number])))
            for number in sorted(of_kind):
                line = self._line(event, kind, number, of_kind[number], number == main)
                self.lines.append(line)
                event.lines.append(line)
                for strike in line.strikes:
                    self.strikes[strike.strike_id] = strike

    def _line(self, event: SportEvent, kind: str, number: float, fair: float, main: bool) -> Line:
        market_id, outcomes = TEMPLATES[kind]
        if kind == "total" and event.game.sport_key.startswith("soccer"):
            market_id = SOCCER_TOTAL
        index = len(self.lines)
        strikes = tuple(
            _strike(event, index, kind, side, number, (market_id, outcomes[side]))
            for side in (0, 1)
        )
        return Line(
            index=index,
            event_id=event.event_id,
            market_id=market_id,
            kind=kind,
            number=number,
            name={
                "moneyline": "Moneyline",
                "spread": f"Spread {number:+g}",
                "total": f"Total {number:g}",
            }[kind],
            favourite=main,
            strikes=(strikes[0], strikes[1]),
            base_logit=logit(fair),
            wire_id=5_000_000 + _number(strikes[0].strike_id, 900_000),
        )


def _strike(
    event: SportEvent, index: int, kind: str, side: int, number: float, ids: tuple[int, int]
) -> Strike:
    market_id, outcome_id = ids
    game = event.game
    team = (game.home, game.away)[side]
    own = -number if kind == "spread" and side == 1 else number
    seed = f"{game.key}|{market_id}|{outcome_id}|{own:g}"
    if kind == "total":
        word = ("over", "under")[side]
        name, display = f"{word} {number:g}", f"{word.capitalize()} {number:g}"
        shown = f"{number:g}"
    else:
        suffix = f" {own:+g}" if kind == "spread" else ""
        name, display = team + suffix, team.split()[-1] + suffix
        shown = suffix.strip()
    return Strike(
        strike_id=hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest(),
        line_index=index,
        side=side,
        outcome_id=outcome_id,
        number=0.0 if kind == "moneyline" else own,
        name=name,
        display_name=display,
        display_number=shown,
        competitor_id=None if kind == "total" else competitor_id(team),
    )


def competitor_id(team: str) -> int:
    return 4000 + _number(team, 90_000)


def fair_points(game: Game) -> dict[tuple[str, float], float]:
    """De-vigged probability of side 0 per (kind, number): mean of the bookmakers in logit."""
    found: dict[tuple[str, float], list[float]] = {}
    for book in game.bookmakers:
        for market in book.markets:
            names = (game.home, game.away)
            if market.key in ("totals", "alternate_totals"):
                kind, names = "total", ("Over", "Under")
            elif market.key in ("spreads", "alternate_spreads"):
                kind = "spread"
            elif market.key == "h2h" and len(market.outcomes) == 2:
                kind = "moneyline"
            else:  # three-way markets pass through the feed and are not listed
                continue
            first = {o.point or 0.0: o.price for o in market.outcomes if o.name == names[0]}
            second = {o.point or 0.0: o.price for o in market.outcomes if o.name == names[1]}
            for point, price in first.items():
                other = second.get(-point if kind == "spread" else point)
                whole = kind != "moneyline" and point % 1 != 0.5
                if other is None or whole:
                    continue
                total = implied(price) + implied(other)
                if PAIR_SUM_MIN <= total <= PAIR_SUM_MAX:
                    fair = devig_two(implied(price), implied(other))
                    found.setdefault((kind, point), []).append(logit(fair))
    return {key: sigmoid(sum(xs) / len(xs)) for key, xs in sorted(found.items())}


def _tournament(game: Game) -> Tournament:
    known = TOURNAMENTS.get(game.sport_key)
    if known is not None:
        return known
    family = game.sport_key.split("_")[0]
    number = 1_000_000 + _number(game.sport_key, 500_000)
    return Tournament(number, game.title, 100 + _number(family, 900), family.capitalize())


def _number(text: str, below: int) -> int:
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:6], "big") % below


def iso_utc(ns: int) -> str:
    """RFC 3339 with nanoseconds where they are not zero."""
    seconds, rest = divmod(ns, NS)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09d}Z" if rest else f"{text}Z"


def iso_seconds(ns: int) -> str:
    return iso_utc(ns // NS * NS)
