"""The Pusher server: signatures, handshake, pings and close codes."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from mmbot.sim.box import DATA
from mmbot.sim.scenario import SessionRules
from mmbot.sim.stream.channels import user_channel
from mmbot.sim.stream.hub import AppKey, Close, Connection, StreamHub
from tests.sim.builders import NS, Client, a_box, a_line

VECTORS = json.loads((DATA / "contract" / "pusher_signature_vectors.json").read_text())
APP = AppKey(VECTORS["key"], VECTORS["secret"])
SOCKET = VECTORS["socket_id"]


def a_hub() -> StreamHub:
    return StreamHub(APP, SessionRules(), Random(1))


def texts(connection: Connection) -> list[Any]:
    found = [one if isinstance(one, Close) else json.loads(one) for one in connection.out]
    connection.out.clear()
    return found


def test_signatures_are_those_of_the_published_vectors() -> None:
    private, signin = VECTORS["vectors"]
    assert APP.channel_auth(SOCKET, "private-foobar") == private["auth"]
    assert APP.user_auth(SOCKET, signin["user_data"]) == signin["auth"]


def test_a_new_socket_learns_its_id() -> None:
    hub = a_hub()
    one, two = (hub.connect(APP.key, {"protocol": "7"}, 0) for _ in range(2))
    [frame] = texts(one)
    assert frame["event"] == "pusher:connection_established"
    assert json.loads(frame["data"]) == {"socket_id": one.socket_id, "activity_timeout": 120}
    assert one.socket_id != two.socket_id


@pytest.mark.parametrize(
    ("key", "query", "code"),
    [
        ("other", {"protocol": "7"}, 4001),
        (APP.key, {}, 4008),
        (APP.key, {"protocol": "3"}, 4007),
    ],
)
def test_a_wrong_connection_is_closed_with_its_code(
    key: str, query: dict[str, str], code: int
) -> None:
    # faults: E14
    hub = a_hub()
    connection = hub.connect(key, query, 0)
    error, close = texts(connection)
    assert error["data"]["code"] == code
    assert close.code == code
    assert not hub.connections


def test_sign_in_checks_the_signature_over_the_exact_text() -> None:
    hub = a_hub()
    connection = hub.connect(APP.key, {"protocol": "7"}, 0)
    texts(connection)
    user_data = '{"id":"12345"}'
    auth = APP.user_auth(connection.socket_id, user_data)
    frame = {"event": "pusher:signin", "data": {"auth": auth, "user_data": user_data}}
    hub.receive(connection, json.dumps(frame), 0)
    [answer] = texts(connection)
    assert answer["event"] == "pusher:signin_success"
    frame["data"] = {"auth": auth, "user_data": '{"id": "12345"}'}
    hub.receive(connection, json.dumps(frame), 0)
    assert texts(connection)[-1] == Close(4009, "signin not authorised")


def test_a_subscription_needs_its_own_signature_and_may_come_once() -> None:
    hub = a_hub()
    connection = hub.connect(APP.key, {"protocol": "7"}, 0)
    texts(connection)

    def subscribe(channel: str, auth: str) -> Any:
        frame = {"event": "pusher:subscribe", "data": {"channel": channel, "auth": auth}}
        hub.receive(connection, json.dumps(frame), 0)
        return texts(connection)[0]

    auth = APP.channel_auth(connection.socket_id, "private-a")
    assert subscribe("private-b", auth)["event"] == "pusher:subscription_error"
    assert subscribe("private-a", auth)["event"] == "pusher_internal:subscription_succeeded"
    assert subscribe("private-a", auth)["event"] == "pusher:error"


def test_pings_are_answered_and_silence_ends_in_4201() -> None:
    hub = a_hub()
    connection = hub.connect(APP.key, {"protocol": "7"}, 0)
    texts(connection)
    hub.receive(connection, '{"event":"pusher:ping","data":{}}', 1 * NS)
    assert texts(connection) == [{"event": "pusher:pong", "data": {}}]
    hub.health(122 * NS)
    hub.watch(122 * NS)
    assert texts(connection) == [{"event": "pusher:ping", "data": {}}]
    hub.receive(connection, '{"event":"pusher:pong","data":{}}', 123 * NS)
    hub.health(153 * NS)
    hub.watch(153 * NS)
    assert texts(connection) == []
    hub.health(244 * NS)
    hub.watch(244 * NS)
    hub.health(275 * NS)
    hub.watch(275 * NS)
    assert texts(connection)[-1].code == 4201


@pytest.mark.parametrize("text", ["", "[]", "5", '{"data":1}', '{"event":"x"}', "{"])
def test_nonsense_gets_an_error_and_the_socket_lives(text: str) -> None:
    hub = a_hub()
    connection = hub.connect(APP.key, {"protocol": "7"}, 0)
    texts(connection)
    hub.receive(connection, text, 0)
    assert texts(connection)[0]["event"] == "pusher:error"
    assert connection.socket_id in hub.connections


def test_a_socket_gets_only_what_it_subscribed_to() -> None:
    box = a_box()
    client = Client(box)
    line = a_line(box)
    private_only, with_event = client.listen(), client.listen(line.event_id)
    client.place(line.strikes[0].strike_id, 900, 5.0)
    client.wait(5)
    seen = {frame["event"] for frame in private_only.frames()}
    assert seen == {"orders", "health_check"}
    channels = {frame["channel"] for frame in with_event.frames()}
    assert len(channels) == 2
    assert user_channel(box.maker.user_id) in channels


def test_the_book_is_sent_whole_and_not_more_often_than_its_pause() -> None:
    box = a_box()
    client = Client(box)
    line = a_line(box)
    stream = client.listen(line.event_id)
    for price in (900, 880, 860, 840):
        body = client.order(line.strikes[0].strike_id, price, 5.0)
        client.api("POST", "/v4/mm/submit_order", body)
        client.wait(0.01)
    client.wait(1)
    books = stream.payloads("market_selections")
    assert len(books) == 2
    side = books[-1]["info"]["selections"][1]
    assert [level["price"] for level in side] == [-840, -860, -880, -900]
    assert [level["quantity"] for level in side] == [5.0] * 4
    assert side[0]["value"] == 42.0
    [placeholder] = books[-1]["info"]["selections"][0]
    assert placeholder["price"] is None
    numbers = [one["info"]["sequence_number"] for one in books]
    assert numbers == sorted(numbers)


def test_the_union_of_wishes_is_capped() -> None:
    # faults: E8
    box = a_box(session=SessionRules(channel_limit=2))
    client = Client(box)
    stream = client.listen(11, 12)
    body = {"socket_id": stream.socket_id, "subscriptions": [{"type": "event", "ids": ["13"]}]}
    status, answer = client.api("POST", "/v4/mm/websocket", body)
    assert (status, answer["error"]) == (400, "exceed_subscription_count")
    body["socket_id"] = client.listen().socket_id
    assert client.api("POST", "/v4/mm/websocket", body)[0] == 200


def test_switched_off_kinds_are_not_sent() -> None:
    # faults: A16 E1 E3
    box = a_box()
    client = Client(box)
    line = a_line(box)
    stream = client.listen(line.event_id)
    switches = {"health_check_stopped": True, "private_orders_lost": True, "books_silent": True}
    assert client.call("POST", "/_box/faults", switches)[0] == 200
    client.place(line.strikes[0].strike_id, 900, 5.0)
    client.wait(20)
    assert stream.frames() == []
    client.call("POST", "/_box/faults", {"health_check_stopped": False})
    client.wait(5)
    assert {frame["event"] for frame in stream.frames()} == {"health_check"}
