"""Text frames of the socket, and what an application event carries, in any of its forms."""

from __future__ import annotations

import base64
import binascii
from typing import Final

import msgspec

from mmbot.exchange.amounts import time_ns
from mmbot.exchange.wire import NOTHING, UNREADABLE, Raw, Unreadable, decode

PAYLOAD_LAYERS_MAX: Final = 4


class Frame(msgspec.Struct):
    """One text frame of the socket; `data` is an object, a string of JSON, or absent."""

    event: str = ""
    channel: str | None = None
    data: Raw = NOTHING


class TextFrame(msgspec.Struct):
    """The usual form: `data` is a string of JSON, read in the same pass."""

    data: str
    event: str = ""
    channel: str | None = None


class Message(msgspec.Struct):
    """What an application event carries; `payload` is read in a second step."""

    change_type: str | None = None
    op: str | None = None
    payload: Raw = NOTHING


class Stamp(msgspec.Struct):
    timestamp: int | float | str | None = None


class Base64Message(msgspec.Struct):
    """The usual form, decoded at once; the content may still be wrapped once more."""

    change_type: str | None = None
    op: str | None = None
    payload: bytes = b""


_TEXT_FRAME: Final = msgspec.json.Decoder(TextFrame)

AnyFrame = Frame | TextFrame


def frame_of(text: str | bytes) -> AnyFrame:
    """Raises Unreadable."""
    try:
        return _TEXT_FRAME.decode(text)
    except UNREADABLE:
        return decode(text, Frame)


_BASE64_MESSAGE: Final = msgspec.json.Decoder(Base64Message)


def message_of(data: Raw | str) -> tuple[str, str, bytes]:
    """(change type, op, JSON of the payload) of an application event, in any of its forms."""
    inner = inner_json(data)
    try:
        usual = _BASE64_MESSAGE.decode(inner)
        payload = usual.payload
        if payload[:1] != b"{":
            payload = payload_json(Raw(payload))
        return usual.change_type or "", usual.op or "u", payload
    except UNREADABLE:
        message = decode(inner, Message)
        return message.change_type or "", message.op or "u", payload_json(message.payload)


def sent_ns(data: Raw | str) -> int | None:
    """When the exchange sent an application event, by its own clock; None when it does not say."""
    try:
        return time_ns(decode(inner_json(data), Stamp).timestamp)
    except Unreadable:
        return None


def inner_json(data: Raw | str) -> bytes | str:
    """The JSON of a frame's `data`, whether it came as an object, a string or not at all."""
    if isinstance(data, str):
        return data
    raw = bytes(data)
    if raw[:1] == b'"':
        return decode(raw, str)
    return raw or b"{}"


def payload_json(payload: Raw) -> bytes:
    """The JSON inside a payload: base64 of JSON, that once more as a string, or plain JSON."""
    raw = bytes(payload)
    for _ in range(PAYLOAD_LAYERS_MAX):
        if raw[:1] != b'"':
            return raw or b"{}"
        text = decode(raw, str)
        if text[:1] in {"{", "[", '"'} or not text:
            raw = text.encode()
            continue
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable("a payload that is neither JSON nor base64") from None
    raise Unreadable("a payload wrapped too often")
