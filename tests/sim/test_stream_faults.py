"""Frames that go wrong inside the box, on every connection or on those of one account."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.sim.core.messages import Json
from mmbot.sim.stream.frames import CUT, Close
from tests.sim.builders import Client, Stream, a_box


def on(client: Client, *rules: Json) -> None:
    assert client.call("POST", "/_box/faults", list(rules))[0] == 200


def heard(client: Client, stream: Stream, count: int = 1) -> list[str]:
    """Places orders one after the other; statuses with the end of their ids, as they came."""
    strike = client.box.exchange.listing.lines[0].strikes[0].strike_id
    for _ in range(count):
        client.place(strike, 100, 10.0)
    client.wait(5)
    return [payload["info"]["external_id"] for payload in stream.payloads("orders")]


# faults: A16 A9
def test_frames_are_lost_or_come_again() -> None:
    client = Client(a_box())
    stream = client.listen()
    on(client, {"fault": "frame_lost", "rate": 1, "times_max": 1})
    assert heard(client, stream, 2) == ["tmaker-2"]
    on(client, {"fault": "frame_copied", "rate": 1, "times_max": 1})
    found = heard(client, stream, 2)
    assert 2 <= found.count("tmaker-3") <= 5
    assert found.count("tmaker-4") == 1


# faults: A8 A10
def test_a_swapped_frame_is_overtaken_by_the_next_and_never_lost() -> None:
    client = Client(a_box())
    stream = client.listen()
    on(client, {"fault": "frame_swapped", "rate": 1, "times_max": 1})
    strike = client.box.exchange.listing.lines[0].strikes[0].strike_id
    batch = [client.order(strike, 100 + 2 * n, 10.0) for n in range(3)]
    client.api("POST", "/v4/mm/submit_multiple_orders", {"data": batch})
    client.wait(1)
    came = [p["info"]["external_id"] for p in stream.payloads("orders")]
    assert came == ["tmaker-2", "tmaker-1", "tmaker-3"]
    on(client, {"fault": "frame_swapped", "rate": 1, "times_max": 1})
    assert heard(client, stream) == ["tmaker-4"]  # nothing overtook it: it came by itself


def test_a_late_frame_holds_up_all_behind_it() -> None:
    client = Client(a_box())
    stream = client.listen()
    on(client, {"fault": "frame_late", "rate": 1, "times_max": 1, "delay_s": [2, 2]})
    strike = client.box.exchange.listing.lines[0].strikes[0].strike_id
    for price in (100, 102, 104):
        client.place(strike, price, 10.0)
    client.wait(1)
    assert stream.payloads("orders") == []
    client.wait(1)
    came = [p["info"]["external_id"] for p in stream.payloads("orders")]
    assert came == ["tmaker-1", "tmaker-2", "tmaker-3"]


# faults: A13 F9
def test_odd_frames_are_still_frames() -> None:
    client = Client(a_box())
    stream = client.listen()
    on(client, {"fault": "frame_odd", "rate": 1, "on": ["orders"]})
    strike = client.box.exchange.listing.lines[0].strikes[0].strike_id
    client.place(strike, 100, 10.0)
    usual = {"status": "open", "fill_price": 0, "strike": 0, "market_id": 219}
    odd: set[str] = set()
    for _ in range(30):
        client.place(strike, 100, 10.0)
        for payload in stream.payloads("orders"):
            info: dict[str, Any] = payload["info"]
            odd |= {name for name, value in usual.items() if info.get(name, "gone") != value}
            odd |= {name for name in info if name == "field_of_next_year"}
    assert {"status", "fill_price", "strike", "market_id", "field_of_next_year"} <= odd


# faults: E1
def test_a_silent_connection_answers_pings_and_nothing_else() -> None:
    client = Client(a_box())
    stream = client.listen()
    on(client, {"fault": "silence", "rate": 60_000, "times_max": 1, "delay_s": [20, 20]})
    client.wait(1)
    assert heard(client, stream) == []
    stream.send("pusher:ping", {})
    assert [frame["event"] for frame in stream.frames()] == ["pusher:pong"]
    client.wait(20)
    assert heard(client, stream) == ["tmaker-2"]


# faults: E14
def test_a_connection_is_cut_and_new_ones_are_refused() -> None:
    client = Client(a_box())
    stream = client.listen()
    on(client, {"fault": "disconnect", "rate": 60_000, "times_max": 1})
    client.wait(1)
    assert stream.connection.closed
    on(client, {"fault": "connect_refused", "rate": 1, "times_max": 1})
    refused = client.box.connect(client.box.hub.app.key, {"protocol": "7"}, client.now_ns)
    assert list(refused.out) == [Close(CUT)]
    client.listen()


def test_only_the_stream_of_the_account_that_is_meant() -> None:
    client = Client(a_box())
    other = Client(client.box, client.box.add_account("other", "key-o", "secret-o"))
    mine, theirs = client.listen(), other.listen()
    on(client, {"fault": "frame_lost", "rate": 1, "account": "other"})
    assert heard(client, mine) == ["tmaker-1"]
    other.now_ns = client.now_ns
    assert heard(other, theirs) == []


# faults: E4 E16
def test_a_channel_loses_some_types_silently() -> None:
    client = Client(a_box())
    event = next(iter(client.box.exchange.listing.events.values()))
    stream = client.listen(event.event_id)
    client.call("POST", "/_box/faults", {"silent_types": "orders, health_check"})
    strike = event.lines[0].strikes[0].strike_id
    client.place(strike, 100, 10.0)
    client.wait(6)
    assert {frame["event"] for frame in stream.frames()} == {"market_selections"}


# faults: E11
@pytest.mark.parametrize("image", ["crossed", "locked", "dead", "one_sided"])
def test_books_no_healthy_market_shows(image: str) -> None:
    client = Client(a_box())
    line = client.box.exchange.listing.lines[0]
    stream = client.listen(line.event_id)
    client.call("POST", "/_box/faults", {"book_image": image})
    client.place(line.strikes[0].strike_id, 100, 10.0)
    client.wait(1)
    told = stream.payloads("market_selections")[-1]["info"]["selections"]
    _, answer = client.api("GET", f"/v4/mm/get_markets?event_id={line.event_id}")
    market = next(m for m in answer["data"]["markets"] if m["id"] == line.market_id)
    read = market.get("selections") or market["market_strikes"][0]["selections"]
    for sides in (told, read):
        first, second = (side[0]["price"] for side in sides)
        assert {
            "crossed": first == second == 150,
            "locked": second is not None and first == (-second if abs(second) > 100 else second),
            "dead": {first, second} == {5000, -5000},
            "one_sided": first is not None and second is None,
        }[image]
    client.call("DELETE", "/_box/faults")
    client.place(line.strikes[0].strike_id, 102, 10.0)
    assert stream.payloads("market_selections")[-1]["info"]["selections"] != told
