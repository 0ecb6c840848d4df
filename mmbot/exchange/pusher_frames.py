"""Control frames of the Pusher protocol: what the server's mean, and the text of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final

import msgspec

from mmbot.exchange import wire
from mmbot.exchange.frames import AnyFrame, inner_json
from mmbot.exchange.pusher_states import Step

CONTROL: Final = ("pusher:", "pusher_internal:")  # how the names of control events begin

_STEPS: Final = {
    "connection_established": Step.ESTABLISHED,
    "signin_success": Step.SIGNED_IN,
    "subscription_succeeded": Step.GRANTED,
    "subscription_error": Step.REFUSED,
    "error": Step.ERROR,
    "ping": Step.PING,
    "pong": Step.PONG,
}


class ControlData(msgspec.Struct):
    """`data` of a control frame; what is not an object says nothing, nor does a key amiss."""

    socket_id: Any = None
    activity_timeout: Any = None
    code: Any = None
    message: Any = None
    error: Any = None
    type: Any = None


@dataclass(frozen=True, slots=True)
class Said:
    step: Step
    detail: str = ""  # the channel, where the step is about one
    data: ControlData = field(default_factory=ControlData)
    code: int | None = None


def said(heard: AnyFrame, socket_id: str) -> Said:
    """A control frame as a step, on the connection that has this socket id ("" = none yet)."""
    step = _STEPS.get(heard.event.partition(":")[2], Step.UNKNOWN)
    match step:
        case Step.ESTABLISHED:
            return _established(_data(heard), socket_id)
        case Step.ERROR:
            return _error(_data(heard))
        case Step.REFUSED:
            return Said(step, heard.channel or "", _data(heard))
        case Step.GRANTED:
            return Said(step, heard.channel or "")
        case _:
            return Said(step, heard.event)


def _established(data: ControlData, socket_id: str) -> Said:
    given = data.socket_id
    if not isinstance(given, str) or not given:  # as a number it has lost digits
        return Said(Step.UNNAMED)
    if socket_id and given != socket_id:
        return Said(Step.RENAMED, given)
    return Said(Step.ESTABLISHED, given, data)


def _error(data: ControlData) -> Said:
    code, message = number(data.code), str(data.message)
    if code is None:
        return Said(Step.ERROR_WITHOUT_CODE, message)
    step = Step.ERROR_IN_PASSING if 4300 <= code <= 4399 else Step.ERROR
    return Said(step, f"{code:.0f} {message}", code=int(code))


def frame(event: str, data: dict[str, str]) -> str:
    """One of ours."""
    return msgspec.json.encode({"event": event, "data": data}).decode()


def number(value: Any) -> float | None:
    """4001, 4001.0 or "4001"; None for everything else, and for what is not finite."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if isfinite(found) else None


def _data(heard: AnyFrame) -> ControlData:
    try:
        return wire.decode(inner_json(heard.data), ControlData)
    except wire.Unreadable:
        return ControlData()
