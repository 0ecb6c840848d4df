"""A daemon quotes on: tokens that cannot be renewed, 429s. Its log tells of every blind moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mmbot.app.simulate_day import run_day
from mmbot.app.simulate_plan import draw, read_scenario
from mmbot.app.simulate_report import DayReport
from tests.acceptance.doors import FULL

# One session exists: who logs in a second time is refused, after a restart, too.
DAY: Final = """
[session]
sessions_max = 1
access_life_s = {life_s}
[day]
quoting_s = 700
calm_s = 60
crashes_max = 0
kills_max = {kills}
news_max = 0
halts_max = 0
suspensions_max = 0
kick_offs_max = 0
journal_failures_max = 0
tight_limits_share = 0
down_share = 0
reversed_share = 0
patient_share = 0
strategy = "restless"
"""
QUIET: Final = "faults = []\n"  # instead of the seed's own
DOWN_FOR_THREE_MINUTES: Final = """
[[faults]]
fault = "error_before"
rate = 1.0
on = ["auth"]
route = "refresh"
start_s = 345
until_s = 525
"""
OURS_WRONG_S: Final = (-600.0, 600.0)
RATE_MAX: Final = 45
HINTS: Final = """
[session]
retry_after = {0}
next_allow_at = {0}
"""
FIVE_MINUTES_OF_429: Final = """
[[faults]]
fault = "too_many"
rate = 0.9
start_s = 60
until_s = 360
[[faults]]
fault = "too_many_delayed"
rate = 0.5
on = ["place"]
start_s = 400
until_s = 500
[[faults]]
fault = "error_before"
rate = 1.0
on = ["place", "read"]
start_s = 540
until_s = 580
"""


def walk_tokens(folder: Path) -> None:
    """Killed while the refresh is down for three minutes; with FULL=1 also the other cases."""
    restarted = a_day(folder, DAY.format(life_s=600, kills=1) + DOWN_FOR_THREE_MINUTES, seed=5)
    assert restarted.starts == 2
    if FULL:
        for life_s in (600, 1200):
            a_day(folder, DAY.format(life_s=life_s, kills=0) + DOWN_FOR_THREE_MINUTES)
        for wrong_s in OURS_WRONG_S:
            a_day(folder, QUIET + DAY.format(life_s=600, kills=0), clock_skew_s=wrong_s)


def walk_refusals(folder: Path) -> None:
    """429 for five minutes without hints (FULL=1: with), a full queue, a gate that is closed."""
    for hinted in ("false", "true") if FULL else ("false",):
        day = DAY.format(life_s=600, kills=0).replace("[session]\n", HINTS.format(hinted).lstrip())
        report = a_day(folder, day + FIVE_MINUTES_OF_429)
        assert report.requests_per_second_max <= RATE_MAX
        assert 20 < report.faults["too_many"] < 300  # about one a second: no loop of refusals
        assert report.faults["too_many_delayed"] > 5


def a_day(folder: Path, scenario: str, seed: int = 3, clock_skew_s: float = 0.0) -> DayReport:
    """Nothing wrong, and blind only until each start has connected."""
    file = folder / "day.toml"
    file.write_text(scenario, encoding="utf-8")
    report = run_day(replace(draw(seed, read_scenario(file)), clock_skew_s=clock_skew_s))
    assert not report.findings
    assert report.orders > 50
    assert "session_num_exceed" not in report.log
    each_start = ["blind", "recovering", ""]
    reasons = [mode["reason"] for mode in _modes(report.log)]
    assert reasons == each_start * report.starts + ["paused", "stopping"]
    return report


def _modes(log: str) -> Iterator[dict[str, Any]]:
    for line in log.splitlines():
        told = json.loads(line)
        if told["event"] == "ModeChanged" and not told["scope"]:
            yield told
