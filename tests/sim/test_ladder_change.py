"""The box changes its price ladder while it runs, and ends what a fill leaves too little of."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Refusal
from mmbot.sim.rules import LifeRules, Rules
from mmbot.sim.timeline.entries import read_action
from tests.sim.builders import Client, a_box


def a_client(**rules: Any) -> Client:
    return Client(a_box(rules=Rules(first_pass_ms=0, **rules)))


def do(client: Client, **row: object) -> Json | Refusal:
    answer = client.box.moves.perform(read_action(row, "row"), client.now_ns)
    client.wait(0.1)
    return answer


def a_strike(client: Client, side: int = 0) -> str:
    return client.box.exchange.listing.lines[0].strikes[side].strike_id


def submitted(client: Client, price: int) -> tuple[int, Any]:
    order = client.order(a_strike(client), price, 5.0)
    return client.api("POST", "/v4/mm/submit_order", order)


# faults: G1
def test_points_leave_and_come_without_a_word() -> None:
    client = a_client()
    before = client.api("GET", "/v4/mm/get_price_ladder")[1]["data"]
    client.place(a_strike(client), 500, 5.0)
    assert submitted(client, 501)[1]["error"] == "invalid_price"
    stream = client.listen(client.box.exchange.listing.lines[0].event_id)
    stream.frames()
    assert do(client, action="change_ladder", remove=[500, -500], add=[501, 502]) == {
        "prices": len(before),
        "orders_off": 1,
    }
    assert stream.frames() == []
    after = client.api("GET", "/v4/mm/get_price_ladder")[1]["data"]
    assert set(before) - set(after) == {500, -500}
    assert set(after) - set(before) == {501, 502}
    assert submitted(client, 500)[1]["error"] == "invalid_price"
    assert submitted(client, 501)[0] == 200


# faults: G1
@pytest.mark.parametrize(
    ("rule", "status"), [("rest", "open"), ("cancel", "canceled"), ("wipe", "wiped")]
)
def test_what_rests_at_a_point_that_left_goes_by_rule(rule: Any, status: str) -> None:
    client = a_client(life=LifeRules(ladder_change=rule))
    gone, kept = (client.place(a_strike(client), price, 5.0) for price in (900, 960))
    do(client, action="change_ladder", remove=[900])
    assert client.read(gone["order_id"])["status"] == status
    assert client.read(kept["order_id"])["status"] == "open"
    do(client, action="take")  # and what rests on may trade
    assert bool(client.read(gone["order_id"])["filled_quantity"]) is (rule == "rest")


# faults: G1
def test_the_refusal_may_be_the_catch_all_with_words_about_the_ladder() -> None:
    status, said = submitted(a_client(off_ladder="invalid_request"), 501)
    assert (status, said["error"]) == (400, "invalid_request")
    assert "ladder" in said["message"]


@pytest.mark.parametrize("change", [{"add": [-100]}, {"add": [50]}, {"remove": "all"}])
def test_a_ladder_that_cannot_be_is_refused_and_nothing_changes(change: dict[str, Any]) -> None:
    client = a_client()
    before = client.box.exchange.ladder
    if change == {"remove": "all"}:
        change = {"remove": list(before.wire)}
    answer = do(client, action="change_ladder", **change)
    assert isinstance(answer, Refusal)
    assert client.box.exchange.ladder is before


# faults: G10
@pytest.mark.parametrize("rule", ["rest", "cancel"])
def test_what_is_left_below_the_minimum_rests_or_is_ended(rule: Any) -> None:
    client = a_client(dust=rule)
    order = client.place(a_strike(client), 500, 10.0)
    do(client, action="take", leave_usd=20.0)  # more than there is: nobody takes anything
    do(client, action="take", leave_usd=0.8)
    read = client.read(order["order_id"])
    assert (read["filled_quantity"], read["status"]) == (9.2, "open")
    left = (0.8, "partially_matched") if rule == "rest" else (0.0, "fully_matched")
    assert (read["open_quantity"], read["matching_status"]) == left
    assert client.box.maker.resting_cents == left[0] * 100
    assert bool(client.box.maker.alive) is (rule == "rest")


# faults: G10
def test_what_is_left_of_a_taker_is_ended_too_and_the_minimum_itself_is_not() -> None:
    client = a_client(dust="cancel")
    order = client.place(a_strike(client), 500, 10.0)
    do(client, action="take", usd=45.0)  # 9.00: one dollar is left, and that is enough
    assert client.read(order["order_id"])["open_quantity"] == 1.0
