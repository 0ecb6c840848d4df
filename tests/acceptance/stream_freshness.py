"""Freshness and backpressure, walked by the command line and the daemon's own status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from mmbot.app.simulate_day import run_day
from mmbot.app.simulate_keeper import Ports
from mmbot.app.simulate_plan import draw, read_scenario
from tests.acceptance.doors import FULL, inside
from tests.simulation.still_market import Still, still
from tests.simulation.wires import LosesCancels

# Half-open sockets, mute channels, a silent private channel, an image that is lost, a burst.
STREAM: Final = ("E1,E4,E16", "E3,E12,E15")
HEALTH_CHECK_S: Final = 5.0
KNOWN_S: Final = 1.0  # from the first message that tells it until nothing rests
BACK_S: Final = 15.0  # two health_checks in time, and a reconciliation
DAY: Final = """
[day]
quoting_s = 300
calm_s = 60
strategy = "restless"
kick_offs_max = 0
"""


def walk_freshness(folder: Path) -> None:
    """The judge beside each day counts the seconds quoted on stale data: there are none."""
    scenario = folder / "day.toml"
    scenario.write_text(DAY, encoding="utf-8")
    seeds = "1..20" if FULL else "1"
    for faults in STREAM if FULL else STREAM[:1]:
        _clean(scenario, faults, seeds)
    _a_daemon_whose_cancels_never_leave_is_found(scenario)


def walk_backpressure(folder: Path) -> None:
    """Books many times over in one instant; and a stream that comes late: nothing rests on it."""
    scenario = folder / "day.toml"
    scenario.write_text(DAY, encoding="utf-8")
    _clean(scenario, "E15", "1..20" if FULL else "2")
    still(_a_lag_past_its_limit)


async def _a_lag_past_its_limit(market: Still) -> None:
    """As the box sees it: two seconds are lived with, four are not, and then all comes back."""
    quoted = market.quoted()
    for late_s, rests in ((2.0, quoted), (4.0, set())):
        late = {"fault": "frame_late", "rate": 1.0, "delay_s": [late_s, late_s]}
        await market.do("faults", rules=[late | {"on": ["health", "books", "orders"]}])
        await market.wait(HEALTH_CHECK_S + late_s + KNOWN_S)
        assert market.quoted() == rests
    assert quoted
    assert not market.box.box.maker.alive
    await market.do("faults", rules=[])
    await market.wait(BACK_S)
    assert market.quoted() == quoted


def _clean(scenario: Path, faults: str, seeds: str) -> None:
    asked = ("--scenario", str(scenario), "--faults", faults, "--seeds", seeds)
    done = inside("simulate", *asked, "--json", "--jobs", "1")
    *days, total = map(json.loads, done.stdout.splitlines())
    assert [day["findings"] for day in days if day["findings"]] == []
    assert (done.returncode, total["violations"]) == (0, 0)
    assert all(day["orders"] > 0 and day["strikes"] for day in days)


def _a_daemon_whose_cancels_never_leave_is_found(scenario: Path) -> None:
    def deaf(ports: Ports) -> Ports:
        return LosesCancels(ports).ports()

    found = run_day(draw(1, read_scenario(scenario), ("E1", "E16")), deaf).findings
    assert any(one.startswith("stale: ") for one in found)
