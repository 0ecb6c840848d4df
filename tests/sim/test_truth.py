"""The truth: every request, order, fill and cent; equal to what happened; bounded; spilled."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from mmbot.sim.witness import truth
from tests.sim.builders import Client, a_box

Rows = list[dict[str, Any]]


def truth_of(client: Client, query: str = "") -> Rows:
    """All lines, page by page."""
    found: Rows = []
    since = 0
    while True:
        path = f"/_box/truth?since={since}&limit=500{query}"
        reply = client.box.http("GET", path, {}, b"", client.now_ns)
        assert reply.status == 200
        found += [json.loads(line) for line in reply.body.splitlines()]
        following = int(reply.headers["X-Truth-Next"])
        if following == since:
            return found
        since = following


def a_busy_box(seed: int = 3) -> Client:
    """Some minutes of market with a client in it, and the result of all games."""
    client = Client(a_box(traders=True, seed=seed))
    client.login()
    chance = Random(seed)
    lines = client.box.exchange.listing.lines
    for _ in range(40):
        strike = chance.choice(lines).strikes[chance.randint(0, 1)]
        price = chance.choice((100, 110, 150, -150, 200))
        status, answer = client.api(
            "POST", "/v4/mm/submit_order", client.order(strike.strike_id, price, 50.0)
        )
        client.wait(1.5)
        if status == 200 and chance.random() < 0.2:
            client.cancel(answer["data"]["order"])
    client.call("POST", "/_box/settle")
    return client


def test_cash_can_be_rebuilt_from_the_truth_alone() -> None:
    client = a_busy_box()
    rows = truth_of(client)
    cash: Counter[str] = Counter()
    for row in rows:
        if row["kind"] == "account":
            cash[row["account"]] = row["cash_cents"]
        elif row["kind"] == "cash":
            cash[row["account"]] += row["amount_cents"]
            assert row["cash_cents"] == cash[row["account"]]
    accounts = client.box.exchange.accounts.values()
    assert cash == {account.name: account.cash_cents for account in accounts}
    assert cash["maker"] != 10_000_000
    moved = sum(row["amount_cents"] for row in rows if row["kind"] == "cash")
    chests: Counter[str] = Counter()
    for row in rows:
        if row["kind"] == "cash":
            chests[row["chest"]] -= row["amount_cents"]
    assert moved + sum(chests.values()) == 0
    assert chests["pot"] == 0  # every stake was paid out again
    totals = client.call("GET", "/_box/truth/totals")[1]["accounts"]
    assert {name: one["cash_cents"] for name, one in totals.items() if name} == dict(cash)


def test_orders_and_fills_can_be_rebuilt_from_the_truth_alone() -> None:
    client = a_busy_box(seed=5)
    record = client.record()
    orders: dict[str, dict[str, Any]] = {}
    for row in truth_of(client, "&account=maker&kind=order"):
        orders.setdefault(row["order_id"], {}).update(row)
    assert [one["external_id"] for one in orders.values()] == [
        one["external_id"] for one in record["orders"]
    ]
    for one in record["orders"]:
        seen = orders[one["order_id"]]
        for name in ("status", "open_cents", "filled_cents", "price", "strike_id"):
            assert seen[name] == one[name], name
    fills = truth_of(client, "&account=maker&kind=fill")
    assert [one["fill_id"] for one in fills] == [one["fill_id"] for one in record["fills"]]
    assert len(fills) > 5
    stakes = sum(
        one["maker_cents"] if one["maker"] == "maker" else one["taker_cents"] for one in fills
    )
    assert stakes == sum(one["stake_cents"] for one in record["fills"])


def test_every_request_has_its_answer_and_no_secret() -> None:
    client = Client(a_box())
    client.login()
    client.api("GET", "/v4/mm/get_balance")
    client.call("POST", "/_box/faults", [{"fault": "reply_reset", "rate": 1, "times_max": 1}])
    body = client.order(client.box.exchange.listing.lines[0].strikes[0].strike_id, 100, 10.0)
    headers = {"Authorization": f"Bearer {client.token}"}
    client.box.http(
        "POST",
        "/partner/v4/mm/submit_order",
        headers,
        json.dumps(body).encode(),
        client.now_ns,
    )
    client.call("GET", "/partner/no_such_thing")
    rows = truth_of(client)
    requests = [row for row in rows if row["kind"] == "request"]
    answers = {row["of"]: row for row in rows if row["kind"] == "answer"}
    assert [(row["method"], row["path"].rpartition("/")[2]) for row in requests] == [
        ("POST", "login"),
        ("GET", "get_balance"),
        ("POST", "submit_order"),
        ("GET", "no_such_thing"),
    ]
    assert [answers[row["n"]]["status"] for row in requests] == [200, 200, 0, 404]
    assert answers[requests[2]["n"]]["fate"] == "lost"
    assert json.loads(requests[2]["body"]) == body
    order = next(row for row in rows if row["kind"] == "order")
    assert requests[2]["n"] < order["n"] < answers[requests[2]["n"]]["n"]
    assert [row["what"] for row in rows if row["kind"] == "control"] == ["POST faults"]
    told = json.dumps(rows)
    for secret in (client.account.secret_key, client.token):
        assert secret not in told


@pytest.mark.parametrize("query", ["since=x", "since=-1", "limit=0", "limit=10001", "limit=x"])
def test_a_wrong_page_is_refused(query: str) -> None:
    client = Client(a_box())
    assert client.call("GET", f"/_box/truth?{query}")[0] == 400


def test_memory_is_bounded_and_the_totals_and_the_file_have_it_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(truth, "KEPT_BYTES_MAX", 20_000)
    monkeypatch.setattr(truth, "TRADERS_BYTES_MAX", 10_000)
    client = Client(a_box(traders=True))
    spilled: list[bytes] = []
    client.box.truth.spill_to(spilled.append)
    client.login()
    client.wait(60)
    kept = truth_of(client)
    assert sum(len(json.dumps(row)) for row in kept) < 40_000
    totals = client.call("GET", "/_box/truth/totals")[1]
    assert totals["lines"] == len(spilled) > len(kept)
    assert totals["dropped"]["traders"] > 0
    numbers = [json.loads(line)["n"] for line in spilled]
    assert numbers == list(range(1, len(spilled) + 1))
    cash = {a.name: a.cash_cents for a in client.box.exchange.accounts.values()}
    assert {name: one["cash_cents"] for name, one in totals["accounts"].items() if name} == cash
