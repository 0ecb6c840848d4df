"""Views of one line for strategy tests: a total 2.5 of one match, a day before its start."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from mmbot.domain.book import Book, Level
from mmbot.domain.catalog import Line, SportEvent, Strike
from mmbot.domain.ids import LineId, MarketId, SportEventId, StrikeId
from mmbot.domain.price import Ladder, Price
from mmbot.domain.view import Fair, MarketView, Position

S = 10**9
NOW_NS = 1_800_000_000 * S
OVER, UNDER = StrikeId("over"), StrikeId("under")
EVENT = SportEvent(
    SportEventId(7), "Ghana at Norway", 53, "World Cup", NOW_NS + 86_400 * S, "not_started"
)
LINE = Line(
    LineId("7/18/2.5"),
    EVENT.event_id,
    MarketId(18),
    "total",
    "total",
    "Total Goals",
    2.5,
    (Strike(OVER, 0, "over 2.5", 2.5), Strike(UNDER, 1, "under 2.5", 2.5)),
)


@cache
def the_ladder() -> Ladder:
    """The ladder that comes with mmbot."""
    import mmbot

    file = Path(mmbot.__file__).parent / "data" / "price_ladder.json"
    return Ladder.of(json.loads(file.read_text(encoding="utf-8"))["values"])


def a_fair(
    prob: float, *, sd: float = 0.03, age_s: float = 0.0, now_ns: int = NOW_NS, source: str = "feed"
) -> Fair:
    stamp = now_ns - int(age_s * S)
    return Fair(prob, sd, source, stamp, stamp)


def a_book(
    over: Iterable[tuple[int, int]] = (), under: Iterable[tuple[int, int]] = (), ns: int = NOW_NS
) -> Book:
    """Resting orders of others per strike, as (price, dollars), best first."""
    sides = [tuple(Level(Price(p), usd * 100) for p, usd in side) for side in (over, under)]
    return Book(LINE.line_id, (sides[0], sides[1]), ns)


def a_view(
    prob: float | None = 0.5,
    *,
    now_ns: int = NOW_NS,
    fairs: tuple[Fair, ...] | None = None,
    book: Book | None = None,
    position: Position | None = None,
) -> MarketView:
    """`prob` is the fair value of the over, one second old; None gives no fair value."""
    if fairs is None:
        fairs = () if prob is None else (a_fair(prob, age_s=1.0, now_ns=now_ns),)
    competing = a_book() if book is None else book
    return MarketView(
        now_ns,
        EVENT,
        LINE,
        the_ladder(),
        competing,
        competing,
        fairs,
        Position() if position is None else position,
    )


def later(view: MarketView, seconds: float) -> MarketView:
    """The same view with the clock moved on, everything else as old as it is then."""
    return replace(view, now_ns=view.now_ns + int(seconds * S))
