"""What a fixture offers before it is listed: its tournament and its lines with a fair price."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from mmbot.sim.core.prices import devig_two, implied, logit, sigmoid
from mmbot.sim.games.odds_files import Game

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
    "sup_moneyline": (219_001, (4, 5)),
    "spread": (223, (1714, 1715)),
    "total": (225, (12, 13)),
}
SOCCER_TOTAL = 18


@dataclass(frozen=True, slots=True)
class LineSpec:
    """One line to be listed: `kind` is the family, `fair` the probability of side 0.

    Without `market_id` the template of the kind is taken. `label` names the market; a total
    with a label (a prop) carries it in its strikes, as "A. Smith Total Hits over 1.5".
    """

    kind: str
    number: float
    fair: float
    main: bool = False
    sub_type: str = ""
    label: str = ""
    market_id: int = 0
    player_id: int = 0


def tournament_of(game: Game) -> Tournament:
    known = TOURNAMENTS.get(game.sport_key)
    if known is not None:
        return known
    family = game.sport_key.split("_")[0]
    number = 1_000_000 + number_of(game.sport_key, 500_000)
    return Tournament(number, game.title, 100 + number_of(family, 900), family.capitalize())


def specs_of(game: Game) -> list[LineSpec]:
    """The lines of a game as its bookmakers price them; the evenest of each kind is main."""
    fairs = fair_points(game)
    specs: list[LineSpec] = []
    for kind in ("moneyline", "spread", "total"):
        of_kind = {number: p for (k, number), p in fairs.items() if k == kind}
        if not of_kind:
            continue
        main = min(of_kind, key=lambda number: abs(logit(of_kind[number])))
        market_id = SOCCER_TOTAL if kind == "total" and game.sport_key.startswith("soccer") else 0
        specs += [
            LineSpec(kind, number, of_kind[number], number == main, market_id=market_id)
            for number in sorted(of_kind)
        ]
    return specs


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


def number_of(text: str, below: int) -> int:
    """A number that is always the same for the same text."""
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:6], "big") % below
