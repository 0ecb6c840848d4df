"""The wager generation's words in those of today (contract 0, vocabulary); one table, one walk.

Only what this client reads.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

import msgspec

from mmbot.exchange.wire import Unreadable

NEWER: Final = MappingProxyType(
    {
        "line": "strike",
        "line_id": "strike_id",
        "market_lines": "market_strikes",
        "odds": "price",
        "stake": "quantity",
        "matched_stake": "filled_quantity",
        "matched_odds": "fill_price",
        "wager_id": "order_id",
        "wager_strategy": "order_strategy",
        "totally_matched_stake": "total_filled_quantity",
        "unmatched_stake": "open_quantity",
        "matched_wager_balance": "matched_order_balance",
        "unmatched_wager_balance": "unmatched_order_balance",
        "unmatched_wager_balance_status": "unmatched_order_balance_status",
        "unmatched_wager_last_synced_at": "unmatched_order_last_synced_at",
        "display_odds": "display_price",
        "display_line": "display_strike",
        "origin_market_line": "origin_market_strike",
    }
)
RESULTS: Final = MappingProxyType({"won": "profit", "lost": "loss"})
OF_STREAM: Final = b'"line_id"'  # in every old message that names a thing differently


def is_old(payload: bytes) -> bool:
    """Whether a message of the stream is in old words; cheap, for each one is asked."""
    return OF_STREAM in payload


def newer(body: bytes) -> bytes:
    """The same JSON in the newer words; where both stand, the newer one counts. Unreadable."""
    try:
        return msgspec.json.encode(_renamed(msgspec.json.decode(body)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"old words: {type(error).__name__}") from None


def _renamed(found: Any) -> Any:
    if isinstance(found, list):
        return [_renamed(one) for one in found]
    if isinstance(found, dict):
        renamed = {
            NEWER.get(key, key): _renamed(value)
            for key, value in found.items()
            if key not in NEWER or NEWER[key] not in found
        }
        return _order(renamed) if "matching_status" in renamed else renamed
    return found


def _order(found: dict[str, Any]) -> dict[str, Any]:
    """An order's own id was just `id` (4.7), and its bets were won and lost (6.1)."""
    if "id" in found and "order_id" not in found:
        found["order_id"] = found.pop("id")
    result = found.get("winning_status")
    if isinstance(result, str):
        found["winning_status"] = RESULTS.get(result, result)
    return found
