"""What one seed means: the exchange of that day, what goes wrong in it, and when."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

from mmbot.app.simulate_faults import ALL
from mmbot.app.simulate_moments import DayRules as DayRules
from mmbot.app.simulate_moments import Moment as Moment
from mmbot.app.simulate_moments import What as What
from mmbot.app.simulate_moments import weather
from mmbot.app.simulate_recipes import BESIDE_A_SENTINEL, Made, cook
from mmbot.app.simulate_scenes import FULL, MUCH
from mmbot.domain.errors import SetUpError
from mmbot.sim.faults.plan import BOX_ONLY, FaultPlan, FaultRule
from mmbot.sim.market.options import EventOptions
from mmbot.sim.rules import Rules, SessionRules
from mmbot.sim.scenario import BoxOptions, ScenarioError, overlay, read_table, with_table
from mmbot.sim.tables import all_built

RUN_ID_BITS: Final = 48
FEED_EVERY_S: Final = 3.0  # fair values may be 10 s old
UNREAD_FEED_EVERY_S: Final = 3600.0
LINES: Final = 12
CONSENSUS_SHARE: Final = 0.08  # of the seeds quote around the feed, as the demo does
CONSENSUS_QUOTING_S_MAX: Final = 180.0
BUSY_SHARE: Final = 0.1  # of those days trade as densely as the demo, but not for so long
BUSY_QUOTING_S_MAX: Final = 60.0
WIRE_LATE_S_MAX: Final = 60.0
VENUE_SHARE: Final = 0.4  # of the seeds; the others trade without added latency

CASH_USD: Final = (*(100_000,) * 15, *(5_000,) * 4, 2_500)  # of less nothing is left soon

Strategy = Literal["consensus", "restless"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario file: box options, `[day]`, and `[[faults]]` instead of the seed's own."""

    box: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    rules: DayRules = dataclasses.field(default_factory=DayRules)
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
    strategy: Strategy = "consensus"
    dialect: str = "v4"
    ids: tuple[str, ...] = ()  # of the fault list, those that were drawn
    names: tuple[str, ...] = ()  # of the moments
    safety: bool = False  # it was asked for, and is judged
    risk_usd: Mapping[str, int] = dataclasses.field(default_factory=dict)  # tighter loss limits

    @property
    def guarded(self) -> bool:
        """A sentinel watches the daemon, which places nothing without it."""
        return bool(BESIDE_A_SENTINEL & set(self.ids))

    @property
    def roomy(self) -> bool:
        """No limit binds, so that a healthy daemon has orders on the exchange at any time."""
        much = any(MUCH in one.ask for one in self.moments)
        tight = bool(self.risk_usd) or self.loss_max_usd is not None
        return not much and not tight and self.box.cash_usd >= BoxOptions().cash_usd

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


def draw(
    seed: int, scenario: Scenario, ids: tuple[str, ...] = ALL, only: frozenset[str] | None = None
) -> DayPlan:
    """The same arguments give the same plan for ever.

    `ids` of the fault list may strike, unless the scenario brings its faults; of all that is
    drawn, `only` keeps the moments and strikes that it names (`m2`, `w3`, `w3.17`, `b0.4`).
    """
    chance = Random(f"day {seed}")
    rules = scenario.rules
    venue = chance.random() < VENUE_SHARE
    box = BoxOptions(seed=seed, latency_profile="venue" if venue else "loopback")
    session, exchange = _reading(box, chance)
    busy = chance.random() < BUSY_SHARE
    cash_usd = chance.choice(CASH_USD)
    total_usd = chance.randint(300, 2000)
    tight = chance.random() < rules.tight_limits_share
    line_usd = int(total_usd * chance.uniform(0.2, 1.0))
    strategy, rules = _strategy(rules, chance, busy)
    made = Made() if scenario.faults is not None else cook(ids, seed, rules.quoting_s)
    moments = sorted([*weather(_calmer(rules, ids), Random(f"weather {seed}")), *made.moments])
    full = any(
        FULL in one.ask or MUCH in one.ask for one in moments
    )  # of a tight limit nothing would be left
    wire, in_box = _shared(scenario.faults or made.rules, rules.quoting_s)
    box = dataclasses.replace(
        _market(box, strategy, busy),
        session=session,
        rules=exchange,
        cash_usd=cash_usd,
        start_after_s=86_400,
    )
    for table in (*made.box, scenario.box):
        box = with_table(box, table)
    return DayPlan(
        seed=seed,
        rules=rules,
        box=dataclasses.replace(box, faults=_kept(in_box, "b", only)),
        faults=FaultPlan(seed, _kept(wire, "w", only), rules.quoting_s),
        moments=tuple(one for n, one in enumerate(moments) if only is None or {f"m{n}"} & only),
        names=tuple(f"m{n}" for n in range(len(moments)) if only is None or {f"m{n}"} & only),
        loss_max_usd=(line_usd, total_usd) if tight and not full and not made.safety else None,
        clock_skew_s=chance.choice((0.0, 0.0, 0.0, 0.7, 6.0, -6.0)),
        executor_delay_s_max=chance.choice((0.002, 0.01, 0.05)),
        strategy=strategy,
        ids=tuple(made.ids),
        safety=made.safety,
        risk_usd=made.risk_usd,
    )


