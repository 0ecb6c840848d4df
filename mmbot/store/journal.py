"""The journal: what the ledger must never forget. One commit per call, durable when it returns.

Synchronous on purpose: the app calls it from one writer thread.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

import msgspec

from mmbot.domain.entries import Entry
from mmbot.domain.errors import MmbotError, SetUpError
from mmbot.store import tables
from mmbot.store.codec import UnknownKind, decode, encode
from mmbot.store.schema import BUSY_TIMEOUT_S, DEFAULT_ACCOUNT, connect, connect_to_read
from mmbot.store.tables import OrderRow

READ: Final = "SELECT seq, kind, body FROM entries WHERE account = ? ORDER BY seq"
ROWS_MAX: Final = 100  # of one statement


class JournalError(MmbotError):
    """Nothing of the call was kept: place no order, try the same entries again later."""


class Journal:
    """Owns the ledger file; a second process on the same file is refused."""

    def __init__(self, connection: sqlite3.Connection, lock: IO[str], account: str) -> None:
        self._connection = connection
        self._lock = lock
        self._account = account

    @classmethod
    def open(
        cls,
        path: Path,
        account: str = DEFAULT_ACCOUNT,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> Journal:
        """Create or open, check, migrate; raises SetUpError in one clear line."""
        lock = _lock(path)
        try:
            return cls(connect(path, busy_timeout_s), lock, account)
        except SetUpError:
            lock.close()
            raise

    def append(self, entries: Sequence[Entry]) -> None:
        """All of them in one durable commit, or none; raises JournalError."""
        if not entries:
            return
        try:
            self._append(entries)
        except sqlite3.Error as error:
            self._roll_back()
            raise JournalError(f"the ledger could not be written: {error}") from None

    def _append(self, entries: Sequence[Entry]) -> None:
        """One statement where it can be: each one hands the interpreter over and back."""
        for start in range(0, len(entries), ROWS_MAX):
            part = entries[start : start + ROWS_MAX]
            if start == 0 and len(part) < len(entries):
                self._connection.execute("BEGIN IMMEDIATE")
            marks = ",".join(["(?,?,?)"] * len(part))
            values = [value for e in part for value in (self._account, *encode(e))]
            insert = f"INSERT INTO entries (account, kind, body) VALUES {marks}"
            self._connection.execute(insert, values)
        if self._connection.in_transaction:
            self._connection.execute("COMMIT")

    def _roll_back(self) -> None:
        if not self._connection.in_transaction:
            return
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise JournalError(f"the ledger could not be rolled back: {error}") from None

    def replay(self) -> Iterator[Entry]:
        """Every entry in the order in which it was written; raises SetUpError on a bad one."""
        rows = self._connection.execute(READ, (self._account,))
        try:
            for seq, kind, body in rows:
                yield _entry(seq, kind, body)
        except sqlite3.Error as error:
            raise SetUpError(f"the ledger cannot be read: {error}") from None

    def close(self) -> None:
        self._connection.close()
        self._lock.close()


def _entry(seq: int, kind: str, body: bytes) -> Entry:
    try:
        return decode(kind, body)
    except (UnknownKind, msgspec.MsgspecError) as error:
        raise SetUpError(f"ledger entry {seq} cannot be read: {error}") from None


def _lock(path: Path) -> IO[str]:
    """The operating system drops the lock with the process, however it ends."""
    name = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open(name, "a+", encoding="ascii")  # noqa: SIM115 - held as long as the journal
    except OSError as error:
        raise SetUpError(f"{name}: cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise SetUpError(f"{path}: in use by another mmbot (process {owner})") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def export_orders(path: Path, account: str = DEFAULT_ACCOUNT) -> list[OrderRow]:
    """Every order in the ledger file, oldest first, also while it is in use; SetUpError."""
    return tables.orders(_entries(path, account))


def pnl_cents(path: Path, account: str = DEFAULT_ACCOUNT) -> int:
    """Sum of the booked money rows that come from trading; raises SetUpError."""
    return tables.pnl_cents(_entries(path, account))


def _entries(path: Path, account: str) -> list[Entry]:
    connection = connect_to_read(path)
    try:
        rows = connection.execute(READ, (account,)).fetchall()
    except sqlite3.Error as error:
        raise SetUpError(f"{path}: the ledger cannot be read: {error}") from None
    finally:
        connection.close()
    return [_entry(seq, kind, body) for seq, kind, body in rows]
