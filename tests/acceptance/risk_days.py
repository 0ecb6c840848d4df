"""Days of safety, walked by the command: games, money and halts, judged from the box's truth."""

from __future__ import annotations

from typing import Final

from tests.acceptance.doors import FULL
from tests.acceptance.ledger_simulation import FULL_MAX_S, WALK_MAX_S, command

ONE_OF_1000: Final = "4"
THOUSAND_MAX_S: Final = FULL_MAX_S if FULL else WALK_MAX_S


def walk_1000_seeds() -> None:
    """One of them in every run; FULL=1 takes all, and none of the faults may be missing."""
    seeds = "1..1000" if FULL else ONE_OF_1000
    told = command("--seeds", seeds, "--faults", "safety", wait_max_s=THOUSAND_MAX_S)
    assert told.returncode == 0, told.stdout[-5000:]
    verdict = "1000 seeds, 0 violations" if FULL else "ok"
    assert told.stdout.rstrip().endswith(verdict), told.stdout[-5000:]
