"""A lease: one small file that says "I am at work", renewed again and again.

It is overwritten in place, by one write of a fixed length: that needs no free space, so a full disk
does not look like a dead process. Nobody waits for the disk. A reader that meets half a write
finds no JSON, which is no news; it looks again soon.

The stamps are for people. Whoever watches counts by its own clock since the text last changed, so
that two clocks are never compared.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

LENGTH_BYTES: Final = 512
MODE: Final = 0o600
RUN_CHARS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Lease:
    """One beat. `deaf_s`: how long ago its owner last heard the exchange, in seconds."""

    run: str
    pid: int
    beat: int  # counts up with each renewal of a run
    wall_ns: int = 0
    monotonic_ns: int = 0
    deaf_s: float = 0.0
    halted: bool = False  # of a daemon: it knows that it is; of a sentinel: it has tripped
    ended: bool = False  # it has left in order, and nothing of it rests

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))


def lease_of(text: str | bytes) -> Lease | None:
    """`Lease.text` read again, from a file or a peer; None when it is nothing of the kind."""
    try:
        said = json.loads(text)
        return Lease(
            run=str(said["run"])[:RUN_CHARS_MAX],
            pid=int(said["pid"]),
            beat=int(said["beat"]),
            wall_ns=int(said["wall_ns"]),
            monotonic_ns=int(said["monotonic_ns"]),
            deaf_s=float(said["deaf_s"]),
            halted=bool(said["halted"]),
            ended=bool(said["ended"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


class LeaseFile:
    """One owner writes, others read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def renew(self, lease: Lease) -> None:
        """Raises OSError when the file cannot be written."""
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, MODE)
        try:
            os.pwrite(handle, lease.text.encode().ljust(LENGTH_BYTES - 1) + b"\n", 0)
        finally:
            os.close(handle)

    def read(self) -> Lease | None:
        """None when there is none, or none that can be read now."""
        try:
            return lease_of(self.path.read_bytes()[:LENGTH_BYTES])
        except OSError:
            return None


def daemon_lease(state_dir: Path) -> LeaseFile:
    return LeaseFile(state_dir / "daemon.lease")


def sentinel_lease(state_dir: Path) -> LeaseFile:
    return LeaseFile(state_dir / "sentinel.lease")
