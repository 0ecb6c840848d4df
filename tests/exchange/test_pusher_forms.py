"""Every form of a frame that was seen in the wild, or may be: read, or told as odd."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mmbot.exchange.frames import inner_json
from mmbot.exchange.pusher import (
    AppMessage,
    Established,
    Failed,
    Odd,
    PusherProtocol,
    PusherTimeouts,
    Subscribed,
    SubscriptionFailed,
)
from mmbot.exchange.pusher_states import Phase
from tests.exchange.parts import S
from tests.exchange.pusher_parts import MAIN, MORE, OURS, at, said, sent, subscribed, succeeded

TIMEOUTS = PusherTimeouts()


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "7", '"pusher:ping"', "\ufeff{}", "\ud800",
        b"\x00\x01\x02", b'{"event":"\xff","data":"{}"}', b"\xff\xfe{",
        '{"event":null}', '{"event":7}', '{"event":"orders","channel":7}',
        '{"event":"orders","data":"\\ud800"}',
        '{"event":"orders","data":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"event":"orders","data":"{}"} {"event":"orders"}',
    ],
    ids=lambda text: repr(text)[:40],
)  # fmt: skip
def test_a_frame_that_is_no_frame_is_told_and_costs_nothing(text: str | bytes) -> None:
    # faults: A13
    protocol = subscribed()
    (event,) = protocol.receive(text, S)
    assert isinstance(event, Odd)
    assert event.what == "unreadable frame"
    assert len(event.detail) <= 100
    assert protocol.phase is Phase.SUBSCRIBED
    assert protocol.next_deadline() == 31 * S  # it was a sign of life


def test_what_an_odd_frame_held_is_not_told() -> None:
    secret = "key:0123456789abcdef"
    protocol = subscribed()
    for data in ({"auth": secret}, json.dumps({"auth": secret})):
        (event,) = protocol.receive(said("pusher:novelty", data), 0)
        assert secret not in str(event)
    for text in (f'{{"event":"{secret}"', f'{{"event":7,"data":"{secret}"}}'):
        (event,) = protocol.receive(text, 0)
        assert isinstance(event, Odd)
        assert secret not in str(event)


@pytest.mark.parametrize(
    ("data", "inner"),
    [
        ('"{\\"a\\":1}"', {"a": 1}), ('{"a":1}', {"a": 1}), ("null", None), ("[1]", [1]),
        ("", {}), ('"{\\"a\\":{\\"b\\":\\"{}\\"}}"', {"a": {"b": "{}"}}),
    ],
)  # fmt: skip
def test_data_may_be_a_string_an_object_or_absent(data: str, inner: Any) -> None:
    tail = f',"data":{data}' if data else ""
    (event,) = subscribed().receive(f'{{"event":"orders","channel":"{OURS}"{tail}}}', 0)
    assert isinstance(event, AppMessage)
    assert json.loads(inner_json(event.data)) == inner


def test_no_word_of_theirs_is_told_at_length() -> None:
    long = "x" * 1_000
    for text in (
        said(f"pusher:{long}"), succeeded(long), said("pusher:error", {"message": long}),
        said("pusher:subscription_error", {}, long),
        said("pusher:subscription_error", {"error": long}, MORE),
        said("pusher:error", {"code": 4001, "message": long}),
    ):  # fmt: skip
        (event,) = at(Phase.SUBSCRIBED, TIMEOUTS).receive(text, 0)
        assert len(str(event)) < 250


def test_more_keys_than_we_know_do_no_harm() -> None:
    text = json.dumps({"event": "orders", "user_id": "u", "new": [1], "data": "{}"})
    (event,) = subscribed().receive(text.encode(), 0)
    assert event == AppMessage("orders", "", "{}")


def test_only_the_prefix_with_its_colon_makes_a_control_event() -> None:
    for name in ("pusher", "pushers:ping", "pusher_internally:error", ""):
        (event,) = subscribed().receive(said(name, "{}", MAIN), 0)
        assert event == AppMessage(name, MAIN, "{}")


@pytest.mark.parametrize("name", ["pusher_internal", "pusher"])
def test_a_success_may_have_either_name(name: str) -> None:
    text = said(f"{name}:subscription_succeeded", "{}", MORE)
    assert at(Phase.SUBSCRIBED, TIMEOUTS).receive(text, 0) == [Subscribed(MORE)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"type": "AuthError", "error": "no", "status": 401}, "no"),
        ('{"type":"AuthError","status":401}', "AuthError"),
        ({"error": {"code": 7}}, "{'code': 7}"),
        (None, "error"), ("", "error"), ("no", "error"), ([], "error"),
    ],
)  # fmt: skip
def test_forms_of_a_refused_channel(data: Any, reason: str) -> None:
    protocol = at(Phase.SUBSCRIBED, TIMEOUTS)
    heard = protocol.receive(said("pusher:subscription_error", data, MORE), 0)
    assert heard == [SubscriptionFailed(MORE, reason)]
    assert MORE not in protocol.pending


def test_an_answer_without_a_channel_answers_for_none() -> None:
    for name in ("pusher_internal:subscription_succeeded", "pusher:subscription_error"):
        protocol = at(Phase.SUBSCRIBED, TIMEOUTS)
        (event,) = protocol.receive(said(name, {}), 0)
        assert isinstance(event, Odd)
        assert MORE in protocol.pending


@pytest.mark.parametrize(
    ("code", "expected"),
    [("4001", 4001), (4001.0, 4001), (-1, -1), (4200, 4200), (10**30, 10**30)],
)
def test_forms_of_an_error_code(code: Any, expected: int) -> None:
    (event,) = subscribed().receive(said("pusher:error", {"code": code, "message": "no"}), 0)
    assert isinstance(event, Failed)
    assert event.code == pytest.approx(expected)


@pytest.mark.parametrize("code", ["", "x", [], {}, None, "nan", "inf", "1" * 5000])
def test_what_is_no_code_ends_nothing(code: Any) -> None:
    (event,) = subscribed().receive(said("pusher:error", {"code": code, "message": "no"}), 0)
    assert event == Odd("pusher:error without a code", "no")


@pytest.mark.parametrize("socket_id", [None, "", 218543.77120934, 7, ["1.2"]])
def test_a_greeting_needs_a_socket_id_as_text(socket_id: Any) -> None:
    protocol = PusherProtocol(0)
    (event,) = protocol.receive(
        said("pusher:connection_established", {"socket_id": socket_id, "activity_timeout": 120}), 0
    )
    assert isinstance(event, Failed)


@pytest.mark.parametrize(
    ("given", "expected_s"),
    [("10", 10), (10.5, 10.5), (0.001, 1), (-5, 30), ("soon", 30), (None, 30), ([], 30),
     (10**400, 30), ("inf", 30), ("nan", 30)],
)  # fmt: skip
def test_forms_of_the_activity_timeout(given: Any, expected_s: float) -> None:
    protocol = PusherProtocol(0)
    data = {"socket_id": "1.2", "activity_timeout": given}
    assert protocol.receive(said("pusher:connection_established", data), 0) == [Established("1.2")]
    assert protocol.next_deadline() == expected_s * S


def test_a_second_greeting_is_ignored_unless_it_is_for_another_socket() -> None:
    protocol = subscribed()
    same = {"socket_id": protocol.socket_id, "activity_timeout": 2}
    assert protocol.receive(said("pusher:connection_established", same), 0) == []
    assert protocol.next_deadline() == 30 * S
    (event,) = protocol.receive(said("pusher:connection_established", {"socket_id": "9.9"}), 0)
    assert isinstance(event, Failed)


def test_a_flood_of_pings_is_answered_once_a_write() -> None:
    protocol = subscribed()
    for _ in range(1000):
        protocol.receive(said("pusher:ping", {}), 0)
    assert sent(protocol) == [("pusher:pong", {})]
    protocol.receive(said("pusher:ping", {}), 0)
    assert sent(protocol) == [("pusher:pong", {})]


def test_nothing_is_said_or_heard_after_the_end() -> None:
    protocol = at(Phase.FAILED, TIMEOUTS)
    texts = (succeeded(MAIN), said("orders", {}), said("pusher:ping", {}), "{")
    assert [protocol.receive(text, 0) for text in texts] == [[]] * 4
    assert protocol.tick(1000 * S) == []
    assert protocol.next_deadline() is None
    assert not protocol.has_to_send
