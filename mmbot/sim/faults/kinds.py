"""What a request or a frame is about, read from its path or its text."""

from __future__ import annotations

import re
from typing import Final, Literal

RouteKind = Literal[
    "place", "cancel", "auth", "order", "report", "read", "stream", "feed", "control"
]
FrameKind = Literal["orders", "books", "health", "general", "protocol"]

_REPORTS: Final = (
    "get_order_history",
    "get_order_histories",
    "get_order_matched_detail",
    "get_trades",
    "get_transact",
    "get_wager_histories",
    "get_wager_matching_detail",
    "get_matched_bets",
)
BOOKS: Final = "market_selections"
_EVENT_NAME: Final = re.compile(r'(?<!\\)"event"\s*:\s*"([^"\\]+)"')
_EXTERNAL_ID: Final = re.compile(rb'"external_id"\s*:\s*"([^"]+)"')


def route_kind(path: str) -> RouteKind:
    """What a request is for, by its path (with or without prefix and query), in any dialect."""
    route = path.partition("?")[0]
    if "/_box" in route:
        return "control"
    if "/_feed" in route:
        return "feed"
    if "/auth/" in route:
        return "auth"
    last = route.rstrip("/").rpartition("/")[2]
    if last.startswith(("submit_", "place_")):
        return "place"
    if last.startswith("cancel_"):
        return "cancel"
    if "/get_order/" in route or "/get_wager/" in route:
        return "order"
    if last.startswith(_REPORTS):
        return "report"
    return "stream" if last in {"connection-config", "websocket", "pusher"} else "read"


def frame_kind(frame: str) -> FrameKind:
    """What a frame of the stream is about, by its event name."""
    found = _EVENT_NAME.search(frame)
    event = found.group(1) if found else ""
    if event.startswith("pusher"):
        return "protocol"
    if event in {"orders", "order", "wagers", "wager"}:
        return "orders"
    # The older main channel names the tournament, and what changed only inside.
    if event == BOOKS or (event.startswith("tournament_") and BOOKS in frame):
        return "books"
    return "health" if event == "health_check" else "general"


def external_ids(body: bytes) -> list[str]:
    """The orders that a request body names."""
    return [match.decode("ascii", "replace") for match in _EXTERNAL_ID.findall(body)]
