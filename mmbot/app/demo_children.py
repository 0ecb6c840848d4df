"""The two processes of the demo: started, killed, asked to end, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from mmbot.domain.errors import MmbotError, SetUpError, Stop

POLL_S: Final = 0.02
LAST_LINES_BYTES: Final = 4096
PR_SET_PDEATHSIG: Final = 1


class Child:
    """One process with a log file; `name` is what messages call it."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self, environ: Mapping[str, str]) -> None:
        """Begin it (again). Its output goes to the log, which a restart continues."""
        self.starts += 1
        with self.log.open("ab") as sink:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=dict(environ),
                start_new_session=True,  # Ctrl-C is ours to answer, in order
                preexec_fn=_ends_with_parent(),  # noqa: PLW1509 - it only calls prctl
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs or before it was started."""
        return None if self._process is None else self._process.poll()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9: nothing of it runs afterwards."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def ask_to_end(self) -> None:
        self.send(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        if self.running and self._process is not None:
            self._process.send_signal(number)

    async def ended(self, wait_max_s: float) -> int | None:
        """Its exit code, or None when it still runs after that time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_max_s):
                while self.running:  # noqa: ASYNC110 - a process has no event to wait for
                    await asyncio.sleep(POLL_S)
        return self.exit_code

    def last_words(self) -> str:
        """The last line that it wrote, for a message; its message text where it is JSON."""
        try:
            with self.log.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - LAST_LINES_BYTES))
                lines = file.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return _plain(lines[-1]) if lines else ""

    def died(self) -> MmbotError:
        """The error to raise when it ended without being asked."""
        code = self.exit_code or 0
        if code < 0:
            return Stop(f"{self.name} was ended by {signal.Signals(-code).name} (log: {self.log})")
        said = self.last_words() or f"exit code {code}, and no word"
        if code == 2:  # it could not begin, and its line says why; there is nothing in the log
            return SetUpError(f"{self.name}: {said}")
        return Stop(f"{self.name} ended with exit code {code}: {said} (log: {self.log})")


def _plain(line: str) -> str:
    try:
        record = json.loads(line)
    except ValueError:
        return line[:300]
    event = record.get("event") if isinstance(record, dict) else None
    return str(event or line)[:300]


def box_command(port: int, seed: int, latency: str, more: Sequence[str]) -> list[str]:
    return [
        sys.executable, "-m", "mmbot.sim", "--port", str(port), "--seed", str(seed),
        "--latency", latency, *more,
    ]  # fmt: skip


def daemon_command(config: Path) -> list[str]:
    return [sys.executable, "-m", "mmbot", "run", "--config", str(config)]


async def ready_line(box: Child, wait_max_s: float) -> dict[str, object]:
    """The JSON line by which the box says where it listens."""
    until_s = _loop_s() + wait_max_s
    while _loop_s() < until_s:
        for line in box.log.read_text(errors="replace").splitlines():
            if line.startswith("{") and '"ready"' in line:
                found: dict[str, object] = json.loads(line)
                return found
        if not box.running:
            raise box.died()
        await asyncio.sleep(POLL_S)
    raise Stop(f"{box.name} was not ready after {wait_max_s:g} s (log: {box.log})")


def free_port() -> int:
    """A loopback port that is free now; somebody could take it before we do."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ends_with_parent() -> Callable[[], None] | None:
    """On Linux a child ends when the demo itself is killed: nothing stays behind."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        prctl = ctypes.CDLL(None).prctl  # looked up before the fork, called after it
    except (OSError, AttributeError):
        return None

    def mark() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return mark


def _loop_s() -> float:
    return asyncio.get_running_loop().time()
