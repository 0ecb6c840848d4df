"""The contract's examples as shapes: what each answer and each message is known to look like.

A place is the name of a route, `stream.` and the kind of a message, or `refusal`. The examples
lie in mmbot/data/contract; what the contract says of fields and words that no example shows is
below, with its section.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from mmbot.exchange.refusals import ELSEWHERE, MEANINGS
from mmbot.exchange.shapes import Noun, Shape, shape_of

FOLDER: Final = Path(__file__).parent.parent / "data" / "contract"
REFUSAL: Final = "refusal"
MESSAGE: Final = "stream.message"

# Files whose first word is not the name of the route.
NAMED_OTHERWISE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "auth_login": ("login",),
        "auth_refresh": ("refresh",),
        "connection_config": ("connection-config",),
        "websocket_register": ("websocket",),
        "pusher_auth": ("pusher",),
        "cancel_orders_by": ("cancel_orders_by_market", "cancel_orders_by_event"),
        "get_order_history": ("get_order_history", "get_order_histories"),
        "submit_multiple_orders": ("submit_multiple_orders", "place_batch_orders"),
        "cancel_multiple_orders": ("cancel_multiple_orders", "cancel_batch_orders"),
        "error": (REFUSAL,),
    }
)

OLD_REGISTRATION: Final = "pusher_auth"  # there is no newer example of it
# Forms that the contract calls rare or less likely: met with, they are a difference to tell.
RARE: Final = frozenset(
    {"get_order.response.v4.json", "get_multiple_markets.response.flat_list_variant.json"}
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class _Prices:
    """American odds; 0 is no price, at a level without liquidity (5, 7.3)."""

    def __contains__(self, price: object) -> bool:
        if not isinstance(price, (int, float)):
            return False
        return price == 0 or (abs(price) >= EVEN_MONEY and price == int(price))


EVEN_MONEY: Final = 100
PRICES: Final = _Prices()
CODES: Final = frozenset(MEANINGS) | ELSEWHERE

NOUNS: Final = (
    Noun(  # 4.7, 4.10, 6.1, 9.6
        "matching_status",
        {
            "created_at": "text|number|absent", "updated_at": "text|number|absent",
            "settled_at": "text|number|null|absent", "order_strategy": "text|absent",
            "display_price": "text|absent",
        },
        {
            "status": _words("inactive open invalid canceled wiped void manually_settled settled "
                             "closed"),
            "matching_status": _words("unmatched partially_matched fully_matched"),
            "winning_status": _words("profit loss no_result tbd manually_lost manually_won draw "
                                     "push"),
            "update_type": _words("status matching"),
            "order_strategy": _words("ALO fillOrKill"),
            "price": PRICES, "fill_price": PRICES,
        },
    ),
    Noun(  # 4.5: without selections of its own where it has market_strikes
        "selections",
        {
            "sub_type": "text|null|absent", "strike": "number|null|absent",
            "line": "number|null|absent", "player_id": "number|absent",
            "event_id": "number|absent", "market_strikes": "list|null|absent",
            "selections": "list|null|absent",
        },
        {"status": _words("active suspended")},
    ),
    Noun(  # 4.5: a level of the book; without liquidity its price is null
        "display_strike",
        {
            "price": "number|null", "strike": "number|null",
            "adjusted_price": "number|null|absent", "competitor_id": "number|null|absent",
        },
        {"price": PRICES},
    ),
    Noun(  # 4.4; a status in play is not published (15.33)
        "scheduled",
        {"sub_type": "text|null|absent", "sequence_number": "number|absent"},
        {"status": _words("not_started live finished")},
    ),
    Noun("abbreviation", {}, {"side": _words("home away")}),
    Noun(  # 4.10
        "transaction_type",
        {"order_id": "text|absent", "external_id": "text|absent", "trade_id": "text|null|absent"},
        {
            "transaction_type": _words(
                "TRADE BET DEPOSIT REFUND PAY WITHDRAW COMMISSION ADJUSTMENT_REDUCE "
                "ADJUSTMENT_INCREASE VOID REJECT_WITHDRAW APPROVE_WITHDRAW CANCEL PUSH"
            )
        },
    ),
    Noun(  # 4.1
        "gec_balance",
        {"unmatched_order_last_synced_at": "text|null"},
        {"unmatched_order_balance_status": _words("succeed failed")},
    ),
    Noun(  # 9.3
        "authorized_channel",
        {"rejected": "list|null|absent"},
        {"status": _words("CONNECTED")},
    ),
    Noun("change_type", {}, {"op": _words("c u d")}),
    Noun("origin_market_strike", {}, {"price": PRICES, "fill_price": PRICES}),
    Noun("matched_at", {}, {"price": PRICES}),
    Noun("error_code", {}, {"error_code": CODES}),
    Noun("error", {"details": "object|null|absent"}, {"error": CODES}),
    Noun("strike_id", {"order_strategy": "text|absent"}, {}),  # a request, given back
    Noun("data", {}, {"data[]": PRICES}),  # 4.2; elsewhere the items are objects
)  # fmt: skip


@lru_cache(maxsize=1)
def contract() -> Mapping[str, Shape]:
    """The shape of the body at each place; read once, as the files belong to the code."""
    return contract_of(
        (path.name, json.loads(path.read_bytes())) for path in sorted(FOLDER.glob("*.json"))
    )


def contract_of(files: Iterable[tuple[str, Any]]) -> Mapping[str, Shape]:
    """The same of (file name, content); those in the older words are no examples of ours."""
    bodies: defaultdict[str, list[Any]] = defaultdict(list)
    for name, content in files:
        first, *rest = name.removesuffix(".json").split(".")
        if name in RARE or ("legacy" in rest and first != OLD_REGISTRATION):
            continue
        if "decoded" in rest:
            bodies[f"stream.{content['change_type']}"].append(content["payload"])
            bodies[MESSAGE].append(
                {key: content[key] for key in ("timestamp", "change_type", "op")} | {"payload": ""}
            )
        elif "response" in rest or first == "error":
            for place in NAMED_OTHERWISE.get(first, (first,)):
                bodies[place].append(content)
    return {place: shape_of(found, NOUNS) for place, found in bodies.items()}