def _reading(box: BoxOptions, chance: Random) -> tuple[SessionRules, Rules]:
    """What this exchange does where the contract leaves it open."""
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
    return session, exchange


def _strategy(rules: DayRules, chance: Random, busy: bool) -> tuple[Strategy, DayRules]:
    strategy: Strategy = rules.strategy or (
        "consensus" if chance.random() < CONSENSUS_SHARE else "restless"
    )
    longest_s = BUSY_QUOTING_S_MAX if busy else CONSENSUS_QUOTING_S_MAX
    if strategy == "consensus":
        rules = dataclasses.replace(rules, quoting_s=min(rules.quoting_s, longest_s))
    return strategy, rules


def _calmer(rules: DayRules, ids: tuple[str, ...]) -> DayRules:
    """Who asks for some faults only gets no other trouble than what a market makes."""
    if set(ALL) <= set(ids):
        return rules
    return dataclasses.replace(rules, kills_max=0, halts_max=0, journal_failures_max=0)


def _market(box: BoxOptions, strategy: Strategy, busy: bool) -> BoxOptions:
    """Fewer ticks and takers than the demo shows: what costs time here and finds nothing."""
    if strategy == "consensus" and busy:
        return box
    step_ms, arrivals_per_s = (1000, 2.5) if strategy == "consensus" else (15_000, 0.1)
    feed_every_s = FEED_EVERY_S if strategy == "consensus" else UNREAD_FEED_EVERY_S
    events = box.events if strategy == "consensus" else EventOptions(count=2, lines=LINES)
    return dataclasses.replace(
        box,
        events=events,
        drift=dataclasses.replace(box.drift, step_ms=step_ms),
        feed=dataclasses.replace(box.feed, refresh_s=feed_every_s),
        takers=dataclasses.replace(
            box.takers,
            arrivals_per_s=arrivals_per_s,
            informed_every_ms=round(6250 / arrivals_per_s),
        ),
        rival=dataclasses.replace(box.rival, look_every_ms=2 * step_ms),
    )


def _shared(
    rules: Iterable[FaultRule], until_s: float
) -> tuple[tuple[FaultRule, ...], tuple[FaultRule, ...]]:
    """Those of the wire, and those that only the exchange itself can have.

    A request that waits for an hour waits inside: its token would have died on the way.
    """
    wire, in_box = [], []
    for rule in rules:
        if rule.fault in BOX_ONLY or min(rule.late_s) > WIRE_LATE_S_MAX:
            in_box.append(dataclasses.replace(rule, until_s=min(rule.until_s, until_s)))
        else:
            wire.append(rule)
    return tuple(wire), tuple(in_box)


def _kept(
    rules: tuple[FaultRule, ...], letter: str, only: frozenset[str] | None
) -> tuple[FaultRule, ...]:
    """Every rule keeps its number; what is not named never strikes."""
    if only is None:
        return rules
    kept = []
    for number, rule in enumerate(rules):
        name = f"{letter}{number}"
        given = (one.partition(".") for one in only if one.startswith(f"{name}."))
        occasions = tuple(sorted(int(occasion) for _, _, occasion in given))
        kept.append(rule if name in only else dataclasses.replace(rule, occasions=occasions))
    return tuple(kept)
