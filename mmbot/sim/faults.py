"""What may go wrong between a client and the exchange, drawn from one seed.

A plan is a list of rules; every draw comes from one generator in the order in which requests and
frames pass, so a seed replays. Pure: the ports that carry the faults out are in `faulty_ports`.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

RouteKind = Literal[
    "place", "cancel", "auth", "order", "report", "read", "stream", "feed", "control"
]
FrameKind = Literal["orders", "books", "health", "general", "protocol"]

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
    TOO_MANY = "too_many"  # 429, not executed
    UNAUTHORIZED = "unauthorized"  # 401, not executed
    MAINTENANCE = "maintenance"  # 403, placements only
    NO_REPORTS = "no_reports"  # 503, reporting routes only
    FALSE_ABSENCE = "false_absence"  # 404 for a live order
    SLOW = "slow"  # delayed on the way there and back
    CRASH_BEFORE = "crash_before"  # the client dies before the request leaves
    CRASH_AFTER = "crash_after"  # the client dies after it was executed, before the reply
    FRAME_COPIED = "frame_copied"  # delivered 2 to 5 times
    FRAME_SWAPPED = "frame_swapped"  # the next one overtakes it, within 200 ms
    FRAME_LATE = "frame_late"  # and all behind it wait
    FRAME_LOST = "frame_lost"  # private order messages, unless the rule says otherwise
    CONNECT_REFUSED = "connect_refused"
    DISCONNECT = "disconnect"  # rate per minute of connection
    SILENCE = "silence"  # rate per minute: open, answers pings, says nothing


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
    Fault.TOO_MANY: _WRITES_AND_READS,
    Fault.UNAUTHORIZED: _WRITES_AND_READS,
    Fault.MAINTENANCE: frozenset({"place"}),
    Fault.NO_REPORTS: frozenset({"report"}),
    Fault.FALSE_ABSENCE: frozenset({"order"}),
    Fault.SLOW: _WRITES_AND_READS | {"auth", "feed"},
    Fault.CRASH_BEFORE: frozenset({"place", "cancel"}),
    Fault.CRASH_AFTER: frozenset({"place", "cancel"}),
}
_APPLICATION: Final = frozenset({"orders", "books", "health", "general"})
FRAME_FAULTS: Final[Mapping[Fault, frozenset[str]]] = {
    Fault.FRAME_LOST: frozenset({"orders"}),
    Fault.FRAME_COPIED: _APPLICATION,
    Fault.FRAME_SWAPPED: _APPLICATION,
    Fault.FRAME_LATE: _APPLICATION | {"protocol"},
}
NOT_EXECUTED: Final = frozenset(
    {
        Fault.REQUEST_RESET, Fault.REQUEST_HANGS, Fault.ERROR_BEFORE, Fault.HTML_BEFORE,
        Fault.TOO_MANY, Fault.UNAUTHORIZED, Fault.MAINTENANCE, Fault.NO_REPORTS,
        Fault.FALSE_ABSENCE, Fault.CRASH_BEFORE,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One fault: how often (per request, per frame, or per minute of a connection), on what
    (default: wherever it fits), from when to when in seconds of the run, and how many times."""

    fault: Fault
    rate: float
    on: frozenset[str] = frozenset()
    start_s: float = 0.0
    until_s: float = math.inf
    times_max: int = 1000
    delay_s: tuple[float, float] = (0.05, 2.0)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """No fault begins after `until_s`, so that every run ends calm."""

    seed: int
    rules: tuple[FaultRule, ...] = ()
    until_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that was drawn, with what else chance had to say about it."""

    fault: Fault
    delay_s: float
    copies: int
    chance: float


@dataclass(frozen=True, slots=True)
class Injected:
    """One entry of the record of faults."""

    now_ns: int
    fault: Fault
    what: str

    def __str__(self) -> str:
        return f"{self.now_ns / 1e9:.3f} {self.fault} {self.what}"


class Dice:
    """Draws from the plan. `now_s` is the time since the start of the run."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._times = [0] * len(plan.rules)

    def request(self, kind: RouteKind, now_s: float, can_crash: bool) -> Hit | None:
        for number, rule in self._active(HTTP_FAULTS, kind, now_s):
            crash = rule.fault in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}
            if (can_crash or not crash) and self._random.random() < rule.rate:
                return self._hit(number, rule)
        return None

    def frame(self, kind: FrameKind, now_s: float) -> Hit | None:
        for number, rule in self._active(FRAME_FAULTS, kind, now_s):
            if self._random.random() < rule.rate:
                return self._hit(number, rule)
        return None

    def refuses_connection(self, now_s: float) -> bool:
        for number, rule in enumerate(self._plan.rules):
            asked = rule.fault is Fault.CONNECT_REFUSED and self._open(number, now_s)
            if asked and self._random.random() < rule.rate:
                self._times[number] += 1
                return True
        return False

    def connection(self, now_s: float) -> list[tuple[float, Hit]]:
        """What will befall a new connection: (in how many seconds, what)."""
        fates: list[tuple[float, Hit]] = []
        for number, rule in enumerate(self._plan.rules):
            if rule.fault not in {Fault.DISCONNECT, Fault.SILENCE} or rule.rate <= 0:
                continue
            at_s = max(now_s, rule.start_s) + self._random.expovariate(rule.rate / 60.0)
            if self._open(number, at_s):
                fates.append((at_s - now_s, self._hit(number, rule)))
        return fates

    def _active(
        self, fits: Mapping[Fault, frozenset[str]], kind: str, now_s: float
    ) -> Iterator[tuple[int, FaultRule]]:
        for number, rule in enumerate(self._plan.rules):
            on = rule.on or fits.get(rule.fault, frozenset())
            if rule.fault in fits and kind in on and self._open(number, now_s):
                yield number, rule

    def _open(self, number: int, now_s: float) -> bool:
        rule = self._plan.rules[number]
        until_s = min(rule.until_s, self._plan.until_s)
        return rule.start_s <= now_s < until_s and self._times[number] < rule.times_max

    def _hit(self, number: int, rule: FaultRule) -> Hit:
        self._times[number] += 1
        return Hit(
            fault=rule.fault,
            delay_s=self._random.uniform(*rule.delay_s),
            copies=self._random.randint(2, COPIES_MAX),
            chance=self._random.random(),
        )


