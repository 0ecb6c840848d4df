"""What the box answers has the shape of the contract's examples: same keys, same kinds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mmbot.sim.box import DATA
from mmbot.sim.scenario import SessionRules
from tests.sim.builders import (
    NS,
    Client,
    Stream,
    a_box,
    a_line,
    a_second_client,
    decoded,
)

EXAMPLES = DATA / "contract"


def example(name: str) -> Any:
    return json.loads((EXAMPLES / name).read_text())


def kind(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(type(value).__name__)
    return "number" if isinstance(value, int | float) else type(value).__name__


def differences(answer: Any, wanted: Any, where: str = "") -> list[str]:
    """Where the answer's shape is not the example's; lists are compared by their items' shapes."""
    if isinstance(wanted, dict) and isinstance(answer, dict):
        if wanted.keys() != answer.keys():
            return [f"{where}: keys {sorted(wanted.keys() ^ answer.keys())}"]
        return [
            text
            for key in wanted
            for text in differences(answer[key], wanted[key], f"{where}.{key}")
        ]
    if isinstance(wanted, list) and isinstance(answer, list):
        if not wanted or not answer:
            return []
        return [
            text
            for index, item in enumerate(answer)
            for text in min(
                (differences(item, one, f"{where}[{index}]") for one in wanted), key=len
            )
        ]
    if wanted is None or answer is None:  # nullable on this surface
        return []
    if kind(answer) != kind(wanted):
        return [f"{where}: {kind(answer)} instead of {kind(wanted)}"]
    return []


def same_shape(answer: Any, name: str) -> None:
    assert differences(answer, example(name)) == []


def test_the_comparison_itself_sees_a_difference() -> None:
    wanted = example("get_order.response.v4.flat.json")
    assert differences(wanted, wanted) == []
    assert differences({"data": wanted["data"]}, wanted)
    changed = wanted | {"last_synced_at": 5}
    assert differences(changed, wanted)
    batch = example("submit_multiple_orders.response.v4.json")
    del batch["data"]["succeed_orders"][1]["price"]
    assert differences(batch, example("submit_multiple_orders.response.v4.json"))


def test_log_in_and_refresh() -> None:
    client = Client(a_box())
    answer = client.login()
    same_shape(answer, "auth_login.response.json")
    refresh = {"refresh_token": answer["data"]["refresh_token"]}
    status, answer = client.call("POST", "/partner/auth/refresh", refresh)
    assert status == 200
    same_shape(answer, "auth_refresh.response.json")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v4/mm/get_balance", "get_balance.response.v4.json"),
        ("/v4/mm/get_price_ladder", "get_price_ladder.response.v4.json"),
        ("/mm/get_tournaments", "get_tournaments.response.json"),
        ("/mm/get_sport_events", "get_sport_events.response.json"),
        ("/mm/get_sport_events?tournament_id=999", "get_sport_events.response.empty.json"),
        ("/websocket/connection-config", "connection_config.response.talaria.json"),
    ],
)
def test_reads_without_orders(path: str, name: str) -> None:
    status, answer = Client(a_box()).api("GET", path)
    assert status == 200
    same_shape(answer, name)


def test_the_ladder_is_the_packaged_one() -> None:
    _, answer = Client(a_box()).api("GET", "/v4/mm/get_price_ladder")
    assert answer == example("get_price_ladder.response.v4.json")


def test_markets_in_all_their_nestings() -> None:
    box = a_box(traders=True)
    client = Client(box)
    client.wait(5)
    events = list(box.exchange.listing.events)
    for event_id in events:
        status, answer = client.api("GET", f"/v4/mm/get_markets?event_id={event_id}")
        assert status == 200
        same_shape(answer, "get_markets.response.v4.json")
    ids = ",".join(map(str, [*events, 5]))
    _, answer = client.api("GET", f"/v4/mm/get_multiple_markets?event_ids={ids}")
    assert answer["data"].pop("5") is None
    shape = example("get_markets.response.v4.json")["data"]["markets"]
    for markets in answer["data"].values():
        assert differences(markets, shape) == []
    strike_ids = ",".join(list(box.exchange.listing.strikes)[:20])
    _, answer = client.api("GET", f"/v4/mm/get_strikes?strike_ids={strike_ids}")
    assert len(answer["data"]) == 20
    same_shape(answer, "get_strikes.response.v4.json")


