"""One connection on a hostile server, watched by one who knows only its frames and events."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mmbot.exchange import wire
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from mmbot.exchange.pusher import (
    AppMessage,
    ChannelAuth,
    Established,
    Failed,
    Odd,
    PusherEvent,
    PusherProtocol,
    SignedIn,
    Subscribed,
    SubscriptionFailed,
)
from mmbot.exchange.pusher_states import Phase
from mmbot.exchange.stream import StreamReader
from tests.fuzz.frames import Frames

S: Final = 1_000_000_000
FRAMES_MAX: Final = 300
SOCKET_ID: Final = "218543.77120934"
CHANNELS: Final = tuple(f"private-channel={n}" for n in range(8))
ANSWER_NS: Final = 10 * S
SILENCE_MAX_NS: Final = 60 * S  # by then a dead connection is known to be dead
OURS: Final = frozenset(
    {"pusher:signin", "pusher:subscribe", "pusher:unsubscribe", "pusher:ping", "pusher:pong"}
)


@dataclass(slots=True)
class Watch:
    """What must be true of the connection, from its frames and events alone."""

    asked: dict[str, int] = field(default_factory=dict)  # unanswered, since when
    silent: set[str] = field(default_factory=set)
    granted: set[str] = field(default_factory=set)
    established: bool = False
    signed_in: bool = False
    over: bool = False

    def sent(self, text: str, now_ns: int) -> None:
        assert not self.over, f"speaks after the end: {text}"
        frame = json.loads(text)
        event, data = frame["event"], frame["data"]
        assert event in OURS, text
        assert frame.keys() == {"event", "data"}
        channel = data.get("channel", "")
        if event == "pusher:subscribe":
            assert self.established
            assert channel not in self.asked, f"asked twice: {channel}"
            assert channel not in self.granted, f"has it already: {channel}"
            self.silent.discard(channel)
            self.asked[channel] = now_ns
        elif event == "pusher:unsubscribe":
            assert channel in self.asked or channel in self.granted or channel in self.silent
            self.asked.pop(channel, None)
            self.granted.discard(channel)
            self.silent.discard(channel)

    def told(self, event: PusherEvent, now_ns: int) -> None:
        assert not self.over, f"told after the end: {event}"
        match event:
            case Established(socket_id):
                assert socket_id
                assert not self.established
                self.established = True
            case SignedIn():
                assert self.established
                assert not self.signed_in
                self.signed_in = True
            case Subscribed(channel):
                assert channel in self.asked or channel in self.silent
                self.asked.pop(channel, None)
                self.silent.discard(channel)
                self.granted.add(channel)
            case SubscriptionFailed(channel, reason):
                assert channel in self.asked or channel in self.granted
                if reason == "no answer":
                    assert now_ns >= self.asked[channel] + ANSWER_NS
                    self.silent.add(channel)
                self.asked.pop(channel, None)
                self.granted.discard(channel)
            case Failed():
                self.over = True
            case AppMessage() | Odd():
                assert self.established or isinstance(event, Odd)

    def after(self, protocol: PusherProtocol, now_ns: int) -> None:
        """What both sides must agree on once all has been told and sent."""
        assert self.over is (protocol.phase is Phase.FAILED)
        if self.over:
            assert protocol.next_deadline() is None
            return
        assert protocol.subscribed == self.granted
        assert protocol.pending.keys() == self.asked.keys()
        deadline_ns = protocol.next_deadline()
        assert deadline_ns is not None
        assert now_ns < deadline_ns <= now_ns + SILENCE_MAX_NS
        if self.asked:
            assert deadline_ns <= min(self.asked.values()) + ANSWER_NS
        else:
            assert protocol.phase is not Phase.SUBSCRIBING


class Life:
    """`frames`, `messages` and `odd` count what was lived through."""

    def __init__(self, draw: random.Random, server: Frames, listing: Listing) -> None:
        self._draw = draw
        self._server = server
        self._now_ns = draw.randrange(10**18)
        self._protocol = PusherProtocol(self._now_ns)
        self._watch = Watch()
        self._reader = StreamReader(listing, Notices())
        self.frames = self.messages = self.odd = 0

    def live(self) -> None:
        """Raises whatever escapes, and AssertionError for what must not be."""
        protocol, watch = self._protocol, self._watch
        if self._draw.random() < 0.9:
            self._handshake()
        while self.frames < FRAMES_MAX and not watch.over:
            self._pass_time()
            if self._draw.random() < 0.8:
                self._hear(self._server.next(SOCKET_ID, CHANNELS))
            self._want()
            self._follow(protocol.tick(self._now_ns))
            watch.after(protocol, self._now_ns)
        if watch.over:
            self._hear(self._server.next(SOCKET_ID, CHANNELS))
            self._want()
            self._follow(protocol.tick(self._now_ns + SILENCE_MAX_NS))

    def _handshake(self) -> None:
        """As it should be: most of what can go wrong comes later."""
        greeting = {"socket_id": SOCKET_ID, "activity_timeout": 120}
        self._hear(json.dumps({"event": "pusher:connection_established", "data": greeting}))
        self._want()
        if self._draw.random() < 0.8:
            self._hear('{"event":"pusher:signin_success"}')

    def _pass_time(self) -> None:
        self._now_ns += self._draw.choice((0, 1, S // 100, S, 9 * S))
        if self._draw.random() < 0.1:  # nothing comes
            self._now_ns = max(self._now_ns, self._protocol.next_deadline() or 0)
        self._follow(self._protocol.tick(self._now_ns))

    def _hear(self, text: str | bytes) -> None:
        self.frames += 1
        self._follow(self._protocol.receive(text, self._now_ns))

    def _follow(self, events: Sequence[PusherEvent]) -> None:
        for event in events:
            self._watch.told(event, self._now_ns)
            self.odd += isinstance(event, Odd)
            if isinstance(event, AppMessage):
                self.messages += 1
                self._reader.read(event, self._now_ns)
        for text in self._protocol.to_send():
            self._watch.sent(text, self._now_ns)

    def _want(self) -> None:
        """What the owner of the connection may do by now."""
        draw, protocol = self._draw, self._protocol
        auths = [ChannelAuth(name, draw.choice(("", "key:00ff"))) for name in CHANNELS]
        some = draw.sample(auths, draw.randint(0, len(auths)))
        match protocol.phase:
            case Phase.REGISTERING:
                signin = wire.Signin("key:00ff", '{"id":"1"}') if draw.random() < 0.8 else None
                protocol.authorise(some, signin, self._now_ns)
            case Phase.SUBSCRIBING | Phase.SUBSCRIBED if draw.random() < 0.3:
                protocol.subscribe(some, self._now_ns)
                self._follow(())
                protocol.unsubscribe(draw.sample(CHANNELS, draw.randint(0, 3)))
            case Phase.FAILED:
                protocol.subscribe(auths, self._now_ns)
                protocol.unsubscribe(CHANNELS)
            case _:
                pass
        self._follow(())
