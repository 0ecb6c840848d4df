"""Reading what a client sends: bodies, queries and ids, each refused by its documented name."""

from __future__ import annotations

import re
from typing import Final, cast
from urllib.parse import parse_qsl

import msgspec

from mmbot.sim.core.orders import OrderRequest, Refusal, Strategy
from mmbot.sim.core.prices import Ladder, is_american, wins_a_cent
from mmbot.sim.dialects.errors import refusal
from mmbot.sim.rules import Rules

EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
STRIKE_ID = re.compile(r"[0-9a-f]{32}")
ORDER_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EVENT_ID_MAX = 2_147_483_647
QUERY_FIELDS_MAX = 200
# where cents are no longer exact in a float; every maximum is far below
BEYOND_COUNTING_USD: Final = 10**12
FORM: Final = "application/x-www-form-urlencoded"
# A batch of 20 orders has three levels; what is deeper is no request of this API.
BODY_DEPTH_MAX = 16

INVALID_BODY = refusal("invalid_request", "body is not valid")


def body_of(raw: bytes, content_type: str, *, form: bool) -> object:
    """The body as JSON, or as a form where the route takes one; a refusal when it is neither."""
    if not raw:
        return None
    if form and content_type.partition(";")[0].strip().lower() == FORM:
        return query_of(raw.decode("utf-8", "replace"))
    try:
        content: object = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return INVALID_BODY
    return content if _depth_fits(content, BODY_DEPTH_MAX) else INVALID_BODY


def query_of(text: str) -> dict[str, str]:
    """A repeated name is a list, as one of the vendor's guides writes it."""
    found: dict[str, str] = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX)
    except ValueError:
        return found
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if found.get(name) else value
    return found


def order_request(item: object, ladder: Ladder, rules: Rules) -> OrderRequest | Refusal:
    """A submission in the right form, or the first thing that is wrong with it."""
    if not isinstance(item, dict):
        return INVALID_BODY
    external_id, strike_id = item.get("external_id"), item.get("strike_id")
    if not isinstance(external_id, str) or not EXTERNAL_ID.fullmatch(external_id):
        return refusal("invalid_external_id")
    if not isinstance(strike_id, str) or not STRIKE_ID.fullmatch(strike_id):
        return refusal("invalid_strike_id")
    cents = quantity_cents(item.get("quantity"))
    if cents is None:
        return refusal("invalid_quantity")
    if cents > rules.quantity_max_usd * 100:
        return refusal("order_quantity_exceeds_max")
    price = item.get("price")
    if not isinstance(price, int | float) or isinstance(price, bool) or price != int(price):
        return refusal("invalid_price")
    if not is_american(int(price)):
        return refusal(rules.illegal_price)
    if int(price) not in ladder:
        return refusal(rules.off_ladder, "price is not on the ladder")
    if not wins_a_cent(int(price), cents):
        return refusal("order_invalid_profit")
    if cents < rules.quantity_min_cents:
        return refusal("invalid_request", "quantity below the minimum")
    strategy = item.get("order_strategy") or ""
    if strategy not in ("", "ALO", "fillOrKill"):
        return refusal("invalid_request", "order_strategy is not known")
    if strategy == "ALO" and rules.alo_disabled:
        return refusal("err_add_liquidity_only_disabled")
    return OrderRequest(external_id, strike_id, int(price), cents, cast(Strategy, strategy))


def quantity_cents(value: object) -> int | None:
    """Dollars with at most two decimals as cents; nothing when they are not that."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    if value >= BEYOND_COUNTING_USD:
        return BEYOND_COUNTING_USD * 100
    cents = round(value * 100)
    return cents if cents > 0 and abs(value * 100 - cents) < 1e-6 else None


def integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else None


def integers(text: str) -> tuple[int, ...] | None:
    """A comma-separated list; nothing when one of its items is no integer."""
    found = [integer(item) for item in text.split(",") if item]
    numbers = tuple(number for number in found if number is not None)
    return numbers if len(numbers) == len(found) else None


_INTEGER = re.compile(r"-?[0-9]{1,18}")


def _depth_fits(content: object, depth: int) -> bool:
    if not isinstance(content, dict | list):
        return True
    inner = content.values() if isinstance(content, dict) else content
    return depth > 0 and all(_depth_fits(one, depth - 1) for one in inner)
