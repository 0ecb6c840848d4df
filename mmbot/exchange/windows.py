"""Which queries make up one listing: windows of time that the exchange allows, and filters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mmbot.domain.commands import ReadHistory
from mmbot.exchange.amounts import NS_PER_S
from mmbot.exchange.routes import CHANGES_WINDOW_MAX_S, HISTORY_WINDOW_MAX_S

Query = dict[str, str | int]

MARGIN_S: Final = 3_600
CREATED: Final = ("from", "to")
CHANGED: Final = ("updated_at_from", "updated_at_to")
# What may still trade. A cancelled order is `unmatched` too, and a filled one stays `open` until
# it is settled: only both filters together leave a few rows.
ALIVE_FILTERS: Final[tuple[dict[str, str], ...]] = (
    {"status": "inactive"},
    {"status": "open", "matching_status": "unmatched"},
    {"status": "open", "matching_status": "partially_matched"},
)


def history_queries(read: ReadHistory, until_s: int) -> Iterator[Query]:
    """By the time of the last change, or of creation and then perhaps only what is alive."""
    if read.changed_only:
        yield from windows(read.from_ns, until_s, CHANGED, CHANGES_WINDOW_MAX_S - MARGIN_S)
        return
    for window in windows(read.from_ns, until_s):
        for only in ALIVE_FILTERS if read.alive_only else ({},):
            yield {**window, **only}


def windows(
    from_ns: int,
    until_s: int,
    names: tuple[str, str] = CREATED,
    window_s: int = HISTORY_WINDOW_MAX_S - MARGIN_S,
) -> Iterator[Query]:
    """From then (exchange time) until `until_s`, none longer than `window_s`."""
    from_s = max(0, from_ns // NS_PER_S)
    while from_s < until_s:
        to_s = min(until_s, from_s + window_s)
        yield {names[0]: from_s, names[1]: to_s}
        from_s = to_s
