"""Is the file whole? Bounded in time: with orders at stake no start waits for a slow disk."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from typing import Final

CHECK_MAX_S: Final = 3.0
READ_BYTES: Final = 1 << 20
SMALL_BYTES: Final = 8 << 20  # walked through in a moment: needs no alarm clock


def finding(connection: sqlite3.Connection, path: Path, max_s: float) -> str | None:
    """What is wrong with the file, "" for nothing, None when `max_s` was not enough to tell.

    SQLite walks the whole file, which takes seconds when none of it is in memory. What a start
    replays is checked besides, entry by entry, and `mmbot ledger check` takes its time.
    """
    end_s = time.monotonic() + max_s
    if not _read_through(path, end_s):
        return None
    small = path.stat().st_size <= SMALL_BYTES
    alarm = threading.Timer(max(0.0, end_s - time.monotonic()), connection.interrupt)
    if not small:
        alarm.start()
    try:
        found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return None
        raise
    finally:
        alarm.cancel()
        if not small:
            alarm.join()  # it must not ring in the middle of what comes next
    return "" if found == "ok" else " ".join(found.replace("*", "").split())


def _read_through(path: Path, end_s: float) -> bool:
    """From front to back once: the disk is several times slower in the order of the tree."""
    with path.open("rb", buffering=0) as file:
        while time.monotonic() < end_s:
            if not file.read(READ_BYTES):
                return True
    return False
