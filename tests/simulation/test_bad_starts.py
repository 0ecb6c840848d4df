"""Starts over a bad wire: neither a wrong set-up nor a reason to give up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.app.simulate_day import run_day
from mmbot.app.simulate_plan import DayRules, Scenario, draw
from mmbot.sim.faults.plan import Fault, FaultRule
from tests.simulation.days import plain

RULES = plain(30.0, 5.0)


def start_under(*faults: FaultRule, rules: DayRules = RULES, seed: int = 4) -> tuple[int, int]:
    """Starts and failed starts of a day that holds every invariant."""
    box = {"latency_profile": "loopback"}
    report = run_day(draw(seed, Scenario(box, rules, faults)))
    assert report.findings == [], report.findings
    return report.starts, report.failed_starts


# faults: A5 D11
def test_a_listing_or_a_ladder_cut_short_is_no_wrong_set_up() -> None:
    cut_short = FaultRule(Fault.TRUNCATED, 1.0, frozenset({"read"}), until_s=5.0)
    assert start_under(cut_short) == (1, 0)
    starts, failed = start_under(replace(cut_short, until_s=20.0))
    assert failed  # a first start has a person in front of it, who wants to know
    assert starts == failed + 1


# faults: D3
def test_after_a_failed_log_in_the_next_start_waits_for_its_turn() -> None:
    """The log-in pace outlives the process, and a service manager gives up after five starts."""
    rules = plain(150.0, 5.0)
    fault = FaultRule(Fault.ERROR_BEFORE, 1.0, frozenset({"auth"}), times_max=1)
    assert start_under(fault, rules=rules) == (2, 1)


# faults: H1 H3
@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_with_orders_at_stake_a_start_does_not_give_up(fault: Fault) -> None:
    """Killed in the middle of a placement, then nothing works for twenty seconds."""
    rules = plain(45.0, 75.0)
    starts = start_under(
        FaultRule(fault, 1.0, frozenset({"place"}), start_s=8.0, times_max=1),
        FaultRule(Fault.HTML_BEFORE, 1.0, frozenset({"read", "order", "report"}), 10.0, 30.0),
        rules=rules,
    )
    assert starts == (2, 0)
