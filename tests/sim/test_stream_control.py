"""The stream misbehaves on request: closes, silence, moves, refusals, bounds."""

from __future__ import annotations

import pytest

from mmbot.sim.http.registration import register
from mmbot.sim.scenario import SessionRules
from mmbot.sim.stream.channels import event_channel, main_channel, user_channel
from mmbot.sim.stream.frames import CLOSE_CODES, Close
from tests.sim.builders import NS
from tests.sim.streaming import (
    APP,
    a_book,
    a_hub,
    a_socket,
    an_account,
    an_order_message,
    said,
    send,
    subscribe,
)


@pytest.mark.parametrize("code", sorted(CLOSE_CODES))
def test_every_code_of_the_table_closes_on_demand(code: int) -> None:
    # faults: E14
    hub = a_hub()
    one, two = a_socket(hub), a_socket(hub)
    hub.close_all(Close(code))
    for connection in (one, two):
        error, close = said(connection)
        assert (error["event"], error["data"]["code"]) == ("pusher:error", code)
        assert error["data"]["message"] == CLOSE_CODES[code]
        assert close.code == code
    assert not hub.connections


@pytest.mark.parametrize("code", [4000, 4003, 4004, 4100, 4200])
def test_new_sockets_can_be_refused_with_a_code(code: int) -> None:
    # faults: E14 D16
    hub = a_hub()
    hub.refuse_new = Close(code)
    connection = hub.connect(APP.key, {"protocol": "7"}, 0)
    assert said(connection)[-1].code == code
    hub.refuse_new = None
    assert a_socket(hub).socket_id in hub.connections


@pytest.mark.parametrize(
    ("key", "query", "code"),
    [
        ("", {"protocol": "7"}, 4005),
        (APP.key, {"protocol": "7", "version": "new"}, 4006),
        (APP.key, {"protocol": "99"}, 4007),
        (APP.key, {"protocol": ""}, 4008),
    ],
)
def test_a_wrong_address_is_refused_with_its_code(
    key: str, query: dict[str, str], code: int
) -> None:
    hub = a_hub()
    assert said(hub.connect(key, query, 0))[-1].code == code


@pytest.mark.parametrize("protocol", ["5", "6", "7"])
@pytest.mark.parametrize("version", ["8.6.0", "1.0.7", "7.0.0-beta.1", None])
def test_the_versions_that_clients_send_are_let_in(protocol: str, version: str | None) -> None:
    hub = a_hub()
    query = {"protocol": protocol} | ({"version": version} if version else {})
    assert hub.connect(APP.key, query, 0).socket_id in hub.connections


def test_one_account_can_be_cut_off_and_the_others_stay() -> None:
    hub = a_hub()
    ours, theirs = a_socket(hub), a_socket(hub)
    ours.user_id, theirs.user_id = "a", "b"
    hub.close_all(Close(4009), "a")
    assert (ours.closed, theirs.closed) == (True, False)


def test_an_error_of_the_4300_range_leaves_the_socket_open() -> None:
    hub = a_hub()
    connection = a_socket(hub)
    hub.complain(4301, CLOSE_CODES[4301])
    assert said(connection)[0]["data"]["code"] == 4301
    assert not connection.closed


def test_a_half_open_socket_answers_pings_and_nothing_else() -> None:
    # faults: E1
    hub, account = a_hub(), an_account()
    connection = a_socket(hub)
    subscribe(hub, connection, user_channel(account.user_id))
    hub.mute(True)
    hub.health(5 * NS)
    hub.publish(an_order_message(account))
    assert said(connection) == []
    assert send(hub, connection, "pusher:ping", {})[0]["event"] == "pusher:pong"
    hub.mute(True, pongs=False)
    assert send(hub, connection, "pusher:ping", {}) == []
    assert a_socket(hub).mute == "all"
    hub.mute(False)
    hub.health(10 * NS)
    assert [frame["event"] for frame in said(connection)] == ["health_check"]


