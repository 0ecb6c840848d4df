"""Props: markets about a player, each with a sub_type of its own on the exchange."""

from __future__ import annotations

from typing import Final

from mmbot.sim.core.prices import devig_two, implied, logit, sigmoid
from mmbot.sim.games.fixtures import PAIR_SUM_MAX, PAIR_SUM_MIN, LineSpec, number_of
from mmbot.sim.games.odds_files import Game, OddsMarket

FIRST_MARKET_ID: Final = 10_000
MARKET_IDS: Final = 90_000
# the odds files' market key -> (the exchange's sub_type, what its name says)
KINDS: Final = {
    "player_pass_yds": ("player_total_passing_yards", "Passing Yards"),
    "player_pass_tds": ("player_total_passing_touchdowns", "Passing Touchdowns"),
    "player_rush_yds": ("player_total_rushing_yards", "Rushing Yards"),
    "player_rush_attempts": ("player_total_rushing_attempts", "Rushing Attempts"),
    "player_reception_yds": ("player_total_receiving_yards", "Receiving Yards"),
    "player_receptions": ("player_total_receptions", "Receptions"),
}


def prop_specs(game: Game) -> list[LineSpec]:
    """One line per (kind, player, number) that some bookmaker prices on both sides."""
    logits: dict[tuple[str, str, float], list[float]] = {}
    for book in game.bookmakers:
        for market in book.markets:
            if market.key.startswith("player_"):
                for key, fair in _fairs(market).items():
                    logits.setdefault(key, []).append(logit(fair))
    specs: list[LineSpec] = []
    ids: dict[tuple[str, str], int] = {}
    for (kind, player, number), values in sorted(logits.items()):
        sub_type, words = KINDS.get(kind, (kind, kind.removeprefix("player_").replace("_", " ")))
        specs.append(
            LineSpec(
                kind="total",
                number=number,
                fair=sigmoid(sum(values) / len(values)),
                main=(kind, player) not in ids,
                sub_type=sub_type,
                label=f"{player} - {words}",
                market_id=_market_id(ids, kind, player),
                player_id=FIRST_MARKET_ID + number_of(player, 900_000),
            )
        )
    return specs


def _fairs(market: OddsMarket) -> dict[tuple[str, str, float], float]:
    over = {(o.player, o.point): o.price for o in market.outcomes if o.name == "Over"}
    under = {(o.player, o.point): o.price for o in market.outcomes if o.name == "Under"}
    found = {}
    for (player, point), price in over.items():
        other = under.get((player, point))
        if other is None or point is None or point % 1 != 0.5:
            continue
        first, second = implied(price), implied(other)
        if PAIR_SUM_MIN <= first + second <= PAIR_SUM_MAX:
            found[market.key, player, point] = devig_two(first, second)
    return found


def _market_id(ids: dict[tuple[str, str], int], kind: str, player: str) -> int:
    """The same for all numbers of one player's market, and no other market's in this game."""
    if (kind, player) not in ids:
        wanted = number_of(f"{kind}|{player}", MARKET_IDS)
        while FIRST_MARKET_ID + wanted in ids.values():
            wanted = (wanted + 1) % MARKET_IDS
        ids[kind, player] = FIRST_MARKET_ID + wanted
    return ids[kind, player]
