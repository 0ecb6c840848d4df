"""Draws from a plan of faults, so that a seed replays.

Each rule has a generator of its own, and each strike another: taking one rule or one strike out
of a plan moves no other draw, and what is left can be made smaller step by step.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from mmbot.sim.faults.kinds import FrameKind, RouteKind
from mmbot.sim.faults.plan import (
    BOX_FRAME_FAULTS,
    BOX_HTTP_FAULTS,
    CLIENT_ONLY,
    COPIES_MAX,
    FRAME_FAULTS,
    HTTP_FAULTS,
    NOBODY,
    Fault,
    FaultPlan,
    FaultRule,
    Hit,
    Target,
)


class Dice:
    """Draws from the plan. `now_s` is the time since the start of the run."""

    def __init__(self, plan: FaultPlan, *, in_box: bool = False) -> None:
        self._plan = plan
        self._random = [random.Random(f"{plan.seed} {n}") for n in range(len(plan.rules))]
        self.times = [0] * len(plan.rules)
        self._passed = [0] * len(plan.rules)
        self._http = _by_kind(plan, BOX_HTTP_FAULTS if in_box else HTTP_FAULTS)
        self._frames = _by_kind(plan, BOX_FRAME_FAULTS if in_box else FRAME_FAULTS)

    def request(
        self,
        kind: RouteKind,
        now_s: float,
        can_crash: bool,
        target: Target = NOBODY,
        *,
        between: bool = False,
    ) -> Hit | None:
        """`can_crash`: a client stands behind the request that may die of it; `between`: and
        another of its placements is under way."""
        for number, rule in self._active(self._http, kind, now_s, target):
            if rule.fault in CLIENT_ONLY:
                fits = can_crash and (between or rule.fault is not Fault.CRASH_BETWEEN)
                if not fits:
                    continue
            if self._strikes(number, rule):
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

    def refused_connection(self, now_s: float) -> Hit | None:
        """What turns a new connection away."""
        for number, rule in enumerate(self._plan.rules):
            asked = rule.fault is Fault.CONNECT_REFUSED and self._open(number, now_s)
            if asked and self._strikes(number, rule):
                return self._hit(number, rule)
        return None

    def connection(self, now_s: float) -> list[tuple[float, Hit]]:
        """What will befall a new connection: (in how many seconds, what)."""
        fates: list[tuple[float, Hit]] = []
        for number, rule in enumerate(self._plan.rules):
            if rule.fault not in {Fault.DISCONNECT, Fault.SILENCE} or rule.rate <= 0:
                continue
            occasion = self._passed[number]
            self._passed[number] += 1
            chance = random.Random(f"{self._plan.seed} {number} connection {occasion}")
            at_s = max(now_s, rule.start_s) + chance.expovariate(rule.rate / 60.0)
            meant = rule.occasions is None or occasion in rule.occasions
            if meant and self._open(number, at_s):
                fates.append((at_s - now_s, self._hit(number, rule)))
        return fates

    def _active(
        self,
        by_kind: Mapping[str, list[tuple[int, FaultRule]]],
        kind: str,
        now_s: float,
        target: Target,
    ) -> Iterator[tuple[int, FaultRule]]:
        for number, rule in by_kind.get(kind, ()):
            if self._open(number, now_s) and _fits(rule, target):
                yield number, rule

    def _open(self, number: int, now_s: float) -> bool:
        rule = self._plan.rules[number]
        until_s = min(rule.until_s, self._plan.until_s)
        return rule.start_s <= now_s < until_s and self.times[number] < rule.times_max

    def _strikes(self, number: int, rule: FaultRule) -> bool:
        occasion = self._passed[number]
        self._passed[number] += 1
        drawn = self._random[number].random() < rule.rate
        if rule.occasions is not None:
            return occasion in rule.occasions
        return occasion >= rule.skip and drawn

    def _hit(self, number: int, rule: FaultRule) -> Hit:
        self.times[number] += 1
        occasion = self._passed[number] - 1
        chance = random.Random(f"{self._plan.seed} {number} {occasion}")
        return Hit(
            fault=rule.fault,
            delay_s=chance.uniform(*rule.delay_s),
            copies=chance.randint(2, COPIES_MAX),
            chance=chance.random(),
            late_s=rule.late_s,
            where=f"{number}.{occasion}",
        )


def _by_kind(
    plan: FaultPlan, fits: Mapping[Fault, frozenset[str]]
) -> dict[str, list[tuple[int, FaultRule]]]:
    """The rules that may befall a request or a frame of each kind, in their order."""
    found: dict[str, list[tuple[int, FaultRule]]] = {}
    for number, rule in enumerate(plan.rules):
        if rule.fault in fits:
            for kind in rule.on or fits[rule.fault]:
                found.setdefault(kind, []).append((number, rule))
    return found


def _fits(rule: FaultRule, target: Target) -> bool:
    one_of = not rule.account or not target.accounts or rule.account in target.accounts
    return one_of and rule.route in target.path
