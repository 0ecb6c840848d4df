"""Whatever a client sends, the box answers with a refusal and lives on."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.sim.scenario import SessionRules
from tests.sim.builders import Client, a_box, a_line

POSTS = (
    "/auth/login",
    "/auth/refresh",
    "/v4/mm/submit_order",
    "/v4/mm/submit_multiple_orders",
    "/v4/mm/cancel_order",
    "/v4/mm/cancel_multiple_orders",
    "/v4/mm/cancel_all_orders",
    "/v4/mm/cancel_orders_by_event",
    "/v4/mm/cancel_orders_by_market",
    "/v4/mm/websocket",
)
STEERING = ("news", "takers", "stop_mark", "faults", "event", "disconnect")
GETS = (
    "/mm/get_sport_events",
    "/v4/mm/get_markets",
    "/v4/mm/get_multiple_markets",
    "/v4/mm/get_strikes",
    "/v4/mm/get_order_history",
    "/v4/mm/get_order_matched_detail",
    "/v4/mm/get_trades",
    "/v4/mm/get_transactions",
    "/v4/mm/get_order/",
)
NAMES = (
    *("external_id", "strike_id", "price", "quantity", "order_strategy", "order_id", "event_id"),
    *("market_id", "data", "ids", "type", "subscriptions", "socket_id", "access_key", "limit"),
    *("secret_key", "refresh_token", "from", "to", "next_cursor", "status", "updated_at_from"),
    *("updated_at_to", "on", "code", "action", "shift_logit", "placement_disabled", "ws_host"),
)
BOX = a_box(session=SessionRules(requests_per_second_max=10**9))
CLIENT = Client(BOX)
STRIKE_ID = a_line(BOX).strikes[0].strike_id
EVENT_ID = a_line(BOX).event_id

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from([STRIKE_ID, "1.2", "all", "10079123:x", EVENT_ID, 900, 5.0, "a-1"])
)
bodies = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(POSTS), bodies)
def test_no_body_breaks_a_route(route: str, body: object) -> None:
    status, answer = CLIENT.api("POST", route, body)
    assert status in {200, 400, 401, 403, 404}, answer
    CLIENT.wait(0.02)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(STEERING), bodies)
def test_no_body_breaks_the_steering(name: str, body: object) -> None:
    box = Client(a_box())
    assert box.call("POST", f"/_box/{name}", body)[0] in {200, 400, 404}
    box.wait(0.5)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(GETS),
    st.dictionaries(st.sampled_from(NAMES), st.text("0123456789-abn,%", max_size=6), max_size=4),
)
def test_no_query_breaks_a_route(route: str, query: dict[str, str]) -> None:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    status, answer = CLIENT.api("GET", f"{route}?{text}")
    assert status in {200, 400, 404}, answer


@settings(max_examples=50, deadline=None)
@given(bodies)
def test_no_frame_breaks_the_stream(body: object) -> None:
    stream = CLIENT.listen()
    for event in ("pusher:subscribe", "pusher:signin", "pusher:unsubscribe", "x"):
        if not stream.connection.closed:
            stream.send(event, body)
    BOX.hub.receive(stream.connection, json.dumps(body), BOX.exchange.now_ns)
    assert CLIENT.api("GET", "/v4/mm/get_balance")[0] == 200
