"""The journal: what the ledger must never forget. One commit per call, durable when it returns.

Synchronous on purpose: the app calls it from one writer thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from mmbot.domain.entries import Entry
from mmbot.domain.errors import MmbotError, SetUpError
from mmbot.domain.ids import IdRange
from mmbot.store import checkpoint, tables
from mmbot.store.codec import decode, decode_lean, encode
from mmbot.store.rows import Decode, Row, entry_of, rows_of, seal
from mmbot.store.schema import (
    BUSY_TIMEOUT_S,
    DEFAULT_ACCOUNT,
    connect,
    connect_to_read,
    version_of,
)
from mmbot.store.tables import OrderRow

ROWS_MAX: Final = 100  # of one statement


class JournalError(MmbotError):
    """Nothing of the call was kept: place no order, try the same entries again later."""


@dataclass(frozen=True, slots=True)
class Recollection:
    """What a start needs: ids of orders that ended long ago, and the entries of all others.

    The intents come without motive and verdict: a ledger is rebuilt without them.
    """

    spent: tuple[IdRange, ...]
    entries: Iterator[Entry]


class Journal:
    """Owns the ledger file; a second process on the same file is refused."""

    def __init__(self, connection: sqlite3.Connection, lock: IO[bytes], account: str) -> None:
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
            marks = ",".join(["(?,?,?,?)"] * len(part))
            values: list[str | bytes | int] = []
            for entry in part:
                kind, body = encode(entry)
                values += (self._account, kind, body, seal(kind, body))
            insert = f"INSERT INTO entries (account, kind, body, crc) VALUES {marks}"
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

    def recall(self) -> Recollection:
        """What a start replays; much that was written since the last time is compacted first.

        Raises SetUpError on an entry that cannot be read.
        """
        try:
            known = self._checkpoint()
            if checkpoint.due(self._connection, self._account, known):
                # A disk that is full or read-only costs this start time, not its orders.
                with contextlib.suppress(sqlite3.OperationalError):
                    known = checkpoint.renew(self._connection, self._account, known)
            rows = checkpoint.rows_to_replay(self._connection, self._account, known)
        except sqlite3.Error as error:
            raise _cannot_be_read(error) from None
        return Recollection(known.spent, _entries(rows, decode_lean))

    def compact(self) -> checkpoint.Checkpoint:
        """Make a new checkpoint now; raises SetUpError, and has then changed nothing."""
        try:
            return checkpoint.renew(self._connection, self._account, self._checkpoint())
        except sqlite3.Error as error:
            raise SetUpError(f"the ledger could not be compacted: {error}") from None

    def _checkpoint(self) -> checkpoint.Checkpoint:
        """One that is damaged is forgotten: the entries are all there."""
        found = checkpoint.load(self._connection, self._account)
        return checkpoint.NO_CHECKPOINT if found is None else found

    def replay(self) -> Iterator[Entry]:
        """Every entry in the order in which it was written; raises SetUpError on a bad one."""
        return _entries(rows_of(self._connection, self._account))

    def close(self) -> None:
        self._connection.close()
        self._lock.close()


def _entries(rows: Iterable[Row], decode: Decode = decode) -> Iterator[Entry]:
    try:
        for row in rows:
            yield entry_of(row, decode)
    except sqlite3.Error as error:
        raise _cannot_be_read(error) from None


def _cannot_be_read(error: sqlite3.Error) -> SetUpError:
    return SetUpError(f"the ledger cannot be read: {error}")


def _lock(path: Path) -> IO[bytes]:
    """The operating system drops the lock with the process, however it ends."""
    name = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open(name, "a+b", buffering=0)  # noqa: SIM115 - held as long as the journal
    except OSError as error:
        raise SetUpError(f"{name}: cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read().decode("ascii", "replace").strip() or "unknown"
        lock.close()
        raise SetUpError(f"{path}: in use by another mmbot (process {owner})") from None
    with contextlib.suppress(OSError):  # the number is for people: a full disk may keep it
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n".encode())
    return lock


def export_orders(path: Path, account: str = DEFAULT_ACCOUNT) -> list[OrderRow]:
    """Every order in the ledger file, oldest first, also while it is in use; SetUpError."""
    return tables.orders(read_entries(path, account))


def pnl_cents(path: Path, account: str = DEFAULT_ACCOUNT) -> int:
    """Sum of the booked money rows that come from trading; raises SetUpError."""
    return tables.pnl_cents(read_entries(path, account))


def read_entries(path: Path, account: str = DEFAULT_ACCOUNT) -> list[Entry]:
    """Every entry of a ledger file, also while it is in use; raises SetUpError."""
    connection = connect_to_read(path)
    try:
        rows = rows_of(connection, account, version=version_of(connection))
        return [entry_of(row) for row in rows]
    except sqlite3.Error as error:
        raise SetUpError(f"{path}: the ledger cannot be read: {error}") from None
    finally:
        connection.close()
