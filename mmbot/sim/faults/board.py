"""The faults that are on in a box: those of its scenario, and those asked for since."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Final

from mmbot.sim.core.messages import Json
from mmbot.sim.faults.dice import Dice
from mmbot.sim.faults.kinds import FrameKind, RouteKind
from mmbot.sim.faults.plan import (
    BOX_FRAME_FAULTS,
    BOX_HTTP_FAULTS,
    CLIENT_ONLY,
    Fault,
    FaultPlan,
    FaultRule,
    Hit,
    Injected,
    Target,
)
from mmbot.sim.tables import ScenarioError

NS: Final = 1_000_000_000
RULES_MAX: Final = 200
INJECTED_SHOWN_MAX: Final = 1000
_KINDS: Final = frozenset[str]().union(*BOX_HTTP_FAULTS.values(), *BOX_FRAME_FAULTS.values())


class FaultBoard:
    """Draws every fault of a box; the same seed, rules and requests give the same faults."""

    def __init__(self, seed: int, note: Callable[[Injected], None]) -> None:
        self.injected: deque[Injected] = deque(maxlen=INJECTED_SHOWN_MAX)
        self.counts: Counter[str] = Counter()
        self.on_added: Callable[[Dice], None] | None = None
        self.hearers: list[Callable[[Injected], None]] = []
        self._seed = seed
        self._note = note
        self._batches = 0
        self._dice: list[tuple[Dice, tuple[FaultRule, ...], int]] = []

    def add(self, rules: Iterable[FaultRule], now_ns: int) -> None:
        """Switch these on too; their times count from now. Raises ScenarioError."""
        new = tuple(rules)
        for rule in new:
            _check(rule)
        if len(new) + sum(len(rules) for _, rules, _ in self._dice) > RULES_MAX:
            raise ScenarioError(f"more than {RULES_MAX} rules of faults are on")
        if new:
            self._batches += 1
            plan = FaultPlan(self._seed * 1000 + self._batches, new)
            dice = Dice(plan, in_box=True)
            self._dice.append((dice, new, now_ns))
            if self.on_added is not None:
                self.on_added(dice)

    def clear(self) -> None:
        self._dice.clear()

    def note(self, hit: Hit, what: str, now_ns: int) -> None:
        entry = Injected(now_ns, hit.fault, what, hit.where)
        self.injected.append(entry)
        self.counts[hit.fault] += 1
        self._note(entry)
        for hearer in self.hearers:
            hearer(entry)

    # -- draws ----------------------------------------------------------------------------

    def request(self, kind: RouteKind, now_ns: int, target: Target) -> Hit | None:
        return self._first(now_ns, lambda dice, s: dice.request(kind, s, False, target))

    def frame(self, kind: FrameKind, now_ns: int, target: Target) -> Hit | None:
        return self._first(now_ns, lambda dice, s: dice.frame(kind, s, target))

    def order(self, fault: Fault, now_ns: int, target: Target) -> Hit | None:
        return self._first(now_ns, lambda dice, s: dice.order(fault, s, target))

    def refused_connection(self, now_ns: int) -> Hit | None:
        return self._first(now_ns, lambda dice, s: dice.refused_connection(s))

    def connection(self, now_ns: int) -> list[tuple[float, Hit]]:
        """What will befall a new connection: (in how many seconds, what)."""
        return [
            fate
            for dice, _, since_ns in self._dice
            for fate in dice.connection((now_ns - since_ns) / NS)
        ]

    def _first(self, now_ns: int, draw: Callable[[Dice, float], Hit | None]) -> Hit | None:
        for dice, _, since_ns in self._dice:
            hit = draw(dice, (now_ns - since_ns) / NS)
            if hit is not None:
                return hit
        return None

    # -- what is on -----------------------------------------------------------------------

    @property
    def quiet(self) -> bool:
        return not self._dice

    def shown(self, now_ns: int) -> Json:
        return {
            "rules": [
                _row(rule) | {"times": times, "age_s": (now_ns - since_ns) / NS}
                for dice, rules, since_ns in self._dice
                for rule, times in zip(rules, dice.times, strict=True)
            ],
            "injected_counts": dict(sorted(self.counts.items())),
            "injected": [
                {"at_ns": one.now_ns, "fault": one.fault, "what": one.what} for one in self.injected
            ],
        }


def _row(rule: FaultRule) -> Json:
    """A rule as it is written, without what is as usual."""
    row: Json = {}
    for one in dataclasses.fields(rule):
        value = getattr(rule, one.name)
        if value != one.default:
            row[one.name] = sorted(value) if isinstance(value, frozenset) else value
    return row


def _check(rule: FaultRule) -> None:
    if rule.fault in CLIENT_ONLY:
        raise ScenarioError(f"fault {rule.fault} kills a client: only `mmbot simulate` can do that")
    if unknown := sorted(rule.on - _KINDS):
        known = ", ".join(sorted(_KINDS))
        raise ScenarioError(f"fault {rule.fault}: on {', '.join(unknown)} is none of {known}")
    per_minute = rule.fault in {Fault.DISCONNECT, Fault.SILENCE}
    if not 0 <= rule.rate <= (math.inf if per_minute else 1):
        raise ScenarioError(f"fault {rule.fault}: rate must be from 0 to 1")
    if rule.delay_s[0] > rule.delay_s[1] or not rule.late_s:
        raise ScenarioError(f"fault {rule.fault}: delay_s must rise and late_s not be empty")
