"""What one seed means: the exchange of that day, what goes wrong in it, and when."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

from mmbot.domain.errors import SetUpError
from mmbot.sim.faults.plan import BOX_ONLY, FaultPlan, FaultRule, swarm
from mmbot.sim.scenario import BoxOptions, ScenarioError, overlay, read_table, with_table
from mmbot.sim.tables import all_built

RUN_ID_BITS: Final = 48
FEED_EVERY_S: Final = 3.0  # fair values may be 10 s old
BUSY_SHARE: Final = 0.1  # of the seeds trade as densely as the demo, but not for so long
BUSY_QUOTING_S_MAX: Final = 90.0
VENUE_SHARE: Final = 0.4  # of the seeds; the others trade without added latency


@dataclass(frozen=True, slots=True)
class DayRules:
    """The shape of a day, in seconds of virtual time; table `[day]` of a scenario."""

    quoting_s: float = 300.0  # under faults
    calm_s: float = 90.0  # then without; an order in doubt has ended after that
    crashes_max: int = 1  # in the middle of a request, of each kind
    kills_max: int = 2  # at any moment
    news_max: int = 2
    halts_max: int = 1
    suspensions_max: int = 1
    kick_offs_max: int = 1  # a game goes live, and all that rests on it is wiped
    journal_failures_max: int = 1
    tight_limits_share: float = 0.4  # of the days, with limits that bind


What = Literal["kill", "news", "halt", "resume", "suspend", "reopen", "start", "break", "mend"]


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """Something that happens at a second of the day; `chance` picks the game it is about."""

    at_s: float
    what: What
    chance: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario file: box options, `[day]`, and `[[faults]]` instead of the seed's own."""

    box: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    rules: DayRules = DayRules()
    faults: tuple[FaultRule, ...] | None = None


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Everything that a seed decides before the day begins."""

    seed: int
    rules: DayRules
    box: BoxOptions
    faults: FaultPlan
    moments: tuple[Moment, ...]
    loss_max_usd: tuple[int, int] | None  # one line, all lines; None = as shipped
    clock_skew_s: float  # our clock is so much ahead of the exchange's
    executor_delay_s_max: float  # how long a commit takes at most

    @property
    def roomy(self) -> bool:
        """No limit binds, so that a healthy daemon has orders on the exchange at any time."""
        return self.loss_max_usd is None and self.box.cash_usd >= BoxOptions().cash_usd

    def rng(self, purpose: str) -> Random:
        """A generator of its own for each purpose: one more draw here changes nothing there."""
        return Random(f"day {self.seed} {purpose}")


def read_scenario(path: Path | None) -> Scenario:
    """Raises SetUpError with one line that says what and where."""
    if path is None:
        return Scenario()
    try:
        table = read_table(path)
        rules = overlay(DayRules(), table.pop("day", {}))
        rows = table.pop("faults", None)
        faults = None if rows is None else all_built(FaultRule, rows, "faults")
        with_table(BoxOptions(), table)
    except ScenarioError as error:
        raise SetUpError(f"scenario {path}: {error}") from None
    return Scenario(table, rules, faults)


def draw(seed: int, scenario: Scenario) -> DayPlan:
    """The same seed and scenario give the same plan for ever."""
    chance = Random(f"day {seed}")
    rules = scenario.rules
    venue = chance.random() < VENUE_SHARE
    box = BoxOptions(seed=seed, latency_profile="venue" if venue else "loopback")
    session = dataclasses.replace(
        box.session,
        access_life_s=chance.choice((600, 600, 600, 90, 180, 1200)),
        reporting_lag_s=chance.choice((0.0, 0.0, 0.5, 3.0, 12.0)),
        retry_after=chance.random() < 0.5,
    )
    exchange = dataclasses.replace(
        box.rules,
        alo_crossing=chance.choice(("invalid", "reject", "canceled")),
        cancel_inactive=chance.choice(("conflict", "conflict", "allow")),
    )
    busy = chance.random() < BUSY_SHARE
    if busy:
        rules = dataclasses.replace(rules, quoting_s=min(rules.quoting_s, BUSY_QUOTING_S_MAX))
    box = dataclasses.replace(
        box if busy else _quiet(box),
        session=session,
        rules=exchange,
        cash_usd=chance.choice((100_000, 100_000, 100_000, 100_000, 5_000, 1_000)),
        start_after_s=86_400,
    )
    total_usd = chance.randint(300, 2000)
    tight = chance.random() < rules.tight_limits_share
    return DayPlan(
        seed=seed,
        rules=rules,
        box=dataclasses.replace(with_table(box, scenario.box), faults=_in_the_box(scenario, rules)),
        faults=_faults(seed, scenario, rules),
        moments=tuple(sorted(_moments(rules, chance))),
        loss_max_usd=(int(total_usd * chance.uniform(0.2, 1.0)), total_usd) if tight else None,
        clock_skew_s=chance.choice((0.0, 0.0, 0.0, 0.7, 6.0, -6.0)),
        executor_delay_s_max=chance.choice((0.002, 0.01, 0.05)),
    )


def _moments(rules: DayRules, chance: Random) -> Iterator[Moment]:
    last_s = rules.quoting_s
    kill_s = chance.uniform(3.0, last_s)
    for _ in range(chance.randint(0, rules.kills_max)):
        yield Moment(kill_s, "kill")
        soon = chance.random() < 0.3  # twice within five seconds
        kill_s = kill_s + chance.uniform(0.5, 5.0) if soon else chance.uniform(3.0, last_s)
    for _ in range(chance.randint(0, rules.news_max)):
        yield Moment(chance.uniform(10.0, last_s), "news")
    for _ in range(chance.randint(0, 2 * rules.kick_offs_max) // 2):
        yield Moment(chance.uniform(0.3, 1.0) * last_s, "start", chance.random())
    spans: tuple[tuple[int, What, What, float], ...] = (
        (rules.halts_max, "halt", "resume", 40.0),
        (rules.suspensions_max, "suspend", "reopen", 20.0),
        (rules.journal_failures_max, "break", "mend", 30.0),
    )
    for times_max, begin, end, longest_s in spans:
        for _ in range(chance.randint(0, times_max)):
            at_s, which = chance.uniform(5.0, last_s), chance.random()
            yield Moment(at_s, begin, which)
            yield Moment(min(last_s, at_s + longest_s * chance.random() ** 2), end, which)


def _quiet(box: BoxOptions) -> BoxOptions:
    """Fewer ticks and takers than the demo shows: what costs time here and finds nothing."""
    return dataclasses.replace(
        box,
        drift=dataclasses.replace(box.drift, step_ms=1000),
        feed=dataclasses.replace(box.feed, refresh_s=FEED_EVERY_S),
        takers=dataclasses.replace(box.takers, arrivals_per_s=2.5, informed_every_ms=2500),
        rival=dataclasses.replace(box.rival, look_every_ms=2000),
    )


def _in_the_box(scenario: Scenario, rules: DayRules) -> tuple[FaultRule, ...]:
    """The faults of a scenario that only the exchange itself can have; they end with the others."""
    return tuple(
        dataclasses.replace(rule, until_s=min(rule.until_s, rules.quoting_s))
        for rule in scenario.faults or ()
        if rule.fault in BOX_ONLY
    )


def _faults(seed: int, scenario: Scenario, rules: DayRules) -> FaultPlan:
    if scenario.faults is not None:
        on_the_wire = tuple(rule for rule in scenario.faults if rule.fault not in BOX_ONLY)
        return FaultPlan(seed, on_the_wire, rules.quoting_s)
    return swarm(seed, rules.quoting_s, crashes_max=rules.crashes_max)
