"""Switches that make a client wait: each for as long as it says, and until it is taken back."""

from __future__ import annotations

import json
from typing import Any

from mmbot.sim.http.replies import Reply
from tests.sim.builders import NS, Client, a_box


def switched(client: Client, **switches: float | bool) -> None:
    assert client.call("POST", "/_box/faults", switches)[0] == 200


def asked(client: Client, method: str, path: str, body: object = None) -> Reply:
    headers = {"Authorization": f"Bearer {client.token}"}
    raw = b"" if body is None else json.dumps(body).encode()
    return client.box.http(method, f"/partner{path}", headers, raw, client.now_ns)


def a_client() -> Client:
    client = Client(a_box())
    client.login()
    return client


def keys(client: Client) -> dict[str, Any]:
    return {"access_key": client.account.access_key, "secret_key": client.account.secret_key}


def test_a_log_in_and_nothing_else_is_answered_late() -> None:
    # faults: D2
    client = a_client()
    usual_ns = asked(client, "POST", "/auth/login", keys(client)).after_ns
    switched(client, auth_delay_s=12.0)
    late = asked(client, "POST", "/auth/login", keys(client))
    assert (late.status, late.after_ns - usual_ns) == (200, 12 * NS)
    assert asked(client, "GET", "/v4/mm/get_balance").after_ns < NS
    switched(client, auth_delay_s=0.0)
    assert asked(client, "POST", "/auth/login", keys(client)).after_ns == usual_ns


def test_a_placement_that_nobody_answers_arrives_when_it_is_said_to() -> None:
    # faults: A1 D7
    client = a_client()
    strike_id = next(iter(client.box.exchange.listing.strikes))
    switched(client, place_late_s=40.0)
    body = client.order(strike_id, 900, 5.0)
    answer = asked(client, "POST", "/v4/mm/submit_order", body)
    assert (answer.lost, answer.hang) == (True, True)
    client.wait(39.5)
    assert client.record()["orders"] == []
    client.wait(1)
    assert [one["external_id"] for one in client.record()["orders"]] == [body["external_id"]]
    switched(client, place_late_s=0.0)
    assert client.place(strike_id, 900, 5.0)["status"] == "open"


def test_a_429_says_how_long_to_wait_whatever_the_rules_say() -> None:
    # faults: D7
    client = a_client()
    switched(client, rate_limited_all=True, retry_after_s=36.0)
    answer = asked(client, "GET", "/v4/mm/get_balance")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "36")
    switched(client, retry_after_s=0.0)
    assert asked(client, "GET", "/v4/mm/get_balance").headers.get("Retry-After") != "36"
