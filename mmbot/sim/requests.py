"""Reading what a client sends: bodies, queries and ids, each refused by its documented name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, cast

from mmbot.sim.lifecycle import NS
from mmbot.sim.orders import OrderRequest, Refusal, Strategy
from mmbot.sim.prices import Ladder, wins_a_cent
from mmbot.sim.scenario import Rules

EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
STRIKE_ID = re.compile(r"[0-9a-f]{32}")
ORDER_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EVENT_ID_MAX = 2_147_483_647
WINDOW_S_MAX: Final = {"from": 7 * 86_400, "updated_at_from": 2 * 86_400}
PAGE_MAX = 100

INVALID_BODY = Refusal(400, "invalid_request", "body is not valid")


def order_request(item: object, ladder: Ladder, rules: Rules) -> OrderRequest | Refusal:
    """A submission in the right form, or the first thing that is wrong with it."""
    if not isinstance(item, dict):
        return INVALID_BODY
    external_id, strike_id = item.get("external_id"), item.get("strike_id")
    if not isinstance(external_id, str) or not EXTERNAL_ID.fullmatch(external_id):
        return Refusal(400, "invalid_external_id", "external id is not valid")
    if not isinstance(strike_id, str) or not STRIKE_ID.fullmatch(strike_id):
        return Refusal(400, "invalid_strike_id", "strike id is not valid")
    cents = quantity_cents(item.get("quantity"))
    if cents is None:
        return Refusal(400, "invalid_quantity", "quantity is not valid")
    if cents > rules.quantity_max_usd * 100:
        return Refusal(400, "order_quantity_exceeds_max", "quantity exceeds the maximum")
    price = item.get("price")
    if not isinstance(price, int | float) or isinstance(price, bool) or price != int(price):
        return Refusal(400, "invalid_price", "price is not valid")
    if int(price) not in ladder:
        return Refusal(400, "invalid_price", "price is not on the ladder")
    if not wins_a_cent(int(price), cents):
        return Refusal(400, "order_invalid_profit", "profit is below 0.01")
    if cents < rules.quantity_min_cents:
        return Refusal(400, "invalid_request", "quantity below the minimum")
    strategy = item.get("order_strategy") or ""
    if strategy not in ("", "ALO", "fillOrKill"):
        return Refusal(400, "invalid_request", "order_strategy is not known")
    if strategy == "ALO" and rules.alo_disabled:
        return Refusal(400, "err_add_liquidity_only_disabled", "add liquidity only is disabled")
    return OrderRequest(external_id, strike_id, int(price), cents, cast(Strategy, strategy))


def quantity_cents(value: object) -> int | None:
    """Dollars with at most two decimals as cents; nothing when they are not that."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
        return None
    cents = round(value * 100)
    return cents if cents > 0 and abs(value * 100 - cents) < 1e-6 else None


def integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value) else None


@dataclass(frozen=True, slots=True)
class Page:
    """A window of time in nanoseconds with a cursor and a limit."""

    limit: int
    before: int | None
    created: tuple[int, int] | None
    updated: tuple[int, int] | None


def page_of(query: dict[str, str], limit_max: int = PAGE_MAX) -> Page | Refusal:
    limit = integer(query.get("limit", "100" if limit_max == PAGE_MAX else "20"))
    if limit is None or not 1 <= limit <= limit_max:
        return Refusal(400, "invalid_param", "limit is not valid")
    before = None
    cursor = query.get("next_cursor", "")
    if cursor:
        before = integer(cursor.removeprefix("n")) if cursor.startswith("n") else None
        if before is None:
            return Refusal(400, "invalid_cursor", "cursor is not valid")
    created = _window(query, "from", "to", "invalid_from_to_range")
    if isinstance(created, Refusal):
        return created
    updated = _window(query, "updated_at_from", "updated_at_to", "invalid_updated_at_range")
    if isinstance(updated, Refusal):
        return updated
    return Page(limit, before, created, updated)


def _window(
    query: dict[str, str], first: str, last: str, too_long: str
) -> tuple[int, int] | Refusal | None:
    if first not in query and last not in query:
        return None
    start, end = integer(query.get(first)), integer(query.get(last, str(1 << 40)))
    if start is None or start < 0:
        return Refusal(400, f"invalid_{first}", f"{first} is not valid")
    if end is None:
        return Refusal(400, f"invalid_{last}", f"{last} is not valid")
    if last not in query:
        end = start + WINDOW_S_MAX[first]
    if start > end:
        return Refusal(400, "from_date_greater_than_to_date", "from is after to")
    if end - start > WINDOW_S_MAX[first]:
        return Refusal(400, too_long, "the window is too long")
    return start * NS, (end + 1) * NS - 1
