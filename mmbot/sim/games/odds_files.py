"""Real odds of past games: the closing CSV and The Odds API v4 JSON, read as one form."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mmbot.sim.core.prices import DataError, is_american

# Rows that are no bookmaker: an aggregate of unknown make that disagrees with all books.
NOT_BOOKMAKERS = frozenset({"opening_line", "closing_line"})
CSV_COLUMNS = (
    *("game_date", "sport_key", "home_team", "away_team", "source", "home_ml", "away_ml"),
    *("home_spread", "away_spread", "home_spread_ml", "away_spread_ml"),
    *("home_score", "away_score"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One priced outcome of a bookmaker; `point` is the line number where there is one."""

    name: str
    price: int
    point: float | None
    player: str = ""


@dataclass(frozen=True, slots=True)
class OddsMarket:
    key: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Bookmaker:
    key: str
    markets: tuple[OddsMarket, ...]


@dataclass(frozen=True, slots=True)
class Game:
    """A past game with the prices of its bookmakers and, when known, its result."""

    key: str
    sport_key: str
    title: str
    true_start: str
    home: str
    away: str
    bookmakers: tuple[Bookmaker, ...]
    score: tuple[int, int] | None
    # seconds after the first start of the day; without it games follow one another
    start_offset_s: float | None = None
    in_play: bool = False


def load_games(folder: Path) -> tuple[Game, ...]:
    """All games of a folder, in a stable order."""
    if not folder.is_dir():
        raise DataError(f"odds data: no folder {folder}")
    games: list[Game] = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".csv":
            games.extend(_csv_games(path))
        elif path.suffix == ".json":
            games.extend(_json_games(path))
    if not games:
        raise DataError(f"odds data: no games in {folder}")
    return tuple(games)


def _csv_games(path: Path) -> list[Game]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            missing = set(CSV_COLUMNS) - set(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"odds data {path}: {error}") from error
    if missing:
        raise DataError(f"odds data {path}: column {sorted(missing)[0]} is missing")
    groups: dict[tuple[str, str, str, str], list[dict[str, str]]] = {}
    for row in rows:
        who = (row["sport_key"], row["game_date"], row["home_team"], row["away_team"])
        groups.setdefault(who, []).append(row)
    try:
        return [_csv_game(who, rows) for who, rows in groups.items()]
    except ValueError as error:
        raise DataError(f"odds data {path}: {error}") from error


def _csv_game(who: tuple[str, str, str, str], rows: list[dict[str, str]]) -> Game:
    sport, date, home, away = who
    books: dict[str, tuple[OddsMarket, ...]] = {}
    score: tuple[int, int] | None = None
    start = f"{date}T00:00:00Z"
    for row in rows:
        if row["home_score"] and row["away_score"]:
            score = (int(row["home_score"]), int(row["away_score"]))
        if row.get("commence_time"):
            start = row["commence_time"].split("+")[0].strip().replace(" ", "T") + "Z"
        if row["source"] in NOT_BOOKMAKERS:
            continue
        # The same shop is listed twice when two collectors saw it ("draftkings_an").
        name = row["source"].removesuffix("_an")
        books[name] = books.get(name, ()) + tuple(_csv_markets(row, home, away))
    bookmakers = tuple(Bookmaker(key, markets) for key, markets in books.items() if markets)
    slug = f"{sport}_{away}_{home}_{date}".lower().replace(" ", "_")
    title = sport.split("_", 1)[-1].upper()
    return Game(slug, sport, title, start, home, away, bookmakers, score)


def _csv_markets(row: dict[str, str], home: str, away: str) -> list[OddsMarket]:
    markets = []
    if row["home_ml"] and row["away_ml"]:
        first = Outcome(home, int(row["home_ml"]), None)
        markets.append(OddsMarket("h2h", (first, Outcome(away, int(row["away_ml"]), None))))
    if row["home_spread_ml"] and row["away_spread_ml"] and row["home_spread"]:
        line, other = float(row["home_spread"]), float(row["away_spread"])
        first = Outcome(home, int(row["home_spread_ml"]), line)
        second = Outcome(away, int(row["away_spread_ml"]), other)
        if not (line % 1 == 0.5 and other == -line):  # a whole number can push: not listed
            return markets
        markets.append(OddsMarket("spreads", (first, second)))
    return markets


def _json_games(path: Path) -> list[Game]:
    try:
        document = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(f"odds data {path}: {error}") from error
    events = document if isinstance(document, list) else [document]
    try:
        return [_json_game(event) for event in events]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"odds data {path}: not the form of The Odds API v4: {error!r}") from error


def _json_game(event: dict[str, Any]) -> Game:
    bookmakers = []
    for book in event["bookmakers"]:
        markets = []
        for market in book["markets"]:
            outcomes = tuple(
                Outcome(
                    str(one["name"]),
                    int(one["price"]),
                    one.get("point"),
                    str(one.get("description", "")),
                )
                for one in market["outcomes"]
                if is_american(int(one["price"]))
            )
            markets.append(OddsMarket(str(market["key"]), outcomes))
        bookmakers.append(Bookmaker(str(book["key"]), tuple(markets)))
    score = None
    if isinstance(event.get("scores"), list):
        by_name = {one["name"]: int(one["score"]) for one in event["scores"]}
        score = (by_name[event["home_team"]], by_name[event["away_team"]])
    return Game(
        key=str(event["id"]),
        sport_key=str(event["sport_key"]),
        title=str(event.get("sport_title", event["sport_key"])),
        true_start=str(event["commence_time"]),
        home=str(event["home_team"]),
        away=str(event["away_team"]),
        bookmakers=tuple(bookmakers),
        score=score,
    )
