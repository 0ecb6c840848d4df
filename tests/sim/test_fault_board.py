"""Faults inside the box: the same over sockets and in memory, aimed, counted, and visible."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mmbot.sim.core.messages import Json
from mmbot.sim.faults.plan import CLIENT_ONLY, Fault
from mmbot.sim.http.replies import Reply
from mmbot.sim.scenario import BoxOptions, Drift, with_table
from tests.sim.builders import NS, Client, a_box

CALM = Drift(step_ms=60_000)
PLACE = "/v4/mm/submit_order"


def a_client(**options: Any) -> Client:
    client = Client(a_box(**options))
    client.login()
    return client


def strike_of(client: Client, line: int = 0, side: int = 0) -> str:
    return client.box.exchange.listing.lines[line].strikes[side].strike_id


def switch_on(client: Client, *rules: Json) -> dict[str, Any]:
    status, shown = client.call("POST", "/_box/faults", list(rules))
    assert status == 200, shown
    found: dict[str, Any] = shown
    return found


def ask(client: Client, method: str, path: str, body: object = None) -> Reply:
    """A request of which nothing may come back."""
    headers = {"Authorization": f"Bearer {client.token}"}
    raw = b"" if body is None else json.dumps(body).encode()
    return client.box.http(method, "/partner" + path, headers, raw, client.now_ns)


def placed(client: Client) -> list[str]:
    return [one["external_id"] for one in client.record()["orders"]]


# faults: A1 A15
@pytest.mark.parametrize("late_s", [0.1, 5, 45, 3600])
def test_an_order_that_lands_late_is_an_order_like_any_other(late_s: float) -> None:
    client = a_client(drift=CALM)
    taker = Client(client.box, client.box.add_account("taker", "key", "secret"))
    switch_on(client, {"fault": "lands_late", "rate": 1, "times_max": 1, "late_s": [late_s]})
    done = ask(client, "POST", PLACE, client.order(strike_of(client), 100, 10.0))
    assert done.lost
    client.wait(late_s * 0.9)
    assert placed(client) == []
    client.wait(late_s * 0.1 + 0.1)
    assert len(placed(client)) == 1
    taker.now_ns = client.now_ns
    order = taker.place(strike_of(client, side=1), 100, 10.0)
    assert order["matching_status"] == "fully_matched"
    assert client.record()["fills_count"] == 1


# faults: A2 A3b A4 A5 D7 D8 D13
@pytest.mark.parametrize(
    ("fault", "status", "word", "landed"),
    [
        (Fault.REPLY_RESET, 0, "", 1),
        (Fault.REPLY_HANGS, 0, "", 1),
        (Fault.REQUEST_RESET, 0, "", 0),
        (Fault.REQUEST_HANGS, 0, "", 0),
        (Fault.ERROR_BEFORE, 500, "order_", 0),
        (Fault.ERROR_AFTER, 500, "order_", 1),
        (Fault.HTML_BEFORE, 502, "<html>", 0),
        (Fault.HTML_AFTER, 504, "<html>", 1),
        (Fault.EMPTY_DATA, 200, '{"data": {}}', 1),
        (Fault.TOO_MANY, 429, "rate_limit_reached", 0),
        (Fault.TOO_MANY_DELAYED, 429, "too_many_delayed_requests", 0),
        (Fault.UNAUTHORIZED, 401, "unauthorized", 0),
        (Fault.MAINTENANCE, 403, "err_order_placement_disabled", 0),
    ],
)
def test_a_fault_of_a_placement(fault: Fault, status: int, word: str, landed: int) -> None:
    client = a_client()
    switch_on(client, {"fault": fault, "rate": 1, "times_max": 1})
    done = ask(client, "POST", PLACE, client.order(strike_of(client), 100, 10.0))
    assert (done.status, done.lost) == (status, status == 0)
    assert done.hang is fault.endswith("hangs")
    assert word in done.body.decode()
    client.wait(1)
    assert len(placed(client)) == landed
    assert client.place(strike_of(client), 102, 10.0)["status"] == "open"  # it had its one time
    shown = client.call("GET", "/_box/faults")[1]
    assert shown["injected_counts"] == {fault: 1}
    assert "submit_order" in shown["injected"][0]["what"]


# faults: A11 D14
def test_reads_that_say_what_is_not_so() -> None:
    client = a_client()
    order = client.place(strike_of(client), 100, 10.0)
    switch_on(
        client,
        {"fault": "false_absence", "rate": 1, "times_max": 1},
        {"fault": "no_reports", "rate": 1, "times_max": 1},
    )
    path = f"/v4/mm/get_order/{order['order_id']}"
    assert client.api("GET", path)[0] == 404
    assert client.api("GET", path)[0] == 200
    history = f"/v4/mm/get_order_history?from={client.now_ns // NS - 60}"
    assert client.api("GET", history)[0] == 503
    assert client.api("GET", history)[0] == 200


# faults: C2 C3
def test_of_a_cut_batch_only_the_first_orders_land() -> None:
    client = a_client(seed=11)
    seen = set()
    switch_on(client, {"fault": "batch_cut", "rate": 1})
    for _ in range(12):
        before = len(placed(client))
        batch = [client.order(strike_of(client), 100 + 2 * n, 10.0) for n in range(5)]
        done = ask(client, "POST", "/v4/mm/submit_multiple_orders", {"data": batch})
        assert done.lost or done.status == 500
        landed = placed(client)[before:]
        assert landed == [one["external_id"] for one in batch][: len(landed)]
        seen.add(len(landed))
        client.wait(2)
    assert len(seen) > 3


# faults: C8 D2 E7
def test_a_rule_has_its_route_its_account_its_turn_and_its_number() -> None:
    client = a_client()
    other = Client(client.box, client.box.add_account("other", "key-o", "secret-o"))
    switch_on(
        client,
        {"fault": "unauthorized", "rate": 1, "account": "other", "skip": 1, "times_max": 1},
        {"fault": "error_before", "rate": 1, "route": "/connection-config", "times_max": 2},
    )
    balance = "/v4/mm/get_balance"
    assert [other.api("GET", balance)[0] for _ in range(4)] == [200, 401, 200, 200]
    assert client.api("GET", balance)[0] == 200
    config = "/websocket/connection-config"
    assert [client.api("GET", config)[0] for _ in range(3)] == [500, 500, 200]


def test_a_window_counts_from_when_the_rule_was_given() -> None:
    client = a_client()
    client.wait(100)
    switch_on(client, {"fault": "too_many", "rate": 1, "start_s": 10, "until_s": 20})
    found = []
    for _ in range(5):
        found.append(client.api("GET", "/v4/mm/get_balance")[0])
        client.wait(6)
    assert found == [200, 200, 429, 429, 200]


def test_a_made_up_error_speaks_the_dialect_of_who_asked() -> None:
    client = a_client()
    cancels = {"fault": "error_after", "rate": 1, "route": "cancel_all"}
    switch_on(client, {"fault": "maintenance", "rate": 1}, cancels)
    new, old = "/v4/mm/submit_order", "/mm/place_wager"
    errors = [client.api("POST", path, {})[1]["error"] for path in (new, old)]
    assert errors == ["err_order_placement_disabled", "err_wager_placement_disabled"]
    new, old = "/v4/mm/cancel_all_orders", "/mm/cancel_all_wagers"
    errors = [client.api("POST", path, {})[1]["error"] for path in (new, old)]
    assert errors == ["order_unable_to_cancel", "wager_unable_cancel"]


def test_delete_ends_all_faults_and_switches() -> None:
    client = a_client()
    switch_on(client, {"fault": "unauthorized", "rate": 1})
    client.call("POST", "/_box/faults", {"placement_disabled": True, "silent_types": "orders"})
    status, shown = client.call("DELETE", "/_box/faults")
    assert (status, shown["rules"], shown["switches"]["placement_disabled"]) == (200, [], False)
    assert client.place(strike_of(client), 100, 10.0)["status"] == "open"
    assert not client.box.hub.silent


def test_a_scenario_switches_faults_on_at_birth() -> None:
    rows = [{"fault": "maintenance", "rate": 1.0, "until_s": 30.0}]
    options = with_table(BoxOptions(), {"faults": rows})
    client = a_client(faults=options.faults)
    body = client.order(strike_of(client), 100, 10.0)
    assert client.api("POST", PLACE, body)[1]["error"] == "err_order_placement_disabled"
    client.wait(31)
    assert client.api("POST", PLACE, body)[0] == 200


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"fault": "no_such", "rate": 1}, "faults[1].fault must be one of"),
        ({"fault": "slow"}, "faults[1].rate is missing"),
        ({"fault": "slow", "rate": 2}, "rate must be from 0 to 1"),
        ({"fault": "slow", "rate": 1, "rout": "x"}, "did you mean route"),
        ({"fault": "slow", "rate": 1, "on": ["plaec"]}, "plaec is none of"),
        ({"fault": "slow", "rate": 1, "delay_s": [3, 1]}, "delay_s must rise"),
        ({"fault": "crash_after", "rate": 1}, "mmbot simulate"),
    ],
)
def test_a_wrong_rule_is_refused_and_nothing_changes(rule: Json, said: str) -> None:
    client = a_client()
    good = {"fault": "unauthorized", "rate": 1}
    status, answer = client.call("POST", "/_box/faults", [good, rule][::-1])
    assert status == 400
    assert said in answer["message"]
    assert client.api("GET", "/v4/mm/get_balance")[0] == 200


def test_the_same_seed_strikes_the_same_requests() -> None:
    def struck(seed: int) -> list[int]:
        client = a_client(seed=seed)
        switch_on(client, {"fault": "too_many", "rate": 0.3})
        found = []
        for _ in range(60):
            found.append(client.api("GET", "/v4/mm/get_balance")[0])
            client.wait(0.1)
        return found

    first = struck(5)
    assert first == struck(5) != struck(6)
    assert 8 < first.count(429) < 30


# faults: D2 D3 D5
def test_faults_at_log_in() -> None:
    client = a_client()
    keys = {"access_key": client.account.access_key, "secret_key": client.account.secret_key}
    switch_on(client, {"fault": "error_before", "rate": 1, "route": "/auth/login", "times_max": 1})
    assert client.call("POST", "/partner/auth/login", keys)[0] == 500
    assert client.call("POST", "/partner/auth/login", keys)[0] == 200
    client.call("POST", "/_box/faults", {"sessions_full": True})
    status, answer = client.call("POST", "/partner/auth/login", keys)
    assert (status, answer["error"]) == (403, "session_num_exceed")


# faults: A14
def test_orders_that_fail_or_never_open() -> None:
    client = a_client()
    switch_on(client, {"fault": "activation_fails", "rate": 1, "times_max": 1})
    assert client.place(strike_of(client), 100, 10.0)["status"] == "invalid"
    switch_on(client, {"fault": "never_activated", "rate": 1, "times_max": 1})
    order = client.place(strike_of(client), 100, 10.0)
    client.wait(600)
    client.login()
    assert client.read(order["order_id"])["status"] == "inactive"
    assert client.place(strike_of(client), 100, 10.0)["status"] == "open"
    assert client.api("POST", "/v4/mm/cancel_all_orders", {})[0] == 200
    assert client.read(order["order_id"])["status"] == "canceled"


# faults: B13
def test_a_fill_is_taken_back_minutes_later() -> None:
    client = a_client()
    taker = Client(client.box, client.box.add_account("taker", "key", "secret"))
    rule = {"fault": "fill_taken_back", "rate": 1, "account": "maker", "delay_s": [300, 300]}
    switch_on(client, rule)
    order = client.place(strike_of(client), 100, 10.0)
    taker.now_ns = client.now_ns
    taker.place(strike_of(client, side=1), 100, 10.0)
    client.now_ns = taker.now_ns
    before = client.record()["cash_cents_now"]
    client.wait(299)
    assert client.record()["cash_cents_now"] == before
    client.wait(2)
    assert client.record()["cash_cents_now"] == before + 1000
    assert client.read(order["order_id"])["filled_quantity"] == 0


def test_every_fault_can_be_switched_on_except_the_death_of_a_client() -> None:
    for fault in Fault:
        client = a_client()
        status, _ = client.call("POST", "/_box/faults", [{"fault": fault, "rate": 1}])
        assert (status == 400) is (fault in CLIENT_ONLY), fault
