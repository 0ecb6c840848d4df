"""The Pusher protocol, version 7, client side: text in, events out, no I/O.

`receive` and `tick` return events; `to_send` hands out the frames to write; `next_deadline` says
when `tick` must be called although nothing came. What may happen when is in `pusher_states`.
No frame whatever makes `receive` raise: what is not understood is told as `Odd`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mmbot.exchange import wire
from mmbot.exchange.frames import frame_of
from mmbot.exchange.pusher_frames import CONTROL, ControlData, Said, frame, number, said
from mmbot.exchange.pusher_states import TABLE, Cell, Phase, Step, Then

NS_PER_S: Final = 1_000_000_000
ACTIVITY_DEFAULT_S: Final = 120.0
ACTIVITY_MIN_S: Final = 1.0  # a server that says less is not asked for a pong without end
PONG_MISSING: Final = 4201
DETAIL_CHARS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class PusherTimeouts:
    answer_timeout_s: float = 10.0  # silence after connect, sign-in or subscribe
    activity_timeout_s: float = 30.0  # the smaller of this and the server's counts
    pong_timeout_s: float = 30.0
    ask_again_s: float = 30.0  # between attempts at a channel that has failed


@dataclass(frozen=True, slots=True)
class ChannelAuth:
    channel: str
    auth: str = field(repr=False)  # empty for a channel that needs none


@dataclass(frozen=True, slots=True)
class Established:
    socket_id: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    pass


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Also of a channel that had failed: its success came late, or at another attempt."""

    channel: str


@dataclass(frozen=True, slots=True)
class SubscriptionFailed:
    """Refused, silent for too long, or taken away again; told once, and asked for again."""

    channel: str
    reason: str


