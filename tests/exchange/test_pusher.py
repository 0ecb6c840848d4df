"""The Pusher protocol as sentences: what the server says, what we answer, what we conclude."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.exchange import wire
from mmbot.exchange.pusher import (
    AppMessage,
    ChannelAuth,
    Established,
    Failed,
    Odd,
    PusherEvent,
    PusherProtocol,
    Subscribed,
    SubscriptionFailed,
)
from mmbot.exchange.pusher_states import CloseClass, Phase, close_class
from tests.exchange.parts import S, example, example_json
from tests.exchange.pusher_parts import (
    MAIN,
    OURS,
    SIGNIN,
    established,
    registered,
    said,
    sent,
    signed_in,
    subscribed,
    succeeded,
)


def test_it_signs_in_with_the_very_bytes_that_were_signed() -> None:
    frame = example_json("ws_frame.signin.json")
    ((event, data),) = sent(registered(wire.Signin(**frame["data"])))
    assert (event, data) == (frame["event"], frame["data"])


@pytest.mark.parametrize(
    "name", ["ws_frame.signin_success.json", "ws_frame.signin_success.vendor_form.json"]
)
def test_then_it_subscribes_to_each_channel_with_its_own_auth(name: str) -> None:
    protocol = registered()
    protocol.to_send()
    protocol.receive(example(name), 0)
    assert sent(protocol) == [
        ("pusher:subscribe", {"channel": MAIN, "auth": "key:1"}),
        ("pusher:subscribe", {"channel": OURS, "auth": "key:2"}),
    ]
    frame = example_json("ws_frame.subscribe.json")
    assert frame["data"].keys() == {"channel", "auth"}


@pytest.mark.parametrize("signin", [None, wire.Signin("", "{}")])
def test_without_a_sign_in_block_it_subscribes_at_once(signin: wire.Signin | None) -> None:
    assert [event for event, _ in sent(registered(signin))] == ["pusher:subscribe"] * 2


def test_it_is_subscribed_when_the_last_channel_has_answered() -> None:
    protocol = signed_in()
    phases = []
    for channel in (MAIN, OURS):
        protocol.receive(succeeded(channel), 0)
        phases.append(protocol.phase)
    assert phases == [Phase.SUBSCRIBING, Phase.SUBSCRIBED]


@pytest.mark.parametrize("data", ["{}", {}, None])
def test_success_may_come_with_an_object_a_string_or_nothing(data: Any) -> None:
    protocol = signed_in()
    frame = {"event": "pusher_internal:subscription_succeeded", "channel": MAIN}
    text = json.dumps(frame if data is None else frame | {"data": data})
    assert protocol.receive(text, 0) == [Subscribed(MAIN)]


def test_the_examples_of_success_and_error_are_understood() -> None:
    error = example_json("ws_frame.subscription_error.json")
    channel, reason = error["channel"], error["data"]["error"]
    for name, expected in (
        ("ws_frame.subscription_succeeded.json", Subscribed(channel)),
        ("ws_frame.subscription_error.json", SubscriptionFailed(channel, reason)),
    ):
        protocol = established()
        protocol.authorise([ChannelAuth(channel, "key:1")], None, 0)
        assert protocol.receive(example(name), 0) == [expected]
        assert protocol.phase is Phase.SUBSCRIBED  # the last one has answered


def test_a_channel_that_stays_silent_has_failed() -> None:
    # faults: E3
    protocol = signed_in()
    protocol.receive(succeeded(OURS), 0)
    assert protocol.tick(9 * S) == []
    assert protocol.tick(10 * S) == [SubscriptionFailed(MAIN, "no answer")]
    assert protocol.phase is Phase.SUBSCRIBED


@pytest.mark.parametrize("protocol", [PusherProtocol(0), registered()])
def test_silence_after_connecting_or_signing_in_is_the_end(protocol: PusherProtocol) -> None:
    assert protocol.next_deadline() == 10 * S
    (event,) = protocol.tick(10 * S)
    assert isinstance(event, Failed)
    assert protocol.phase is Phase.FAILED
    assert protocol.tick(20 * S) == []


def test_the_registration_may_take_its_time() -> None:
    assert established().tick(29 * S) == []


def test_a_ping_is_answered_at_once() -> None:
    protocol = subscribed()
    assert protocol.receive(example("ws_frame.ping.json"), 0) == []
    frame = example_json("ws_frame.pong.json")
    assert sent(protocol) == [(frame["event"], frame["data"])]


def test_after_silence_it_asks_and_gives_up_without_a_pong() -> None:
    # faults: E14
    protocol = subscribed()
    assert protocol.tick(29 * S) == []
    assert sent(protocol) == []
    assert protocol.next_deadline() == 30 * S
    assert protocol.tick(30 * S) == []
    assert sent(protocol) == [("pusher:ping", {})]
    assert protocol.next_deadline() == 60 * S
    assert protocol.tick(60 * S) == [Failed("no pong", 4201)]


def test_any_frame_is_a_sign_of_life() -> None:
    protocol = subscribed()
    protocol.tick(30 * S)
    protocol.receive(example("ws_frame.pong.json"), 31 * S)
    assert protocol.tick(60 * S) == []
    assert protocol.next_deadline() == 61 * S


@pytest.mark.parametrize(("server_s", "expected_s"), [(10, 10), (500, 30), (None, 30), (0, 30)])
def test_the_shorter_activity_timeout_counts(server_s: float | None, expected_s: float) -> None:
    protocol = PusherProtocol(0)
    data = {"socket_id": "1.2"} | ({} if server_s is None else {"activity_timeout": server_s})
    protocol.receive(said("pusher:connection_established", json.dumps(data)), 0)
    protocol.authorise([], None, 0)
    assert protocol.next_deadline() == expected_s * S


def test_messages_pass_before_all_channels_have_answered() -> None:
    # faults: E5
    protocol = signed_in()
    (event,) = protocol.receive(said("orders", "{}", OURS), 0)
    assert isinstance(event, AppMessage)
    assert (event.event, event.channel) == ("orders", OURS)


@pytest.mark.parametrize(
    ("data", "fails"),
    [
        (example_json("ws_frame.error.json")["data"], True),
        (json.dumps({"code": 4001, "message": "unknown key"}), True),
        ({"code": 4301, "message": "rate"}, False),
        ({"code": 4300}, False), ({"code": 4399}, False),
        ({"code": 4299}, True), ({"code": 4400}, True),
        ({"code": None, "message": "a channel was refused"}, False),
    ],
)  # fmt: skip
def test_an_error_ends_the_connection_unless_it_says_otherwise(data: Any, fails: bool) -> None:
    protocol = subscribed()
    events = protocol.receive(said("pusher:error", data), 0)
    assert [type(event) for event in events] == [Failed if fails else Odd]


def test_an_error_during_sign_in_is_the_end_even_without_a_code() -> None:
    protocol = registered()
    (event,) = protocol.receive(said("pusher:error", {"message": "bad signature"}), 0)
    assert isinstance(event, Failed)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (4000, CloseClass.CHANGE_FIRST), (4009, CloseClass.CHANGE_FIRST),
        (4099, CloseClass.CHANGE_FIRST), (4100, CloseClass.PAUSE), (4199, CloseClass.PAUSE),
        (4200, CloseClass.AT_ONCE), (4201, CloseClass.AT_ONCE), (4299, CloseClass.AT_ONCE),
        (4300, CloseClass.BACK_OFF), (1006, CloseClass.BACK_OFF), (None, CloseClass.BACK_OFF),
        (1000, CloseClass.BACK_OFF),
    ],
)  # fmt: skip
def test_what_a_close_code_asks_for(code: int | None, expected: CloseClass) -> None:
    # faults: E14
    assert close_class(code) is expected


frames = st.one_of(
    st.text(max_size=40),
    st.builds(
        said,
        st.sampled_from(["pusher:connection_established", "pusher:ping", "pusher:error",
                         "pusher:signin_success", "pusher_internal:subscription_succeeded",
                         "pusher:subscription_error", "orders", "pusher:novelty", ""]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=4,
        ),
        st.sampled_from([MAIN, OURS, "other"]),
    ),
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(frames, max_size=12))
def test_no_frame_whatever_raises(texts: list[str]) -> None:
    # faults: A13
    protocol, events = PusherProtocol(0), list[PusherEvent]()
    for now_ns, text in enumerate(texts):
        events += protocol.receive(text, now_ns)
        if protocol.phase is Phase.REGISTERING:
            protocol.authorise([ChannelAuth(MAIN, "a"), ChannelAuth(OURS, "b")], SIGNIN, now_ns)
        protocol.to_send()
    assert sum(isinstance(event, Established) for event in events) <= 1
    assert protocol.subscribed <= {MAIN, OURS}
