"""Where a line lies on the final score of its sport event, or that it does not.

A spread, a total or a moneyline cuts one axis of the score in two: above the cut one side wins,
below it the other, on it the stakes come back. Only what is certain lies on the score: a line
that is placed wrongly would offset what it does not. All else (props, quarter lines, three ways,
kinds or names that are not understood) gets an axis of its own, and offsets nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mmbot.domain.catalog import Line, Side, SportEvent, Strike
from mmbot.domain.ids import LineId

AxisName = Literal["margin", "total"]

# Sports whose winner is who scored more: there a moneyline, a spread and a total of the same
# period speak of one score. In tennis one may win the match with fewer games.
SCORED: Final = frozenset(
    {"americanfootball", "baseball", "basketball", "handball", "icehockey", "lacrosse", "soccer"}
)
# Words that a sub type may put before its family. Anything else ("corners_total",
# "pitcher_strikeouts_total") may name many things at once.
PERIODS: Final = frozenset(
    {"first", "second", "third", "fourth", "1st", "2nd", "3rd", "4th", "5th", "6th", "7th"}
    | {"half", "quarter", "period", "inning", "innings", "set", "map"}
)
NUMBER_MAX: Final = 10_000  # points


@dataclass(frozen=True, slots=True)
class Cut:
    """`halves`: twice the margin (first competitor in the alphabet minus second), or the total.

    Lines of one `grid` are decided by one score; `high_side` of the line wins above the cut.
    """

    grid: str
    axis: AxisName
    halves: int
    high_side: Side


def own_axis(line_id: LineId) -> Cut:
    """For a line of which nothing is known that could offset another."""
    return Cut(f"line {line_id}", "margin", 0, 0)


def cut_of(line: Line, event: SportEvent) -> Cut:
    """By its kind, its numbers, and the names of its sides: never by position."""
    return _on_score(line, event) or own_axis(line.line_id)


def _on_score(line: Line, event: SportEvent) -> Cut | None:
    period = _period(line)
    if period is None:
        return None
    sport = "".join(filter(str.isalpha, event.sport_name.casefold()))
    family = "" if sport in SCORED else line.market_type
    # Names are part of the grid: when one changes, what was placed before offsets no more.
    teams = sorted(_plain(one.name) for one in event.competitors)
    grid = "/".join((period, family, *teams))
    return _total(grid, line) if line.market_type == "total" else _margin(grid, line, teams)


def _period(line: Line) -> str | None:
    """`first_half_spread` -> `first_half`, `spread` -> ``; None: not a score."""
    if line.market_type not in {"moneyline", "spread", "total"}:
        return None
    kind = line.sub_type.lower().replace("-", "_").replace(" ", "_")
    period = kind.removesuffix(line.market_type)
    if not kind.endswith(line.market_type) or (period and not period.endswith("_")):
        return None
    period = period.strip("_")
    return period if set(filter(None, period.split("_"))) <= PERIODS else None


def _total(grid: str, line: Line) -> Cut | None:
    first, second = line.strikes
    halves = _halves(first)
    if halves is None or halves < 0 or halves != _halves(second):
        return None
    words = tuple(_bare(strike) for strike in line.strikes)
    if words == ("over", "under"):
        return Cut(grid, "total", halves, 0)
    return Cut(grid, "total", halves, 1) if words == ("under", "over") else None


def _margin(grid: str, line: Line, teams: list[str]) -> Cut | None:
    sides = [_bare(strike) for strike in line.strikes]
    if len(set(teams)) != 2 or sorted(sides) != teams:
        return None
    high: Side = 0 if sides[0] == teams[0] else 1
    if line.market_type == "moneyline":
        return (
            None if any(strike.number for strike in line.strikes) else Cut(grid, "margin", 0, high)
        )
    halves, opposite = _halves(line.strikes[high]), _halves(line.strikes[1 - high])
    if halves is None or opposite != -halves:
        return None
    return Cut(grid, "margin", -halves, high)


def _halves(strike: Strike) -> int | None:
    """Twice its number; None for quarter lines, of which half a stake may be won."""
    number = strike.number
    if number is None or not abs(number) <= NUMBER_MAX or number * 2 % 1:
        return None
    return int(number * 2)


def _bare(strike: Strike) -> str:
    """`Schalke 04 +3.5` -> `schalke 04`: only the line's own number is taken off."""
    name = _plain(strike.name)
    head, _, tail = name.rpartition(" ")
    if head and strike.number is not None:
        try:
            return head if abs(float(tail.replace("−", "-"))) == abs(strike.number) else name
        except ValueError:
            return name
    return name


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