def test_the_stream_moves_to_another_key_cluster_and_host() -> None:
    # faults: E6
    hub = a_hub()
    connection = hub.connect(APP.key, {"protocol": "7"}, 0, "old:1")
    hub.move(key="k2", cluster="us2", host="new:1")
    assert (hub.app.key, hub.address.cluster, hub.address.host) == ("k2", "us2", "new:1")
    assert not connection.closed
    assert said(hub.connect(APP.key, {"protocol": "7"}, 0))[-1].code == 4001
    hub.address.dead_hosts.add("old:1")
    assert said(hub.connect("k2", {"protocol": "7"}, 0, "old:1")) == [Close(1006)]
    assert not hub.connect("k2", {"protocol": "7"}, 0, "new:1").closed
    hub.move(host="old:1")
    assert not hub.connect("k2", {"protocol": "7"}, 0, "old:1").closed
    hub.move(close=Close(4200))
    assert connection.closed


def test_a_reader_that_does_not_read_is_closed_and_its_frames_are_dropped() -> None:
    # faults: E15
    hub = a_hub(frames_queued_max=3)
    slow, quick = a_socket(hub), a_socket(hub)
    for connection in (slow, quick):
        subscribe(hub, connection, event_channel(11))
    for _ in range(4):
        hub.publish(a_book(11))
        said(quick)
    error, close = said(slow)
    assert (error["data"]["code"], close.code) == (4100, 4100)
    assert not quick.closed


def test_too_many_sockets_are_refused_with_4004() -> None:
    hub = a_hub(sockets_max=2)
    first, _ = a_socket(hub), a_socket(hub)
    assert said(hub.connect(APP.key, {"protocol": "7"}, 0))[-1].code == 4004
    hub.disconnect(first)
    assert a_socket(hub).socket_id in hub.connections


def test_ten_thousand_subscriptions_on_one_socket_leave_nothing_behind() -> None:
    hub = a_hub()
    connection = a_socket(hub)
    for event_id in range(1, 10_001):
        [answer] = subscribe(hub, connection, event_channel(event_id))
        assert answer["event"] == "pusher_internal:subscription_succeeded"
    hub.publish(a_book(9_999))
    assert len(said(connection)) == 1
    hub.disconnect(connection)
    assert hub.channel_count == 0


def test_channels_of_one_socket_are_bounded() -> None:
    hub = a_hub(channels_per_socket_max=1)
    connection = a_socket(hub)
    subscribe(hub, connection, event_channel(1))
    [answer] = subscribe(hub, connection, event_channel(2))
    assert (answer["event"], answer["data"]["status"]) == ("pusher:subscription_error", 403)


def test_a_socket_that_never_subscribes_is_closed_after_long_idleness() -> None:
    hub = a_hub(SessionRules(activity_timeout_s=10, pong_timeout_s=5), idle_timeout_s=60)
    idle, busy = a_socket(hub), a_socket(hub)
    subscribe(hub, busy, main_channel())
    heard = []
    for second in range(1, 70):
        hub.watch(second * NS)
        heard += said(idle)
        said(busy)
        for connection in (idle, busy):
            hub.receive(connection, '{"event":"pusher:pong","data":{}}', second * NS)
    assert heard[-1] == Close(4202)
    assert not busy.closed


def test_a_socket_may_die_with_the_token_that_registered_it() -> None:
    # faults: D6
    for rule, expected in ((True, [Close(4009, "access token has expired")]), (False, [])):
        hub = a_hub(SessionRules(access_life_s=600), close_at_token_expiry=rule)
        connection = a_socket(hub)
        register(hub, an_account(), {"socket_id": connection.socket_id}, 400, 5 * NS)
        hub.watch(604 * NS)
        assert not connection.closed
        said(connection)
        hub.receive(connection, '{"event":"pusher:ping","data":{}}', 605 * NS)
        said(connection)
        hub.watch(605 * NS)
        assert said(connection)[1:] == expected


def test_a_control_frame_counts_as_life_but_does_not_answer_a_ping() -> None:
    hub = a_hub(SessionRules(activity_timeout_s=10, pong_timeout_s=5))
    connection = a_socket(hub)
    hub.heard(connection, 9 * NS)
    hub.watch(15 * NS)
    assert said(connection) == []
    hub.watch(20 * NS)
    assert said(connection)[0]["event"] == "pusher:ping"
    hub.heard(connection, 21 * NS)
    hub.watch(26 * NS)
    assert said(connection)[-1] == Close(4201)
