"""`make crash`, through the command that it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.acceptance.doors import ROOT

RUN_MAX_S = 600


def crash(*arguments: str) -> dict[str, Any]:
    """One run that holds every claim; what it told."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash", "--json", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=RUN_MAX_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told["good"]
    return told


def walk_crash(*, full: bool) -> None:
    """Ten kills in chaos are what `make crash` itself does in CI; a test suite has less time."""
    if full:
        _ten_kills_in_chaos()
    else:
        _two_kills_on_a_quiet_evening()


def _two_kills_on_a_quiet_evening() -> None:
    told = crash("--seed", "3", "--kills", "2", "--scenario", "quiet")
    assert sum(told["kills"].values()) == 2
    assert told["orders"] > 0


def _ten_kills_in_chaos() -> None:
    told = crash("--seed", "7", "--kills", "10")
    assert sum(told["kills"].values()) == 10
    assert told["log_ins"] <= 2
    assert told["fault_strikes"]
