"""The demo ended before its time; what a whole one promises is walked by tests/acceptance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN_MAX_S = 150

pytestmark = pytest.mark.timeout(RUN_MAX_S + 30)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mmbot", "demo", "--json", "--verbose"]
    return subprocess.Popen(
        [*command, "--state-dir", str(folder), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


def finish(demo: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, stdout, stderr; a demo that hangs is ended as a person would."""
    try:
        out, err = demo.communicate(timeout=RUN_MAX_S)
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.communicate()
    return demo.returncode, out, err


def wait_for(stream: IO[str] | None, text: str) -> None:
    assert stream is not None
    for line in stream:
        if text in line:
            return
    raise AssertionError(f"never said: {text}")


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_when_the_daemon_dies_unasked_the_demo_says_so_and_leaves_nothing_running(
    tmp_path: Path,
) -> None:
    demo = start(tmp_path, "--duration", "60")
    wait_for(demo.stderr, "quoting")
    daemon = int((tmp_path / "ledger.sqlite3.lock").read_text())
    os.kill(daemon, signal.SIGKILL)
    code, out, err = finish(demo)
    assert code == 1
    assert out == ""
    [line] = [line for line in err.splitlines() if line.startswith("mmbot:")]
    assert "the daemon was ended by SIGKILL" in line
    assert str(tmp_path / "daemon.log") in line
    assert not is_running(daemon)


def test_ended_by_a_signal_both_children_go_too(tmp_path: Path) -> None:
    demo = start(tmp_path, "--duration", "60")
    wait_for(demo.stderr, "quoting")
    daemon = int((tmp_path / "ledger.sqlite3.lock").read_text())
    demo.terminate()
    assert finish(demo)[0] == 130
    assert not is_running(daemon)
