"""The ledger file: its tables by numbered migrations, and how it is opened."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final

from mmbot.domain.errors import SetUpError
from mmbot.store import integrity

BUSY_TIMEOUT_S: Final = 5.0
DEFAULT_ACCOUNT: Final = "main"

WAL_HEADER_BYTES: Final = 32
WAL_FRAME_HEADER_BYTES: Final = 24
WAL_PAGES_SPARE: Final = 64  # a checkpoint comes after the commit that reaches its limit

# One entry per version; never edit one that was released, append.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """
        CREATE TABLE entries (
            seq INTEGER PRIMARY KEY,
            account TEXT NOT NULL,
            kind TEXT NOT NULL,
            body BLOB NOT NULL
        ) STRICT
        """,
    ),
    (
        "ALTER TABLE entries ADD COLUMN crc INTEGER",  # NULL: written before there were any
        """
        CREATE TABLE checkpoints (
            account TEXT PRIMARY KEY,
            through INTEGER NOT NULL,
            spent BLOB NOT NULL,
            digest BLOB NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE carried (
            account TEXT NOT NULL,
            seq INTEGER NOT NULL,
            PRIMARY KEY (account, seq)
        ) STRICT, WITHOUT ROWID
        """,
    ),
)
VERSION: Final = len(MIGRATIONS)


def connect(path: Path, busy_timeout_s: float = BUSY_TIMEOUT_S) -> sqlite3.Connection:
    """Open for writing and bring the schema up to date; raises SetUpError in one line."""
    try:
        connection = sqlite3.connect(
            path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise SetUpError(f"{path}: cannot be opened: {error}") from None
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise SetUpError(f"{path}: {_reason(error)}") from None
    except SetUpError:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open without writing, also while the daemon runs; raises SetUpError."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S
        )
    except sqlite3.Error as error:
        raise SetUpError(f"{path}: {_reason(error)}") from None
    try:
        _refuse_newer(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise SetUpError(f"{path}: {_reason(error)}") from None
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _refuse_newer(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    if found := integrity.finding(connection, path, integrity.CHECK_MAX_S):
        raise SetUpError(f"{path}: damaged ({found}); restore it, orders may be open")
    _migrate(connection)
    _preallocate_wal(connection, path)


def _preallocate_wal(connection: sqlite3.Connection, path: Path) -> None:
    """A log that grows makes the file system commit its own journal at every sync of ours, too.

    SQLite overwrites the file from its beginning after each checkpoint and reads it only as far
    as the checksums go, so zeros behind what it holds are never looked at.
    """
    pages = connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0]
    page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
    wanted = WAL_HEADER_BYTES + (pages + WAL_PAGES_SPARE) * (page_bytes + WAL_FRAME_HEADER_BYTES)
    # Only speed is at stake: a full disk is told by the first commit that needs it.
    with contextlib.suppress(OSError), open(f"{path}-wal", "r+b") as wal:
        missing = wanted - wal.seek(0, os.SEEK_END)
        if missing > 0:
            wal.write(bytes(missing))
            wal.flush()
            os.fsync(wal.fileno())


def _refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    version = version_of(connection)
    if version > VERSION:
        connection.close()
        raise SetUpError(f"{path}: schema {version} is newer than this mmbot knows ({VERSION})")


def version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrate(connection: sqlite3.Connection) -> None:
    """Each version is one transaction: a failure half-way leaves the version before it."""
    for number in range(version_of(connection), VERSION):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _reason(error: sqlite3.Error) -> str:
    text = str(error)
    if "readonly" in text or "read-only" in text:
        return "the ledger cannot be written (read-only)"
    if "locked" in text:
        return "the ledger is locked by another process"
    if "not a database" in text or "malformed" in text:
        return f"damaged ({text}); restore it, orders may be open"
    if "full" in text:
        return "no space left for the ledger"
    return f"the ledger cannot be used: {text}"
