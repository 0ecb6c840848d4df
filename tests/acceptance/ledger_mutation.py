"""`make mutation`, through the command that it runs."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.acceptance.doors import ROOT
from tests.mutation.catalogue import TO_CATCH
from tests.mutation.proposed import PROPOSED

BREAKS_MIN = 25
OF_AN_OUTSIDER_MIN = 10
RUN_MAX_S = 2 * 3600
QUICK_ONES = ("a fill is counted twice",)


def walk_enough_breaks() -> None:
    """Each is a text that is in its file once; many, and many by somebody else."""
    assert len(TO_CATCH) >= BREAKS_MIN
    assert len(PROPOSED) >= OF_AN_OUTSIDER_MIN
    assert mutation("--check").returncode == 0


def walk_mutation(*, full: bool) -> None:
    """All of them take an hour; a test suite sees that one is noticed."""
    chosen = () if full else QUICK_ONES
    done = mutation("--json", *(word for name in chosen for word in ("--only", name)))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) >= (len(TO_CATCH) if full else len(QUICK_ONES))
    assert all(one["said"] for one in told)


def mutation(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.mutation", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=RUN_MAX_S, check=False,
    )  # fmt: skip
