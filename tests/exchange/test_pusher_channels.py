"""More channels and fewer on a connection that is in use."""

from __future__ import annotations

import pytest

from mmbot.exchange.pusher import (
    AppMessage,
    ChannelAuth,
    Failed,
    Odd,
    PusherTimeouts,
    Subscribed,
    SubscriptionFailed,
)
from mmbot.exchange.pusher_states import Phase
from tests.exchange.parts import S, example_json
from tests.exchange.pusher_parts import (
    MAIN,
    MORE,
    OURS,
    at,
    said,
    sent,
    signed_in,
    subscribed,
    succeeded,
)

TIMEOUTS = PusherTimeouts()


def test_one_more_channel_is_asked_for_with_its_auth_and_the_rest_goes_on() -> None:
    protocol = subscribed()
    protocol.subscribe([ChannelAuth(MORE, "key:3")], S)
    assert sent(protocol) == [("pusher:subscribe", {"channel": MORE, "auth": "key:3"})]
    assert protocol.phase is Phase.SUBSCRIBED
    assert protocol.receive(succeeded(MORE), 2 * S) == [Subscribed(MORE)]
    assert protocol.subscribed == {MAIN, OURS, MORE}


def test_a_channel_that_needs_no_auth_is_asked_for_without() -> None:
    protocol = subscribed()
    protocol.subscribe([ChannelAuth("public", "")], 0)
    assert sent(protocol) == [("pusher:subscribe", {"channel": "public"})]


def test_what_is_subscribed_or_asked_for_is_not_asked_again() -> None:
    # A second subscribe of the same channel is an error on some servers (contract, pusher page 4).
    protocol = at(Phase.SUBSCRIBED, TIMEOUTS)
    protocol.subscribe([ChannelAuth(name, "k") for name in (MAIN, MORE, "new", "new")], 0)
    assert [data["channel"] for _, data in sent(protocol)] == ["new"]


def test_channels_added_during_the_first_subscription_are_waited_for_too() -> None:
    protocol = signed_in()
    protocol.subscribe([ChannelAuth(MORE, "key:3")], 0)
    phases = []
    for channel in (MAIN, OURS, MORE):
        protocol.receive(succeeded(channel), 0)
        phases.append(protocol.phase)
    assert phases == [Phase.SUBSCRIBING, Phase.SUBSCRIBING, Phase.SUBSCRIBED]


def test_each_channel_has_its_own_deadline() -> None:
    protocol = subscribed()
    protocol.subscribe([ChannelAuth("one", "k")], 1 * S)
    protocol.subscribe([ChannelAuth("two", "k")], 4 * S)
    assert protocol.next_deadline() == 11 * S
    assert protocol.tick(11 * S) == [SubscriptionFailed("one", "no answer")]
    assert protocol.next_deadline() == 14 * S
    assert protocol.tick(14 * S) == [SubscriptionFailed("two", "no answer")]
    assert protocol.subscribed == {MAIN, OURS}


def test_silence_about_a_channel_does_not_hide_silence_of_the_connection() -> None:
    protocol = subscribed()
    protocol.subscribe([ChannelAuth(MORE, "k")], 25 * S)
    protocol.to_send()
    assert protocol.tick(35 * S) == [SubscriptionFailed(MORE, "no answer")]
    assert sent(protocol) == [("pusher:ping", {})]


def test_a_success_that_comes_late_still_counts() -> None:
    protocol = at(Phase.SUBSCRIBED, TIMEOUTS)
    protocol.tick(10 * S)
    assert protocol.receive(succeeded(MORE), 12 * S) == [Subscribed(MORE)]
    assert MORE in protocol.subscribed


def test_a_silent_channel_may_be_asked_for_again() -> None:
    protocol = at(Phase.SUBSCRIBED, TIMEOUTS)
    protocol.tick(10 * S)
    protocol.to_send()
    protocol.subscribe([ChannelAuth(MORE, "key:4")], 11 * S)
    assert sent(protocol) == [("pusher:subscribe", {"channel": MORE, "auth": "key:4"})]
    assert protocol.receive(succeeded(MORE), 12 * S) == [Subscribed(MORE)]
    assert protocol.receive(succeeded(MORE), 12 * S) == []


def test_a_channel_that_is_taken_away_has_failed() -> None:
    # faults: E3
    protocol = subscribed()
    error = said("pusher:subscription_error", {"error": "revoked"}, OURS)
    assert protocol.receive(error, 0) == [SubscriptionFailed(OURS, "revoked")]
    assert protocol.subscribed == {MAIN}
    assert protocol.receive(error, 0) == []  # told once


