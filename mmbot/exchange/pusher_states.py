"""The life of a Pusher connection: every step in every phase is in `TABLE`, and nowhere else.

    CONNECTING --established--> REGISTERING --authorised--> SIGNING_IN --signed in--> SUBSCRIBING
                                     (no sign-in block in the answer: straight to SUBSCRIBING)
    SUBSCRIBING --every channel answered--> SUBSCRIBED          any --error, silence--> FAILED

A cell is the phase to go to, or what to do where we are. Application messages pass as soon as the
connection is established: they may come between a subscribe and its success. A connection that is
SUBSCRIBED stays so while channels are added and given up. Rules: contract, pusher page 2 to 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final


class Phase(StrEnum):
    CONNECTING = "connecting"
    REGISTERING = "registering"
    SIGNING_IN = "signing in"
    SUBSCRIBING = "subscribing"
    SUBSCRIBED = "subscribed"
    FAILED = "failed"


class Step(StrEnum):
    # said by the server
    ESTABLISHED = "established"  # with a socket id: the first, or the same once more
    UNNAMED = "established without a socket id"
    RENAMED = "established with another socket id"
    SIGNED_IN = "signin_success"
    GRANTED = "subscription_succeeded"
    REFUSED = "subscription_error"
    ERROR = "pusher:error"
    ERROR_WITHOUT_CODE = "pusher:error without a code"
    ERROR_IN_PASSING = "pusher:error that leaves the connection open"
    PING = "ping"
    PONG = "pong"
    UNKNOWN = "unknown control event"
    UNREADABLE = "unreadable frame"
    MESSAGE = "message"
    # done by us
    AUTHORISED = "authorised, with a sign-in"
    AUTHORISED_ONLY = "authorised, without a sign-in"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    ALL_ANSWERED = "every channel has answered"
    # told by the clock
    UNANSWERED = "no answer"
    CHANNEL_SILENT = "no answer for a channel"
    ASK_AGAIN = "time to ask for a channel again"
    QUIET = "nothing heard"
    NO_PONG = "no pong"


class Then(StrEnum):
    """What a cell asks for when the phase stays."""

    ACT = "act"  # do what the step is for
    IGNORE = "ignore"
    COUNT = "count"  # told as odd, nothing else
    DASH = "dash"  # our own step, or timer, out of place: an assertion


Cell = Phase | Then


def _table() -> dict[Phase, Mapping[Step, Cell]]:
    s, p = Step, Phase
    act, ignore, count, dash = Then.ACT, Then.IGNORE, Then.COUNT, Then.DASH
    failed = p.FAILED
    rows: dict[Step, tuple[Cell, ...]] = {
        # CONNECTING, REGISTERING, SIGNING_IN, SUBSCRIBING, SUBSCRIBED, FAILED
        s.ESTABLISHED: (p.REGISTERING, ignore, ignore, ignore, ignore, ignore),
        s.UNNAMED: (failed, count, count, count, count, ignore),
        s.RENAMED: (dash, failed, failed, failed, failed, ignore),  # each auth is bound to the id
        s.SIGNED_IN: (count, count, p.SUBSCRIBING, ignore, ignore, ignore),
        s.GRANTED: (count, count, count, act, act, ignore),
        s.REFUSED: (count, count, count, act, act, ignore),
        s.ERROR: (failed, failed, failed, failed, failed, ignore),
        # Some servers refuse one channel so; its silence fails it.
        s.ERROR_WITHOUT_CODE: (failed, count, failed, count, count, ignore),
        s.ERROR_IN_PASSING: (count, count, count, count, count, ignore),
        s.PING: (act, act, act, act, act, ignore),
        s.PONG: (ignore, ignore, ignore, ignore, ignore, ignore),
        s.UNKNOWN: (count, count, count, count, count, ignore),
        s.UNREADABLE: (count, count, count, count, count, ignore),
        s.MESSAGE: (count, act, act, act, act, ignore),
        s.AUTHORISED: (dash, p.SIGNING_IN, dash, dash, dash, ignore),
        s.AUTHORISED_ONLY: (dash, p.SUBSCRIBING, dash, dash, dash, ignore),
        s.SUBSCRIBE: (dash, dash, dash, act, act, ignore),
        s.UNSUBSCRIBE: (dash, dash, dash, act, act, ignore),
        s.ALL_ANSWERED: (dash, dash, dash, p.SUBSCRIBED, ignore, ignore),
        s.UNANSWERED: (failed, dash, failed, dash, dash, ignore),
        s.CHANNEL_SILENT: (dash, dash, dash, act, act, ignore),
        s.ASK_AGAIN: (dash, dash, dash, act, act, ignore),
        s.QUIET: (act, act, act, act, act, ignore),
        s.NO_PONG: (failed, failed, failed, failed, failed, ignore),
    }
    columns = zip(*rows.values(), strict=True)
    return {
        phase: MappingProxyType(dict(zip(rows, column, strict=True)))
        for phase, column in zip(p, columns, strict=True)
    }


TABLE: Final[Mapping[Phase, Mapping[Step, Cell]]] = MappingProxyType(_table())


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
