"""The life of an order at the box, seen through REST and the private channel."""

from __future__ import annotations

from typing import Literal

import pytest

from mmbot.sim.scenario import Rules
from tests.sim.builders import NS, START_NS, Client, a_box, a_line, a_second_client


def _code(answer: tuple[int, dict[str, object]]) -> tuple[int, object]:
    return answer[0], answer[1].get("error")


def test_an_order_is_inactive_then_open_and_the_message_says_so() -> None:
    box = a_box()
    client = Client(box)
    private = client.listen()
    strike = a_line(box).strikes[0]
    body = client.order(strike.strike_id, 300, 10.0)
    _, answer = client.api("POST", "/v4/mm/submit_order", body)
    assert answer["data"]["order"]["status"] == "inactive"
    assert private.frames() == []
    client.wait(0.006)
    [message] = private.payloads("orders")
    assert message["info"]["status"] == "open"
    assert message["info"]["update_type"] == "status"


def test_an_external_id_is_unique_for_ever() -> None:
    box = a_box()
    client = Client(box)
    body = client.order(a_line(box).strikes[0].strike_id, 300, 10.0)
    _, first = client.api("POST", "/v4/mm/submit_order", body)
    client.wait(0.1)
    client.cancel(first["data"]["order"])
    again = client.api("POST", "/v4/mm/submit_order", body)
    assert _code(again) == (400, "order_external_id_existed")
    assert len(box.maker.orders) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"price": 103.5}, "invalid_price"),
        ({"price": -100}, "invalid_price"),
        ({"price": 121}, "invalid_price"),
        ({"price": None}, "invalid_price"),
        ({"quantity": 0}, "invalid_quantity"),
        ({"quantity": -5}, "invalid_quantity"),
        ({"quantity": 10.001}, "invalid_quantity"),
        ({"quantity": 0.5}, "invalid_request"),
        ({"quantity": 100_000_001}, "order_quantity_exceeds_max"),
        ({"price": -10_000, "quantity": 0.5}, "order_invalid_profit"),
        ({"external_id": ""}, "invalid_external_id"),
        ({"external_id": "a b"}, "invalid_external_id"),
        ({"external_id": "x" * 101}, "invalid_external_id"),
        ({"strike_id": "unknown"}, "invalid_strike_id"),
        ({"strike_id": "0" * 32}, "strike_id_invalid"),
        ({"order_strategy": "GTC"}, "invalid_request"),
    ],
)
def test_a_bad_order_is_refused_by_its_name(change: dict[str, object], code: str) -> None:
    # faults: G1
    box = a_box()
    client = Client(box)
    body = client.order(a_line(box).strikes[0].strike_id, 300, 10.0) | change
    assert _code(client.api("POST", "/v4/mm/submit_order", body)) == (400, code)
    assert not box.maker.orders


def test_cancel_of_an_untouched_and_of_a_partly_filled_order() -> None:
    # faults: B2 B6
    box = a_box()
    client, taker = Client(box), a_second_client(box)
    side_a, side_b = a_line(box).strikes
    untouched = client.place(side_a.strike_id, 300, 10.0)
    assert client.cancel(untouched) == (200, {"data": {"success": True}})
    assert client.read(untouched["order_id"])["status"] == "canceled"
    assert _code(client.cancel(untouched)) == (400, "order_already_cancelled")
    partly = client.place(side_a.strike_id, 100, 10.0)
    taker.wait(1)
    taker.place(side_b.strike_id, 100, 4.0)
    private = client.listen()
    client.cancel(partly)
    client.wait(0.1)
    after = client.read(partly["order_id"])
    assert (after["status"], after["matching_status"]) == ("open", "fully_matched")
    assert (after["open_quantity"], after["filled_quantity"]) == (0.0, 4.0)
    [message] = private.payloads("orders")
    assert message["info"]["total_filled_quantity"] == 4.0
    assert message["info"]["filled_quantity"] == 0.0


