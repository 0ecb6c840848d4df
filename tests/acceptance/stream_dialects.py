"""The older dialect, walked by the commands; in v4 the same walks are those of the other lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.acceptance.doors import FULL, ROOT, demo, inside, the_zeros
from tests.acceptance.ledger_crash import crash

RUN_MAX_S: Final = 600
KILLS: Final = 10
DEMO_S: Final = 15
QUOTED_SHARE_MIN: Final = 0.9
# An exchange that has nothing newer: who asks it for anything else gets a 404.
ONLY_SEED: Final = """
[wire]
paths = "seed"
unversioned_words = "legacy"
[day]
quoting_s = 120
calm_s = 60
"""


def walk_dialects(folder: Path) -> None:
    """Continuous integration runs demo, kills and days in seed; with FULL=1 they run here, too."""
    steps = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command in ("make demo", "make crash", "mmbot simulate"):
        assert any(command in line and "--dialect seed" in line for line in steps.splitlines())
    _a_day_without_anything_newer(folder)
    if FULL:
        summary = demo(5, DEMO_S, "--dialect", "seed")
        the_zeros(summary)
        assert summary["quoted_share_min"] >= QUOTED_SHARE_MIN
        told = crash("--dialect", "seed", "--seed", "5", "--kills", str(KILLS))
        assert sum(told["kills"].values()) == KILLS
        assert told["log_ins"] <= 2


def _a_day_without_anything_newer(folder: Path) -> None:
    scenario = folder / "only_seed.toml"
    scenario.write_text(ONLY_SEED, encoding="utf-8")
    asked = ("--scenario", str(scenario), "--faults", "none", "--dialect", "seed")
    done = inside("simulate", "--seeds", "2", *asked, "--json", "--jobs", "1")
    day, total = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, total["violations"], day["findings"]) == (0, 0, [])
    assert day["orders"] > 0
    assert day["fills"] > 0
