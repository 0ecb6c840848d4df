"""`make crash`, through the command that it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.acceptance.doors import ROOT

RUN_MAX_S = 3600


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
    """CI runs `make crash` with its ten kills in chaos; a test suite has less time."""
    if full:
        _hundred_kills_in_chaos()
    else:
        _two_kills_on_a_quiet_evening()


def _two_kills_on_a_quiet_evening() -> None:
    told = crash("--seed", "3", "--kills", "2", "--scenario", "quiet")
    assert sum(told["kills"].values()) == 2
    assert told["orders"] > 0


def _hundred_kills_in_chaos() -> None:
    told = crash("--seed", "7", "--kills", "100")
    assert sum(told["kills"].values()) == 100
    assert told["log_ins"] <= 2
    assert told["fault_strikes"]
