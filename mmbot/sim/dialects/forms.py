"""The shape of each answer in seed and legacy wording, made from the v4 answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mmbot.sim.dialects.errors import wager_code, wager_text
from mmbot.sim.dialects.speech import Speech
from mmbot.sim.dialects.table import Route
from mmbot.sim.dialects.words import WAGER_RESULTS, in_both_words, in_wager_words
from mmbot.sim.rules import WireRules

Json = dict[str, Any]
LEGACY_MARKET_KEYS: Final = (
    *("id", "name", "type", "sub_type", "category_name", "status", "strike", "favourite"),
    *("selections", "market_strikes"),
)
V1_MARKET_KEYS: Final = ("id", "name", "type", "status", "strike", "selections", "market_strikes")
BET: Final = {"TRADE": "BET"}


def answer_in(speech: Speech, route: Route, answer: Json, rules: WireRules) -> Json:
    """A v4 answer as the caller's dialect says it."""
    if route.operation in ("markets", "multiple_markets", "search_markets"):
        return _markets_answer(speech, route, answer, rules)
    if speech == "seed":
        form = SEED_FORMS.get(route.operation)
    elif speech == "legacy":
        form = LEGACY_FORMS.get(route.operation)
    elif speech == "both" and route.operation == "balance":
        form = _in_both
    else:
        return answer
    return answer if form is None else form(answer)


def with_wager_codes(route: Route, answer: Json) -> Json:
    """A v4 answer whose refused items are named as the legacy batch routes name them."""
    if route.operation == "submit_many":
        data = answer["data"]
        failed = [one | {"error": wager_code(one["error"])} for one in data["failed_orders"] or ()]
        return {"data": data | {"failed_orders": failed or data["failed_orders"]}}
    if route.operation == "cancel_many":
        return {"data": [_older_error(item) for item in answer["data"]]}
    return answer


def _older_error(item: Json) -> Json:
    if item["success"]:
        return item
    error = item["error"]
    return item | {"error": error | {"error_code": wager_code(error["error_code"])}}


def _in_both(answer: Json) -> Json:
    return answer | {"data": in_both_words(answer["data"])}


# -- seed ---------------------------------------------------------------------------------


def _seed_row(order: Json) -> Json:
    """The seed's guide reads the id as `id`."""
    row = {key: value for key, value in order.items() if key not in ("order_id", "id")}
    return row | {"id": order.get("order_id", order.get("id"))}


def _seed_submitted(answer: Json) -> Json:
    return {"data": {"order": _seed_row(answer["data"]["order"])}}


def _seed_batch(answer: Json) -> Json:
    data = answer["data"]
    rows = data["succeed_orders"]
    return {"data": data | {"succeed_orders": rows and [_seed_row(one) for one in rows]}}


def _seed_canceled(answer: Json) -> Json:
    items = [
        item | {"order": _seed_row(item["order"])} if "order" in item else item
        for item in answer["data"]
    ]
    return {"data": items}


def _seed_order(answer: Json) -> Json:
    data = answer["data"]
    nested = data.get("order")
    shown = {"order": _seed_row(nested)} if isinstance(nested, dict) else _seed_row(data)
    return answer | {"data": shown}


def _seed_history(answer: Json) -> Json:
    data = answer["data"]
    rows = data["orders"]
    return answer | {"data": data | {"orders": rows and [_seed_row(one) for one in rows]}}


# -- legacy -------------------------------------------------------------------------------


def _wager(order: Json, id_name: str) -> Json:
    rest = {key: value for key, value in order.items() if key not in ("order_id", "id")}
    renamed = in_wager_words(rest)
    assert isinstance(renamed, dict)
    result = order.get("winning_status")
    if result in WAGER_RESULTS:
        renamed["winning_status"] = WAGER_RESULTS[result]
    return {id_name: order.get("order_id", order.get("id")), **renamed}


def _legacy_submitted(answer: Json) -> Json:
    return {"data": {"success": True, "wager": _wager(answer["data"]["order"], "id")}}


def _legacy_batch(answer: Json) -> Json:
    data = answer["data"]
    placed = data["succeed_orders"]
    failed = data["failed_orders"]
    return {
        "data": {
            "succeed_wagers": placed and [_wager(one, "id") for one in placed],
            "failed_wagers": failed
            and [
                {
                    "index": one["index"],
                    "error": wager_code(one["error"]),
                    "message": wager_text(one["message"]),
                }
                for one in failed
            ],
        }
    }


