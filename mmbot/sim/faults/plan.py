"""What may go wrong between a client and the exchange, as data: the names, the rules, the plan.

`dice` draws from a plan; the ports that carry the faults out are in `faulty_ports`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mmbot.sim.faults.kinds import FrameKind as FrameKind
from mmbot.sim.faults.kinds import RouteKind as RouteKind
from mmbot.sim.faults.kinds import external_ids as external_ids
from mmbot.sim.faults.kinds import frame_kind as frame_kind
from mmbot.sim.faults.kinds import route_kind as route_kind

REORDER_WITHIN_S: Final = 0.2
COPIES_MAX: Final = 5
LATE_ARRIVALS_S: Final = (0.1, 5.0, 45.0, 58.0)  # the arrival bound is 60 s after the timeout
CLOSE_CODES: Final = (1006, 4100, 4200)


class Fault(StrEnum):
    """Names of faults, as in `injected` and in rules."""

    REPLY_RESET = "reply_reset"  # executed; the caller sees the connection reset
    REPLY_HANGS = "reply_hangs"  # executed; nothing ever comes back
    REQUEST_RESET = "request_reset"  # never arrives
    REQUEST_HANGS = "request_hangs"
    LANDS_LATE = "lands_late"  # reset for the caller, executed up to 58 s later
    ERROR_BEFORE = "error_before"  # 500, not executed
    ERROR_AFTER = "error_after"  # 500, executed
    HTML_BEFORE = "html_before"  # 502 with a page of HTML, not executed
    HTML_AFTER = "html_after"  # 504 with a page of HTML, executed
    TRUNCATED = "truncated"  # executed; the JSON ends in the middle
    EMPTY_DATA = "empty_data"  # executed; 200 {"data": {}}
    EMPTY_UNDONE = "empty_undone"  # 200 {"data": {}}, a bare success, not executed
    TOO_MANY = "too_many"  # 429, not executed
    UNAUTHORIZED = "unauthorized"  # 401, not executed
    MAINTENANCE = "maintenance"  # 403, placements only
    NO_REPORTS = "no_reports"  # 503, reporting routes only
    FALSE_ABSENCE = "false_absence"  # 404 for a live order
    SLOW = "slow"  # delayed on the way there and back
    TOO_MANY_DELAYED = "too_many_delayed"  # 429 of the delay queue, placements only
    BATCH_CUT = "batch_cut"  # the first items of a batch are executed, then reset or 500
    TRICKLE = "trickle"  # executed; the body comes byte by byte
    REPLY_ODD = "reply_odd"  # executed; unknown field, unknown enum, a null, a price of 0
    CRASH_BEFORE = "crash_before"  # the client dies before the request leaves
    CRASH_AFTER = "crash_after"  # the client dies after it was executed, before the reply
    CRASH_BETWEEN = "crash_between"  # the client dies between two batches that belong together
    ITEM_TWICE = "item_twice"  # a batch arrives with one of its items twice
    ITEM_UNKNOWN = "item_unknown"  # one item of a cancel batch is taken for an unknown order
    FRAME_COPIED = "frame_copied"  # delivered 2 to 5 times
    FRAME_SWAPPED = "frame_swapped"  # the next one overtakes it, within 200 ms
    FRAME_LATE = "frame_late"  # and all behind it wait
    FRAME_LOST = "frame_lost"  # private order messages, unless the rule says otherwise
    FRAME_ODD = "frame_odd"  # an unknown field, an unknown enum, a null, a price of 0
    CONNECT_REFUSED = "connect_refused"
    DISCONNECT = "disconnect"  # rate per minute of connection
    SILENCE = "silence"  # rate per minute: open, answers pings, says nothing
    ACTIVATION_FAILS = "activation_fails"  # per order: it becomes invalid
    NEVER_ACTIVATED = "never_activated"  # per order: it stays inactive
    FILL_TAKEN_BACK = "fill_taken_back"  # per fill, up to 15 minutes later


_WRITES_AND_READS: Final = frozenset({"place", "cancel", "order", "report", "read", "stream"})
HTTP_FAULTS: Final[Mapping[Fault, frozenset[str]]] = {
    Fault.REPLY_RESET: _WRITES_AND_READS | {"auth"},
    Fault.REPLY_HANGS: _WRITES_AND_READS,
    Fault.REQUEST_RESET: _WRITES_AND_READS | {"auth", "feed"},
    Fault.REQUEST_HANGS: _WRITES_AND_READS | {"feed"},
    Fault.LANDS_LATE: frozenset({"place", "cancel"}),
    Fault.ERROR_BEFORE: _WRITES_AND_READS | {"auth", "feed"},
    Fault.ERROR_AFTER: frozenset({"place", "cancel"}),
    Fault.HTML_BEFORE: _WRITES_AND_READS | {"auth", "feed"},
    Fault.HTML_AFTER: frozenset({"place", "cancel"}),
    Fault.TRUNCATED: _WRITES_AND_READS | {"feed"},
    Fault.EMPTY_DATA: frozenset({"place", "cancel"}),
    Fault.EMPTY_UNDONE: frozenset({"cancel"}),
    Fault.TOO_MANY: _WRITES_AND_READS,
    Fault.UNAUTHORIZED: _WRITES_AND_READS,
    Fault.MAINTENANCE: frozenset({"place"}),
    Fault.NO_REPORTS: frozenset({"report"}),
    Fault.FALSE_ABSENCE: frozenset({"order"}),
    Fault.TOO_MANY_DELAYED: frozenset({"place"}),
    Fault.SLOW: _WRITES_AND_READS | {"auth", "feed"},
    Fault.CRASH_BEFORE: frozenset({"place", "cancel"}),
    Fault.CRASH_AFTER: frozenset({"place", "cancel"}),
    Fault.CRASH_BETWEEN: frozenset({"place"}),
}
_APPLICATION: Final = frozenset({"orders", "books", "health", "general"})
FRAME_FAULTS: Final[Mapping[Fault, frozenset[str]]] = {
    Fault.FRAME_LOST: frozenset({"orders"}),
    Fault.FRAME_COPIED: _APPLICATION,
    Fault.FRAME_SWAPPED: _APPLICATION,
    Fault.FRAME_LATE: _APPLICATION | {"protocol"},
}
# What only the box itself can do; the ports of a client in memory leave these out.
BOX_HTTP_FAULTS: Final[Mapping[Fault, frozenset[str]]] = {
    **HTTP_FAULTS,
    Fault.BATCH_CUT: frozenset({"place", "cancel"}),
    Fault.TRICKLE: _WRITES_AND_READS,
    Fault.REPLY_ODD: frozenset({"order", "report", "read"}),
    Fault.ITEM_TWICE: frozenset({"place"}),
    Fault.ITEM_UNKNOWN: frozenset({"cancel"}),
}
BOX_FRAME_FAULTS: Final[Mapping[Fault, frozenset[str]]] = {
    **FRAME_FAULTS,
    Fault.FRAME_ODD: frozenset({"orders", "books"}),
}
ORDER_FAULTS: Final = frozenset(
    {Fault.ACTIVATION_FAILS, Fault.NEVER_ACTIVATED, Fault.FILL_TAKEN_BACK}
)
BOX_ONLY: Final = (
    ORDER_FAULTS | (BOX_HTTP_FAULTS.keys() - HTTP_FAULTS) | (BOX_FRAME_FAULTS.keys() - FRAME_FAULTS)
)
CLIENT_ONLY: Final = frozenset({Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.CRASH_BETWEEN})
NOT_EXECUTED: Final = frozenset(
    {
        Fault.REQUEST_RESET, Fault.REQUEST_HANGS, Fault.ERROR_BEFORE, Fault.HTML_BEFORE,
        Fault.TOO_MANY, Fault.UNAUTHORIZED, Fault.MAINTENANCE, Fault.NO_REPORTS,
        Fault.FALSE_ABSENCE, Fault.TOO_MANY_DELAYED, Fault.CRASH_BEFORE, Fault.CRASH_BETWEEN,
        Fault.EMPTY_UNDONE,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One fault: how often (per request, per frame, or per minute of a connection), on what
    (default: wherever it fits), from when to when in seconds of the run, and how many times.

    `account` is a name or an access key, `route` a part of a path; both empty mean all. The
    first `skip` occasions pass. `late_s` are the delays from which `lands_late` draws. With
    `occasions` it strikes at exactly these, counted from 0, and `rate` says nothing.
    """

    fault: Fault
    rate: float
    on: frozenset[str] = frozenset()
    start_s: float = 0.0
    until_s: float = math.inf
    times_max: int = 1000
    delay_s: tuple[float, float] = (0.05, 2.0)
    late_s: tuple[float, ...] = LATE_ARRIVALS_S
    account: str = ""
    route: str = ""
    skip: int = 0
    occasions: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """No fault begins after `until_s`, so that every run ends calm."""

    seed: int
    rules: tuple[FaultRule, ...] = ()
    until_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that was drawn, with what else chance had to say about it.

    `where` is the number of its rule in the plan and that of the occasion, as `3.17`.
    """

    fault: Fault
    delay_s: float
    copies: int
    chance: float
    late_s: tuple[float, ...] = LATE_ARRIVALS_S
    where: str = ""


@dataclass(frozen=True, slots=True)
class Injected:
    """One entry of the record of faults."""

    now_ns: int
    fault: Fault
    what: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.now_ns / 1e9:.3f} {self.fault} {self.what}"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom and what a rule may single out; nothing known means that every rule fits."""

    accounts: tuple[str, ...] = ()
    path: str = ""


NOBODY: Final = Target()
