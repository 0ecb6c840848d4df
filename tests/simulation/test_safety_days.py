"""Days about safety: the real daemon keeps what was promised, and the judges can fail it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.app.simulate_day import DayReport, Tamper, run_day
from mmbot.app.simulate_faults import parse_faults
from mmbot.app.simulate_plan import Scenario, draw
from tests.simulation.days import plain
from tests.simulation.wires import AsksForMore, LosesCancels

SHORT = Scenario(rules=replace(plain(100.0, 20.0), strategy="restless"))
GUARDED_SEED = 5  # it stands still for long enough
TIGHT = {"line": 60, "market": 80, "event": 90, "tournament": 150, "total": 200}


def day(faults: str, tamper: Tamper | None = None, seed: int = 2) -> DayReport:
    plan = draw(seed, SHORT, parse_faults(faults))
    return run_day(replace(plan, risk_usd=TIGHT), tamper)


# faults: F1 F2 F3 F5 F6 F7 F8 G1 G2 G3 G5 G6 G7 G8 G10 H10 H12 H13 B13 B14
@pytest.mark.timeout(240)
def test_a_short_day_of_safety_holds() -> None:
    report = day("safety")
    assert report.findings == []
    assert report.orders > 20
    assert len(report.strikes) >= 5


# faults: G1 G10
def test_a_ladder_that_changes_is_learned_and_dust_breaks_nothing() -> None:
    report = day("G1,G10")
    assert report.findings == []
    assert report.alarms["price ladder changed"] > 0
    assert report.fills > 0


# faults: H14 J1
@pytest.mark.timeout(240)
def test_beside_a_sentinel_a_daemon_may_stand_still_or_be_gone() -> None:
    report = day("H14,J1", seed=GUARDED_SEED)
    assert report.findings == []
    for word in ("loop stalled", "HaltLatched", "SentinelVerified", "SentinelArmed"):
        assert word in report.log, word


# faults: F1 F2 H12
def test_what_rests_when_it_must_not_is_found() -> None:
    found = day("F1,H12", lambda ports: LosesCancels(ports).ports()).findings
    assert any(one.startswith("I4") and "while halted" in one for one in found), found
    assert any(one.startswith("I4") and "in sport event" in one for one in found), found


# faults: G5
def test_more_at_risk_than_a_limit_allows_is_found() -> None:
    found = day("G5", lambda ports: AsksForMore(ports).ports()).findings
    for level in ("event", "total"):
        assert any(f"lets its {level} lose up to" in one for one in found), found