def _legacy_cancel(answer: Json) -> Json:
    # the legacy swagger writes it with a capital
    return {"data": {"Success": answer["data"]["success"]}}


def _legacy_canceled(answer: Json) -> Json:
    items: list[Json] = []
    for item in answer["data"]:
        if item["success"]:
            items.append({"success": True})
            continue
        error = item["error"]
        said = {
            "error_code": wager_code(error["error_code"]),
            "message": wager_text(error["message"]),
        }
        items.append({"success": False, "statusCode": item["statusCode"], "error": said})
    return {"data": items}


def _legacy_order(answer: Json) -> Json:
    data = answer["data"]
    nested = data.get("order")
    return answer | {"data": _wager(nested if isinstance(nested, dict) else data, "wager_id")}


def _legacy_history(answer: Json) -> Json:
    data = answer["data"]
    rows = data["orders"]
    # v4 leaves it out until there is a result, here it is null
    wagers = rows and [{"settled_at": None} | _wager(one, "wager_id") for one in rows]
    pages = {key: value for key, value in data.items() if key != "orders"}
    return answer | {"data": {"wagers": wagers, **pages}}


def _legacy_balance(answer: Json) -> Json:
    data = {key: value for key, value in answer["data"].items() if key != "gec_balance"}
    return {"data": in_wager_words(data)}


def _legacy_transactions(answer: Json) -> Json:
    data = answer["data"]
    rows = data["transactions"]
    said = rows and [
        one | {"transaction_type": BET.get(one["transaction_type"], one["transaction_type"])}
        for one in rows
    ]
    return answer | {"data": data | {"transactions": said}}


def _renamed(answer: Json) -> Json:
    return answer | {"data": in_wager_words(answer["data"])}


SEED_FORMS: Final[dict[str, Callable[[Json], Json]]] = {
    "submit": _seed_submitted,
    "submit_many": _seed_batch,
    "cancel_many": _seed_canceled,
    "order": _seed_order,
    "history": _seed_history,
}
LEGACY_FORMS: Final[dict[str, Callable[[Json], Json]]] = {
    "balance": _legacy_balance,
    "submit": _legacy_submitted,
    "submit_many": _legacy_batch,
    "cancel": _legacy_cancel,
    "cancel_many": _legacy_canceled,
    "order": _legacy_order,
    "history": _legacy_history,
    "matched_detail": _renamed,
    "bets": _renamed,
    "transactions": _legacy_transactions,
}


# -- markets ------------------------------------------------------------------------------


def _markets_answer(speech: Speech, route: Route, answer: Json, rules: WireRules) -> Json:
    """Nesting is a matter of the version, words of the dialect."""
    flat = route.dialect != "v4" and (
        route.version == 2 or (route.version == 1 and rules.v1_selections == "flat")
    )
    keys = V1_MARKET_KEYS if route.version == 1 else LEGACY_MARKET_KEYS

    def shown(market: Json) -> Json:
        found = _flat(market) if flat else market
        if speech != "legacy":
            return found
        padded = {"strike": found.get("strike", 0)} | found
        if route.version > 1:
            padded = {"market_strikes": []} | padded
        return {key: padded[key] for key in keys if key in padded}

    data = _each_market(answer["data"], shown)
    if speech == "legacy":
        return answer | {"data": in_wager_words(data)}
    return answer | {"data": in_both_words(data) if speech == "both" else data}


def _each_market(data: Any, shown: Callable[[Json], Json]) -> Any:
    """Markets sit in a list, below `markets`, or below the id of their event."""
    if isinstance(data, list):
        return [shown(market) for market in data]
    if not isinstance(data, dict):
        return data
    if "markets" in data:
        return data | {"markets": _each_market(data["markets"], shown)}
    return {key: _each_market(markets, shown) for key, markets in data.items()}


def _flat(market: Json) -> Json:
    found = dict(market)
    sides = found.get("selections")
    if isinstance(sides, list) and sides and isinstance(sides[0], list):
        found["selections"] = [level for side in sides for level in side]
    if isinstance(found.get("market_strikes"), list):
        found["market_strikes"] = [_flat(one) for one in found["market_strikes"]]
    return found
