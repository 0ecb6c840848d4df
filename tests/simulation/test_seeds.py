"""Whole days of the real daemon against the box, under the virtual clock and seeded faults."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import get_args

import pytest

from mmbot.app.simulate import Days, reports
from mmbot.app.simulate_day import DayReport, run_day
from mmbot.app.simulate_faults import parse_faults
from mmbot.app.simulate_plan import DayRules, Scenario, What, draw, read_scenario
from mmbot.app.simulate_report import line

SHORT = Days(Scenario(rules=DayRules(quoting_s=45.0, calm_s=65.0)))
FULL_SEEDS = range(1, 61)


def told(report: DayReport) -> str:
    return "\n".join([line(report), *report.findings])


# faults: A1 A2 A3 A3b A4 A5 A6 A7 A8 A9 A11 B1 B3 B4 B5 B6 B9 C1 C2 C3 D7 D13 E1 E5 E16 G5 G6
# faults: F3 F6 H1 H3 H7 H12
@pytest.mark.timeout(240)
def test_short_days_hold_every_invariant_and_replay_exactly() -> None:
    """Three seeds, one of them twice: the same day in another process, to the last message."""
    seeds = [53, 28, 28, 55]
    done = list(reports(seeds, SHORT, jobs=2))
    for report in done:
        assert report.good, told(report)
        assert report.orders >= 20, told(report)
    assert sum(report.fills for report in done) >= 20
    assert sum(report.crashes for report in done) >= 2, "no crash in these seeds: choose others"
    assert len({name for report in done for name in report.strikes}) >= 10
    first, again = (report for report in done if report.seed == 28)
    assert (first.digest, first.journal) == (again.digest, again.journal)
    without_cpu = [dataclasses.replace(one, cpu_s=0.0) for one in (first, again)]
    assert without_cpu[0] == without_cpu[1]
    assert len({report.digest for report in done}) == len(set(seeds))


# faults: A1 A2 A3 A11 A16 C2 C3 D4 D7 D14 H7 H12
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("name", "seed"), [("storm", 4), ("halts", 5)])
def test_days_of_one_kind_of_trouble(name: str, seed: int) -> None:
    scenario = read_scenario(Path(__file__).parent / "scenarios" / f"{name}.toml")
    report = run_day(draw(seed, scenario))
    assert report.good, told(report)
    assert sum(report.faults.values()) >= 10, told(report)


def test_a_seed_decides_its_day_before_it_begins() -> None:
    assert draw(7, Scenario()) == draw(7, Scenario())
    plans = [draw(seed, Scenario()) for seed in range(40)]
    assert {plan.box.latency_profile for plan in plans} == {"loopback", "venue"}
    safe = [draw(seed, Scenario(), parse_faults("safety")) for seed in range(40)]
    moments = {moment.what for plan in (*plans, *safe) for moment in plan.moments}
    assert moments == set(get_args(What))
    assert all(list(plan.moments) == sorted(plan.moments) for plan in plans)
    assert len({plan.faults.rules for plan in plans}) == len(plans)


# faults: A1 A2 A3 A3b A4 A5 A8 A9 A11 B3 B4 B6 C1 C2 C3 D1 D2 D7 E1 E5 E16 F12 G5 G6 H1 H3
@pytest.mark.skipif(not os.environ.get("FULL"), reason="FULL=1 runs sixty whole days")
@pytest.mark.timeout(1800)
def test_sixty_whole_days_hold_every_invariant() -> None:
    broken = [told(report) for report in reports(FULL_SEEDS, Days(Scenario())) if not report.good]
    assert not broken, "\n".join(broken)
