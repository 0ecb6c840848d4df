"""Builders for source tests: what the exchange lists, and documents of a feed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mmbot.domain.catalog import Catalog, Competitor, Line, Side, SportEvent, Strike
from mmbot.domain.ids import MarketId, SportEventId, StrikeId, line_id

SECOND: Final = 10**9
NOW: Final = 1_800_000_000 * SECOND
START: Final = NOW + 7_200 * SECOND
START_TEXT: Final = "2027-01-15T10:00:00Z"  # the same moment
STAMP_TEXT: Final = "2027-01-15T07:59:58Z"  # two seconds before NOW
MARKETS: Final[Mapping[str, int]] = {"moneyline": 219, "spread": 223, "total": 225}


def a_sport_event(
    number: int = 1, home: str = "England", away: str = "Argentina", start_ns: int = START
) -> SportEvent:
    teams = (Competitor(home, "home"), Competitor(away, "away"))
    name = f"{away} at {home}"
    return SportEvent(SportEventId(number), name, 53, "World Cup", start_ns, "not_started", teams)


def a_line(
    event: SportEvent,
    family: str,
    names: tuple[str, str],
    numbers: tuple[float, float] | None = None,
    sub_type: str | None = None,
) -> Line:
    market = MarketId(MARKETS[family])
    sub = family if sub_type is None else sub_type
    numbered: tuple[float | None, float | None] = numbers or (None, None)
    ident = line_id(event.event_id, market, numbered[0])
    sides: tuple[Side, Side] = (0, 1)
    first, second = (
        Strike(StrikeId(f"{ident}/{sub}/{names[side]}"), side, names[side], numbered[side])
        for side in sides
    )
    return Line(ident, event.event_id, market, family, sub, family, numbered[0], (first, second))


def a_total(event: SportEvent, number: float, *, under_first: bool = False) -> Line:
    names = (f"under {number:g}", f"over {number:g}")
    ordered = names if under_first else (names[1], names[0])
    return a_line(event, "total", ordered, (number, number))


def a_catalog(*lines: Line, events: tuple[SportEvent, ...]) -> Catalog:
    return Catalog.of(events, lines)


def two_way(
    bookmaker: str, key: str, *outcomes: tuple[str, int, float | None], stamp: str = STAMP_TEXT
) -> dict[str, Any]:
    """One bookmaker with one market; an outcome is (name, American price, point)."""
    rows = [
        {"name": name, "price": price} | ({} if point is None else {"point": point})
        for name, price, point in outcomes
    ]
    market = {"key": key, "last_update": stamp, "outcomes": rows}
    return {"key": bookmaker, "title": bookmaker, "last_update": stamp, "markets": [market]}


def totals(bookmaker: str, over: int, under: int, point: float = 2.5) -> dict[str, Any]:
    return two_way(bookmaker, "totals", ("Over", over, point), ("Under", under, point))


def a_feed_event(*bookmakers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    event = {
        "id": "match-1",
        "sport_key": "soccer_fifa_world_cup",
        "commence_time": START_TEXT,
        "home_team": "England",
        "away_team": "Argentina",
        "bookmakers": list(bookmakers),
    }
    return event | changes


def a_document(*events: object) -> bytes:
    return json.dumps(events).encode()
