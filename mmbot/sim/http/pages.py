"""Pages of long lists: a limit, windows of time, and a cursor that stays true while rows change."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from mmbot.sim.core.lifecycle import NS
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Refusal
from mmbot.sim.dialects.errors import refusal
from mmbot.sim.http.requests import integer

WINDOW_S_MAX: Final = {"from": 7 * 86_400, "updated_at_from": 2 * 86_400}
PAGE_USUAL = 100
# the error table asks for epoch seconds: what lies beyond is a time in a smaller unit
EPOCH_S_MAX: Final = 100_000_000_000
Window = tuple[int, int]
End = Literal["empty", "absent", "null"]
Ends = Literal["inclusive", "exclusive"]


@dataclass(frozen=True, slots=True)
class Page:
    """Windows are nanoseconds, both of them included; rows are numbered, the newest first."""

    limit: int
    before: int | None
    created: Window | None
    updated: Window | None

    def after_cursor(self, number: int) -> bool:
        return self.before is None or number < self.before


def page_asked(
    query: dict[str, str], limit_max: int, usual: int = PAGE_USUAL, ends: Ends = "inclusive"
) -> Page | Refusal:
    """What page is asked for, or the first thing that is wrong with the question."""
    limit = integer(query.get("limit", str(usual)))
    if limit is None or not 1 <= limit <= limit_max:
        return refusal("invalid_param", f"limit: 1 to {limit_max} is expected")
    before = None
    if query.get("next_cursor"):
        before = _cursor_read(query["next_cursor"])
        if before is None:
            return refusal("invalid_cursor")
    created = _window(query, "from", "to", "invalid_from_to_range", ends)
    if isinstance(created, Refusal):
        return created
    updated = _window(query, "updated_at_from", "updated_at_to", "invalid_updated_at_range", ends)
    if isinstance(updated, Refusal):
        return updated
    return Page(limit, before, created, updated)


def page_written(name: str, rows: list[tuple[int, Json]], page: Page, end: End) -> Json:
    """One page; its cursor names the last row shown, so that newer rows change nothing."""
    shown = rows[: page.limit]
    data: Json = {name: [row for _, row in shown]}
    if len(rows) > page.limit:
        data["next_cursor"] = _cursor_written(shown[-1][0])
    elif end != "absent":
        data["next_cursor"] = "" if end == "empty" else None
    return data


def within(window: Window | None, ns: int) -> bool:
    return window is None or window[0] <= ns <= window[1]


def _cursor_written(number: int) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode({"id": number})).decode()


def _cursor_read(text: str) -> int | None:
    try:
        content = msgspec.json.decode(base64.urlsafe_b64decode(text), type=dict[str, int])
    except (binascii.Error, ValueError):
        return None
    return content.get("id")


def _window(
    query: dict[str, str], first: str, last: str, too_long: str, ends: Ends
) -> Window | Refusal | None:
    if first not in query and last not in query:
        return None
    start = integer(query.get(first))
    if start is None or not 0 <= start <= EPOCH_S_MAX:
        return refusal(f"invalid_{first}", f"{first}: epoch seconds are expected")
    end = integer(query[last]) if last in query else start + WINDOW_S_MAX[first]
    if end is None or (last in query and end > EPOCH_S_MAX):
        return refusal(f"invalid_{last}", f"{last}: epoch seconds are expected")
    if start > end:
        return refusal("from_date_greater_than_to_date")
    if end - start > WINDOW_S_MAX[first]:
        return refusal(too_long)
    if ends == "exclusive":
        return start * NS + 1, end * NS - 1
    return start * NS, (end + 1) * NS - 1
