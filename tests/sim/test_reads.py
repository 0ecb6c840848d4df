"""History, fills and money over REST: windows, pages, filters and the reporting lag."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.sim.box import Box
from mmbot.sim.http.reporting import Reporting
from mmbot.sim.rules import LifeRules, Rules, SessionRules, WireRules
from tests.sim.builders import NS, START_NS, Client, a_box, a_line, a_second_client

NOW_S = START_NS // NS
FAST = SessionRules(requests_per_second_max=10_000)


def _orders(client: Client, count: int) -> list[str]:
    strike_id = a_line(client.box).strikes[0].strike_id
    placed = [client.order(strike_id, 900, 5.0) for _ in range(count)]
    for body in placed:
        assert client.api("POST", "/v4/mm/submit_order", body)[0] == 200
    client.wait(1)
    return [str(body["external_id"]) for body in placed]


def _pages(client: Client, path: str, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        query = f"{path}&next_cursor={cursor}" if cursor else path
        status, answer = client.api("GET", query)
        assert status == 200, answer
        rows += answer["data"][name]
        cursor = answer["data"]["next_cursor"]
        if not cursor:
            return rows


def test_history_pages_hold_every_order_once_newest_first() -> None:
    client = Client(a_box(session=FAST))
    placed = _orders(client, 23)
    path = f"/v4/mm/get_order_history?from={NOW_S}&to={NOW_S + 60}&limit=5"
    rows = _pages(client, path, "orders")
    assert [row["external_id"] for row in rows] == placed[::-1]


def test_history_filters() -> None:
    client = Client(a_box(session=FAST))
    _orders(client, 3)
    client.api("POST", "/v4/mm/cancel_all_orders")
    kept = _orders(client, 1)
    window = f"/v4/mm/get_order_history?updated_at_from={NOW_S}"
    line = a_line(client.box)

    def found(query: str) -> int:
        return len(client.api("GET", f"{window}{query}")[1]["data"]["orders"])

    assert found("") == 4
    assert found("&status=canceled") == 3
    assert found("&status=open&matching_status=unmatched") == len(kept)
    assert found("&matching_status=fully_matched") == 0
    assert found(f"&event_id={line.event_id}&market_id={line.market_id}") == 4
    assert found("&market_id=1") == 0
    assert found("&status=settled") == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "missing_date_range"),
        ("?from=x&to=5", "invalid_from"),
        ("?from=1795359600000", "invalid_from"),  # milliseconds: the table wants epoch seconds
        ("?from=1795359600&to=1795359601000", "invalid_to"),
        ("?updated_at_from=1795359600000000000", "invalid_updated_at_from"),
        ("?from=5&to=x", "invalid_to"),
        ("?from=10&to=5", "from_date_greater_than_to_date"),
        ("?from=0&to=604801", "invalid_from_to_range"),
        ("?updated_at_from=0&updated_at_to=172801", "invalid_updated_at_range"),
        ("?updated_at_from=x", "invalid_updated_at_from"),
        ("?from=1&to=2&limit=101", "invalid_param"),
        ("?from=1&to=2&limit=0", "invalid_param"),
        ("?from=1&to=2&next_cursor=%21", "invalid_cursor"),
    ],
)
def test_bad_windows_and_pages_have_their_names(query: str, code: str) -> None:
    client = Client(a_box())
    status, answer = client.api("GET", f"/v4/mm/get_order_history{query}")
    assert (status, answer["error"]) == (400, code)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v4/mm/get_order/x", 400, "invalid_order_id"),
        ("/v4/mm/get_order/00000000-0000-4000-8000-000000000000", 404, "data_not_found"),
        ("/v4/mm/get_markets?event_id=0", 400, "market_invalid_event"),
        ("/v4/mm/get_markets?event_id=7", 404, "sport_event_not_found"),
        ("/v4/mm/get_multiple_markets?event_ids=", 400, "market_event_limit_exceeded"),
        (
            "/v4/mm/get_multiple_markets?event_ids=" + ",".join(["7"] * 51),
            400,
            "market_event_limit_exceeded",
        ),
        ("/v4/mm/get_strikes?strike_ids=", 400, "invalid_param"),
    ],
)
def test_bad_reads_have_their_names(path: str, status: int, code: str) -> None:
    got, answer = Client(a_box()).api("GET", path)
    assert (got, answer["error"]) == (status, code)


def test_another_accounts_order_is_not_shown() -> None:
    box = a_box()
    client, other = Client(box), a_second_client(box)
    order = client.place(a_line(box).strikes[0].strike_id, 900, 5.0)
    assert other.api("GET", f"/v4/mm/get_order/{order['order_id']}")[0] == 404


def test_fills_and_transactions_add_up_over_the_routes() -> None:
    box = a_box(session=FAST)
    client, taker = Client(box), a_second_client(box)
    line = a_line(box)
    order = client.place(line.strikes[0].strike_id, 150, 200.0)
    taker.wait(1)
    for _ in range(7):
        taker.place(line.strikes[1].strike_id, -150, 15.0)
    client.now_ns = taker.now_ns
    window = f"from={NOW_S}&to={NOW_S + 100}&limit=3"
    trades = _pages(client, f"/v4/mm/get_trades?{window}", "trades")
    assert [row["quantity"] for row in trades] == [10.0] * 7
    path = f"/v4/mm/get_order_matched_detail?order_ids={order['order_id']}&limit=3"
    details = _pages(client, path, "matching_details")
    assert sum(row["profit"] for row in details) == 105.0
    moved = _pages(client, f"/v4/mm/get_transactions?{window}", "transactions")
    assert [row["transaction_type"] for row in moved] == ["TRADE"] * 7
    assert moved[0]["balance"] == 100_000 - 70
    assert {row["trade_id"] for row in moved} == {row["id"] for row in trades}
    _, answer = client.api("GET", "/v4/mm/get_balance")
    data = answer["data"]
    assert (data["balance"], data["matched_order_balance"]) == (99_930.0, 70.0)
    assert data["unmatched_order_balance"] == 130.0


@pytest.mark.parametrize("form", ["left_out", "shown"])
def test_a_busted_trade_is_left_out_or_shown(form: Any) -> None:
    rules = Rules(life=LifeRules(busted_trades=form))
    box = a_box(session=SessionRules(requests_per_second_max=10_000), rules=rules)
    client, taker = Client(box), a_second_client(box)
    line = a_line(box)
    order = client.place(line.strikes[0].strike_id, 150, 200.0)
    taker.wait(1)
    for _ in range(2):
        taker.place(line.strikes[1].strike_id, -150, 15.0)
    client.now_ns = taker.now_ns
    assert client.call("POST", "/_box/do", {"action": "bust", "fills": 1})[0] == 200
    assert client.read(order["order_id"])["filled_quantity"] == 10.0
    window = f"from={NOW_S}&to={NOW_S + 100}"
    rows = 1 if form == "left_out" else 2
    for path, name in (
        ("/v4/mm/get_trades", "trades"),
        ("/v4/mm/get_order_matched_detail", "matching_details"),
        ("/mm/get_matched_bets", "matched_bets"),
    ):
        assert len(_pages(client, f"{path}?{window}", name)) == rows


def test_the_reporting_copy_lags_and_says_so() -> None:
    # faults: A11
    box = a_box(session=SessionRules(reporting_lag_s=3.0))
    client = Client(box)
    strike_id = a_line(box).strikes[0].strike_id
    _, answer = client.api("POST", "/v4/mm/submit_order", client.order(strike_id, 900, 5.0))
    order = answer["data"]["order"]
    path = f"/v4/mm/get_order/{order['order_id']}"
    client.wait(2)
    assert client.api("GET", path)[0] == 404
    client.wait(1)
    _, answer = client.api("GET", path)
    assert answer["data"]["status"] == "inactive"
    assert answer["last_synced_at"] == "2026-11-22T15:00:00Z"
    client.wait(1)
    client.cancel(order)
    window = f"/v4/mm/get_order_history?from={NOW_S}"
    client.wait(2)
    _, answer = client.api("GET", window)
    assert [row["status"] for row in answer["data"]["orders"]] == ["open"]
    client.wait(2)
    _, answer = client.api("GET", window)
    assert [row["status"] for row in answer["data"]["orders"]] == ["canceled"]


def test_get_order_may_read_the_exchange_itself() -> None:
    # faults: A11
    box = a_box(session=SessionRules(reporting_lag_s=3.0, get_order_from="exchange"))
    client = Client(box)
    placed = client.place(a_line(box).strikes[0].strike_id, 900, 5.0)
    assert placed["status"] == "open"
    answer = client.api("GET", f"/v4/mm/get_order_history?from={NOW_S}")[1]
    assert not answer["data"]["orders"]


@pytest.mark.parametrize("ends", ["inclusive", "exclusive"])
def test_the_ends_of_a_window_are_in_it_or_not(ends: Any) -> None:
    client = Client(a_box(session=SessionRules(window_ends=ends)))
    _orders(client, 1)  # it was created at NOW_S to the nanosecond
    found = {}
    for window in ((0, 0), (0, 1), (-1, 0), (-1, 1)):
        first, last = (NOW_S + one for one in window)
        data = client.api("GET", f"/v4/mm/get_order_history?from={first}&to={last}")[1]["data"]
        found[window] = len(data["orders"] or ())
    wanted = {(0, 0): 1, (0, 1): 1, (-1, 0): 1, (-1, 1): 1}
    assert found == (wanted if ends == "inclusive" else dict.fromkeys(wanted, 0) | {(-1, 1): 1})


def test_the_book_shows_what_a_taker_gets_with_its_size() -> None:
    box = a_box()
    client = Client(box)
    line = a_line(box)
    client.place(line.strikes[0].strike_id, -117, 117.0)
    client.place(line.strikes[0].strike_id, -115, 50.0)
    client.place(line.strikes[0].strike_id, -115, 50.0)
    _, answer = client.api("GET", f"/v4/mm/get_markets?event_id={line.event_id}")
    market = next(one for one in answer["data"]["markets"] if one["type"] == "moneyline")
    mine, theirs = market["selections"]
    assert [(one["price"], one["value"]) for one in mine] == [(None, 0)]
    rows = [(one["price"], one["quantity"], one["value"]) for one in theirs]
    assert rows == [(117, 117.0, 100.0), (115, 100.0, 86.96)]
    assert theirs[0]["display_price"] == "+117"


def test_a_cursor_says_nothing_and_stays_true_while_the_list_grows() -> None:
    client = Client(a_box(session=FAST))
    placed = _orders(client, 6)
    path = f"/v4/mm/get_order_history?from={NOW_S}&to={NOW_S + 60}&limit=4"
    _, first = client.api("GET", path)
    cursor = first["data"]["next_cursor"]
    assert cursor not in {"4", "2"}
    client.api("POST", "/v4/mm/cancel_all_orders")
    _orders(client, 3)
    _, second = client.api("GET", f"{path}&next_cursor={cursor}")
    rows = first["data"]["orders"] + second["data"]["orders"]
    assert [row["external_id"] for row in rows] == placed[::-1]
    assert second["data"]["next_cursor"] == ""


@pytest.mark.parametrize("cursor", ["x", "bjE=", "eyJpZCI6IngifQ==", "W10=", "%ff", "e30"])
def test_a_cursor_of_somebody_else_is_refused(cursor: str) -> None:
    path = f"/v4/mm/get_order_history?from={NOW_S}&next_cursor={cursor}"
    status, answer = Client(a_box()).api("GET", path)
    assert (status, answer["error"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("path", "limit", "status"),
    [
        ("/v4/mm/get_order_history", 100, 200),
        ("/v4/mm/get_order_history", 101, 400),
        ("/v4/mm/get_trades", 101, 400),
        ("/v4/mm/get_order_matched_detail", 101, 400),
        ("/mm/get_wager_histories", 101, 400),
        ("/v2/mm/get_wager_histories", 1000, 200),
        ("/v2/mm/get_wager_histories", 1001, 400),
        ("/v4/mm/get_transactions", 500, 200),
        ("/v4/mm/get_transactions", 501, 400),
    ],
)
def test_pages_have_their_largest_size(path: str, limit: int, status: int) -> None:
    found, answer = Client(a_box()).api("GET", f"{path}?from={NOW_S}&limit={limit}")
    assert found == status
    assert status == 200 or answer["error"] == "invalid_param"


@pytest.mark.parametrize(("end", "shown"), [("empty", ""), ("absent", "gone"), ("null", None)])
def test_the_end_of_pages_is_a_switch(end: Any, shown: object) -> None:
    client = Client(a_box(wire=WireRules(end_of_pages=end)))
    _, answer = client.api("GET", f"/v4/mm/get_trades?from={NOW_S}")
    assert answer["data"].get("next_cursor", "gone") == shown


def test_an_event_that_is_not_listed_has_no_markets() -> None:
    box = a_box()
    client = Client(box)
    event_id = a_line(box).event_id
    box.exchange.calendar.unlist(box.exchange.listing.events[event_id], client.now_ns)
    assert client.api("GET", f"/v4/mm/get_markets?event_id={event_id}")[0] == 404
    many = f"/v4/mm/get_multiple_markets?event_ids={event_id},5"
    assert client.api("GET", many)[1]["data"] == {str(event_id): None, "5": None}
    _, answer = client.api("GET", "/mm/get_sport_events")
    assert event_id not in {one["event_id"] for one in answer["data"]["sport_events"]}


def test_lists_of_ids_come_by_comma_or_one_by_one() -> None:
    box = a_box()
    client = Client(box)
    first, second, *_ = box.exchange.listing.events
    for query in (f"event_ids={first},{second}", f"event_ids={first}&event_ids={second}"):
        _, answer = client.api("GET", f"/v4/mm/get_multiple_markets?{query}")
        assert set(answer["data"]) == {str(first), str(second)}
        _, answer = client.api("GET", f"/mm/get_sport_events?{query}")
        assert [one["event_id"] for one in answer["data"]["sport_events"]] == [first, second]


def test_a_lagging_copy_keeps_no_more_versions_than_it_needs() -> None:
    box = a_box(session=SessionRules(reporting_lag_s=10))
    client = Client(box)
    order = client.api("POST", "/v4/mm/submit_order", client.order(_strike(box), 900, 5.0))[1]
    order_id = order["data"]["order"]["order_id"]
    known = box.exchange.orders[order_id]
    reporting = Reporting(10)
    for second in range(100):
        reporting.changed(known, client.now_ns + second * NS)
    assert len(reporting._versions[order_id]) <= 12


def test_a_lagging_copy_forgets_its_versions_of_what_ended_long_ago() -> None:
    box = a_box(session=SessionRules(reporting_lag_s=10))
    client = Client(box)

    def shown(order_id: str) -> object:
        status, answer = client.api("GET", f"/v4/mm/get_order/{order_id}")
        return answer["data"]["status"] if status == 200 else status

    ids = []
    for _ in range(2):
        body = client.order(_strike(box), 900, 5.0)
        placed = client.api("POST", "/v4/mm/submit_order", body)[1]["data"]["order"]
        ids.append(placed["order_id"])
        client.wait(12)
        assert shown(placed["order_id"]) == "open"
        assert client.cancel(placed)[0] == 200
        assert shown(placed["order_id"]) == "open"
        client.wait(12)
        assert shown(placed["order_id"]) == "canceled"
    assert [shown(one) for one in ids] == ["canceled", "canceled"]
    assert set(box.witnesses.reporting._versions) <= {ids[1]}


def _strike(box: Box) -> str:
    return a_line(box).strikes[0].strike_id
