"""What the values of an example may be: words, forms and sums that the box itself would say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from mmbot.sim.core.prices import is_american, profit_cents, ratio
from mmbot.sim.dialects.errors import ERRORS, WAGER_CODES

ORDER_STATUSES: Final = (
    *("inactive", "open", "invalid", "canceled", "wiped", "void", "manually_settled"),
    *("settled", "closed"),
)
WORDS: Final[dict[str, frozenset[str]]] = {
    "matching_status": frozenset({"unmatched", "partially_matched", "fully_matched"}),
    "winning_status": frozenset(
        {"profit", "loss", "no_result", "tbd", "manually_lost", "manually_won", "draw", "push"}
    ),
    "update_type": frozenset({"status", "matching"}),
    "transaction_type": frozenset(
        {
            *("TRADE", "BET", "DEPOSIT", "REFUND", "PAY", "WITHDRAW", "COMMISSION", "VOID"),
            *("ADJUSTMENT_REDUCE", "ADJUSTMENT_INCREASE", "REJECT_WITHDRAW"),
            *("APPROVE_WITHDRAW", "CANCEL", "PUSH"),
        }
    ),
    "op": frozenset({"c", "u", "d"}),
    "change_type": frozenset(
        {
            *("tournament", "sport_event", "market", "market_strike", "market_line"),
            *("matched_order", "matched_bet", "market_selections", "orders", "wagers"),
            *("private_system_signal",),
        }
    ),
    "side": frozenset({"home", "away"}),
    "service": frozenset({"pusher"}),
    "order_strategy": frozenset({"ALO", "fillOrKill"}),
    "wager_strategy": frozenset({"ALO", "fillOrKill"}),
    "reason": frozenset({"wildcard_not_allowed", "malformed_id", "unknown_type"}),
    "unmatched_order_balance_status": frozenset({"succeed", "failed"}),
    "unmatched_wager_balance_status": frozenset({"succeed", "failed"}),
    "type": frozenset(
        {
            *("moneyline", "spread", "total", "sup_moneyline", "match", "custom"),
            *("tournament", "event", "event_subtype", "league", "general", "AuthError"),
            *("orders", "wagers", "market_selections", "private_system_signal"),
        }
    ),
    "status": frozenset(
        {*ORDER_STATUSES, "active", "suspended", "not_started", "live", "finished", "CONNECTED"}
    ),
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
_STRIKE_ID = re.compile(r"[0-9a-f]{32}|unknown")
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
_CHANNEL = re.compile(
    r"private-broadcast-service=[36]-device_type=5(-event=\d+(-subtype=[a-z0-9_]+)?)?"
    r"|private-service=[36]-device_type=5-user=[0-9a-f]{32}"
)
_EVENT = re.compile(
    r"pusher:[a-z_]+|pusher_internal:subscription_succeeded|tournament_\d+"
    r"|market_selections|orders|wagers|health_check"
)
_SIGNATURE = re.compile(r"\w{20}:[0-9a-f]{64}")
_SOCKET_ID = re.compile(r"\d+\.\d+")
FORMS: Final = {
    **dict.fromkeys(("order_id", "wager_id", "user_id"), _UUID),
    **dict.fromkeys(("strike_id", "line_id"), _STRIKE_ID),
    **dict.fromkeys(("created_at", "matched_at", "settled_at", "scheduled"), _MOMENT),
    **dict.fromkeys(("last_synced_at", "updated_at"), _MOMENT),
    **dict.fromkeys(("unmatched_order_last_synced_at", "unmatched_wager_last_synced_at"), _MOMENT),
    **dict.fromkeys(("channel", "channel_name"), _CHANNEL),
    **dict.fromkeys(("display_strike", "display_line"), re.compile(r"([+-]?\d+(\.\d+)?)?")),
    "event": _EVENT,
    "tournament_id": re.compile(r"\d+"),
    "next_cursor": re.compile(r"([A-Za-z0-9_-]{4})*([A-Za-z0-9_=-]{4})?"),
    **dict.fromkeys(("access_token", "refresh_token"), _TOKEN),
    "auth": _SIGNATURE,
    "socket_id": _SOCKET_ID,
    "external_id": re.compile(r"[A-Za-z0-9_-]{1,100}"),
}
WHOLE: Final = frozenset(
    {
        *("event_id", "sport_event_id", "market_id", "outcome_id", "tournament_id", "index"),
        *("competitor_id", "player_id", "statusCode", "channel_count", "channel_limit"),
        *("sequence_number", "access_expire_time", "refresh_expire_time", "timestamp"),
    }
)
PRICES: Final = frozenset({"price", "odds", "fill_price", "matched_odds"})
CENT: Final = 0.01
CODES: Final = frozenset(ERRORS) | frozenset(WAGER_CODES.values())


def problems(value: Any, path: str = "") -> Iterator[str]:
    """Each value of an example that no answer of the box could hold."""
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from problems(one, f"{path}[{index}]")
    if not isinstance(value, dict):
        return
    for key, one in value.items():
        where = f"{path}.{key}" if path else str(key)
        text = _scalar(str(key), one)
        if text:
            yield f"{where}: {text}"
        yield from problems(one, where)
    yield from _sums(value, path)


def _scalar(key: str, value: Any) -> str:
    if isinstance(value, str):
        if key in WORDS and value not in WORDS[key]:
            return f"{value!r} is no word of this field"
        form = FORMS.get(key)
        if form is not None and not form.fullmatch(value):
            return f"{value!r} is not of the form of this field"
        if key in ("error", "error_code") and value not in CODES and " " not in value:
            return f"{value!r} is no code of the error table"
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if key in WHOLE and (value != int(value) or value < 0):
        return f"{value!r} is no whole number"
    if key in PRICES and value != 0 and not (value == int(value) and is_american(int(value))):
        return f"{value!r} is no American price"
    return ""


def _sums(row: dict[str, Any], path: str) -> Iterator[str]:
    """Figures of one object that depend on each other."""
    where = path or "(top)"
    price = _figure(row, "price", "odds", "fill_price")
    usable = price is not None and price == int(price) and is_american(int(price))
    shown = row.get("display_price", row.get("display_odds"))
    if isinstance(shown, str) and shown != (f"{int(price):+d}" if usable and price else ""):
        yield f"{where}: display price {shown!r} does not say {price}"
    if price is None and shown is None and any(row.get(key, 0) is None for key in PRICES):
        yield f"{where}: only a level of a book may be without a price"
    stake = _figure(row, "quantity", "stake", "filled_quantity")
    profit, value = _figure(row, "profit"), _figure(row, "value")
    if price is not None and usable and stake is not None:
        won = profit_cents(int(price), round(stake * 100))
        if profit is not None and round(profit * 100) != won:
            yield f"{where}: profit {profit} is not what {stake} at {price} wins"
        num, den = ratio(int(price))
        if value is not None and value * num / den > stake + CENT:
            yield f"{where}: value {value} at {price} is more than quantity {stake} stands for"
    code, status = row.get("error"), row.get("statusCode")
    if isinstance(code, dict) and isinstance(status, int):
        known = ERRORS.get(_order_code(str(code.get("error_code"))))
        if known is not None and known[0] != status:
            yield f"{where}: statusCode {status} is not the status {known[0]} of the code"


def _figure(row: dict[str, Any], *keys: str) -> float | None:
    """The first of these fields that there is, when it is a number."""
    found = next((row[key] for key in keys if key in row), None)
    return None if isinstance(found, bool) or not isinstance(found, int | float) else found


def _order_code(code: str) -> str:
    return next((new for new, old in WAGER_CODES.items() if old == code), code)
