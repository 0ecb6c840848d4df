"""The Odds API v4 form: an array of events, each with bookmakers, markets and outcomes.

Only half-point, two-way lines are kept: an integer line can push, a quarter line splits, and a
three-way market is read but not traded. A bad row costs itself, a bad document costs all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

import msgspec

from mmbot.domain.price import Price, implied
from mmbot.pricing.consensus import BookmakerPair
from mmbot.sources.feed import OVER, UNDER, Family, Feed, FeedEvent, FeedLine, UnreadableFeed
from mmbot.sources.matching import normalised

EVENTS_MAX: Final = 2_000
BOOKMAKERS_MAX: Final = 100
MARKETS_MAX: Final = 100
OUTCOMES_MAX: Final = 400
PRICE_MAX: Final = 100_000
NUMBER_MAX: Final = 10_000.0

Row = Mapping[str, Any]
# Family, number of the first side, names of both sides in comparable form.
LineKey = tuple[Family, float | None, tuple[str, str]]


class _Skip(Exception):
    """One row is unusable; the message is the reason it is counted under."""


def parse(body: bytes, received_ns: int) -> Feed:
    """Read one document; raises UnreadableFeed when it is no array of events."""
    try:
        rows = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableFeed(f"the feed is not JSON: {error}") from None
    if not isinstance(rows, list):
        raise UnreadableFeed("the feed is not an array of events")
    if len(rows) > EVENTS_MAX:
        raise UnreadableFeed(f"the feed has more than {EVENTS_MAX} events")
    skipped: Counter[str] = Counter()
    events = []
    for row in rows:
        try:
            events.append(_event(row, received_ns, skipped))
        except _Skip as reason:
            skipped[str(reason)] += 1
    return Feed(events=tuple(events), skipped=dict(skipped))


def time_ns(text: object) -> int | None:
    """ISO 8601 to nanoseconds since the epoch, UTC when it names no zone; None if unreadable."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        whole = int(moment.replace(microsecond=0).timestamp())
    except (ValueError, OverflowError):
        return None
    return whole * 10**9 + moment.microsecond * 1_000


def is_half(number: float) -> bool:
    """True for 2.5 and -4.5; false for 2, 2.25."""
    return abs(number) <= NUMBER_MAX and (number * 2.0) % 2.0 == 1.0


def _event(row: object, received_ns: int, skipped: Counter[str]) -> FeedEvent:
    if not isinstance(row, dict):
        raise _Skip("event_form")
    start_ns = time_ns(row.get("commence_time"))
    home, away = row.get("home_team"), row.get("away_team")
    if start_ns is None:
        raise _Skip("event_without_start")
    if not (isinstance(home, str) and isinstance(away, str) and home and away):
        raise _Skip("event_without_teams")
    teams = (home, away)
    plain = (normalised(home), normalised(away))
    pairs: dict[LineKey, list[BookmakerPair]] = {}
    three_way = False
    for book, market, stamp_ns in _markets(row, received_ns):
        key = market.get("key")
        outcomes = [o for o in _list(market, "outcomes", OUTCOMES_MAX) if isinstance(o, dict)]
        if key == "h2h" and len(outcomes) != 2:
            three_way = True
            skipped["h2h_not_two_way"] += 1
            continue
        for line in _lines(key, outcomes, plain, skipped):
            pairs.setdefault(line[0], []).append(BookmakerPair(book, line[1], (stamp_ns, stamp_ns)))
    lines = tuple(
        FeedLine(family, number, sides, tuple(said))
        for (family, number, sides), said in pairs.items()
        # A book that lists two of three outcomes must not pass for a two-way market.
        if not (three_way and family == "moneyline")
    )
    return FeedEvent(str(row.get("id", "")), teams, start_ns, lines)


def _markets(row: Row, received_ns: int) -> Iterator[tuple[str, Row, int]]:
    """(bookmaker, market, its stamp): the market's own, the bookmaker's, or the receipt."""
    for book in _list(row, "bookmakers", BOOKMAKERS_MAX):
        if not isinstance(book, dict) or not isinstance(book.get("key"), str):
            continue
        for market in _list(book, "markets", MARKETS_MAX):
            if isinstance(market, dict):
                stamp_ns = time_ns(market.get("last_update"))
                if stamp_ns is None:
                    stamp_ns = time_ns(book.get("last_update"))
                yield book["key"], market, received_ns if stamp_ns is None else stamp_ns


def _lines(
    key: object, outcomes: Sequence[Row], teams: tuple[str, str], skipped: Counter[str]
) -> Iterator[tuple[LineKey, tuple[float, float]]]:
    """The complete pairs of one market of one bookmaker; `teams` in comparable form."""
    match key:
        case "h2h":
            family: Family = "moneyline"
            sides = teams
        case "spreads" | "alternate_spreads":
            family, sides = "spread", teams
        case "totals" | "alternate_totals":
            family, sides = "total", (OVER, UNDER)
        case _:
            skipped["market_kind"] += 1
            return
    halves: dict[float | None, dict[int, float]] = {}
    for outcome in outcomes:
        try:
            number, side, prob = _outcome(family, outcome, sides)
        except _Skip as reason:
            skipped[str(reason)] += 1
            continue
        line = halves.setdefault(number, {})
        # Two prices for one side: neither can be believed.
        line[side] = float("nan") if side in line else prob
    for number, line in halves.items():
        if set(line) == {0, 1} and all(isfinite(prob) for prob in line.values()):
            yield (family, number, sides), (line[0], line[1])
        else:
            skipped["half_a_pair"] += 1


def _outcome(
    family: Family, outcome: Row, sides: tuple[str, str]
) -> tuple[float | None, int, float]:
    """(number of the first side, which side, implied probability)."""
    name = str(outcome.get("name", "")).casefold()
    if name not in sides:  # the long way round only when it is needed
        name = normalised(name)
    if name not in sides:
        raise _Skip("outcome_name")
    side = sides.index(name)
    prob = _implied(outcome.get("price"))
    if family == "moneyline":
        return None, side, prob
    point = outcome.get("point")
    if isinstance(point, bool) or not isinstance(point, int | float):
        raise _Skip("outcome_without_point")
    if not is_half(point):
        raise _Skip("not_a_half_line")
    flipped = family == "spread" and side == 1
    return (-float(point) if flipped else float(point)), side, prob


def _implied(price: object) -> float:
    """American odds only: a decimal price is refused, so ask the feed for `american`."""
    if isinstance(price, bool) or not isinstance(price, int | float):
        raise _Skip("price_form")
    if not 100 <= abs(price) <= PRICE_MAX or not float(price).is_integer():
        raise _Skip("price_range")
    return implied(Price(int(price)))


def _list(row: Row, key: str, at_most: int) -> list[Any]:
    found = row.get(key)
    return found[:at_most] if isinstance(found, list) else []