def test_cancel_races_answer_as_documented() -> None:
    # faults: B1 B3
    box = a_box(rules=Rules(first_pass_ms=300))
    client, taker = Client(box), a_second_client(box)
    side_a, side_b = a_line(box).strikes
    body = client.order(side_a.strike_id, 100, 10.0)
    _, answer = client.api("POST", "/v4/mm/submit_order", body)
    order = answer["data"]["order"]
    assert _code(client.cancel(order)) == (409, "order_is_placing")
    client.wait(0.01)
    assert _code(client.cancel(order)) == (425, "order_opened_retry")
    client.wait(0.3)
    taker.wait(0.3)
    taker.place(side_b.strike_id, 100, 10.0)
    assert _code(client.cancel(order)) == (400, "order_already_filled")
    wrong = order | {"external_id": "other"}
    assert _code(client.cancel(wrong)) == (400, "order_not_matching_external_id")
    assert _code(taker.cancel(order)) == (500, "order_not_belongs_to_user")
    unknown = order | {"order_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12}
    assert _code(client.cancel(unknown)) == (404, "data_not_found")
    assert _code(client.cancel(order | {"order_id": "x"})) == (400, "invalid_order_id")


@pytest.mark.parametrize("rule", ["reject", "invalid", "canceled"])
def test_alo_never_takes(rule: Literal["reject", "invalid", "canceled"]) -> None:
    # faults: G8
    box = a_box(rules=Rules(first_pass_ms=0, alo_crossing=rule))
    client, other = Client(box), a_second_client(box)
    side_a, side_b = a_line(box).strikes
    other.place(side_b.strike_id, 100, 10.0)
    client.wait(0.2)
    body = client.order(side_a.strike_id, -110, 10.0, order_strategy="ALO")
    status, answer = client.api("POST", "/v4/mm/submit_order", body)
    client.wait(0.1)
    assert box.exchange.fills == []
    if rule == "reject":
        assert (status, answer["error"]) == (400, "invalid_request")
    else:
        assert client.read(answer["data"]["order"]["order_id"])["status"] == rule


def test_alo_switched_off_at_the_venue() -> None:
    box = a_box(rules=Rules(alo_disabled=True))
    client = Client(box)
    body = client.order(a_line(box).strikes[0].strike_id, 300, 10.0, order_strategy="ALO")
    answer = client.api("POST", "/v4/mm/submit_order", body)
    assert _code(answer) == (400, "err_add_liquidity_only_disabled")


def test_fill_or_kill_keeps_what_it_got_and_leaves_after_two_seconds() -> None:
    box = a_box()
    client, other = Client(box), a_second_client(box)
    side_a, side_b = a_line(box).strikes
    other.place(side_b.strike_id, 100, 4.0)
    client.wait(0.2)
    order = client.place(side_a.strike_id, 100, 10.0, order_strategy="fillOrKill")
    assert (order["filled_quantity"], order["open_quantity"]) == (4.0, 6.0)
    client.wait(1.8)
    assert client.read(order["order_id"])["open_quantity"] == 6.0
    client.wait(0.2)
    after = client.read(order["order_id"])
    assert (after["open_quantity"], after["matching_status"]) == (0.0, "fully_matched")


def test_an_order_against_ones_own_is_refused() -> None:
    # faults: G7
    box = a_box()
    client = Client(box)
    side_a, side_b = a_line(box).strikes
    client.place(side_a.strike_id, 100, 10.0)
    crossing = client.order(side_b.strike_id, 100, 10.0)
    assert _code(client.api("POST", "/v4/mm/submit_order", crossing)) == (400, "self_match")
    apart = client.order(side_b.strike_id, 101, 10.0)
    assert client.api("POST", "/v4/mm/submit_order", apart)[0] == 200


def test_resting_more_than_ten_times_the_cash_is_invalid() -> None:
    # faults: A14 G2
    box = a_box(cash_usd=100)
    client = Client(box)
    private = client.listen()
    strikes = [line.strikes[0] for line in box.exchange.listing.lines[:11]]
    orders = [client.place(strike.strike_id, 900, 100.0) for strike in strikes]
    assert [order["status"] for order in orders] == ["open"] * 10 + ["invalid"]
    last = private.payloads("orders")[-1]["info"]
    assert (last["status"], last["open_quantity"]) == ("invalid", 0.0)
    too_much = client.place(strikes[0].strike_id, 900, 100.01)
    assert too_much["status"] == "invalid"


def test_funds_are_taken_on_fill_and_a_maker_without_money_does_not_trade() -> None:
    box = a_box(cash_usd=100)
    client, taker = Client(box), a_second_client(box)
    lines = box.exchange.listing.lines[:2]
    for line in lines:
        client.place(line.strikes[0].strike_id, 100, 60.0)
    assert box.maker.cash_cents == 10_000
    taker.wait(1)
    first = taker.place(lines[0].strikes[1].strike_id, 100, 60.0)
    second = taker.place(lines[1].strikes[1].strike_id, 100, 60.0)
    assert (first["filled_quantity"], second["filled_quantity"]) == (60.0, 0.0)
    assert box.maker.cash_cents == 4_000
    assert not box.maker.alive


def test_mass_cancels_take_their_scope_and_nothing_else() -> None:
    # faults: B10 B11
    box = a_box()
    client = Client(box)
    lines = box.exchange.listing.lines
    first = lines[0]
    same_event = next(one for one in lines[1:] if one.event_id == first.event_id)
    other_event = next(one for one in lines if one.event_id != first.event_id)

    def rest() -> list[str]:
        placed = (first.strikes[0], first.strikes[1], same_event.strikes[0], other_event.strikes[0])
        return [client.place(one.strike_id, 900, 5.0)["order_id"] for one in placed]

    def alive(ids: list[str]) -> list[bool]:
        return [client.read(one)["open_quantity"] > 0 for one in ids]

    market = {"event_id": first.event_id, "market_id": str(first.market_id)}
    ids = rest()
    strike = market | {"strike_id": first.strikes[0].strike_id}
    assert client.api("POST", "/v4/mm/cancel_orders_by_market", strike)[0] == 200
    assert alive(ids) == [False, True, True, True]
    assert client.api("POST", "/v4/mm/cancel_orders_by_market", market)[0] == 200
    assert alive(ids) == [False, False, False, True]
    client.wait(1)
    by_event = {"event_id": first.event_id}
    answer = client.api("POST", "/v4/mm/cancel_orders_by_event", by_event)
    assert _code(answer) == (404, "no_cancellable_orders")
    wrong = {"sport_event_id": first.event_id}
    answer = client.api("POST", "/v4/mm/cancel_orders_by_event", wrong)
    assert _code(answer) == (400, "invalid_event_id")
    assert client.api("POST", "/v4/mm/cancel_all_orders", {})[0] == 200
    assert _code(client.api("POST", "/v4/mm/cancel_all_orders")) == (404, "no_cancellable_orders")


def test_a_mass_cancel_also_takes_inactive_orders() -> None:
    box = a_box()
    client = Client(box)
    body = client.order(a_line(box).strikes[0].strike_id, 900, 5.0)
    _, answer = client.api("POST", "/v4/mm/submit_order", body)
    assert client.api("POST", "/v4/mm/cancel_all_orders")[0] == 200
    client.wait(1)
    assert client.read(answer["data"]["order"]["order_id"])["status"] == "canceled"


def test_a_batch_answers_each_order_alone() -> None:
    # faults: C1 C4 C7
    box = a_box()
    client = Client(box)
    strike_id = a_line(box).strikes[0].strike_id
    good = client.order(strike_id, 900, 5.0)
    bad = client.order("unknown", 900, 5.0)
    status, answer = client.api("POST", "/v4/mm/submit_multiple_orders", {"data": [good, bad]})
    assert status == 200
    [done] = answer["data"]["succeed_orders"]
    [failed] = answer["data"]["failed_orders"]
    assert done["external_id"] == good["external_id"]
    assert (failed["index"], failed["error"]) == (1, "invalid_strike_id")
    assert failed["request"]["external_id"] == bad["external_id"]
    client.wait(0.1)
    pair = {"order_id": done["order_id"], "external_id": done["external_id"]}
    unknown = pair | {"order_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12}
    body = {"data": [pair, unknown]}
    _, answer = client.api("POST", "/v4/mm/cancel_multiple_orders", body)
    assert [item["success"] for item in answer["data"]] == [True, False]
    assert answer["data"][1]["error"]["error_code"] == "data_not_found"
    many = [client.order(strike_id, 900, 5.0) for _ in range(21)]
    answer = client.api("POST", "/v4/mm/submit_multiple_orders", {"data": many})
    assert _code(answer) == (400, "order_limit_exceeded")


def test_activation_is_first_in_first_out_under_the_venue_profile() -> None:
    box = a_box(latency_profile="venue")
    client = Client(box)
    private = client.listen()
    strike_id = a_line(box).strikes[0].strike_id
    bodies = [client.order(strike_id, 900, 5.0) for _ in range(15)]
    client.api("POST", "/v4/mm/submit_multiple_orders", {"data": bodies})
    client.wait(0.14)
    assert private.payloads("orders") == []
    client.wait(10)
    opened = [one["info"]["external_id"] for one in private.payloads("orders")]
    assert opened == [body["external_id"] for body in bodies]


def test_the_start_wipes_what_rests_and_closes_the_event() -> None:
    # faults: F3
    box = a_box(start_after_s=60)
    client = Client(box)
    line = box.exchange.listing.lines[0]
    private = client.listen()
    order = client.place(line.strikes[0].strike_id, 900, 5.0)
    event = box.exchange.listing.events[line.event_id]
    assert event.start_ns - START_NS <= 900 * NS
    while client.now_ns < event.start_ns:
        private.send("pusher:ping", {})
        client.wait(100)
    messages = [one["info"]["status"] for one in private.payloads("orders")]
    assert messages == ["open", "wiped"]
    client.login()
    assert client.read(order["order_id"])["status"] == "wiped"
    body = client.order(line.strikes[0].strike_id, 900, 5.0)
    answer = client.api("POST", "/v4/mm/submit_order", body)
    assert _code(answer) == (400, "event_not_available")


def test_a_suspended_market_takes_no_orders_and_comes_back() -> None:
    # faults: F6
    box = a_box()
    client, taker = Client(box), a_second_client(box)
    line = a_line(box)
    stream = client.listen(line.event_id)
    order = client.place(line.strikes[0].strike_id, 900, 5.0)
    body = {"event_id": line.event_id, "action": "suspend"}
    assert client.call("POST", "/_box/event", body)[1]["markets"] == "suspended"
    statuses = {
        one["info"]["status"] for one in stream.payloads("tournament_31") if "status" in one["info"]
    }
    assert statuses == {"suspended"}
    path = f"/v4/mm/get_markets?event_id={line.event_id}"
    markets = client.api("GET", path)[1]["data"]["markets"]
    assert {market["status"] for market in markets} == {"suspended"}
    against = taker.order(line.strikes[1].strike_id, 900, 5.0)
    answer = taker.api("POST", "/v4/mm/submit_order", against)
    assert _code(answer) == (400, "event_not_available")
    assert client.read(order["order_id"])["open_quantity"] == 5.0
    client.call("POST", "/_box/event", body | {"action": "resume"})
    assert taker.api("POST", "/v4/mm/submit_order", against)[0] == 200
    client.call("POST", "/_box/event", body | {"action": "start"})
    assert client.read(order["order_id"])["status"] == "wiped"
    assert client.call("POST", "/_box/event", body)[0] == 404
