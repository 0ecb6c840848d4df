"""One connection on a hostile server, and one who watches it from outside."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
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
    """What must be true of the connection, from what was wanted, sent and told alone."""

    first: tuple[str, ...] = ()  # wanted as soon as the sign-in is answered
    asked: dict[str, int] = field(default_factory=dict)  # unanswered, since when
    lost: set[str] = field(default_factory=set)
    granted: set[str] = field(default_factory=set)
    established: bool = False
    signed_in: bool = False
    over: bool = False

    def wants(self, channels: Iterable[str], now_ns: int) -> None:
        for channel in channels:
            if channel not in self.granted:
                self.asked.setdefault(channel, now_ns)
                self.lost.discard(channel)

    def leaves(self, channels: Iterable[str]) -> None:
        for channel in channels:
            self.asked.pop(channel, None)
            self.granted.discard(channel)
            self.lost.discard(channel)

    def sent(self, text: str) -> None:
        assert not self.over, f"speaks after the end: {text}"
        frame = json.loads(text)
        event, data = frame["event"], frame["data"]
        assert frame.keys() == {"event", "data"}
        assert event in OURS, text
        if event == "pusher:subscribe":
            assert self.established
            assert data["channel"] in self.asked or data["channel"] in self.lost, text
        elif event == "pusher:unsubscribe":
            assert data["channel"] not in self.granted, text

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
                self.wants(self.first, now_ns)
            case Subscribed(channel):
                assert channel in self.asked or channel in self.lost
                self.leaves([channel])
                self.granted.add(channel)
            case SubscriptionFailed(channel, reason):
                assert channel in self.asked or channel in self.granted
                if reason == "no answer":
                    assert now_ns >= self.asked[channel] + ANSWER_NS
                self.leaves([channel])
                self.lost.add(channel)
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
        assert protocol.lost.keys() == self.lost
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
            self._watch.sent(text)

    def _want(self) -> None:
        """What the owner of the connection may do by now."""
        draw, protocol, watch, now_ns = self._draw, self._protocol, self._watch, self._now_ns
        names = draw.sample(CHANNELS, draw.randint(0, len(CHANNELS)))
        auths = [ChannelAuth(name, draw.choice(("", "key:00ff"))) for name in names]
        match protocol.phase:
            case Phase.REGISTERING if draw.random() < 0.8:
                watch.first = tuple(names)
                protocol.authorise(auths, wire.Signin("key:00ff", '{"id":"1"}'), now_ns)
            case Phase.REGISTERING:
                watch.wants(names, now_ns)
                protocol.authorise(auths, None, now_ns)
            case Phase.SUBSCRIBING | Phase.SUBSCRIBED if draw.random() < 0.3:
                watch.wants(names, now_ns)
                protocol.subscribe(auths, now_ns)
                self._follow(())
                left = draw.sample(CHANNELS, draw.randint(0, 3))
                watch.leaves(left)
                protocol.unsubscribe(left)
            case Phase.FAILED:
                protocol.subscribe(auths, now_ns)
                protocol.unsubscribe(CHANNELS)
            case _:
                pass
        self._follow(())
