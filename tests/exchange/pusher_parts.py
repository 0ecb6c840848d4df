"""A Pusher connection brought to each phase, and the server's frames."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from mmbot.exchange import wire
from mmbot.exchange.pusher import (
    ChannelAuth,
    Established,
    PusherProtocol,
    PusherTimeouts,
    SignedIn,
    Subscribed,
)
from mmbot.exchange.pusher_states import Phase
from tests.exchange.parts import example

MAIN: Final = "private-broadcast-service=6"
OURS: Final = "private-service=6-user=1"
MORE: Final = "private-broadcast-service=6-event=7"
SIGNIN: Final = wire.Signin("key:abc", '{"id":"5f0a8c1e-2b7d-4e55-9a41-6c0d3b7e9f12"}')


def said(event: str, data: Any = None, channel: str = "") -> str:
    frame = {"event": event, "data": data}
    return json.dumps(frame | ({"channel": channel} if channel else {}))


def succeeded(channel: str) -> str:
    return json.dumps({"event": "pusher_internal:subscription_succeeded", "channel": channel})


def sent(protocol: PusherProtocol) -> list[tuple[str, Any]]:
    return [(f["event"], f["data"]) for f in map(json.loads, protocol.to_send())]


def established(timeouts: PusherTimeouts | None = None) -> PusherProtocol:
    protocol = PusherProtocol(0, timeouts)
    frame = example("ws_frame.connection_established.json")
    assert protocol.receive(frame, 0) == [Established("218543.77120934")]
    return protocol


def registered(
    signin: wire.Signin | None = SIGNIN, timeouts: PusherTimeouts | None = None
) -> PusherProtocol:
    protocol = established(timeouts)
    protocol.authorise([ChannelAuth(MAIN, "key:1"), ChannelAuth(OURS, "key:2")], signin, 0)
    return protocol


def signed_in(timeouts: PusherTimeouts | None = None) -> PusherProtocol:
    protocol = registered(timeouts=timeouts)
    protocol.to_send()
    assert protocol.receive(example("ws_frame.signin_success.json"), 0) == [SignedIn()]
    return protocol


def subscribed(timeouts: PusherTimeouts | None = None) -> PusherProtocol:
    protocol = signed_in(timeouts)
    protocol.to_send()
    for channel in (MAIN, OURS):
        assert protocol.receive(succeeded(channel), 0) == [Subscribed(channel)]
    assert protocol.phase is Phase.SUBSCRIBED
    return protocol


def failed(timeouts: PusherTimeouts | None = None) -> PusherProtocol:
    protocol = subscribed(timeouts)
    protocol.receive(said("pusher:error", {"code": 4001, "message": "unknown key"}), 0)
    assert protocol.phase is Phase.FAILED
    return protocol


PHASES: Final[Mapping[Phase, Callable[[PusherTimeouts], PusherProtocol]]] = {
    Phase.CONNECTING: lambda timeouts: PusherProtocol(0, timeouts),
    Phase.REGISTERING: established,
    Phase.SIGNING_IN: lambda timeouts: registered(timeouts=timeouts),
    Phase.SUBSCRIBING: signed_in,
    Phase.SUBSCRIBED: subscribed,
    Phase.FAILED: failed,
}


def at(phase: Phase, timeouts: PusherTimeouts) -> PusherProtocol:
    """In this phase, everything sent; once it may subscribe, MORE is asked for, too."""
    protocol = PHASES[phase](timeouts)
    if phase in {Phase.SUBSCRIBING, Phase.SUBSCRIBED}:
        protocol.subscribe([ChannelAuth(MORE, "key:3")], 0)
    protocol.to_send()
    assert protocol.phase is phase
    return protocol
