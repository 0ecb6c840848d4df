"""Stream messages of the running box in wager words, and props on channels of their own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mmbot.sim.http.replies import Reply
from mmbot.sim.stream.frames import CUT
from mmbot.sim.stream.rules import StreamRules
from tests.sim.builders import NS, Client, Stream, a_box, a_line, a_second_client, decoded
from tests.sim.test_examples import same_message


def a_wager_client(client: Client) -> Stream:
    """A socket of the older model: registered by POST /mm/pusher, both channels open."""
    stream = Stream(
        client.box, client.box.connect(client.box.hub.app.key, {"protocol": "6"}, client.now_ns)
    )
    status, answer = client.api("POST", "/mm/pusher", {"socket_id": stream.socket_id})
    assert status == 200, answer
    for channel in answer["data"]["authorized_channel"]:
        data = {"channel": channel["channel_name"], "auth": channel["auth"]}
        stream.send("pusher:subscribe", data)
    stream.frames()
    return stream


def test_a_call_of_the_older_model_leaves_the_v4_channels_in_order_words() -> None:
    box = a_box()
    client = Client(box)
    event_id = a_line(box).event_id
    stream = client.listen(event_id)
    status, answer = client.api("POST", "/mm/pusher", {"socket_id": stream.socket_id})
    assert status == 200
    own = answer["data"]["authorized_channel"][1]
    stream.send("pusher:subscribe", {"channel": own["channel_name"], "auth": own["auth"]})
    stream.frames()
    client.place(a_line(box).strikes[0].strike_id, 150, 10.0)
    said = {
        (frame["event"], "service=6" in frame["channel"], "odds" in decoded(frame)["info"])
        for frame in stream.frames()
        if "-user=" in frame["channel"]
    }
    assert said == {("orders", True, False), ("wagers", False, True)}


def of_kind(stream: Stream, change_type: str) -> list[dict[str, Any]]:
    return [
        frame
        for frame in stream.frames()
        if json.loads(frame["data"])["change_type"] == change_type
    ]


def test_orders_books_and_trades_have_the_legacy_shapes_of_the_contract() -> None:
    box = a_box()
    client, taker = Client(box), a_second_client(box)
    line = a_line(box)
    stream = a_wager_client(client)
    client.place(line.strikes[0].strike_id, -117, 117.0)
    [activated] = of_kind(stream, "wagers")
    same_message(activated, "ws_wager.activated.legacy")
    taker.wait(1)
    taker.place(line.strikes[1].strike_id, 114, 50.0)
    taker.wait(1)
    frames = stream.frames()
    of = {json.loads(frame["data"])["change_type"]: frame for frame in frames}
    same_message(of["matched_bet"], "ws_matched_bet.legacy")
    book = decoded(of["market_selections"])["info"]
    level = book["selections"][1][0]
    assert {"line", "line_id", "odds", "display_odds", "stake", "value"} <= set(level)
    assert not {"strike", "strike_id", "price", "quantity"} & set(level)


def test_a_line_that_moves_is_told_in_both_wordings() -> None:
    # faults: F8
    box = a_box()
    client = Client(box)
    old, new = a_wager_client(client), client.listen(a_line(box).event_id)
    line = a_line(box, "spread")
    tournament = box.exchange.listing.events[line.event_id].tournament.id
    box.exchange.calendar.move_line(line, line.number + 1.0, client.now_ns)
    client.wait(0.1)
    told_old, told_new = of_kind(old, "market_line"), of_kind(new, "market_strike")
    assert len(told_old) == len(told_new) > 0
    assert {frame["event"] for frame in told_old} == {f"tournament_{tournament}"}
    assert "line_id" in decoded(told_old[0])["info"]
    assert "strike_id" in decoded(told_new[0])["info"]
    ids = [decoded(frame)["info"]["strike_id"] for frame in told_new]
    assert ids == [decoded(frame)["info"]["line_id"] for frame in told_old]


def test_an_initial_image_is_the_book_as_it_is() -> None:
    box = a_box(stream=StreamRules(initial_image=True))
    client = Client(box)
    line = a_line(box)
    client.place(line.strikes[0].strike_id, -117, 117.0)
    stream = Stream(box, box.connect(box.hub.app.key, {"protocol": "7"}, client.now_ns))
    wish = [{"type": "event", "ids": [str(line.event_id)]}]
    body = {"socket_id": stream.socket_id, "subscriptions": wish}
    channel = client.api("POST", "/v4/mm/websocket", body)[1]["data"]["authorized_channel"][2]
    data = {"channel": channel["channel_name"], "auth": channel["auth"]}
    stream.send("pusher:subscribe", data)
    answer, *images = stream.frames()
    assert "succeeded" in answer["event"]
    event = box.exchange.listing.events[line.event_id]
    assert len(images) == sum(not one.spec.sub_type for one in event.lines)
    prices = [
        level["price"]
        for image in images
        for level in decoded(image)["info"]["selections"][1]
        if level["strike_id"] == line.strikes[1].strike_id
    ]
    assert prices == [117]


@pytest.mark.parametrize("action", [{"code": 4301}, {"code": CUT}])
def test_close_sockets_takes_codes_outside_of_the_usual(action: dict[str, int]) -> None:
    box = a_box()
    client = Client(box)
    stream = client.listen()
    status, answer = client.call("POST", "/_box/do", {"action": "close_sockets"} | action)
    assert status == 200, answer
    assert stream.connection.closed


def test_a_registration_can_take_seconds() -> None:
    box = a_box(stream=StreamRules(registration_delay_s=4.0))
    client = Client(box)
    client.login()
    headers = {"Authorization": f"Bearer {client.token}"}
    for path, slow in (
        ("/mm/pusher", True),
        ("/v4/mm/websocket", True),
        ("/mm/get_balance", False),
    ):
        method = "GET" if "get_" in path else "POST"
        found = box.arrive(
            method, "/partner" + path, headers, b'{"socket_id":"1.1"}', client.now_ns
        )
        assert not isinstance(found, Reply)
        assert (sum(box.delays_ns(found)) >= 4 * NS) is slow
