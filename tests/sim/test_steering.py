"""Steering the box: who may, what can be moved, and what can be seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sim.builders import NS, Client, a_box

TOKEN = "0123456789abcdef"


def steer(client: Client, action: str, **more: Any) -> tuple[int, Any]:
    return client.call("POST", "/_box/do", {"action": action, **more})


# -- who may ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("POST", "faults"), ("DELETE", "faults"), ("POST", "do"), ("POST", "rules"),
        ("POST", "news"), ("POST", "event"), ("POST", "takers"), ("POST", "settle"),
        ("POST", "stop_mark"), ("POST", "disconnect"), ("PUT", "faults"),
    ],
)  # fmt: skip
def test_nobody_steers_without_the_token(method: str, name: str) -> None:
    box = a_box(control_token=TOKEN)
    for given in ({}, {"X-Box-Token": ""}, {"X-Box-Token": TOKEN[:-1]}, {"X-Box-Token": "é"}):
        reply = box.http(method, f"/_box/{name}", given, b'{"on": false}', box.started_ns)
        assert (reply.status, json.loads(reply.body)["error"]) == (403, "control_token")
    shown = {"x-box-TOKEN": TOKEN}
    assert box.http(method, f"/_box/{name}", shown, b"{}", box.started_ns).status != 403


def test_looking_is_free_and_shows_no_secret() -> None:
    box = a_box(control_token=TOKEN)
    client = Client(box)
    client.login()
    for name in (
        "whoami", "state", "record", "faults", "fault_table", "unknowns", "rules", "truth",
        "truth/totals",
    ):  # fmt: skip
        reply = box.http("GET", f"/_box/{name}", {}, b"", client.now_ns)
        assert reply.status == 200, name
        for secret in (TOKEN, client.token, client.account.secret_key):
            assert secret.encode() not in reply.body


def test_nonsense_is_refused_in_words() -> None:
    client = Client(a_box())
    assert client.call("POST", "/_box/no_such", {})[0] == 404
    assert client.call("GET", "/_box/no_such")[0] == 404
    wrong: list[object] = [None, [], 7, {}, {"action": "fly"}, {"action": "cash"}]
    for body in [*wrong, {"action": "cash", "u": 1}]:
        status, answer = client.call("POST", "/_box/do", body)
        assert (status, answer["error"]) == (400, "invalid_param"), body
    reply = client.box.http("POST", "/_box/do", {}, b"\xff{", client.now_ns)
    assert reply.status == 400
    wrong = [None, [], {"session": 1}, {"sesion": {}}, {"session": {"access_life": 1}}]
    for body in wrong:
        assert client.call("POST", "/_box/rules", body)[0] == 400, body


# -- rules at run time --------------------------------------------------------------------


# faults: D1
def test_the_life_of_a_token_changes_while_the_box_runs() -> None:
    client = Client(a_box())
    first = client.login()["data"]["access_expire_time"] - client.now_ns // NS
    client.call("POST", "/_box/rules", {"session": {"access_life_s": 30}})
    second = client.login()["data"]["access_expire_time"] - client.now_ns // NS
    assert (first, second) == (600, 30)
    client.wait(31)
    assert client.api("GET", "/v4/mm/get_balance")[0] == 401
    shown = client.call("GET", "/_box/rules")[1]
    assert shown["session"]["access_life_s"] == 30


def test_what_is_fixed_at_birth_is_refused_and_not_shown_as_if_it_were_in_force() -> None:
    client = Client(a_box())
    before = client.call("GET", "/_box/rules")[1]
    for change in ({"fee_bps": 100}, {"activation": {"delay": "never"}}, {"ladder": "dense_555"}):
        status, answer = client.call("POST", "/_box/rules", {"rules": change})
        assert (status, answer["error"]) == (400, "invalid_param"), change
        assert "fixed at birth" in answer["message"]
    assert client.call("GET", "/_box/rules")[1] == before
    assert client.call("POST", "/_box/rules", before)[0] == 200


def test_what_happens_again_and_again_keeps_a_distance() -> None:
    client = Client(a_box())
    for change in ({"session": {"health_check_s": 0}}, {"rules": {"money": {"credit_sync_ms": 0}}}):
        status, answer = client.call("POST", "/_box/rules", change)
        assert (status, answer["error"]) == (400, "invalid_param"), change
        assert "must be between" in answer["message"]
    client.wait(20)


# faults: E8 G8
def test_limits_and_switches_of_the_exchange_change_while_the_box_runs() -> None:
    client = Client(a_box())
    client.login()
    changes = {"session": {"channel_limit": 1}, "rules": {"alo_disabled": True}}
    assert client.call("POST", "/_box/rules", changes)[0] == 200
    strike = client.box.exchange.listing.lines[0].strikes[0].strike_id
    body = client.order(strike, 100, 10.0, order_strategy="ALO")
    error = client.api("POST", "/v4/mm/submit_order", body)[1]["error"]
    assert error == "err_add_liquidity_only_disabled"
    wish = [{"type": "event", "ids": ["1", "2"]}]
    stream = client.listen()
    registration = {"socket_id": stream.socket_id, "subscriptions": wish}
    status, answer = client.api("POST", "/v4/mm/websocket", registration)
    assert (status, answer["error"]) == (400, "exceed_subscription_count")


# -- by hand ------------------------------------------------------------------------------


# faults: B12 G6
def test_a_person_places_and_cancels_on_the_account_of_a_client() -> None:
    client = Client(a_box())
    client.login()
    status, placed = steer(client, "place", price=100, usd=25.0, event=2, line=1, side=1)
    assert status == 200
    client.wait(1)
    order = client.read(placed["order_id"])
    assert (order["status"], order["quantity"]) == ("open", 25)
    assert order["external_id"].startswith("by-hand")
    assert steer(client, "cancel")[1] == {"cancelled": 1}
    assert client.read(placed["order_id"])["status"] == "canceled"
    assert steer(client, "place", price=101_000, usd=25.0)[0] == 400
    assert steer(client, "place", price=100, usd=25.0, event=99)[0] == 404
    assert steer(client, "place", price=100, usd=25.0, account="nobody")[0] == 404


# faults: G5 G10 B8
def test_all_open_orders_of_an_event_are_taken_at_once() -> None:
    client = Client(a_box())
    events = list(client.box.exchange.listing.events.values())
    for event in events[:2]:
        for line in event.lines[:3]:
            client.place(line.strikes[0].strike_id, 100, 10.0)
    now_ns = client.now_ns
    assert steer(client, "take", event=1) == (200, {"fills": 3})
    assert client.now_ns == now_ns
    record = client.record()
    assert {one["event_id"] for one in record["orders"] if one["filled_cents"]} == {
        events[0].event_id
    }
    assert steer(client, "take", usd=4.0)[1] == {"fills": 3}
    assert [one["open_cents"] for one in client.record()["orders"]][3:] == [600, 600, 600]


def test_who_takes_an_order_takes_what_trades_before_it() -> None:
    client = Client(a_box())
    other = Client(client.box, client.box.add_account("other", "key-o", "secret-o"))
    strike = client.box.exchange.listing.lines[0].strikes[0].strike_id
    better = other.place(strike, -120, 10.0)
    client.now_ns = other.now_ns
    mine = client.place(strike, 100, 10.0)
    assert steer(client, "take", usd=3.0)[1] == {"fills": 1}
    assert client.read(mine["order_id"])["filled_quantity"] == 3
    other.now_ns = client.now_ns
    assert other.read(better["order_id"])["matching_status"] == "fully_matched"


# faults: D16
def test_a_restart_drops_sockets_and_rest_and_forgets_orders() -> None:
    client = Client(a_box())
    stream = client.listen()
    strike = client.box.exchange.listing.lines[0].strikes[0].strike_id
    for n in range(8):
        client.place(strike, 100 + 2 * n, 10.0)
    before = stream.payloads("orders")[-1]["info"]["sequence_number"]
    status, told = steer(client, "restart", down_s=120, lost_share=0.5)
    assert status == 200
    assert 1 <= told["orders_gone"] <= 7
    assert stream.connection.closed
    client.wait(60)
    headers = {"Authorization": f"Bearer {client.token}"}
    reply = client.box.http("GET", "/partner/v4/mm/get_balance", headers, b"", client.now_ns)
    assert (reply.status, reply.headers["Content-Type"]) == (502, "text/html")
    refused = client.box.connect(client.box.hub.app.key, {"protocol": "7"}, client.now_ns)
    assert refused.closed
    client.wait(61)
    assert client.record()["open_orders_now"] == 8 - told["orders_gone"]
    stream = client.listen()
    client.place(strike, 120, 10.0)
    assert stream.payloads("orders")[-1]["info"]["sequence_number"] < before


# faults: F5 F12
def test_news_of_an_event_that_is_listed_under_a_new_id_since_a_moment() -> None:
    client = Client(a_box())
    for action in ("unlist", "relist"):
        more = {"new_id": True} if action == "relist" else {}
        assert steer(client, action, event=1, **more)[0] == 200
    for event_id in client.box.exchange.listing.events:
        client.call("POST", "/_box/news", {"event_id": event_id})
    client.wait(5)


# faults: E15
def test_a_burst_of_book_messages() -> None:
    client = Client(a_box())
    event_id = next(iter(client.box.exchange.listing.events))
    stream = client.listen(event_id)
    assert steer(client, "burst", messages=5000, event=1) == (200, {"messages": 5000})
    sequences = [p["info"]["sequence_number"] for p in stream.payloads("market_selections")]
    assert len(sequences) == 5000
    assert sequences == sorted(set(sequences))


# faults: D3 D6 C8
def test_tokens_and_accounts_end_when_told() -> None:
    client = Client(a_box())
    client.login()
    assert steer(client, "expire_tokens")[0] == 200
    assert client.api("GET", "/v4/mm/get_balance")[0] == 401
    client.login()
    assert steer(client, "suspend_account")[0] == 200
    strike = client.box.exchange.listing.lines[0].strikes[0].strike_id
    status, _ = client.api("POST", "/v4/mm/submit_order", client.order(strike, 100, 10.0))
    assert status == 403


# faults: G2 C9
def test_cash_halves_in_mid_flight() -> None:
    client = Client(a_box())
    client.login()
    assert steer(client, "cash", usd=50_000)[1] == {"cash_cents": 5_000_000}
    assert client.api("GET", "/v4/mm/get_balance")[1]["data"]["balance"] == 50_000


# faults: E6
def test_the_stream_moves() -> None:
    client = Client(a_box())
    client.login()
    steer(client, "move_stream", host="elsewhere:1", cluster="mt9", close_code=4200)
    config = client.api("GET", "/websocket/connection-config")[1]
    assert (config["ws_host"], config["cluster"]) == ("elsewhere:1", "mt9")


# faults: G3 E10
def test_answers_that_miss_a_key_or_come_in_another_order() -> None:
    client = Client(a_box())
    client.login()
    stream = client.listen()
    body = {"socket_id": stream.socket_id, "subscriptions": []}
    usual = client.api("POST", "/v4/mm/websocket", body)[1]["data"]["authorized_channel"]
    client.call("POST", "/_box/faults", {"balance_key_absent": True, "channels_shuffled": True})
    assert "balance" not in client.api("GET", "/v4/mm/get_balance")[1]["data"]
    told = client.api("POST", "/v4/mm/websocket", body)[1]["data"]["authorized_channel"]
    assert told == usual[::-1] != usual


def test_the_clock_in_the_date_header_is_wrong() -> None:
    client = Client(a_box())
    headers: list[str] = []
    for skew_s in (0, 90):
        client.call("POST", "/_box/faults", {"clock_skew_s": skew_s})
        reply = client.box.http("GET", "/partner/v4/mm/get_balance", {}, b"", client.now_ns)
        headers.append(reply.headers["Date"])
    minutes = [int(text.split(":")[1]) * 60 + int(text[-6:-4]) for text in headers]
    assert minutes[1] - minutes[0] == 90


def test_orders_from_an_unknown_address_are_refused() -> None:
    client = Client(a_box())
    client.login()
    client.call("POST", "/_box/faults", {"placement_ip_refused": True})
    strike = client.box.exchange.listing.lines[0].strikes[0].strike_id
    status, answer = client.api("POST", "/v4/mm/submit_order", client.order(strike, 100, 10.0))
    assert (status, answer["error"]) == (403, "placement_ip_refused")
    assert client.api("POST", "/v4/mm/cancel_all_orders", {})[0] == 404
