"""Scenes at the REST door: for each example of a response, the answer that it should describe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from mmbot.sim.conformance.stage import Stage
from mmbot.sim.market.options import EventOptions
from mmbot.sim.rules import MoneyRules, Rules, SessionRules, WireRules

Shown = Iterator[tuple[str, Any]]
UNKNOWN_ID: Final = "00000000-0000-4000-8000-000000000000"
WINDOW_S = 100


def sessions() -> Shown:
    stage = Stage(session=SessionRules(requests_per_second_max=3))
    answer = stage.maker.login()
    yield "auth_login.response.json", answer
    body = {"refresh_token": answer["data"]["refresh_token"]}
    yield "auth_refresh.response.json", stage.maker.call("POST", "/partner/auth/refresh", body)[1]
    yield "error.401.json", stage.other.call("GET", "/partner/v4/mm/get_balance")[1]
    yield "connection_config.response.talaria.json", stage.maker.get("/websocket/connection-config")
    for _ in range(4):
        limited = stage.maker.call("GET", "/partner/v4/mm/get_balance")[1]
    yield "error.429.rate_limit_reached.json", limited


def listing() -> Shown:
    stage = Stage(events=EventOptions(count=2, lines=40, props=10))
    maker = stage.maker
    for line in stage.box.exchange.listing.lines[::2]:
        maker.place(line.strikes[0].strike_id, 250, 10.0)
        maker.place(line.strikes[1].strike_id, -105, 10.0)
    line = stage.line()
    yield "get_price_ladder.response.v4.json", maker.get("/v4/mm/get_price_ladder")
    yield "get_tournaments.response.json", maker.get("/mm/get_tournaments")
    yield "get_sport_events.response.json", maker.get("/mm/get_sport_events")
    nothing = maker.get("/mm/get_sport_events?tournament_id=999")
    yield "get_sport_events.response.empty.json", nothing
    for version, name in ((4, "v4"), (3, "legacy_v3")):
        markets = maker.get(f"/v{version}/mm/get_markets?event_id={line.event_id}")
        yield f"get_markets.response.{name}.json", markets
    ids = ",".join([*map(str, stage.box.exchange.listing.events), "5"])
    path = f"/get_multiple_markets?event_ids={ids}"
    many = maker.get(f"/v4/mm{path}")
    yield "get_multiple_markets.response.v4.json", _without_spreads(many)
    new_words = {"X-CFTC-Terminology": "true"}
    path = f"/v2/mm/get_multiple_markets?event_ids={line.event_id}"
    flat = maker.ask("GET", path, headers=new_words)[1]
    yield "doc_value_quantity_sample.v4_flat.json", flat
    strike_ids = ",".join(list(stage.box.exchange.listing.strikes)[:20])
    yield "get_strikes.response.v4.json", maker.get(f"/v4/mm/get_strikes?strike_ids={strike_ids}")


def _without_spreads(many: Any) -> Any:
    """The example of this route shows none."""
    rows = {
        event_id: markets and [one for one in markets if one["type"] != "spread"]
        for event_id, markets in many["data"].items()
    }
    return {"data": rows}


def other_forms_of_the_listing() -> Shown:
    wire = WireRules(
        unversioned_words="legacy",
        v1_selections="flat",
        multiple_markets="flat_list",
        ladder_form="odds",
        unmatched_balance="failed",
        order_nesting="nested",
    )
    stage = Stage(wire=wire)
    maker, line = stage.maker, stage.line()
    first = maker.place(line.strikes[0].strike_id, 250, 10.0)
    maker.place(line.strikes[1].strike_id, -105, 10.0)
    flat = maker.get(f"/mm/get_markets?event_id={line.event_id}")
    markets = flat["data"]["markets"]
    flat["data"]["markets"] = [one for one in markets if one["type"] == "moneyline"]
    yield "get_markets.response.legacy_v1_flat.json", flat
    every = maker.get(f"/v4/mm/get_multiple_markets?event_ids={line.event_id}")
    every["data"] = [one for one in every["data"] if one["type"] == "moneyline"]
    yield "get_multiple_markets.response.flat_list_variant.json", every
    yield "get_odds_ladder.response.legacy_alt_shape.json", maker.get("/mm/get_odds_ladder")
    yield "get_balance.response.v4.sync_failed.json", maker.get("/v4/mm/get_balance")
    yield "get_order.response.v4.json", maker.get(f"/v4/mm/get_order/{first['order_id']}")


def orders_v4() -> Shown:
    stage = Stage(rules=Rules(first_pass_ms=0, cancel_inactive="conflict"))
    maker, (home, away) = stage.maker, stage.line().strikes
    placed = maker.post("/v4/mm/submit_order", maker.order(home.strike_id, -117, 117.0))
    yield "submit_order.response.v4.json", placed
    order = placed["data"]["order"]
    batch = [maker.order(home.strike_id, 150, 10.0), maker.order("unknown", 101, 10.0)]
    both = maker.post("/v4/mm/submit_multiple_orders", {"data": batch})
    yield "submit_multiple_orders.response.v4.json", both
    again = maker.ask("POST", "/v4/mm/submit_order", batch[0])[1]
    yield "error.400.v4.json", again
    stage.wait(1)
    stage.other.place(away.strike_id, 114, 50.0)
    yield "get_order.response.v4.flat.json", maker.get(f"/v4/mm/get_order/{order['order_id']}")
    yield from _reports(stage, order["order_id"])
    yield "get_balance.response.v4.json", maker.get("/v4/mm/get_balance")
    rests = both["data"]["succeed_orders"][0]
    pair = {"order_id": rests["order_id"], "external_id": rests["external_id"]}
    body = {"data": [pair, {**pair, "order_id": UNKNOWN_ID}]}
    canceled = maker.post("/v4/mm/cancel_multiple_orders", body)
    yield "cancel_multiple_orders.response.v4.json", canceled
    pair = maker.place(home.strike_id, 200, 10.0)
    yield "cancel_order.response.v4.json", maker.post("/v4/mm/cancel_order", pair)
    event_id = stage.line().event_id
    where = {"event_id": event_id, "market_id": stage.line().market_id}
    for name, limits in (("event", {"event_id": event_id}), ("market", where)):
        maker.place(home.strike_id, 200, 10.0)
        answer = maker.post(f"/v4/mm/cancel_orders_by_{name}", limits)
        yield "cancel_orders_by.response.v4.json", answer
    maker.place(home.strike_id, 200, 10.0)
    yield "cancel_all_orders.response.v4.json", maker.post("/v4/mm/cancel_all_orders")
    nothing = maker.post("/v4/mm/cancel_all_orders", {})
    yield "error.404.no_cancellable_orders.v4.json", nothing


def _reports(stage: Stage, order_id: str) -> Shown:
    """Histories after a fill; the ledger after the settlement of another account."""
    maker = stage.maker
    now_s = stage.now_ns // 1_000_000_000
    window = f"from={now_s - WINDOW_S}&to={now_s + WINDOW_S}"
    history = f"/v4/mm/get_order_history?{window}"
    yield "get_order_history.response.v4.json", maker.get(history)
    yield "get_order_history.response.v4.last_page.json", maker.get(f"{history}&status=wiped")
    detail = maker.get(f"/v4/mm/get_order_matched_detail?order_id={order_id}")
    yield "get_order_matched_detail.response.v4.json", detail
    yield "get_trades.response.v4.json", maker.get(f"/v4/mm/get_trades?{window}")
    yield "get_transactions.response.v4.json", maker.get(f"/v4/mm/get_transactions?{window}")
    yield "get_matched_bets.response.legacy.json", maker.get(f"/mm/get_matched_bets?{window}")
    wagers = maker.get(f"/v2/mm/get_wager_histories?{window}")
    yield "get_wager_histories.response.legacy_v2.json", wagers


def orders_in_older_words() -> Shown:
    stage = Stage(rules=Rules(first_pass_ms=0), wire=WireRules(unversioned_words="legacy"))
    maker, (home, _) = stage.maker, stage.line().strikes
    placed = maker.post("/mm/place_order", maker.order(home.strike_id, -117, 117.0))
    yield "place_order.response.seed.json", placed
    batch = {"data": [maker.order(home.strike_id, -117, 117.0)]}
    yield "place_batch_orders.response.seed.json", maker.post("/mm/place_batch_orders", batch)
    wager = _wager(maker.order(home.strike_id, -117, 117.0))
    first = maker.post("/mm/place_wager", wager)
    yield "place_wager.response.legacy.json", first
    some = [_wager(maker.order(home.strike_id, 150, 10.0)), _wager(maker.order("x", 150, 10.0))]
    both = maker.post("/mm/place_multiple_wagers", {"data": some})
    yield "place_multiple_wagers.response.legacy.json", both
    small = maker.post("/mm/place_wager", _wager(maker.order(home.strike_id, 150, 0.5)))
    yield "error.400.invalid_request.min_stake.legacy.json", small
    stage.wait(1)
    pair = {
        "wager_id": first["data"]["wager"]["id"],
        "external_id": first["data"]["wager"]["external_id"],
    }
    yield "cancel_wager.response.legacy.json", maker.post("/mm/cancel_wager", pair)
    placed = both["data"]["succeed_wagers"][0]
    live = {"wager_id": placed["id"], "external_id": placed["external_id"]}
    canceled = maker.post("/mm/cancel_multiple_wagers", {"data": [live, pair]})
    yield "cancel_multiple_wagers.response.legacy.json", canceled
    yield "get_balance.response.legacy.json", maker.get("/mm/get_balance")


def _wager(order: dict[str, object]) -> dict[str, object]:
    return {
        "external_id": order["external_id"],
        "line_id": order["strike_id"],
        "odds": order["price"],
        "stake": order["quantity"],
    }


def cancel_races() -> Shown:
    rules = Rules(first_pass_ms=5_000)
    stage = Stage(rules=rules)
    maker, (home, _) = stage.maker, stage.line().strikes
    maker.login()
    placed = maker.call(
        "POST", "/partner/v4/mm/submit_order", maker.order(home.strike_id, 150, 10.0)
    )[1]
    order = placed["data"]["order"]
    pair = {"order_id": order["order_id"], "external_id": order["external_id"]}
    early = maker.call("POST", "/partner/v4/mm/cancel_order", pair)[1]
    yield "error.409.order_is_placing.v4.json", early
    stage.wait(1)
    yield "error.425.order_opened_retry.v4.json", maker.post("/v4/mm/cancel_order", pair)
    stage = Stage(rules=Rules(first_pass_ms=0, money=MoneyRules(fill_payment_ms=5_000)))
    line = stage.line()
    pair = stage.maker.place(line.strikes[0].strike_id, -117, 117.0)
    stage.other.place(line.strikes[1].strike_id, 114, 50.0)
    paying = stage.maker.post("/v4/mm/cancel_order", pair)
    yield "error.422.cancel_fill_in_progress.json", paying


SCENES: Final[tuple[Callable[[], Shown], ...]] = (
    sessions,
    listing,
    other_forms_of_the_listing,
    orders_v4,
    orders_in_older_words,
    cancel_races,
)
