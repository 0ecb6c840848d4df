"""The daemon behind a bad network, walked from outside, and what its market data costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.acceptance.doors import FULL, ROOT
from tests.bench.stream_frames import frame_claims, growth_claims

NOW_NS = 1_795_359_600 * 10**9
RUN_MAX_S = 7200
QUICK_ROUNDS = 11
LINES_QUICK = 2_000
BUSY = 2.0  # so much slower may a frame be beside other tests


def walk_stream_check() -> None:
    """Continuous integration runs it in ten minutes; with FULL=1 here, thirty for a scenario."""
    assert "make stream-check" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    if FULL:
        told = _told("tests.stream", "--json")
        assert told["good"]
        assert all(part["held"] for part in told["parts"].values())


def walk_speed() -> None:
    """The hot loop in every run; the flood of ten minutes with FULL=1 alone."""
    (frame,) = frame_claims(7, NOW_NS, QUICK_ROUNDS)
    assert frame.value <= BUSY * frame.limit, frame.line
    (growth,) = growth_claims(7, NOW_NS, LINES_QUICK, QUICK_ROUNDS)
    assert growth.kept, growth.line
    if FULL:
        assert _told("tests.bench.stream_bench", "--json")["failures"] == []


def _told(module: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=RUN_MAX_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told