def test_orders_fills_and_money() -> None:
    box = a_box()
    client, taker = Client(box), a_second_client(box)
    line = a_line(box)
    status, answer = client.api(
        "POST", "/v4/mm/submit_order", client.order(line.strikes[0].strike_id, -117, 117.0)
    )
    same_shape(answer, "submit_order.response.v4.json")
    order_id = answer["data"]["order"]["order_id"]
    batch = [client.order(line.strikes[0].strike_id, 150, 10.0), client.order("unknown", 101, 10.0)]
    _, answer = client.api("POST", "/v4/mm/submit_multiple_orders", {"data": batch})
    same_shape(answer, "submit_multiple_orders.response.v4.json")
    rests = answer["data"]["succeed_orders"][0]
    client.wait(0.1)
    taker.wait(0.1)
    taker.place(line.strikes[1].strike_id, 114, 50.0)
    now_s = client.now_ns // NS
    window = f"from={now_s - 100}&to={now_s + 100}"
    for path, name in (
        (f"/v4/mm/get_order/{order_id}", "get_order.response.v4.flat.json"),
        (f"/v4/mm/get_order_history?{window}", "get_order_history.response.v4.json"),
        (
            f"/v4/mm/get_order_history?{window}&status=wiped",
            "get_order_history.response.v4.last_page.json",
        ),
        (
            f"/v4/mm/get_order_matched_detail?order_id={order_id}",
            "get_order_matched_detail.response.v4.json",
        ),
        (f"/v4/mm/get_trades?{window}", "get_trades.response.v4.json"),
        (f"/v4/mm/get_transactions?{window}", "get_transactions.response.v4.json"),
    ):
        status, answer = client.api("GET", path)
        assert status == 200, answer
        same_shape(answer, name)
    pair = {"order_id": rests["order_id"], "external_id": rests["external_id"]}
    gone = pair | {"order_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12}
    _, answer = client.api("POST", "/v4/mm/cancel_multiple_orders", {"data": [pair, gone]})
    same_shape(answer, "cancel_multiple_orders.response.v4.json")
    _, answer = client.api("POST", "/v4/mm/cancel_all_orders", {})
    same_shape(answer, "cancel_all_orders.response.v4.json")


def test_refusals() -> None:
    box = a_box(session=SessionRules(requests_per_second_max=3))
    client = Client(box)
    status, answer = client.call("GET", "/partner/v4/mm/get_balance")
    assert status == 401
    same_shape(answer, "error.401.json")
    _, answer = client.api("POST", "/v4/mm/cancel_all_orders")
    same_shape(answer, "error.404.no_cancellable_orders.v4.json")
    for _ in range(3):
        status, answer = client.api("GET", "/v4/mm/get_balance")
    assert status == 429
    same_shape(answer, "error.429.rate_limit_reached.json")


def test_the_registration() -> None:
    box = a_box()
    client = Client(box)
    body = example("websocket_register.request.v4.json")
    _, answer = client.api("POST", "/v4/mm/websocket", body)
    same_shape(answer, "websocket_register.response.v4.json")
    names = [one["channel_name"] for one in answer["data"]["authorized_channel"]]
    wanted = example("websocket_register.response.v4.json")["data"]["authorized_channel"]
    user = box.maker.user_id.replace("-", "")
    shown = "5f0a8c1e2b7d4e559a416c0d3b7e9f12"
    assert names == [one["channel_name"].replace(shown, user) for one in wanted]
    body["subscriptions"][2:] = [
        {"type": "event", "ids": ["all"]},
        {"type": "event_subtype", "ids": ["10079123player_total_receiving_yards"]},
        {"type": "league", "ids": ["31"]},
    ]
    _, answer = client.api("POST", "/v4/mm/websocket", body)
    same_shape(answer, "websocket_register.response.v4.rejected.json")
    wanted = example("websocket_register.response.v4.rejected.json")["data"]["rejected"]
    assert answer["data"]["rejected"] == wanted


def same_message(frame: dict[str, Any], name: str) -> None:
    """Frame, envelope and payload against the wire and the decoded example."""
    same_shape(frame, f"{name}.wire.json")
    wanted = example(f"{name}.decoded.json")
    data = json.loads(frame["data"])
    assert (data["change_type"], data["op"]) == (wanted["change_type"], wanted["op"])
    assert differences(decoded(frame), wanted["payload"]) == []


def _frames(stream: Stream, event: str, change_type: str) -> list[dict[str, Any]]:
    return [
        frame
        for frame in stream.frames()
        if frame["event"] == event and json.loads(frame["data"])["change_type"] == change_type
    ]


def test_stream_messages() -> None:
    box = a_box()
    client, taker = Client(box), a_second_client(box)
    line = a_line(box)
    stream = client.listen(line.event_id)
    order = client.place(line.strikes[0].strike_id, -117, 117.0)
    [activated] = [one for one in stream.frames() if one["event"] == "orders"]
    same_message(activated, "ws_order.activated")
    taker.wait(1)
    taker.place(line.strikes[1].strike_id, 114, 50.0)
    [print_] = _frames(stream, "tournament_31", "matched_order")
    same_message(print_, "ws_matched_order")
    taker.place(line.strikes[1].strike_id, 114, 10.0)
    [partial] = [one for one in stream.frames() if one["event"] == "orders"]
    same_message(partial, "ws_order.partial_fill")
    client.wait(2)
    stream.frames()
    client.cancel(order)
    [canceled] = [one for one in stream.frames() if one["event"] == "orders"]
    same_message(canceled, "ws_order.canceled_rest")
    client.place(line.strikes[0].strike_id, 170, 10.0)
    client.wait(5)
    frames = stream.frames()
    books = [one for one in frames if one["event"] == "market_selections"]
    same_message(books[-1], "ws_market_selections.event")
    same_message(books[-1], "ws_market_selections.empty_side")
    health = next(one for one in frames if one["event"] == "health_check")
    same_message(health, "ws_health_check")
    client.call("POST", "/_box/settle")
    frames = stream.frames()
    settled = [one for one in frames if one["event"] == "orders"]
    for frame, name in zip(settled, ("wiped", "closed_loss"), strict=True):
        same_message(frame, f"ws_order.{name}")