def swarm(seed: int, until_s: float, *, crashes_max: int = 1) -> FaultPlan:
    """Half of the faults, each at a rate of its own: seeds differ in kind and not only in luck.

    One seed in four is a storm, in which everything strikes five times as often.
    """
    chance = random.Random(f"swarm {seed}")
    rules = []
    storm = 5.0 if chance.random() < 0.25 else 1.0
    for fault, rate_max in _SWARM_RATES.items():
        on = chance.random() < 0.5
        rate = storm * rate_max * math.exp(chance.uniform(math.log(0.05), 0.0))
        if on:
            rules.append(FaultRule(fault, rate, times_max=1000))
    for fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
        start_s = chance.uniform(0.1, 0.9) * until_s
        if chance.random() < 0.5:
            rules.append(FaultRule(fault, 0.5, start_s=start_s, times_max=crashes_max))
    return FaultPlan(seed, tuple(rules), until_s)


_SWARM_RATES: Final[Mapping[Fault, float]] = {
    Fault.REPLY_RESET: 0.05,
    Fault.REPLY_HANGS: 0.02,
    Fault.REQUEST_RESET: 0.05,
    Fault.REQUEST_HANGS: 0.02,
    Fault.LANDS_LATE: 0.02,
    Fault.ERROR_BEFORE: 0.05,
    Fault.ERROR_AFTER: 0.05,
    Fault.HTML_BEFORE: 0.03,
    Fault.HTML_AFTER: 0.03,
    Fault.TRUNCATED: 0.03,
    Fault.EMPTY_DATA: 0.02,
    Fault.TOO_MANY: 0.05,
    Fault.UNAUTHORIZED: 0.01,
    Fault.MAINTENANCE: 0.05,
    Fault.NO_REPORTS: 0.10,
    Fault.FALSE_ABSENCE: 0.05,
    Fault.SLOW: 0.20,
    Fault.FRAME_COPIED: 0.20,
    Fault.FRAME_SWAPPED: 0.10,
    Fault.FRAME_LATE: 0.05,
    Fault.FRAME_LOST: 0.02,
    Fault.DISCONNECT: 2.0,
    Fault.SILENCE: 0.2,
    Fault.CONNECT_REFUSED: 0.3,
}


_REPORTS: Final = ("get_order_history", "get_order_matched_detail", "get_trades", "get_transact")
_EVENT_NAME: Final = re.compile(r'(?<!\\)"event"\s*:\s*"([^"\\]+)"')
_EXTERNAL_ID: Final = re.compile(rb'"external_id"\s*:\s*"([^"]+)"')


def route_kind(path: str) -> RouteKind:
    """What a request is for, by its path (with or without prefix and query)."""
    route = path.partition("?")[0]
    if "/_box" in route:
        return "control"
    if "/_feed" in route:
        return "feed"
    if "/auth/" in route:
        return "auth"
    last = route.rstrip("/").rpartition("/")[2]
    if last.startswith(("submit_", "place_")):
        return "place"
    if last.startswith("cancel_"):
        return "cancel"
    if "/get_order/" in route:
        return "order"
    if last.startswith(_REPORTS):
        return "report"
    return "stream" if last in {"connection-config", "websocket", "pusher"} else "read"


def frame_kind(frame: str) -> FrameKind:
    """What a frame of the stream is about, by its event name."""
    found = _EVENT_NAME.search(frame)
    event = found.group(1) if found else ""
    if event.startswith("pusher"):
        return "protocol"
    if event in {"orders", "order", "wagers", "wager"}:
        return "orders"
    if event == "market_selections":
        return "books"
    return "health" if event == "health_check" else "general"


def external_ids(body: bytes) -> list[str]:
    """The orders that a request body names."""
    return [match.decode("ascii", "replace") for match in _EXTERNAL_ID.findall(body)]
