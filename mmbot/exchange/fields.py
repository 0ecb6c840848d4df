"""Fields that the contract does not know: seen first here, because the readers ignore them."""

from __future__ import annotations

from typing import Final

from mmbot.exchange import wire
from mmbot.exchange.notices import Notices

ORDER: Final = frozenset(
    {
        "order_id", "id", "wager_id", "external_id", "user_id", "sport_event_id", "market_id",
        "outcome_id", "strike", "strike_id", "price", "quantity", "profit", "filled_quantity",
        "total_filled_quantity", "open_quantity", "matching_status", "winning_status",
        "profit_status", "status", "fill_price", "update_type", "update_status",
        "sequence_number", "created_at", "updated_at", "settled_at", "order_strategy",
        "display_price",
    }
)  # fmt: skip
MARKET: Final = frozenset(
    {
        "id", "event_id", "name", "display_name", "description", "group_name", "category_name",
        "type", "sub_type", "status", "strike", "line", "favourite", "player_id", "updated_at",
        "selections", "market_strikes",
    }
)  # fmt: skip
TRANSACTION: Final = frozenset(
    {
        "id", "transaction_id", "trade_id", "transaction_type", "type", "amount", "balance",
        "sport_event_id", "event_id", "market_id", "order_id", "external_id", "created_at",
        "updated_at",
    }
)  # fmt: skip
TRADE: Final = frozenset(
    {"id", "trade_id", "order_id", "wager_id", "external_id", "price", "quantity", "stake", "odds",
     "matched_at", "timestamp", "created_at", "updated_at", "profit", "strike_id"}
)  # fmt: skip


def count_unknown(raw: wire.Raw, known: frozenset[str], kind: str, notices: Notices) -> None:
    """For one row of a page: a new field comes in every row, so one is enough."""
    try:
        names = wire.decode(raw, dict[str, wire.Raw]).keys()
    except wire.Unreadable:
        return
    for name in sorted(names - known):
        notices.count(f"unknown_field:{kind}.{name[:40]}")
