"""First contact, walked from outside: boxes with random switches, and what is told of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.acceptance.doors import FULL, ROOT

IN_EVERY_RUN = 10
SOCKETS = 3
RUN_MAX_S = 3600


def walk_random_settings() -> None:
    """Continuous integration measures fifty boxes; with FULL=1 three over sockets, too."""
    probed = "tests.probe_check --seed 1 --count 50"
    assert probed in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    _recovered("--seed", "301", "--count", "50" if FULL else str(IN_EVERY_RUN))
    if FULL:
        _recovered("--seed", "7", "--count", "0", "--sockets", str(SOCKETS))


def _recovered(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.probe_check", "--json", *arguments],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=RUN_MAX_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told["recovered"] == told["of"] > 0
