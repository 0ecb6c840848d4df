"""A backup of the ledger while it is in use: whole, verified, and there only when it is."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from mmbot.domain.errors import SetUpError
from mmbot.store.inspection import Inspection, inspect
from mmbot.store.schema import connect_to_read

FILE_MODE: Final = 0o600  # as secret as the ledger itself


def back_up(source: Path, target: Path, force: bool = False) -> Inspection:
    """Copy the ledger as it stands at one moment; the daemon may go on writing.

    `target` appears in one step, after the copy was read back and is on the disk; SetUpError
    leaves what was there before.
    """
    if target.exists() and not force:
        raise SetUpError(f"{target}: exists already; --force replaces it")
    if target.exists() and source.exists() and target.samefile(source):
        raise SetUpError(f"{target}: is the ledger itself")
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.touch(mode=FILE_MODE, exist_ok=False)
        try:
            _copy(source, part)
            found = inspect(part)
            if not found.good:
                raise SetUpError(f"{target}: not made, the copy is bad: {found.findings[0]}")
            _to_disk(part)
            part.replace(target)
            _to_disk(target.parent)
        finally:
            _remove(part)
    except OSError as error:
        raise SetUpError(f"{target}: cannot be written: {error.strerror}") from None
    return replace(found, path=str(target))


def _copy(source: Path, part: Path) -> None:
    """One read transaction: writers do not wait for it, and it sees none of what they add."""
    with closing(connect_to_read(source)) as reader:
        try:
            with closing(sqlite3.connect(part, isolation_level=None)) as copy:
                reader.backup(copy)
                # A file of its own: no log beside it that could be left behind.
                copy.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise SetUpError(f"{part}: the backup failed: {error}") from None


def _to_disk(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remove(part: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        part.with_name(part.name + end).unlink(missing_ok=True)