@dataclass(frozen=True, slots=True)
class AppMessage:
    """`data` is still what the frame held: a string of JSON, or raw an object or nothing."""

    event: str
    channel: str
    data: wire.Raw | str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Odd:
    """Not understood, or out of place; the connection goes on. Never shows a frame's `data`."""

    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection is of no more use: close it."""

    reason: str
    code: int | None = None


PusherEvent = Established | SignedIn | Subscribed | SubscriptionFailed | AppMessage | Odd | Failed


class PusherProtocol:
    """One connection, from its first frame to its end."""

    def __init__(self, opened_ns: int, timeouts: PusherTimeouts | None = None) -> None:
        self._timeouts = timeouts or PusherTimeouts()
        self.phase = Phase.CONNECTING
        self.socket_id = ""
        self.pending: dict[str, int] = {}  # asked for and not yet answered, with the deadline
        self.subscribed: set[str] = set()
        self.lost: dict[str, int] = {}  # not to be counted on, and when they are asked for again
        self._auths: dict[str, str] = {}  # of all that is wanted
        self._channels: tuple[ChannelAuth, ...] = ()  # until the sign-in is answered
        self._out: list[str] = []
        self._activity_s = self._timeouts.activity_timeout_s
        self._heard_ns = opened_ns
        self._ping_sent_ns: int | None = None
        self._answer_due_ns: int | None = self._answer_by(opened_ns)

    # --- what the server says ---------------------------------------------------------------

    def receive(self, text: str | bytes, now_ns: int) -> list[PusherEvent]:
        self._heard_ns = now_ns
        self._ping_sent_ns = None
        try:
            heard = frame_of(text)
        except wire.Unreadable as error:
            return self._take(Said(Step.UNREADABLE, f"{len(text)} long: {error}"), now_ns)
        if heard.event.startswith(CONTROL):
            return self._take(said(heard, self.socket_id), now_ns)
        if TABLE[self.phase][Step.MESSAGE] is Then.ACT:
            return [AppMessage(heard.event, heard.channel or "", heard.data)]
        return self._take(Said(Step.MESSAGE, heard.event), now_ns)

    def _take(self, what: Said, now_ns: int) -> list[PusherEvent]:
        detail = what.detail[:DETAIL_CHARS_MAX]
        match self._go(what.step):
            case Then.IGNORE:
                return []
            case Then.COUNT:
                return [Odd(what.step.value, detail)]
            case Phase.FAILED:
                return [Failed(f"{what.step.value} {detail}".strip(), what.code)]
            case _:
                pass
        match what.step:
            case Step.ESTABLISHED:
                return self._greeted(what.data)
            case Step.SIGNED_IN:
                self._ask(self._channels, now_ns)
                return [SignedIn()]
            case Step.GRANTED:
                return self._granted(what.detail)
            case Step.REFUSED:
                reason = str(what.data.error or what.data.type or "error")
                return self._refused(what.detail, reason, now_ns)
            case _:
                assert what.step is Step.PING, what.step
                self._send_pong()
                return []

    def _greeted(self, data: ControlData) -> list[PusherEvent]:
        self.socket_id = str(data.socket_id)
        self._answer_due_ns = None  # the registration call has a timeout of its own
        server_s = number(data.activity_timeout)
        if server_s is None or server_s <= 0:
            server_s = ACTIVITY_DEFAULT_S
        self._activity_s = min(self._activity_s, max(server_s, ACTIVITY_MIN_S))
        return [Established(self.socket_id)]

    def _granted(self, channel: str) -> list[PusherEvent]:
        if channel in self.subscribed:
            return []  # the same once more
        if channel not in self.pending and channel not in self.lost:
            return [Odd("success of a channel that is not wanted", channel[:DETAIL_CHARS_MAX])]
        self._forget(channel)
        self.subscribed.add(channel)
        self._settle()
        return [Subscribed(channel)]

    def _refused(self, channel: str, reason: str, now_ns: int) -> list[PusherEvent]:
        if channel in self.lost:
            return []  # another attempt, the same answer
        if channel not in self.pending and channel not in self.subscribed:
            return [Odd("refusal of a channel that is not wanted", channel[:DETAIL_CHARS_MAX])]
        self._lose([channel], now_ns)
        return [SubscriptionFailed(channel, reason[:DETAIL_CHARS_MAX])]

    def _lose(self, channels: Iterable[str], now_ns: int) -> None:
        for channel in channels:
            self._forget(channel)
            self.lost[channel] = now_ns + _ns(self._timeouts.ask_again_s)
        self._settle()

    # --- what we want -----------------------------------------------------------------------

    def authorise(
        self, channels: Sequence[ChannelAuth], signin: wire.Signin | None, now_ns: int
    ) -> None:
        """The registration answered: sign in, then subscribe to each channel."""
        if signin is None or not signin.auth:
            if self._go(Step.AUTHORISED_ONLY) is not Then.IGNORE:
                self._ask(channels, now_ns)
        elif self._go(Step.AUTHORISED) is not Then.IGNORE:
            self._channels = tuple(channels)
            # `user_data` was signed as this very string: it goes back byte for byte.
            self._send("pusher:signin", {"auth": signin.auth, "user_data": signin.user_data})
            self._answer_due_ns = self._answer_by(now_ns)

    def subscribe(self, channels: Iterable[ChannelAuth], now_ns: int) -> None:
        """More channels, once signed in; each is answered by Subscribed or SubscriptionFailed.

        A channel that is subscribed or asked for is left as it is. Nothing once FAILED.
        """
        if self._go(Step.SUBSCRIBE) is Then.ACT:
            self._ask(channels, now_ns)

    def unsubscribe(self, channels: Iterable[str]) -> None:
        """Fewer channels: no answer comes, and messages under way still pass."""
        if self._go(Step.UNSUBSCRIBE) is not Then.ACT:
            return
        for channel in channels:
            if self._auths.pop(channel, None) is not None:
                self._send("pusher:unsubscribe", {"channel": channel})
                self._forget(channel)
        self._settle()

    def _ask(self, channels: Iterable[ChannelAuth], now_ns: int) -> None:
        self._answer_due_ns, self._channels = None, ()
        for one in channels:
            if one.channel not in self.pending and one.channel not in self.subscribed:
                self._forget(one.channel)
                self.pending[one.channel] = self._answer_by(now_ns)
                self._auths[one.channel] = one.auth
                self._send_subscribe(one.channel)
        self._settle()

    def _forget(self, channel: str) -> None:
        self.pending.pop(channel, None)
        self.subscribed.discard(channel)
        self.lost.pop(channel, None)

    def _settle(self) -> None:
        if not self.pending:
            self._go(Step.ALL_ANSWERED)

    # --- what the clock says ----------------------------------------------------------------

    def tick(self, now_ns: int) -> list[PusherEvent]:
        """What silence means by now: a probe, failed subscriptions, or the end."""
        if self.phase is Phase.FAILED:
            return []
        if self._answer_due_ns is not None and now_ns >= self._answer_due_ns:
            return self._take(Said(Step.UNANSWERED, f"while {self.phase.value}"), now_ns)
        quiet = now_ns >= self._quiet_until_ns()
        if quiet and self._ping_sent_ns is not None:
            return self._take(Said(Step.NO_PONG, code=PONG_MISSING), now_ns)
        silent = [channel for channel, due_ns in self.pending.items() if now_ns >= due_ns]
        if silent:
            self._go(Step.CHANNEL_SILENT)
            self._lose(silent, now_ns)
        self._ask_again([one for one, due_ns in self.lost.items() if now_ns >= due_ns], now_ns)
        if quiet:
            self._go(Step.QUIET)
            self._ping_sent_ns = now_ns
            self._send("pusher:ping", {})
        return [SubscriptionFailed(channel, "no answer") for channel in silent]

    def _ask_again(self, channels: Iterable[str], now_ns: int) -> None:
        """Left first: if it was the answer that got lost, a second subscribe would be an error."""
        for channel in channels:
            self._go(Step.ASK_AGAIN)
            self.lost[channel] = now_ns + _ns(self._timeouts.ask_again_s)
            self._send("pusher:unsubscribe", {"channel": channel})
            self._send_subscribe(channel)

    def next_deadline(self) -> int | None:
        """When to call `tick` at the latest, in ns; None when it is over."""
        if self.phase is Phase.FAILED:
            return None
        answers_ns = [] if self._answer_due_ns is None else [self._answer_due_ns]
        return min(
            [self._quiet_until_ns(), *answers_ns, *self.pending.values(), *self.lost.values()]
        )

    def _quiet_until_ns(self) -> int:
        if self._ping_sent_ns is None:
            return self._heard_ns + _ns(self._activity_s)
        return self._ping_sent_ns + _ns(self._timeouts.pong_timeout_s)

    def _answer_by(self, now_ns: int) -> int:
        return now_ns + _ns(self._timeouts.answer_timeout_s)

    # --- what goes out ----------------------------------------------------------------------

    @property
    def has_to_send(self) -> bool:
        return bool(self._out)

    def to_send(self) -> list[str]:
        out, self._out = self._out, []
        return out

    def _send(self, event: str, data: dict[str, str]) -> None:
        self._out.append(frame(event, data))

    def _send_subscribe(self, channel: str) -> None:
        auth = self._auths[channel]
        self._send("pusher:subscribe", {"channel": channel} | ({"auth": auth} if auth else {}))

    def _send_pong(self) -> None:
        """One that still waits to be written answers for all pings before it."""
        if self._out[-1:] != [frame("pusher:pong", {})]:
            self._send("pusher:pong", {})

    def _go(self, step: Step) -> Cell:
        """The one place where the phase changes."""
        cell = TABLE[self.phase][step]
        assert cell is not Then.DASH, f"{step.value} while {self.phase.value}"
        if isinstance(cell, Phase):
            self.phase = cell
        return cell


def _ns(seconds: float) -> int:
    return round(seconds * NS_PER_S)
