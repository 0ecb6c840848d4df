"""The journal: what the ledger must never forget. One commit per call, durable when it returns.

Synchronous on purpose: the app calls it from one writer thread.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TypedDict

import msgspec

from mmbot.domain.entries import Entry
from mmbot.domain.errors import MmbotError, SetUpError
from mmbot.domain.fill import OUTSIDE_TRADING
from mmbot.store.codec import UnknownKind, decode, encode
from mmbot.store.schema import BUSY_TIMEOUT_S, DEFAULT_ACCOUNT, connect, connect_to_read
from mmbot.store.tables import follow


class JournalError(MmbotError):
    """Nothing of the call was kept: place no order, try the same entries again later."""


class OrderRow(TypedDict):
    """An order as the witness and `mmbot orders` want it."""

    external_id: str
    order_id: str
    strike_id: str
    price: int
    quantity_cents: int
    filled_cents: int
    state: str


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
        cursor = self._connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        rows = ((self._account, *encode(entry)) for entry in entries)
        cursor.executemany("INSERT INTO entries (account, kind, body) VALUES (?,?,?)", rows)
        for entry in entries:
            follow(cursor, self._account, entry)
        cursor.execute("COMMIT")

    def _roll_back(self) -> None:
        if not self._connection.in_transaction:
            return
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise JournalError(f"the ledger could not be rolled back: {error}") from None

    def replay(self) -> Iterator[Entry]:
        """Every entry in the order in which it was written; raises SetUpError on a bad one."""
        rows = self._connection.execute(
            "SELECT seq, kind, body FROM entries WHERE account = ? ORDER BY seq",
            (self._account,),
        )
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
    """Every order in the ledger file, oldest first; raises SetUpError."""
    columns = tuple(OrderRow.__annotations__)
    query = f"SELECT {', '.join(columns)} FROM orders WHERE account = ? ORDER BY intended_ns"
    rows = _read(path, query, (account,))
    return [msgspec.convert(dict(zip(columns, row, strict=True)), OrderRow) for row in rows]


def pnl_cents(path: Path, account: str = DEFAULT_ACCOUNT) -> int:
    """Sum of the booked money rows that come from trading; raises SetUpError."""
    rows = _read(path, "SELECT kind, amount_cents FROM transactions WHERE account = ?", (account,))
    return sum(int(str(cents)) for kind, cents in rows if kind not in OUTSIDE_TRADING)


def _read(path: Path, query: str, values: tuple[str, ...]) -> list[tuple[object, ...]]:
    connection = connect_to_read(path)
    try:
        return connection.execute(query, values).fetchall()
    except sqlite3.Error as error:
        raise SetUpError(f"{path}: the ledger cannot be read: {error}") from None
    finally:
        connection.close()
