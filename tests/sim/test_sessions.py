"""Log-in, tokens and sessions at the box."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mmbot.sim.box import Box
from mmbot.sim.core.prices import DataError
from mmbot.sim.http.replies import Reply
from mmbot.sim.http.sessions import ACCESS_TOKENS_MAX
from mmbot.sim.rules import SessionRules, WireRules
from mmbot.sim.scenario import AccountOptions
from tests.sim.builders import NS, START_NS, Client, a_box


def test_a_wrong_key_does_not_get_in() -> None:
    client = Client(a_box())
    right = client.account.access_key
    for access_key, secret_key in (("x", "y"), (right, "wrong"), (right, ""), ("", "")):
        body = {"access_key": access_key, "secret_key": secret_key}
        status, answer = client.call("POST", "/partner/auth/login", body)
        assert (status, answer["error"]) == (401, "unauthorized")


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
    assert client.call("GET", "/_box/faults")[1]["switches"]["placement_disabled"] is False
    strike_id = next(iter(client.box.exchange.listing.strikes))
    cases = [
        ("placement_disabled", "POST", "/v4/mm/submit_order", 403),
        ("placement_disabled", "POST", "/v4/mm/submit_multiple_orders", 403),
        ("reporting_down", "GET", "/v4/mm/get_order_history?from=1&to=2", 503),
        ("unauthorized_all", "GET", "/v4/mm/get_balance", 401),
        ("rate_limited_all", "GET", "/v4/mm/get_balance", 429),
    ]
    for name, method, path, status in cases:
        client.wait(1)
        body = client.order(strike_id, 900, 5.0) if method == "POST" else None
        if "multiple" in path:
            body = {"data": [body]}
        assert client.call("POST", "/_box/faults", {name: True})[0] == 200
        assert client.api(method, path, body)[0] == status
        client.call("POST", "/_box/faults", {name: False})
        assert client.api(method, path, body)[0] == 200


def test_an_order_can_be_read_while_the_reports_are_down() -> None:
    # faults: D14
    client = Client(a_box())
    placed = client.place(next(iter(client.box.exchange.listing.strikes)), 900, 5.0)
    client.call("POST", "/_box/faults", {"reporting_down": True})
    assert client.read(placed["order_id"])["status"] == "open"
    for name in ("get_order_history", "get_order_matched_detail", "get_trades", "get_transactions"):
        assert client.api("GET", f"/v4/mm/{name}?from=1&to=2")[0] == 503


@pytest.mark.parametrize("until", ["refresh_expiry", "access_expiry"])
def test_a_session_is_counted_until_its_end(until: Any) -> None:
    # faults: D2
    rules = SessionRules(sessions_max=2, counted_until=until)
    client = Client(a_box(session=rules))
    keys = {"access_key": client.account.access_key, "secret_key": client.account.secret_key}
    fields = client.login()["data"]
    client.login()
    client.wait(599)
    assert client.call("POST", "/partner/auth/login", keys)[0] == 403
    refresh = {"refresh_token": fields["refresh_token"]}
    assert client.call("POST", "/partner/auth/refresh", refresh)[0] == 200
    client.wait(2)  # now one session has an access token that lives, the other has none
    statuses = [client.call("POST", "/partner/auth/login", keys)[0] for _ in range(2)]
    assert statuses == ([403, 403] if until == "refresh_expiry" else [200, 403])


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


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("s", START_NS // NS + 600),
        ("ms", START_NS // 1_000_000 + 600_000),
        ("us", START_NS // 1_000 + 600_000_000),
        ("ns", START_NS + 600 * NS),
        ("relative", 600),
    ],
)
def test_expiry_comes_in_every_unit_found_in_the_wild(unit: Any, expected: int) -> None:
    data = Client(a_box(session=SessionRules(expiry_unit=unit))).login()["data"]
    assert data["access_expire_time"] == expected
    life_s = data["refresh_expire_time"] - data["access_expire_time"]
    assert life_s == (259_200 - 600) * {"s": 1, "relative": 1, "ms": 10**3, "us": 10**6}.get(
        unit, NS
    )


def test_a_refresh_token_may_be_good_for_one_use_only() -> None:
    client = Client(a_box(session=SessionRules(refresh_rotates=True)))
    first = {"refresh_token": client.login()["data"]["refresh_token"]}
    _, answer = client.call("POST", "/partner/auth/refresh", first)
    second = {"refresh_token": answer["data"]["refresh_token"]}
    assert client.call("POST", "/partner/auth/refresh", first)[0] == 401
    assert client.call("POST", "/partner/auth/refresh", second)[0] == 200


def test_sessions_live_until_they_expire() -> None:
    rules = SessionRules(sessions_max=2, refresh_life_s=100, requests_per_second_max=100)
    client = Client(a_box(session=rules))
    keys = {"access_key": client.account.access_key, "secret_key": client.account.secret_key}
    client.login()
    client.wait(50)
    client.login()
    assert client.call("POST", "/partner/auth/login", keys)[0] == 403
    client.wait(50)
    assert client.call("POST", "/partner/auth/login", keys)[0] == 200
    assert client.call("POST", "/partner/auth/login", keys)[0] == 403


def test_a_web_token_makes_twenty_key_pairs_and_each_of_them_is_the_account() -> None:
    client = Client(a_box())
    asked = {"access_key": client.account.access_key}
    client.token = client.call("POST", "/_box/web_token", asked)[1]["web_token"]
    pairs = [client.call("POST", "/partner/auth/keys") for _ in range(20)]
    assert [status for status, _ in pairs] == [200] * 19 + [403]
    assert pairs[-1][1]["error"] == "keypair_num_exceed"
    assert client.api("GET", "/v4/mm/get_balance")[0] == 401
    client.token = ""
    assert client.call("POST", "/partner/auth/keys")[0] == 401
    client.token = client.call("POST", "/partner/auth/login", pairs[0][1]["data"])[1]["data"][
        "access_token"
    ]
    strike_id = next(iter(client.box.exchange.listing.strikes))
    placed = client.api("POST", "/v4/mm/submit_order", client.order(strike_id, 900, 5.0))[1]
    assert placed["data"]["order"]["user_id"] == client.account.user_id


def accounts_box() -> Box:
    return a_box(
        session=SessionRules(requests_per_second_max=2),
        accounts=(
            AccountOptions("rich", "rich-key", "rich-secret", cash_usd=5_000),
            AccountOptions("barred", "barred-key", "barred-secret", suspended=True),
            AccountOptions("empty", "empty-key", "empty-secret", wallet=False),
        ),
    )


def of(box: Box, name: str) -> Client:
    return Client(box, next(one for one in box.exchange.accounts.values() if one.name == name))


def test_several_accounts_have_their_own_money_and_rate() -> None:
    box = accounts_box()
    maker, rich = Client(box), of(box, "rich")
    assert rich.api("GET", "/v4/mm/get_balance")[1]["data"]["balance"] == 5_000
    assert rich.api("GET", "/v4/mm/get_balance")[0] == 200
    other_session = of(box, "rich")
    assert other_session.api("GET", "/v4/mm/get_balance")[0] == 429
    assert maker.api("GET", "/v4/mm/get_balance")[1]["data"]["balance"] == 100_000


def test_a_suspended_account_reads_and_cancels_but_places_nothing() -> None:
    box = accounts_box()
    client = of(box, "barred")
    strike_id = next(iter(box.exchange.listing.strikes))
    order = client.order(strike_id, 900, 5.0)
    assert client.api("POST", "/v4/mm/submit_order", order)[0] == 403
    assert client.api("POST", "/mm/place_batch_orders", {"data": [order]})[0] == 403
    client.wait(1)
    assert client.api("GET", "/v4/mm/get_balance")[0] == 200
    assert client.api("POST", "/v4/mm/cancel_all_orders")[1]["error"] == "no_cancellable_orders"
    box.sessions.suspend(client.account, False)
    client.wait(1)
    assert client.api("POST", "/v4/mm/submit_order", order)[0] == 200


def test_an_account_without_a_wallet() -> None:
    client = of(accounts_box(), "empty")
    assert client.api("GET", "/v4/mm/get_balance")[1]["error"] == "wallet_not_found"
    order = client.order(next(iter(client.box.exchange.listing.strikes)), 900, 5.0)
    assert client.api("POST", "/v4/mm/submit_order", order)[1]["error"] == "wallet_not_found"


@pytest.mark.parametrize("name", ["maker", "takers", "rival", ""])
def test_a_name_names_one_account(name: str) -> None:
    """The sums of the truth are told by name."""
    with pytest.raises(DataError, match=r"used twice|must not be empty"):
        a_box(accounts=(AccountOptions(name, "other-key", "a"),), traders=True)


def test_an_access_key_names_one_account() -> None:
    twice = AccountOptions("one", "same-key", "a"), AccountOptions("two", "same-key", "b")
    with pytest.raises(DataError, match="two is used twice"):
        a_box(accounts=twice)


def test_the_forms_of_too_many_requests() -> None:
    def refused(**rules: Any) -> Reply:
        client = Client(a_box(session=SessionRules(requests_per_second_max=1, **rules)))
        client.api("GET", "/v4/mm/get_balance")
        headers = {"Authorization": f"Bearer {client.token}"}
        path = "/partner/v4/mm/get_balance"
        return client.box.http("GET", path, headers, b"", client.now_ns)

    shown = refused()
    assert (shown.status, shown.headers["Retry-After"]) == (429, "1")
    next_ms = json.loads(shown.body)["details"]["next_allow_at"]
    assert next_ms == START_NS // 1_000_000 + 1_000
    bare = refused(retry_after=False, next_allow_at=False)
    assert "Retry-After" not in bare.headers
    assert "details" not in json.loads(bare.body)


def test_log_in_may_answer_without_the_wrapper() -> None:
    client = Client(a_box(wire=WireRules(login_form="flat")))
    keys = {"access_key": client.account.access_key, "secret_key": client.account.secret_key}
    assert "access_token" in client.call("POST", "/partner/auth/login", keys)[1]


def test_a_client_that_refreshes_for_ever_does_not_fill_the_memory() -> None:
    client = Client(a_box())
    sessions = client.box.sessions
    token = client.login()["data"]["refresh_token"]
    for _ in range(ACCESS_TOKENS_MAX + 10):
        sessions.refresh(token, START_NS)
    assert len(sessions._access) <= ACCESS_TOKENS_MAX
