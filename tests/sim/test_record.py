"""The witness: its figures are those of a hand calculation."""

from __future__ import annotations

import pytest

from mmbot.sim.core.prices import implied
from mmbot.sim.scenario import Drift
from tests.sim.builders import Client, a_box, a_line, a_second_client

STILL = Drift(sd_per_sqrt_s=0.0)


def test_quoted_share_counts_from_second_ten_to_the_stop_mark() -> None:
    box = a_box(drift=STILL)
    client = Client(box)
    line = a_line(box)
    strike_id = line.strikes[0].strike_id
    fair = box.fair.probability(line.index)
    near = next(p for p in box.exchange.ladder.prices if implied(p) < fair - 0.05)
    far = next(p for p in box.exchange.ladder.prices if implied(p) < fair - 0.09)
    client.login()
    client.wait(5)
    first = client.place(strike_id, near, 10.0)
    client.wait(14.9)  # present from second 10 to second 20
    client.cancel(first)
    client.place(strike_id, far, 10.0)
    client.wait(4.9)  # too far away from second 20 to second 25
    client.place(strike_id, near, 10.0)
    client.wait(4.9)  # present from second 25 to second 30
    client.call("POST", "/_box/stop_mark")
    client.wait(50)
    record = client.record()
    assert record["quoted_share"][strike_id] == pytest.approx(15 / 20, abs=0.02)
    assert record["quoted_share_min"] == 0.0
    assert record["first_quote_s"] == pytest.approx(5.005, abs=0.001)
    client.call("POST", "/_box/stop_mark")
    assert client.record()["stop_ns"] == record["stop_ns"]


def test_worst_case_is_the_sum_over_lines_of_the_worse_outcome() -> None:
    box = a_box()
    client, taker = Client(box), a_second_client(box)
    one, two = box.exchange.listing.lines[:2]
    client.place(one.strikes[0].strike_id, 900, 30.0)
    client.place(one.strikes[1].strike_id, 900, 50.0)
    client.place(two.strikes[0].strike_id, 100, 40.0)
    assert client.record()["worst_case_cents"] == 5000 + 4000
    taker.wait(1)
    taker.place(two.strikes[1].strike_id, 100, 40.0)
    assert client.record()["worst_case_cents"] == 5000 + 4000
    taker.place(one.strikes[1].strike_id, -900, 90.0)
    # 10.00 filled at +900: +90 when side 0 wins; side 0 loses: 30.00 filled or resting
    assert client.record()["worst_case_cents"] == 3000 + 4000
    client.api("POST", "/v4/mm/cancel_all_orders")
    client.wait(0.1)
    record = client.record()
    assert record["worst_case_cents"] == 1000 + 4000
    assert record["worst_case_cents_max"] == 9000
    assert record["open_orders_now"] == 0


def test_two_orders_at_one_price_at_once_are_noticed() -> None:
    box = a_box()
    client = Client(box)
    strike_id = a_line(box).strikes[0].strike_id
    first = client.place(strike_id, 900, 5.0)
    client.cancel(first)
    client.place(strike_id, 900, 5.0)
    client.place(strike_id, 880, 5.0)
    assert client.record()["same_price_twice"] == 0
    client.place(strike_id, 900, 5.0)
    assert client.record()["same_price_twice"] == 1


def test_requests_are_counted_by_route_status_and_fastest_second() -> None:
    # faults: D7
    box = a_box()
    client = Client(box)
    client.login()
    for _ in range(4):
        client.wait(0.4)
        client.api("GET", "/v4/mm/get_balance")
    client.wait(2)
    statuses = [client.api("GET", "/v4/mm/get_balance")[0] for _ in range(52)]
    assert statuses == [200] * 50 + [429] * 2
    client.wait(0.999)
    assert client.api("GET", "/v4/mm/get_balance")[0] == 429
    client.wait(0.001)
    assert client.api("GET", "/v4/mm/get_balance")[0] == 200
    requests = client.record()["requests"]
    assert requests["total"] == 1 + 4 + 52 + 2
    assert requests["by_status"] == {"200": 56, "429": 3}
    assert requests["by_route"]["GET /v4/mm/get_balance"] == 58
    assert requests["per_second_max"] == 53


def test_the_record_tells_orders_fills_and_money() -> None:
    box = a_box()
    client, taker = Client(box), a_second_client(box)
    line = a_line(box)
    order = client.place(line.strikes[0].strike_id, -117, 117.0)
    taker.wait(1)
    taker.place(line.strikes[1].strike_id, 114, 50.0)
    _, answer = client.call("POST", "/_box/settle")
    record = client.record()
    [kept] = record["orders"]
    assert [what for _, what in kept["history"]] == [
        "accepted",
        "open",
        "filled 5850",
        "wiped",
        "closed",
    ]
    assert kept["order_id"] == order["order_id"]
    assert kept["winning_status"] == "loss"  # the Patriots lost 13-29
    assert record["wiped_at_settle"] == record["open_orders_at_end"] == 1
    [fill] = record["fills"]
    assert (fill["stake_cents"], fill["wins_cents"], fill["as"]) == (5850, 5000, "maker")
    assert record["pnl_cents"] == -5850
    assert [row["kind"] for row in record["transactions"]] == ["TRADE"]
    second = taker.record()
    assert second["pnl_cents"] == 5850 - 117
    kinds = [(row["kind"], row["amount_cents"]) for row in second["transactions"]]
    assert kinds == [("TRADE", -5000), ("PAY", 10_850), ("COMMISSION", -117)]
    assert answer["fees_cents"]["second"] == 117
    assert {row["trade_id"] for row in second["transactions"]} == {fill["fill_id"]}


def test_commission_is_on_the_net_of_a_market() -> None:
    """Two lines of one market are set off; a market of another event is not."""
    box = a_box()
    client, taker = Client(box), a_second_client(box)
    low, high = box.exchange.listing.lines[0], box.exchange.listing.lines[5]
    assert (low.market_id, low.event_id) == (high.market_id, high.event_id)
    for line in (low, high):
        client.place(line.strikes[0].strike_id, 100, 100.0)
        taker.now_ns = client.now_ns
        taker.place(line.strikes[1].strike_id, 100, 100.0)
        client.now_ns = taker.now_ns
    box.control.results = []
    client.call("POST", "/_box/settle")
    won = [o["winning_status"] for o in client.record()["orders"]].count("profit")
    gross = {2: 20_000, 1: 0, 0: -20_000}[won]
    assert client.record()["pnl_cents"] == gross - max(0, gross) * 2 // 100
