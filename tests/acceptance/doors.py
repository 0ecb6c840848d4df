"""The public doors that the checklist goes through: the command line and the repository."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from mmbot.cli.entry import execute
from mmbot.sim.scenario import DEMO_ACCESS_KEY, DEMO_SECRET_KEY

ROOT = Path(__file__).resolve().parents[2]
FULL = os.environ.get("FULL") == "1"
long_one = pytest.mark.skipif(not FULL, reason="a long one: FULL=1 runs it")
KEYS = {"MMBOT_ACCESS_KEY": DEMO_ACCESS_KEY, "MMBOT_SECRET_KEY": DEMO_SECRET_KEY}


def mmbot(
    *arguments: str, timeout_s: float = 170.0, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "mmbot", *arguments],
        cwd=ROOT,
        env={**os.environ, **(KEYS if environ is None else environ)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def inside(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The same command line without a new process, for the second and later ones of a walk."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = execute(arguments)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def demo(seed: int, duration_s: int, *more: str) -> dict[str, Any]:
    """One headless demo; its last line of stdout, after exit code 0."""
    arguments = ["--duration", str(duration_s), "--seed", str(seed), "--json", *more]
    done = mmbot("demo", *arguments, timeout_s=duration_s + 200)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return summary


def the_zeros(summary: Mapping[str, Any]) -> None:
    """What must hold however the run went."""
    assert summary["open_orders_at_end"] == 0
    assert summary["ledger_mismatches"] == 0
    assert summary["duplicate_orders"] == 0
    assert summary["pnl_cents_exchange"] == summary["pnl_cents_ledger"]
    assert summary["worst_case_cents_max"] <= summary["worst_case_limit_cents"]
    assert summary["requests_per_second_max"] <= 50


def shell(command: Sequence[str], cwd: Path, timeout_s: float = 300) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout
