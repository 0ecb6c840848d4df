"""The Pusher protocol, version 7, client side: text in, events out, no I/O.

    CONNECTING --established--> REGISTERING --authorise()--> SIGNING_IN --success--> SUBSCRIBING
                                     (no sign-in block in the answer: straight to SUBSCRIBING)
    SUBSCRIBING --every channel answered--> SUBSCRIBED            any --error, silence--> FAILED

Application messages pass in every state after CONNECTING: they may come between a subscribe and
its success. `receive` and `tick` return events; `to_send` hands out the frames to write;
`next_deadline` says when `tick` must be called although nothing came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import msgspec

from mmbot.exchange import wire
from mmbot.exchange.frames import AnyFrame, frame_of, inner_json

NS_PER_S: Final = 1_000_000_000
ACTIVITY_DEFAULT_S: Final = 120.0


class Phase(Enum):
    CONNECTING = "connecting"
    REGISTERING = "registering"
    SIGNING_IN = "signing in"
    SUBSCRIBING = "subscribing"
    SUBSCRIBED = "subscribed"
    FAILED = "failed"


class CloseClass(Enum):
    """What a close code asks for (contract, pusher page 3)."""

    CHANGE_FIRST = "change first"  # 4000-4099: not again with the same parameters
    PAUSE = "pause"  # 4100-4199: at least a second
    AT_ONCE = "at once"  # 4200-4299
    BACK_OFF = "back off"  # everything else


def close_class(code: int | None) -> CloseClass:
    if code is not None and 4000 <= code <= 4099:
        return CloseClass.CHANGE_FIRST
    if code is not None and 4100 <= code <= 4199:
        return CloseClass.PAUSE
    if code is not None and 4200 <= code <= 4299:
        return CloseClass.AT_ONCE
    return CloseClass.BACK_OFF


@dataclass(frozen=True, slots=True)
class PusherTimeouts:
    answer_timeout_s: float = 10.0  # silence after connect, sign-in or subscribe
    activity_timeout_s: float = 30.0  # the smaller of this and the server's counts
    pong_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ChannelAuth:
    channel: str
    auth: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Established:
    socket_id: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    pass


@dataclass(frozen=True, slots=True)
class Subscribed:
    channel: str


@dataclass(frozen=True, slots=True)
class SubscriptionFailed:
    channel: str
    reason: str


@dataclass(frozen=True, slots=True)
class AppMessage:
    """`data` is still what the frame held: a string of JSON, or raw an object or nothing."""

    event: str
    channel: str
    data: wire.Raw | str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection is of no more use: close it."""

    reason: str
    code: int | None = None


PusherEvent = Established | SignedIn | Subscribed | SubscriptionFailed | AppMessage | Failed


class _Data(msgspec.Struct):
    socket_id: str = ""
    activity_timeout: float | None = None
    code: int | None = None
    message: Any = None
    error: Any = None
    type: Any = None


class PusherProtocol:
    """One connection, from its first frame to its end."""

    def __init__(self, opened_ns: int, timeouts: PusherTimeouts | None = None) -> None:
        self._timeouts = timeouts or PusherTimeouts()
        self.phase = Phase.CONNECTING
        self.socket_id = ""
        self.pending: set[str] = set()  # channels asked for and not yet answered
        self.subscribed: set[str] = set()
        self._channels: tuple[ChannelAuth, ...] = ()
        self._out: list[str] = []
        self._activity_s = self._timeouts.activity_timeout_s
        self._heard_ns = opened_ns
        self._ping_sent_ns: int | None = None
        self._answer_due_ns: int | None = opened_ns + _ns(self._timeouts.answer_timeout_s)

    def receive(self, text: str | bytes, now_ns: int) -> list[PusherEvent]:
        self._heard_ns = now_ns
        self._ping_sent_ns = None
        try:
            frame = frame_of(text)
        except msgspec.DecodeError:
            return []  # a frame that is no frame is not worth a connection
        name = frame.event
        if not name.startswith("pusher"):
            if self.phase is Phase.CONNECTING or self.phase is Phase.FAILED:
                return []
            return [AppMessage(name, frame.channel or "", frame.data)]
        return self._control(name, frame, now_ns)

    def _control(self, name: str, frame: AnyFrame, now_ns: int) -> list[PusherEvent]:
        match name.partition(":")[2]:
            case "ping":
                self._send("pusher:pong", {})
            case "connection_established" if self.phase is Phase.CONNECTING:
                return self._established(_data(frame))
            case "signin_success" if self.phase is Phase.SIGNING_IN:
                self._subscribe_all(now_ns)
                return [SignedIn()]
            case "subscription_succeeded":
                return self._answered(frame.channel or "", None)
            case "subscription_error":
                data = _data(frame)
                return self._answered(frame.channel or "", str(data.error or data.type or "error"))
            case "error":
                return self._error(_data(frame))
            case _:
                pass  # a pong, a repeated success, a control event of a newer server
        return []

    def _established(self, data: _Data) -> list[PusherEvent]:
        if not data.socket_id:
            return [self._fail("connection_established without a socket id")]
        self.phase = Phase.REGISTERING
        self.socket_id = data.socket_id
        self._answer_due_ns = None  # the registration call has a timeout of its own
        if data.activity_timeout is not None and data.activity_timeout > 0:
            self._activity_s = min(self._activity_s, data.activity_timeout)
        else:
            self._activity_s = min(self._activity_s, ACTIVITY_DEFAULT_S)
        return [Established(data.socket_id)]

    def _error(self, data: _Data) -> list[PusherEvent]:
        reason = f"pusher:error {data.code} {str(data.message)[:100]}"
        if data.code is not None and 4300 <= data.code <= 4399:
            return []
        if data.code is None and self.phase is not Phase.SIGNING_IN:
            return []  # some servers answer one bad subscribe so; its silence fails it
        return [self._fail(reason, data.code)]

    def authorise(
        self, channels: Sequence[ChannelAuth], signin: wire.Signin | None, now_ns: int
    ) -> None:
        """The registration answered: sign in, then subscribe to each channel."""
        assert self.phase is Phase.REGISTERING
        self._channels = tuple(channels)
        if signin is None or not signin.auth:
            self._subscribe_all(now_ns)
            return
        self.phase = Phase.SIGNING_IN
        # `user_data` was signed as this very string: it goes back byte for byte.
        self._send("pusher:signin", {"auth": signin.auth, "user_data": signin.user_data})
        self._answer_due_ns = now_ns + _ns(self._timeouts.answer_timeout_s)

    def _subscribe_all(self, now_ns: int) -> None:
        self.phase = Phase.SUBSCRIBING
        for one in self._channels:
            if one.channel not in self.subscribed | self.pending:
                self.pending.add(one.channel)
                self._send("pusher:subscribe", {"channel": one.channel, "auth": one.auth})
        self._answer_due_ns = now_ns + _ns(self._timeouts.answer_timeout_s)
        self._settle()

    def _answered(self, channel: str, problem: str | None) -> list[PusherEvent]:
        if channel not in self.pending:
            return []
        self.pending.discard(channel)
        if problem is None:
            self.subscribed.add(channel)
        self._settle()
        if problem is None:
            return [Subscribed(channel)]
        return [SubscriptionFailed(channel, problem)]

    def _settle(self) -> None:
        if self.phase is Phase.SUBSCRIBING and not self.pending:
            self.phase = Phase.SUBSCRIBED
            self._answer_due_ns = None

    def tick(self, now_ns: int) -> list[PusherEvent]:
        """What silence means by now: a probe, failed subscriptions, or the end."""
        if self.phase is Phase.FAILED:
            return []
        if self._answer_due_ns is not None and now_ns >= self._answer_due_ns:
            return self._unanswered()
        if self._ping_sent_ns is not None:
            if now_ns >= self._ping_sent_ns + _ns(self._timeouts.pong_timeout_s):
                return [self._fail("no pong", 4201)]
        elif now_ns >= self._heard_ns + _ns(self._activity_s):
            self._ping_sent_ns = now_ns
            self._send("pusher:ping", {})
        return []

    def _unanswered(self) -> list[PusherEvent]:
        if self.phase is Phase.SUBSCRIBING:
            silent = sorted(self.pending)
            return [event for channel in silent for event in self._answered(channel, "no answer")]
        return [self._fail(f"no answer while {self.phase.value}")]

    def next_deadline(self) -> int:
        """When to call `tick` at the latest, in ns."""
        quiet_ns = (
            self._heard_ns + _ns(self._activity_s)
            if self._ping_sent_ns is None
            else self._ping_sent_ns + _ns(self._timeouts.pong_timeout_s)
        )
        return quiet_ns if self._answer_due_ns is None else min(quiet_ns, self._answer_due_ns)

    @property
    def has_to_send(self) -> bool:
        return bool(self._out)

    def to_send(self) -> list[str]:
        out, self._out = self._out, []
        return out

    def _send(self, event: str, data: dict[str, str]) -> None:
        self._out.append(msgspec.json.encode({"event": event, "data": data}).decode())

    def _fail(self, reason: str, code: int | None = None) -> Failed:
        self.phase = Phase.FAILED
        return Failed(reason, code)


def _data(frame: AnyFrame) -> _Data:
    try:
        return wire.decode(inner_json(frame.data), _Data)
    except wire.Unreadable:
        return _Data()


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)
