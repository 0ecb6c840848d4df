"""The two vocabularies: names of fields in order words (v4, seed) and in wager words (legacy)."""

from __future__ import annotations

from typing import Final

WAGER_KEYS: Final = {
    "order_id": "wager_id",
    "order": "wager",
    "orders": "wagers",
    "strike": "line",
    "strike_id": "line_id",
    "display_strike": "display_line",
    "market_strikes": "market_lines",
    "origin_market_strike": "origin_market_line",
    "price": "odds",
    "display_price": "display_odds",
    "fill_price": "matched_odds",
    "quantity": "stake",
    "filled_quantity": "matched_stake",
    "open_quantity": "unmatched_stake",
    "total_filled_quantity": "totally_matched_stake",
    "order_strategy": "wager_strategy",
    "matched_order_balance": "matched_wager_balance",
    "unmatched_order_balance": "unmatched_wager_balance",
    "unmatched_order_balance_status": "unmatched_wager_balance_status",
    "unmatched_order_last_synced_at": "unmatched_wager_last_synced_at",
    "succeed_orders": "succeed_wagers",
    "failed_orders": "failed_wagers",
}
WAGER_RESULTS: Final = {"profit": "won", "loss": "lost"}
ORDER_KEYS: Final = {wager: order for order, wager in WAGER_KEYS.items()}
_REQUEST_KEYS: Final = {
    **{key: ORDER_KEYS[key] for key in ("line_id", "odds", "stake", "wager_strategy", "wager_id")},
    "wager_ids": "order_ids",
}


def in_wager_words(value: object) -> object:
    """The same JSON with every known key renamed; nothing is said twice."""
    if isinstance(value, dict):
        return {WAGER_KEYS.get(key, key): in_wager_words(one) for key, one in value.items()}
    if isinstance(value, list):
        return [in_wager_words(one) for one in value]
    return value


def in_both_words(value: object) -> object:
    """The same JSON with every known key also under its wager name."""
    if isinstance(value, list):
        return [in_both_words(one) for one in value]
    if not isinstance(value, dict):
        return value
    said: dict[str, object] = {key: in_both_words(one) for key, one in value.items()}
    older = {WAGER_KEYS[key]: said[key] for key in said if key in WAGER_KEYS}
    return said | older


def request_fields(fields: dict[str, object], *, order_words: bool) -> dict[str, object]:
    """What a legacy client sends, as the exchange calls it; order words only when allowed."""
    foreign = () if order_words else tuple(_REQUEST_KEYS.values())
    return {
        _REQUEST_KEYS.get(key, key): value for key, value in fields.items() if key not in foreign
    }
