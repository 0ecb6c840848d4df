"""Whatever a client sends, the box answers with a refusal of the table and lives on."""

from __future__ import annotations

import json
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.sim.dialects.errors import ERRORS, WAGER_CODES
from mmbot.sim.dialects.table import ROUTES
from mmbot.sim.scenario import SessionRules
from tests.sim.builders import Client, a_box, a_line

POSTS = sorted({route.path for route in ROUTES if route.method == "POST"})
GETS = sorted({route.path for route in ROUTES if route.method == "GET"})
STEERING = ("news", "takers", "stop_mark", "faults", "event", "disconnect", "do", "rules")
KNOWN_CODES = {*ERRORS, *WAGER_CODES.values(), "forbidden", None}
NAMES = (
    *("external_id", "strike_id", "price", "quantity", "order_strategy", "order_id", "event_id"),
    *("market_id", "data", "ids", "type", "subscriptions", "socket_id", "access_key", "limit"),
    *("secret_key", "refresh_token", "from", "to", "next_cursor", "status", "updated_at_from"),
    *("updated_at_to", "on", "code", "action", "shift_logit", "placement_disabled", "ws_host"),
    *("line_id", "odds", "stake", "wager_id", "wager_ids", "wager_strategy", "channel_name"),
    *("tournament_id", "event_ids", "strike_ids", "order_ids", "transaction_type"),
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
    | st.sampled_from([STRIKE_ID, "1.2", "all", "10079123:x", EVENT_ID, 900, 5.0, "a-1", -100])
    | st.sampled_from([10**30, -(10**30), 1e300, "9" * 40, "x" * 5000])
)
bodies = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=12,
)
header_texts = st.text(st.characters(min_codepoint=32, max_codepoint=0xDCFF), max_size=12)
headers = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(
            ["application/json", "application/x-www-form-urlencoded", "text/plain", "", "\xff"]
        ),
        "X-CFTC-Terminology": st.sampled_from(["true", "TRUE", "false", "", "\udcff"]),
        "header-subscriptions": header_texts | st.just("[" * 5000),
        "X-Other": header_texts,
    },
)


def answered(method: str, path: str, raw: bytes, more: dict[str, str]) -> int:
    """The status of an answer that is of the documented form."""
    if not CLIENT.token:
        CLIENT.login()
    given_headers = {"Authorization": f"Bearer {CLIENT.token}"} | more
    reply = BOX.http(method, path, given_headers, raw, CLIENT.now_ns)
    answer = json.loads(reply.body)
    code = answer.get("error") if isinstance(answer, dict) else None
    assert code in KNOWN_CODES, answer
    assert (reply.status == 200) == (code is None), answer
    CLIENT.wait(0.02)
    return reply.status


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(POSTS), bodies, headers)
def test_no_body_breaks_a_route(route: str, body: object, more: dict[str, str]) -> None:
    status = answered("POST", f"/partner{route}", json.dumps(body).encode(), more)
    assert status in {200, 400, 401, 403, 404}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(POSTS), st.binary(max_size=40), headers)
def test_no_bytes_break_a_route(route: str, raw: bytes, more: dict[str, str]) -> None:
    assert answered("POST", f"/partner{route}", raw, more) in {200, 400, 401, 403, 404}


def test_a_deep_body_is_no_request() -> None:
    for raw in (b"[" * 100_000, b'{"data":' * 900 + b"1" + b"}" * 900, b'{"a":' * 20_000):
        for route in POSTS:
            assert answered("POST", f"/partner{route}", raw, {}) in {400, 401, 404, 200}


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(STEERING), bodies)
def test_no_body_breaks_the_steering(name: str, body: object) -> None:
    box = Client(a_box())
    assert box.call("POST", f"/_box/{name}", body)[0] in {200, 400, 404}
    box.wait(0.5)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(GETS),
    st.dictionaries(
        st.sampled_from(NAMES),
        st.text("0123456789-abn,%=", max_size=8) | st.text(max_size=4).map(quote),
        max_size=4,
    ),
    headers,
)
def test_no_query_breaks_a_route(route: str, query: dict[str, str], more: dict[str, str]) -> None:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    assert answered("GET", f"/partner{route}?{text}", b"", more) in {200, 400, 404}


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "get", ""]),
    st.text("/abcmv4.?&#%[]:;_ \\\x00\xff", max_size=12)
    | st.sampled_from(["//[x", "/partner//[", "?", "/partner/mm/get_order/" + "a" * 9000]),
)
def test_no_path_breaks_the_box(method: str, path: str) -> None:
    for place in (path, f"/partner/{path}", f"/_box/{path}", f"/_feed/{path}"):
        reply = BOX.http(method, place, {"Authorization": "Bearer \udcff"}, b"", CLIENT.now_ns)
        assert reply.status in {200, 304, 400, 401, 403, 404}


@settings(max_examples=50, deadline=None)
@given(bodies)
def test_no_frame_breaks_the_stream(body: object) -> None:
    stream = CLIENT.listen()
    for event in ("pusher:subscribe", "pusher:signin", "pusher:unsubscribe", "x"):
        if not stream.connection.closed:
            stream.send(event, body)
    BOX.hub.receive(stream.connection, json.dumps(body), BOX.exchange.now_ns)
    assert CLIENT.api("GET", "/v4/mm/get_balance")[0] == 200
