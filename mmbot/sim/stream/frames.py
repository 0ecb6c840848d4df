"""Single frames of the Pusher protocol as text, and the codes a connection ends with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from mmbot.sim.core.messages import Json

encode = msgspec.json.encode

# Every code of the public table with its text; 1006 is a cut without a close frame.
CLOSE_CODES: Final = {
    4000: "application only accepts TLS connections, reconnect using wss",
    4001: "app key does not exist",
    4003: "application disabled",
    4004: "application is over connection quota",
    4005: "path not found",
    4006: "invalid version string format",
    4007: "unsupported protocol version",
    4008: "no protocol version supplied",
    4009: "connection is unauthorized",
    4100: "over capacity",
    4200: "generic reconnect immediately",
    4201: "pong reply not received",
    4202: "closed after inactivity",
    4301: "client event rejected due to rate limit",
}
CUT: Final = 1006
PING: Final = '{"event":"pusher:ping","data":{}}'
PONG: Final = '{"event":"pusher:pong","data":{}}'


@dataclass(frozen=True, slots=True)
class Close:
    """The server ends a connection with this code."""

    code: int
    reason: str = ""

    @property
    def text(self) -> str:
        return self.reason or CLOSE_CODES.get(self.code, "closed")


def own(event: str, data: Json, form: str = "string") -> str:
    """A frame of the server itself: its data is a string that holds JSON, or an object."""
    shown = encode(data).decode() if form == "string" else data
    return encode({"event": event, "data": shown}).decode()


def error(code: int | None, text: str) -> str:
    data = {"code": code, "message": text}
    return encode({"event": "pusher:error", "data": data}).decode()


def subscribed(channel: str, *, with_data: bool) -> str:
    frame: Json = {"event": "pusher_internal:subscription_succeeded", "channel": channel}
    if with_data:
        frame["data"] = "{}"
    return encode(frame).decode()


def not_subscribed(channel: str, text: str, status: int = 401) -> str:
    data = {"type": "AuthError", "error": text, "status": status}
    frame = {"event": "pusher:subscription_error", "channel": channel, "data": data}
    return encode(frame).decode()


def parsed(text: str) -> tuple[object, dict[str, Any] | None]:
    """Event and data of a client's frame; no data means that it is malformed."""
    try:
        frame = msgspec.json.decode(text)
        data = frame.get("data") or {}
        if isinstance(data, str):  # pysher sends an empty string, others a string with JSON
            data = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, AttributeError, RecursionError):
        return None, None
    event = frame.get("event")
    formed = isinstance(data, dict) and "event" in frame
    if formed and event in ("pusher:subscribe", "pusher:unsubscribe"):
        formed = isinstance(data.get("channel"), str)
    return event, data if formed else None
