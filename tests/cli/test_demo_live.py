"""The live view in a real terminal, with a person at its keys."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
WAIT_MAX_S = 60.0

pytestmark = pytest.mark.timeout(150)


class Terminal:
    """The far end of a pseudo terminal that a demo runs in."""

    def __init__(self, master: int, demo: subprocess.Popen[bytes]) -> None:
        self._master = master
        self._seen = ""
        self.demo = demo

    def press(self, key: str) -> None:
        os.write(self._master, key.encode())

    def wait_for(self, text: str) -> None:
        """Read until the text was shown; what came before it is forgotten."""
        until_s = time.monotonic() + WAIT_MAX_S
        while text not in (shown := ESCAPES.sub("", self._seen)):
            ready = select.select([self._master], [], [], max(0, until_s - time.monotonic()))[0]
            assert ready, f"never shown: {text!r} after {shown[-2_000:]!r}"
            try:
                self._seen += os.read(self._master, 65_536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"ended before {text!r}: {shown[-2_000:]!r}") from None
        self._seen = shown.partition(text)[2]

    def drain(self) -> None:
        """Let it write its last words, so that it does not wait for us."""
        try:
            while select.select([self._master], [], [], 0.2)[0] and os.read(self._master, 65_536):
                pass
        except OSError:
            return  # the other end is closed


@contextmanager
def live_demo(*arguments: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
    demo = subprocess.Popen(
        [sys.executable, "-m", "mmbot", "demo", *arguments],
        stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "110", "LINES": "30"},
    )  # fmt: skip
    os.close(slave)
    try:
        yield Terminal(master, demo)
    finally:
        os.close(master)  # first: whoever waits for us to read is released
        if demo.poll() is None:
            demo.kill()
        demo.wait()


def test_a_person_watches_kills_halts_and_stops() -> None:
    with live_demo("--seed", "5") as terminal:
        terminal.wait_for("starting the exchange in the box")
        terminal.wait_for("quoting ")
        terminal.press("k")
        terminal.wait_for("lost 0, doubled 0")
        terminal.press("h")
        terminal.wait_for(": 0 orders open at the exchange")
        terminal.press("q")
        terminal.wait_for("the games are settled")
        terminal.wait_for("the exchange's record beside the ledger")
        terminal.wait_for("PnL, USD")
        terminal.drain()
        assert terminal.demo.wait(timeout=20) == 0


def test_ctrl_c_ends_it_at_once() -> None:
    with live_demo() as terminal:
        terminal.wait_for("the exchange is up")
        terminal.demo.send_signal(signal.SIGINT)  # what a terminal makes of Ctrl-C
        terminal.drain()
        assert terminal.demo.wait(timeout=20) == 130