def test_a_lost_channel_is_asked_for_again_until_it_is_there() -> None:
    protocol = subscribed()
    again = [
        ("pusher:unsubscribe", {"channel": OURS}),
        ("pusher:subscribe", {"channel": OURS, "auth": "key:2"}),
    ]
    error = said("pusher:subscription_error", {"error": "no"}, OURS)
    assert protocol.receive(error, 0) == [SubscriptionFailed(OURS, "no")]
    for at_s in (30, 60):
        protocol.receive(said("pusher:pong", {}), at_s * S - 1)
        assert protocol.next_deadline() == at_s * S
        assert protocol.tick(at_s * S) == []
        assert sent(protocol) == again
        assert protocol.receive(error, at_s * S) == []  # the same answer is not told again
    assert protocol.receive(succeeded(OURS), 61 * S) == [Subscribed(OURS)]
    protocol.tick(90 * S)
    assert sent(protocol) == []


def test_a_lost_channel_that_was_left_is_not_asked_for_again() -> None:
    protocol = subscribed()
    protocol.receive(said("pusher:subscription_error", {}, OURS), 0)
    protocol.unsubscribe([OURS])
    protocol.to_send()
    protocol.tick(31 * S)
    assert sent(protocol) == [("pusher:ping", {})]


def test_an_answer_for_a_channel_that_nobody_asked_for_is_odd() -> None:
    for text in (succeeded("new"), said("pusher:subscription_error", {}, "new")):
        protocol = subscribed()
        (event,) = protocol.receive(text, 0)
        assert isinstance(event, Odd)
        assert protocol.subscribed == {MAIN, OURS}


@pytest.mark.parametrize("channel", [MAIN, MORE])  # subscribed; asked for
def test_a_channel_is_left_at_once(channel: str) -> None:
    protocol = at(Phase.SUBSCRIBED, TIMEOUTS)
    protocol.unsubscribe([channel, "never heard of"])
    assert sent(protocol) == [("pusher:unsubscribe", {"channel": channel})]
    assert channel not in protocol.subscribed | protocol.pending.keys()
    (event,) = protocol.receive(succeeded(channel), 0)
    assert isinstance(event, Odd)


def test_leaving_is_said_as_the_contract_says_it() -> None:
    frame = example_json("ws_frame.unsubscribe.json")
    channel = frame["data"]["channel"]
    protocol = subscribed()
    protocol.subscribe([ChannelAuth(channel, "k")], 0)
    protocol.to_send()
    protocol.unsubscribe([channel])
    assert sent(protocol) == [(frame["event"], frame["data"])]


def test_leaving_the_last_channel_that_is_waited_for_ends_the_wait() -> None:
    protocol = signed_in()
    protocol.receive(succeeded(MAIN), 0)
    protocol.unsubscribe([OURS])
    assert protocol.phase is Phase.SUBSCRIBED


def test_a_silent_channel_that_was_left_stays_left() -> None:
    protocol = at(Phase.SUBSCRIBED, TIMEOUTS)
    protocol.tick(10 * S)
    protocol.to_send()
    protocol.unsubscribe([MORE])
    assert sent(protocol) == [("pusher:unsubscribe", {"channel": MORE})]
    protocol.receive(succeeded(MORE), 12 * S)
    assert MORE not in protocol.subscribed


def test_messages_under_way_pass_after_the_channel_was_left() -> None:
    protocol = subscribed()
    protocol.unsubscribe([MAIN])
    assert protocol.receive(said("book", "{}", MAIN), 0) == [AppMessage("book", MAIN, "{}")]


def test_a_channel_left_and_wanted_again_is_asked_for_again() -> None:
    protocol = subscribed()
    protocol.unsubscribe([MAIN])
    protocol.subscribe([ChannelAuth(MAIN, "key:5")], 0)
    assert [event for event, _ in sent(protocol)] == ["pusher:unsubscribe", "pusher:subscribe"]


def test_four_hundred_channels_at_once() -> None:
    protocol = subscribed()
    channels = [f"private-event={n}" for n in range(400)]
    protocol.subscribe([ChannelAuth(name, "k") for name in channels], 0)
    assert len(sent(protocol)) == 400
    events = [event for name in channels for event in protocol.receive(succeeded(name), S)]
    assert events == [Subscribed(name) for name in channels]
    protocol.unsubscribe(channels)
    assert protocol.subscribed == {MAIN, OURS}


def test_a_dead_connection_asks_for_nothing_more() -> None:
    protocol = subscribed()
    protocol.receive(said("pusher:subscription_error", {}, OURS), 0)
    protocol.tick(30 * S)
    protocol.to_send()
    (event,) = protocol.tick(60 * S)  # of the second attempt, and of the pong
    assert isinstance(event, Failed)
    assert not protocol.has_to_send
