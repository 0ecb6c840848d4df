"""The Pusher client, walked from outside: on a hostile server, and on one that is not ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from mmbot.exchange.pusher_states import TABLE, Phase, Step
from tests.acceptance.doors import FULL, ROOT
from tests.fuzz.__main__ import Fuzz
from tests.peers import test_soketi

FUZZ_FULL_S = 300
LIVES = 20


def walk_pusher() -> None:
    """Each step has its cell in each phase, and no frame lets anything escape."""
    assert {(phase, step) for phase, row in TABLE.items() for step in row} == {
        (phase, step) for phase in Phase for step in Step
    }
    if FULL:
        command = ("-m", "tests.fuzz", "--seconds", str(FUZZ_FULL_S), "--seed", "3", "--json")
        _run(sys.executable, *command)
        return
    found = Fuzz(seed=3).lives(range(LIVES))
    assert found.messages > LIVES


def walk_soketi() -> None:
    """Continuous integration runs the scene; with FULL=1 it runs here."""
    scene = "test_a_hundred_private_channels_through_a_restart_4200_and_4001"
    assert callable(getattr(test_soketi, scene, None))
    assert "make peers" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    if FULL:
        done = _run("make", "peers", "ARGS=-k soketi")
        assert re.search(r"\b1 passed", done), done


def _run(*command: str) -> str:
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
