"""Deterministic simulation, walked by the command: seeds, faults, judges, replay, shrinking."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from tests.acceptance.doors import FULL

SEEDS: Final = "3..4"
FEW_OF_2000: Final = "11..12"
SHORT_SEEDS: Final = "1..2"
WALK_MAX_S: Final = 280
FULL_MAX_S: Final = 4 * 3600
REQUIRED_OF_A_MEDIAN: Final = {
    "lines": 10, "orders": 500, "fills": 50, "fault_strikes": 10, "fault_kinds": 5,
}  # fmt: skip
ABOUT_20_MINUTES_S: Final = 0.9 * 1200
LOOKS_MIN: Final = 1000
SHORT_LOOKS_MIN: Final = 200
SHORT: Final = "[day]\nquoting_s = 45\ncalm_s = 65\n"
# Never seen before: another exchange, with faults of its own, under which nobody can quote.
HOPELESS: Final = """
[day]
quoting_s = 20
calm_s = 1
strategy = "consensus"
[session]
access_life_s = 60
[wire]
paths = "legacy"
"""


def walk_simulation(folder: Path) -> None:
    """On short days; FULL=1 takes whole ones, as the size of a day does always."""
    short = folder / "short.toml"
    short.write_text("" if FULL else SHORT, encoding="utf-8")
    asked = ("--faults", "all", "--scenario", str(short), "--json")
    days, total = simulated("--seeds", SHORT_SEEDS, *asked)
    nothing_is_found(days, total, LOOKS_MIN if FULL else SHORT_LOOKS_MIN)
    again, _ = simulated("--seeds", str(days[-1]["seed"]), *asked)
    assert again[0]["journal"] == days[-1]["journal"] != days[0]["journal"]
    a_finding_can_be_replayed_and_shrunk(folder)


def nothing_is_found(days: list[dict[str, Any]], total: dict[str, Any], looks_min: int) -> None:
    assert all(day["findings"] == [] for day in days)
    assert all(day["looks"] > looks_min for day in days), "judged after every step"
    assert total["violations"] == 0


def walk_the_size_of_a_day() -> None:
    days, total = simulated("--seeds", SEEDS, "--faults", "all", "--json")
    nothing_is_found(days, total, LOOKS_MIN)
    for name, least in (REQUIRED_OF_A_MEDIAN | {"virtual_s": ABOUT_20_MINUTES_S}).items():
        assert total["spread"][name]["median"] >= least, (name, total["spread"][name])


def a_finding_can_be_replayed_and_shrunk(folder: Path) -> None:
    scenario = folder / "hopeless.toml"
    scenario.write_text(HOPELESS, encoding="utf-8")
    told = command("--seeds", "3", "--faults", "B4", "--scenario", str(scenario))
    assert told.returncode == 1
    replay = f"replay: mmbot simulate --seeds 3 --scenario {scenario} --faults B4"
    assert replay in told.stdout
    shrunk = command("--shrink", "3", "--faults", "B4", "--scenario", str(scenario))
    assert shrunk.returncode == 0
    assert "seed 3: I7 fails with" in shrunk.stdout
    assert "0 of them are left after 2 runs: none" in shrunk.stdout
    assert f"{replay} --only '-'" in shrunk.stdout


def walk_2000_seeds() -> None:
    """A few of them in every run; FULL=1 takes all."""
    seeds, wait_max_s = ("1..2000", FULL_MAX_S) if FULL else (FEW_OF_2000, WALK_MAX_S)
    told = command("--seeds", seeds, "--faults", "all", wait_max_s=wait_max_s)
    assert told.returncode == 0, told.stdout[-5000:]
    first, last = map(int, seeds.split(".."))
    assert told.stdout.splitlines()[-1] == f"{last - first + 1} seeds, 0 violations"


def simulated(*words: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    told = command(*words)
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
    *days, total = map(json.loads, told.stdout.splitlines())
    return days, total


def command(*words: str, wait_max_s: float = WALK_MAX_S) -> subprocess.CompletedProcess[str]:
    asked = [sys.executable, "-m", "mmbot", "simulate", *words]
    return subprocess.run(asked, capture_output=True, text=True, timeout=wait_max_s, check=False)
