"""Log-in, tokens and sessions at the box."""

from __future__ import annotations

from mmbot.sim.scenario import SessionRules
from tests.sim.builders import NS, START_NS, Client, a_box


def test_a_wrong_key_does_not_get_in() -> None:
    client = Client(a_box())
    for body in ({"access_key": "x", "secret_key": "y"}, {}, None, [1]):
        status, answer = client.call("POST", "/partner/auth/login", body)
        assert (status, answer["error"]) == (401, "unauthorized")
    right = {"access_key": client.account.access_key, "secret_key": "wrong"}
    assert client.call("POST", "/partner/auth/login", right)[0] == 401


def test_an_access_token_lives_ten_minutes_and_a_refresh_gives_another() -> None:
    # faults: D1 D6
    client = Client(a_box())
    data = client.login()["data"]
    assert data["access_expire_time"] == START_NS // NS + 600
    assert data["refresh_expire_time"] == START_NS // NS + 3 * 86_400
    client.wait(599)
    assert client.api("GET", "/v4/mm/get_balance")[0] == 200
    client.wait(1)
    assert client.api("GET", "/v4/mm/get_balance")[0] == 401
    refresh = {"refresh_token": data["refresh_token"]}
    _, answer = client.call("POST", "/partner/auth/refresh", refresh)
    client.token = answer["data"]["access_token"]
    assert client.api("GET", "/v4/mm/get_balance")[0] == 200
    assert client.call("POST", "/partner/auth/refresh", {"refresh_token": "x"})[0] == 401


def test_the_twenty_first_session_is_refused() -> None:
    # faults: D5
    client = Client(a_box(session=SessionRules(sessions_max=3, requests_per_second_max=100)))
    for _ in range(3):
        client.login()
    body = {"access_key": client.account.access_key, "secret_key": client.account.secret_key}
    status, answer = client.call("POST", "/partner/auth/login", body)
    assert (status, answer["error"]) == (403, "session_num_exceed")


def test_requests_with_an_expired_token_are_in_the_record() -> None:
    client = Client(a_box(session=SessionRules(access_life_s=5)))
    client.login()
    client.wait(5)
    for _ in range(3):
        assert client.api("GET", "/v4/mm/get_balance")[0] == 401
    assert client.record()["requests"]["by_status"] == {"200": 1, "401": 3}


def test_a_token_must_come_as_bearer() -> None:
    client = Client(a_box())
    client.login()
    raw = {"Authorization": client.token}
    path = "/partner/v4/mm/get_balance"
    assert client.box.http("GET", path, raw, b"", client.now_ns).status == 401
    lower = {"authorization": f"Bearer {client.token}"}
    assert client.box.http("GET", path, lower, b"", client.now_ns).status == 200


def test_every_answer_carries_the_date_of_the_box() -> None:
    client = Client(a_box())
    client.wait(61)
    reply = client.box.http("GET", "/partner/v4/mm/get_balance", {}, b"", client.now_ns)
    assert reply.headers["Date"] == "Sun, 22 Nov 2026 15:01:01 GMT"


def test_switches_refuse_as_told_and_unknown_ones_change_nothing() -> None:
    # faults: D3 D4 D13 D14
    client = Client(a_box())
    client.login()
    wrong = {"placement_disabled": True, "no_such": True}
    assert client.call("POST", "/_box/faults", wrong)[0] == 400
    assert client.call("GET", "/_box/faults")[1]["placement_disabled"] is False
    strike_id = next(iter(client.box.exchange.listing.strikes))
    cases = [
        ("placement_disabled", "POST", "/v4/mm/submit_order", 403),
        ("reporting_down", "GET", "/v4/mm/get_order_history?from=1&to=2", 503),
        ("unauthorized_all", "GET", "/v4/mm/get_balance", 401),
        ("rate_limited_all", "GET", "/v4/mm/get_balance", 429),
    ]
    for name, method, path, status in cases:
        client.wait(1)
        body = client.order(strike_id, 900, 5.0) if method == "POST" else None
        assert client.call("POST", "/_box/faults", {name: True})[0] == 200
        assert client.api(method, path, body)[0] == status
        client.call("POST", "/_box/faults", {name: False})
        assert client.api(method, path, body)[0] == 200


def test_unknown_routes_and_bodies_that_are_no_json() -> None:
    client = Client(a_box())
    client.login()
    assert client.call("GET", "/")[0] == 404
    assert client.api("GET", "/v4/mm/submit_orders")[0] == 404
    assert client.api("PUT", "/v4/mm/get_balance")[0] == 404
    headers = {"Authorization": f"Bearer {client.token}"}
    path = "/partner/v4/mm/submit_order"
    reply = client.box.http("POST", path, headers, b"{", client.now_ns)
    assert (reply.status, b"invalid_request" in reply.body) == (400, True)
