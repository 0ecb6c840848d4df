"""The Pusher server protocol without I/O: texts and closes in, frames out."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from mmbot.sim.lifecycle import NS
from mmbot.sim.messages import Json, Outgoing
from mmbot.sim.scenario import SessionRules

MAIN_CHANNEL = "private-broadcast-service=6-device_type=5"
USER_PREFIX = "private-service=6-device_type=5-user="
PROTOCOLS = frozenset({"5", "6", "7"})
FRAMES_PER_CONNECTION_MAX = 20_000

encode = msgspec.json.encode


def user_channel(user_id: str) -> str:
    return USER_PREFIX + user_id.replace("-", "")


def event_channel(event_id: int, sub_type: str = "") -> str:
    name = f"{MAIN_CHANNEL}-event={event_id}"
    return f"{name}-subtype={sub_type}" if sub_type else name


@dataclass(frozen=True, slots=True)
class AppKey:
    """Key and secret of the stream application; the secret signs, only the box knows it."""

    key: str
    secret: str

    def sign(self, text: str) -> str:
        digest = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return f"{self.key}:{digest}"

    def channel_auth(self, socket_id: str, channel: str) -> str:
        return self.sign(f"{socket_id}:{channel}")

    def user_auth(self, socket_id: str, user_data: str) -> str:
        return self.sign(f"{socket_id}::user::{user_data}")


@dataclass(frozen=True, slots=True)
class Close:
    """The server ends a connection with this code."""

    code: int
    reason: str


@dataclass(slots=True, eq=False)
class Connection:
    """One socket; `out` holds what its transport has still to send."""

    socket_id: str
    heard_ns: int
    channels: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    out: deque[str | Close] = field(default_factory=deque)
    pinged_ns: int | None = None
    signed_in: bool = False
    closed: bool = False


class StreamHub:
    """All sockets of the box, their subscriptions, and what is published to them."""

    def __init__(self, app: AppKey, rules: SessionRules, rng: Random) -> None:
        self.app = app
        self._rules = rules
        self._rng = rng
        self.connections: dict[str, Connection] = {}
        self._by_channel: dict[str, set[Connection]] = {}
        self.silent: set[str] = set()

    # -- sockets --------------------------------------------------------------------------

    def connect(self, app_key: str, query: Mapping[str, str], now_ns: int) -> Connection:
        """A new socket; a refused one carries its error frame and close at once."""
        socket_id = f"{self._rng.randrange(10**5, 10**6)}.{self._rng.randrange(10**7, 10**8)}"
        connection = Connection(socket_id, now_ns)
        refusal = _refused(app_key, query, self.app.key)
        if refusal is not None:
            self._fail(connection, refusal)
            return connection
        self.connections[socket_id] = connection
        data = {"socket_id": socket_id, "activity_timeout": self._rules.activity_timeout_s}
        self._send(connection, "pusher:connection_established", data)
        return connection

    def disconnect(self, connection: Connection) -> None:
        """The transport is gone."""
        connection.closed = True
        self.connections.pop(connection.socket_id, None)
        for channel in connection.channels:
            self._by_channel[channel].discard(connection)
        connection.channels.clear()

    def close(self, connection: Connection, close: Close) -> None:
        connection.out.append(close)
        self.disconnect(connection)

    def close_all(self, close: Close) -> None:
        for connection in list(self.connections.values()):
            self.close(connection, close)

    def receive(self, connection: Connection, text: str, now_ns: int) -> None:
        """One text frame of a client."""
        connection.heard_ns = now_ns
        connection.pinged_ns = None
        event, data = _parsed(text)
        if data is None:
            self._error(connection, None, "malformed frame")
            return
        if event == "pusher:ping":
            connection.out.append('{"event":"pusher:pong","data":{}}')
        elif event == "pusher:signin":
            self._sign_in(connection, str(data.get("auth")), str(data.get("user_data")))
        elif event == "pusher:subscribe":
            self._subscribe(connection, str(data.get("channel")), str(data.get("auth")))
        elif event == "pusher:unsubscribe":
            channel = str(data.get("channel"))
            connection.channels.discard(channel)
            self._by_channel.get(channel, set()).discard(connection)
        elif event != "pusher:pong":
            self._error(connection, None, f"unsupported event {event!r:.60}")

    def tick(self, now_ns: int) -> None:
        """health_check for every private channel, and pings for silent sockets."""
        for channel, members in list(self._by_channel.items()):
            if members and channel.startswith(USER_PREFIX) and "health_check" not in self.silent:
                self._publish(channel, "health_check", "private_system_signal", "u", {}, now_ns)
        for connection in list(self.connections.values()):
            silent_ns = now_ns - connection.heard_ns
            if connection.pinged_ns is not None:
                if now_ns - connection.pinged_ns > self._rules.pong_timeout_s * NS:
                    self.close(connection, Close(4201, "no pong"))
            elif silent_ns > self._rules.activity_timeout_s * NS:
                connection.pinged_ns = now_ns
                connection.out.append('{"event":"pusher:ping","data":{}}')

    # -- publishing -----------------------------------------------------------------------

    def publish(self, message: Outgoing) -> None:
        if message.user_id:
            channel = user_channel(message.user_id)
        elif message.event_id:
            channel = event_channel(message.event_id)
        else:
            channel = MAIN_CHANNEL
        if message.change_type in self.silent:
            return
        self._publish(
            channel,
            message.event,
            message.change_type,
            message.op,
            message.payload,
            message.at_ns,
        )

    def _publish(
        self, channel: str, event: str, change_type: str, op: str, payload: Json, at_ns: int
    ) -> None:
        members = self._by_channel.get(channel)
        if not members:
            return
        body = {
            "timestamp": at_ns,
            "change_type": change_type,
            "payload": base64.b64encode(encode(payload)).decode(),
            "op": op,
        }
        frame = {"event": event, "channel": channel, "data": encode(body).decode()}
        text = encode(frame).decode()
        for connection in list(members):
            if len(connection.out) >= FRAMES_PER_CONNECTION_MAX:
                self.close(connection, Close(4100, "client too slow"))
            else:
                connection.out.append(text)

    # -- protocol -------------------------------------------------------------------------

    def _sign_in(self, connection: Connection, auth: str, user_data: str) -> None:
        expected = self.app.user_auth(connection.socket_id, user_data)
        if not hmac.compare_digest(auth.encode(), expected.encode()):
            self._fail(connection, Close(4009, "signin not authorised"))
            return
        connection.signed_in = True
        self._send(connection, "pusher:signin_success", {"user_data": user_data})

    def _subscribe(self, connection: Connection, channel: str, auth: str) -> None:
        expected = self.app.channel_auth(connection.socket_id, channel)
        if not hmac.compare_digest(auth.encode(), expected.encode()) or "subscribe" in self.silent:
            data = {"type": "AuthError", "error": "signature does not match", "status": 401}
            frame = {"event": "pusher:subscription_error", "channel": channel, "data": data}
            connection.out.append(encode(frame).decode())
            return
        if channel in connection.channels:
            self._error(connection, None, f"existing subscription to channel {channel}")
            return
        connection.channels.add(channel)
        self._by_channel.setdefault(channel, set()).add(connection)
        frame = {
            "event": "pusher_internal:subscription_succeeded",
            "channel": channel,
            "data": "{}",
        }
        connection.out.append(encode(frame).decode())

    def _send(self, connection: Connection, event: str, data: Json) -> None:
        connection.out.append(encode({"event": event, "data": encode(data).decode()}).decode())

    def _error(self, connection: Connection, code: int | None, text: str) -> None:
        frame = {"event": "pusher:error", "data": {"code": code, "message": text}}
        connection.out.append(encode(frame).decode())

    def _fail(self, connection: Connection, close: Close) -> None:
        self._error(connection, close.code, close.reason)
        self.close(connection, close)


def _refused(app_key: str, query: Mapping[str, str], known_key: str) -> Close | None:
    if app_key != known_key:
        return Close(4001, "app key does not exist")
    protocol = query.get("protocol")
    if not protocol:
        return Close(4008, "no protocol version")
    if protocol not in PROTOCOLS:
        return Close(4007, "protocol version not supported")
    return None


def _parsed(text: str) -> tuple[object, dict[str, Any] | None]:
    """Event and data of a client's frame; no data means that it is malformed."""
    try:
        frame = msgspec.json.decode(text)
        data = frame.get("data") or {}
        if isinstance(data, str):
            data = msgspec.json.decode(data)
    except (msgspec.DecodeError, AttributeError):
        return None, None
    return frame.get("event"), data if isinstance(data, dict) and "event" in frame else None
