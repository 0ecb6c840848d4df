"""What a stranger with the contract in hand found: wrong questions get their documented refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sim.builders import NS, START_NS, Client, a_box, a_line, a_second_client

WINDOW = f"from={START_NS // NS}&to={START_NS // NS + 60}"


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("login", None),
        ("login", {}),
        ("login", [1]),
        ("login", {"access_key": "x"}),
        ("login", {"access_key": "x", "secret_key": None}),
        ("login", {"access_key": 1, "secret_key": 2}),
        ("refresh", {}),
        ("refresh", {"refresh_token": None}),
    ],
)
def test_a_log_in_without_its_fields_is_a_malformed_request(route: str, body: object) -> None:
    status, answer = Client(a_box()).call("POST", f"/partner/auth/{route}", body)
    assert (status, answer["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("status=opened", "invalid_param"),
        ("matching_status=matched", "invalid_param"),
        ("market_id=0", "invalid_market_id"),
        ("market_id=x", "invalid_market_id"),
        ("event_id=0", "invalid_event_id"),
        ("event_id=2147483648", "invalid_event_id"),
    ],
)
def test_a_filter_that_fits_nothing_is_refused(query: str, code: str) -> None:
    """An empty list would say that there is no such order."""
    client = Client(a_box())
    client.login()
    for route in ("/v4/mm/get_order_history", "/v2/mm/get_wager_histories"):
        status, answer = client.api("GET", f"{route}?{WINDOW}&{query}")
        assert (status, answer["error"]) == (400, code)
    status, answer = client.api("GET", f"/v4/mm/get_order_history?{WINDOW}&status=settled")
    assert status == 200


def test_filters_of_fills_and_money_are_looked_at_too() -> None:
    client = Client(a_box())
    client.login()
    status, answer = client.api("GET", "/v4/mm/get_transactions?transaction_type=TRADES")
    assert (status, answer["error"]) == (400, "invalid_param")
    status, answer = client.api("GET", "/v4/mm/get_order_matched_detail?order_ids=x")
    assert (status, answer["error"]) == (400, "invalid_order_id")


@pytest.mark.parametrize("usd", [100_000_000.01, 1e12, 1e300, 10**30])
def test_a_quantity_above_the_maximum_is_that_however_large(usd: float) -> None:
    client = Client(a_box())
    client.login()
    body = client.order(a_line(client.box).strikes[0].strike_id, 100, usd)
    status, answer = client.api("POST", "/v4/mm/submit_order", body)
    assert (status, answer["error"]) == (400, "order_quantity_exceeds_max")


@pytest.mark.parametrize("strike_id", ["x", 7, "0" * 31, ["0" * 32]])
def test_cancelling_a_market_looks_at_the_strike(strike_id: Any) -> None:
    client = Client(a_box())
    client.login()
    line = a_line(client.box)
    body = {"event_id": line.event_id, "market_id": line.market_id, "strike_id": strike_id}
    status, answer = client.api("POST", "/v4/mm/cancel_orders_by_market", body)
    assert (status, answer["error"]) == (400, "invalid_strike_id")


def test_a_flag_is_true_or_false() -> None:
    client = Client(a_box())
    client.login()
    for word, status in (("true", 200), ("false", 200), ("maybe", 400)):
        assert client.api("GET", f"/mm/get_tournaments?has_active_events={word}")[0] == status


def test_the_history_says_when_an_order_was_settled() -> None:
    box = a_box()
    maker, taker = Client(box), a_second_client(box)
    maker.login()
    side_a, side_b = a_line(box).strikes
    maker.place(side_a.strike_id, 100, 10.0)
    taker.place(side_b.strike_id, 100, 10.0)

    def rows() -> tuple[dict[str, Any], dict[str, Any]]:
        v4 = maker.api("GET", f"/v4/mm/get_order_history?{WINDOW}")[1]["data"]["orders"]
        legacy = maker.api("GET", f"/v2/mm/get_wager_histories?{WINDOW}")[1]["data"]["wagers"]
        return v4[0], legacy[0]

    v4, legacy = rows()
    assert "settled_at" not in v4
    assert legacy["settled_at"] is None
    settle = {"action": "settle", "event": a_line(box).event_id}
    assert maker.call("POST", "/_box/do", settle)[0] == 200
    v4, legacy = rows()
    assert v4["settled_at"] == legacy["settled_at"] == v4["updated_at"]
    assert "settled_at" not in maker.read(v4["order_id"])
    reverse = {"action": "reverse", "event": a_line(box).event_id}
    assert maker.call("POST", "/_box/do", reverse)[0] == 200
    assert "settled_at" not in rows()[0]


def test_a_game_of_a_thousand_lines_is_listed() -> None:
    """Nothing is certain far from the middle, and no total is negative."""
    client = Client(a_box())
    many = {"action": "list", "lines": 1000, "props": 0}
    status, answer = client.call("POST", "/_box/do", many)
    assert (status, answer["lines"]) == (200, 1000)
    event = client.box.exchange.listing.events[answer["event_id"]]
    assert min(line.number for line in event.lines if line.kind == "total") == 0.5


def test_a_subscription_that_names_no_channel_is_a_malformed_frame() -> None:
    client = Client(a_box())
    client.login()
    stream = client.box.connect("a1b2c3d4e5f6a7b8c9d0", {"protocol": "7"}, client.now_ns)
    stream.out.clear()
    for data in ({}, {"channel": 5}, {"channel": None, "auth": "a:b"}):
        frame = json.dumps({"event": "pusher:subscribe", "data": data})
        client.box.receive(stream, frame, client.now_ns)
    assert [json.loads(str(out))["event"] for out in stream.out] == ["pusher:error"] * 3
