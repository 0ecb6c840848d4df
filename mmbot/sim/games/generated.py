"""Games made from a seed, priced as the bookmakers of the odds files price theirs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist
from typing import Final

from mmbot.sim.core.prices import devig_two, implied, logit, nearest_american, sigmoid
from mmbot.sim.games.fixtures import fair_points
from mmbot.sim.games.odds_files import Bookmaker, Game, OddsMarket, Outcome
from mmbot.sim.market.options import EventOptions

SHOPS: Final = ("northbook", "eastbook", "westbook")
PLACES: Final = (
    "Arizona", "Atlanta", "Baltimore", "Buffalo", "Carolina", "Chicago", "Cincinnati",
    "Cleveland", "Dallas", "Denver", "Detroit", "Green Bay", "Houston", "Indianapolis",
    "Jacksonville", "Kansas City", "Las Vegas", "Memphis", "Miami", "Minnesota", "Nashville",
    "New England", "New Orleans", "New York", "Oakland", "Philadelphia", "Pittsburgh",
    "Portland", "San Antonio", "Seattle", "St. Louis", "Tampa Bay",
)  # fmt: skip
NICKNAMES: Final = (
    "Otters", "Comets", "Herons", "Miners", "Foxes", "Anchors", "Badgers", "Rockets", "Owls",
    "Pilots", "Moose", "Storm", "Vipers", "Lancers", "Bison", "Kites",
)  # fmt: skip
SURNAMES: Final = (
    "Abbott", "Barnes", "Castillo", "Dalton", "Ellis", "Fontaine", "Greer", "Holloway", "Ingram",
    "Jarvis", "Keller", "Lawson", "Mercer", "Novak", "Osborne", "Pruitt", "Quinn", "Ramsey",
    "Sutton", "Tanner", "Underwood", "Vargas", "Whitaker", "Young", "Zimmer",
)  # fmt: skip
# who plays what: (market key, mean, sd), in the order in which props are added per team
ROLES: Final = (
    (("player_pass_yds", 235.0, 62.0), ("player_pass_tds", 1.6, 1.1)),
    (("player_rush_yds", 58.0, 27.0), ("player_rush_attempts", 14.0, 4.5)),
    (("player_reception_yds", 62.0, 30.0), ("player_receptions", 5.0, 2.2)),
    (("player_reception_yds", 44.0, 26.0), ("player_receptions", 3.6, 1.9)),
    (("player_reception_yds", 33.0, 21.0), ("player_receptions", 3.0, 1.7)),
)
# of an afternoon's games this share has begun with each slot (1 pm, 4 pm, evening)
SLOT_SHARES: Final = (9 / 16, 13 / 16, 1.0)
IMPLIED_MIN, IMPLIED_MAX = 0.015, 0.985


@dataclass(frozen=True, slots=True)
class Habits:
    """How bookmakers price, as the odds files show it; defaults where they do not."""

    overround: float = 0.045
    disagreement_logit: float = 0.02
    margin_sd: float = 12.0
    total_sd: float = 12.0


def habits_of(games: Sequence[Game]) -> Habits:
    """Median margin on both sides, disagreement of shops, and points per unit of chance."""
    overrounds: list[float] = []
    spreads: list[float] = []
    sds: list[float] = []
    for game in games:
        logits: dict[tuple[str, float | None], list[float]] = {}
        for book in game.bookmakers:
            for market in book.markets:
                if len(market.outcomes) == 2:
                    first, second = (implied(one.price) for one in market.outcomes)
                    overrounds.append(first + second - 1.0)
                    key = (market.key, market.outcomes[0].point)
                    logits.setdefault(key, []).append(logit(devig_two(first, second)))
        spreads += [statistics.stdev(values) for values in logits.values() if len(values) > 2]
        sds += _margin_sds(game)
    usual = Habits()
    return Habits(
        overround=_median(overrounds, (0.01, 0.12), usual.overround),
        disagreement_logit=_median(spreads, (0.002, 0.1), usual.disagreement_logit),
        margin_sd=_median(sds, (6.0, 18.0), usual.margin_sd),
    )


def _margin_sds(game: Game) -> Iterator[float]:
    """Moneyline and spread of one game: so many points change the chance by so much."""
    fairs = fair_points(game)
    even = fairs.get(("moneyline", 0.0))
    for (kind, number), fair in fairs.items():
        if kind == "spread" and even is not None:
            steps = NormalDist().inv_cdf(fair) - NormalDist().inv_cdf(even)
            if steps * number > 0:
                yield number / steps


def _median(values: list[float], bounds: tuple[float, float], usual: float) -> float:
    found = statistics.median(values) if values else usual
    return min(max(found, bounds[0]), bounds[1])


def generated_games(
    options: EventOptions, habits: Habits, rng: Random, first: int = 1
) -> tuple[Game, ...]:
    """So many games with so many lines and props in all, spread evenly over the games."""
    return tuple(
        _game(options, number, habits, rng) for number in range(first, first + options.count)
    )


def _share(total: int, parts: int, index: int) -> int:
    return total // parts + (index < total % parts)


def _game(options: EventOptions, number: int, habits: Habits, rng: Random) -> Game:
    index = (number - 1) % options.count
    home, away = _teams(number)
    margin = NormalDist(round(rng.gauss(1.5, 6.0) * 2) / 2, habits.margin_sd)
    total = NormalDist(round(rng.gauss(45.0, 4.0) * 2) / 2, habits.total_sd)
    prices = _main_prices(_share(options.lines, options.count, index), margin, total)
    props = list(_prop_prices(_share(options.props, options.count, index), rng))
    shops = tuple(
        Bookmaker(shop, tuple(_markets(prices, props, (home, away), habits, rng))) for shop in SHOPS
    )
    slot = next(i for i, share in enumerate(SLOT_SHARES) if (index + 0.5) / options.count < share)
    return Game(
        key=f"generated_{number}_{away}_{home}".lower().replace(" ", "_"),
        sport_key="americanfootball_nfl",
        title="NFL",
        true_start="",
        home=home,
        away=away,
        bookmakers=shops,
        score=None,
        start_offset_s=options.slots_s[slot],
        in_play=rng.random() < options.in_play_share,
    )


def _teams(number: int) -> tuple[str, str]:
    """Thirty-two places, each with one nickname per round of games."""
    pair, round_ = (number - 1) % 16, (number - 1) // 16
    home, away = PLACES[pair], PLACES[31 - pair]
    return (
        f"{home} {NICKNAMES[(pair + round_) % 16]}",
        f"{away} {NICKNAMES[(pair + round_ + 7) % 16]}",
    )


@dataclass(frozen=True, slots=True)
class Priced:
    """One line with the chance of its first side (home, over)."""

    market: str
    point: float | None
    fair: float
    player: str = ""


def _main_prices(count: int, margin: NormalDist, total: NormalDist) -> list[Priced]:
    """A moneyline, then spreads and totals by turns, each a point further from its middle."""
    found = [Priced("h2h", None, 1.0 - margin.cdf(0.0))][:count]
    spreads, totals = (count - len(found) + 1) // 2, (count - len(found)) // 2
    for number in _around(-margin.mean, spreads):
        found.append(Priced("spreads", number, _fair(1.0 - margin.cdf(-number))))
    for number in _around(total.mean, totals, least=0.5):
        found.append(Priced("totals", number, _fair(1.0 - total.cdf(number))))
    return found


def _fair(chance: float) -> float:
    """Far from the middle of many lines nothing is quite certain either."""
    return min(max(chance, IMPLIED_MIN), IMPLIED_MAX)


def _around(middle: float, count: int, least: float = -math.inf) -> list[float]:
    start = max(math.floor(middle) + 0.5 - count // 2, least)
    return [start + step for step in range(count)]


def _prop_prices(count: int, rng: Random) -> Iterator[Priced]:
    """Players of both teams in turn; when every role has its props, others play it too."""
    players = rng.sample([f"{a}. {name}" for a in "ABCDEFGHJKLMNPRSTW" for name in SURNAMES], 450)
    kinds = [(role, kind) for role in range(len(ROLES)) for kind in range(2)]
    for index in range(count):
        depth, place = divmod(index // 2, len(kinds))
        role, kind = kinds[place]
        player = players[(depth * len(ROLES) + role) * 2 % 450 + index % 2]
        key, mean, sd = ROLES[role][kind]
        usual = NormalDist(max(mean + rng.gauss(0.0, sd / 3), 0.6), sd)
        number = max(0.5, math.floor(usual.mean) + 0.5)
        fair = min(max(1.0 - usual.cdf(number), 0.2), 0.8)
        yield Priced(key, number, fair, player)


def _markets(
    prices: Sequence[Priced],
    props: Sequence[Priced],
    teams: tuple[str, str],
    habits: Habits,
    rng: Random,
) -> Iterator[OddsMarket]:
    by_key: dict[str, list[Outcome]] = {}
    for one in (*prices, *props):
        fair = sigmoid(logit(one.fair) + rng.gauss(0.0, habits.disagreement_logit))
        half = habits.overround / 2
        names = teams if one.market in ("h2h", "spreads") else ("Over", "Under")
        for side, chance in ((0, fair), (1, 1.0 - fair)):
            price = nearest_american(min(max(chance + half, IMPLIED_MIN), IMPLIED_MAX))
            away_spread = side == 1 and one.market == "spreads" and one.point is not None
            point = -one.point if away_spread and one.point is not None else one.point
            outcome = Outcome(names[side], price, point, one.player)
            by_key.setdefault(one.market, []).append(outcome)
    for key, outcomes in by_key.items():
        yield OddsMarket(key, tuple(outcomes))
