"""What may go wrong between a client and the exchange, drawn from one seed.

A plan is a list of rules; every draw comes from one generator in the order in which requests and
frames pass, so a seed replays. Pure: the ports that carry the faults out are in `faulty_ports`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
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
    Fault.TOO_MANY: _WRITES_AND_READS,
    Fault.UNAUTHORIZED: _WRITES_AND_READS,
    Fault.MAINTENANCE: frozenset({"place"}),
    Fault.NO_REPORTS: frozenset({"report"}),
    Fault.FALSE_ABSENCE: frozenset({"order"}),
    Fault.TOO_MANY_DELAYED: frozenset({"place"}),
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
# What only the box itself can do; the ports of a client in memory leave these out.
BOX_HTTP_FAULTS: Final[Mapping[Fault, frozenset[str]]] = {
    **HTTP_FAULTS,
    Fault.BATCH_CUT: frozenset({"place", "cancel"}),
    Fault.TRICKLE: _WRITES_AND_READS,
    Fault.REPLY_ODD: frozenset({"order", "report", "read"}),
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
CLIENT_ONLY: Final = frozenset({Fault.CRASH_BEFORE, Fault.CRASH_AFTER})
NOT_EXECUTED: Final = frozenset(
    {
        Fault.REQUEST_RESET, Fault.REQUEST_HANGS, Fault.ERROR_BEFORE, Fault.HTML_BEFORE,
        Fault.TOO_MANY, Fault.UNAUTHORIZED, Fault.MAINTENANCE, Fault.NO_REPORTS,
        Fault.FALSE_ABSENCE, Fault.TOO_MANY_DELAYED, Fault.CRASH_BEFORE,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One fault: how often (per request, per frame, or per minute of a connection), on what
    (default: wherever it fits), from when to when in seconds of the run, and how many times.

    `account` is a name or an access key, `route` a part of a path; both empty mean all. The
    first `skip` occasions pass. `late_s` are the delays from which `lands_late` draws.
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
    late_s: tuple[float, ...] = LATE_ARRIVALS_S


@dataclass(frozen=True, slots=True)
class Injected:
    """One entry of the record of faults."""

    now_ns: int
    fault: Fault
    what: str

    def __str__(self) -> str:
        return f"{self.now_ns / 1e9:.3f} {self.fault} {self.what}"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom and what a rule may single out; nothing known means that every rule fits."""

    accounts: tuple[str, ...] = ()
    path: str = ""


NOBODY: Final = Target()


class Dice:
    """Draws from the plan. `now_s` is the time since the start of the run."""

    def __init__(self, plan: FaultPlan, *, in_box: bool = False) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)
        self.times = [0] * len(plan.rules)
        self._passed = [0] * len(plan.rules)
        self._http = BOX_HTTP_FAULTS if in_box else HTTP_FAULTS
        self._frames = BOX_FRAME_FAULTS if in_box else FRAME_FAULTS

    def request(
        self, kind: RouteKind, now_s: float, can_crash: bool, target: Target = NOBODY
    ) -> Hit | None:
        for number, rule in self._active(self._http, kind, now_s, target):
            if (can_crash or rule.fault not in CLIENT_ONLY) and self._strikes(number, rule):
                return self._hit(number, rule)
        return None

    def frame(self, kind: FrameKind, now_s: float, target: Target = NOBODY) -> Hit | None:
        for number, rule in self._active(self._frames, kind, now_s, target):
            if self._strikes(number, rule):
                return self._hit(number, rule)
        return None

    def order(self, fault: Fault, now_s: float, target: Target = NOBODY) -> Hit | None:
        """Whether one of the faults of orders befalls this one."""
        for number, rule in enumerate(self._plan.rules):
            asked = rule.fault is fault and _fits(rule, target) and self._open(number, now_s)
            if asked and self._strikes(number, rule):
                return self._hit(number, rule)
        return None

    def refuses_connection(self, now_s: float) -> bool:
        for number, rule in enumerate(self._plan.rules):
            asked = rule.fault is Fault.CONNECT_REFUSED and self._open(number, now_s)
            if asked and self._strikes(number, rule):
                self.times[number] += 1
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
        self, fits: Mapping[Fault, frozenset[str]], kind: str, now_s: float, target: Target
    ) -> Iterator[tuple[int, FaultRule]]:
        for number, rule in enumerate(self._plan.rules):
            on = rule.on or fits.get(rule.fault, frozenset())
            fitting = rule.fault in fits and kind in on and _fits(rule, target)
            if fitting and self._open(number, now_s):
                yield number, rule

    def _open(self, number: int, now_s: float) -> bool:
        rule = self._plan.rules[number]
        until_s = min(rule.until_s, self._plan.until_s)
        return rule.start_s <= now_s < until_s and self.times[number] < rule.times_max

    def _strikes(self, number: int, rule: FaultRule) -> bool:
        self._passed[number] += 1
        return self._passed[number] > rule.skip and self._random.random() < rule.rate

    def _hit(self, number: int, rule: FaultRule) -> Hit:
        self.times[number] += 1
        return Hit(
            fault=rule.fault,
            delay_s=self._random.uniform(*rule.delay_s),
            copies=self._random.randint(2, COPIES_MAX),
            chance=self._random.random(),
            late_s=rule.late_s,
        )


def _fits(rule: FaultRule, target: Target) -> bool:
    one_of = not rule.account or not target.accounts or rule.account in target.accounts
    return one_of and rule.route in target.path


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
