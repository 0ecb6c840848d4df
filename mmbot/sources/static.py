"""Fair values that a person or a model writes into a CSV or JSON file.

Columns: `strike_id`, or `home away start market number selection`; then `prob`, and optionally
`sd_logit` and `source_ts`. A row without `source_ts` holds until the file is `valid_for_s` old.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

import msgspec

from mmbot.domain.ids import StrikeId
from mmbot.sources.feed import (
    FAMILIES,
    OVER,
    UNDER,
    Family,
    Feed,
    FeedEvent,
    FeedLine,
    Stated,
    UnreadableFeed,
)
from mmbot.sources.fetching import Document
from mmbot.sources.matching import normalised
from mmbot.sources.odds_api import is_half, time_ns

ROWS_MAX: Final = 20_000
SD_LOGIT_MAX: Final = 5.0
EventKey = tuple[str, str, int]  # home, away, start
LineKey = tuple[EventKey, Family, float | None, tuple[str, str]]
RowKey = StrikeId | LineKey


@dataclass(frozen=True, slots=True)
class StaticRules:
    sd_logit_default: float = 0.05
    valid_for_s: float = 12 * 3_600.0


class _Skip(Exception):
    """One row is unusable; the message is the reason it is counted under."""


def parse(document: Document, now_ns: int, rules: StaticRules) -> Feed:
    """Read a file; raises UnreadableFeed when it is neither an array of objects nor CSV."""
    skipped: Counter[str] = Counter()
    said: dict[RowKey, Stated] = {}
    twice: set[RowKey] = set()
    for row in _rows(document.body):
        try:
            key, stated = _row(row, document.modified_ns or now_ns, now_ns, rules)
        except _Skip as reason:
            skipped[str(reason)] += 1
            continue
        if key in said:
            twice.add(key)
        said[key] = stated
    for key in twice:  # which of the two is meant? neither is used
        skipped["line_twice"] += 1
        del said[key]
    direct = {key: stated for key, stated in said.items() if isinstance(key, str)}
    lines: dict[EventKey, list[FeedLine]] = {}
    for key, stated in said.items():
        if not isinstance(key, str):
            event, family, number, sides = key
            lines.setdefault(event, []).append(FeedLine(family, number, sides, stated))
    events = tuple(
        FeedEvent(f"{away} at {home}", (home, away), start_ns, tuple(of))
        for (home, away, start_ns), of in lines.items()
    )
    return Feed(events, direct, dict(skipped))


def _rows(body: bytes) -> list[Mapping[str, Any]]:
    try:
        text = body.decode("utf-8-sig")
        if text.lstrip().startswith("["):
            found = msgspec.json.decode(text)
        else:
            found = list(csv.DictReader(io.StringIO(text), strict=True))
    except (msgspec.DecodeError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFeed(f"neither JSON nor CSV: {error}") from None
    if len(found) > ROWS_MAX:
        raise UnreadableFeed(f"more than {ROWS_MAX} rows")
    rows: list[Mapping[str, Any]] = [row for row in found if isinstance(row, dict)]
    if found and not any("prob" in row for row in rows):
        raise UnreadableFeed("there is no column `prob`")
    return rows


def _row(
    row: Mapping[str, Any], modified_ns: int, now_ns: int, rules: StaticRules
) -> tuple[RowKey, Stated]:
    prob, sd_logit = _number(row, "prob"), _number(row, "sd_logit")
    if prob is None or not 0.0 < prob < 1.0:
        raise _Skip("prob")
    if sd_logit is not None and not 0.0 <= sd_logit <= SD_LOGIT_MAX:
        raise _Skip("sd_logit")
    source_ns = time_ns(row.get("source_ts") or None)
    if row.get("source_ts") and source_ns is None:
        raise _Skip("source_ts")
    if source_ns is None and now_ns - modified_ns > rules.valid_for_s * 1e9:
        raise _Skip("expired")
    sd = rules.sd_logit_default if sd_logit is None else sd_logit
    strike = _text(row, "strike_id")
    if strike:
        return StrikeId(strike), Stated(prob, sd, source_ns)
    key, is_first = _line(row)
    return key, Stated(prob if is_first else 1.0 - prob, sd, source_ns)


def _line(row: Mapping[str, Any]) -> tuple[LineKey, bool]:
    """The line in one orientation, and whether the row speaks of its first side."""
    home, away, start_ns = _text(row, "home"), _text(row, "away"), time_ns(row.get("start"))
    if not home or not away or start_ns is None:
        raise _Skip("event")
    family = next((known for known in FAMILIES if known == _text(row, "market")), None)
    if family is None:
        raise _Skip("market")
    sides = (OVER, UNDER) if family == "total" else (normalised(home), normalised(away))
    selection = normalised(_text(row, "selection"))
    if selection not in sides:
        raise _Skip("selection")
    is_first = selection == sides[0]
    number = None if family == "moneyline" else _number(row, "number")
    if family != "moneyline" and (number is None or not is_half(number)):
        raise _Skip("not_a_half_line")
    if family == "spread" and number is not None and not is_first:
        number = -number
    return ((home, away, start_ns), family, number, sides), is_first


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    return value.strip() if isinstance(value, str) else ""


def _number(row: Mapping[str, Any], column: str) -> float | None:
    value = row.get(column)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise _Skip(column) from None
    if not isfinite(number):
        raise _Skip(column)
    return number
