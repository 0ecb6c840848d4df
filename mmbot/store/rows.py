"""Rows of the ledger file: one entry each, sealed with a checksum."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from mmbot.domain.entries import Entry
from mmbot.domain.errors import SetUpError
from mmbot.store.codec import KINDS, STORY_KINDS, UnknownKind, decode

# seq, kind, body, seal; no seal on rows that are older than schema 2
Row = tuple[int, str, bytes, int | None]
Decode = Callable[[str, bytes], Entry]
SEALED_SINCE: Final = 2
_STORY: Final = ", ".join(f"'{kind}'" for kind in sorted(STORY_KINDS))
KIND_SEALS: Final[dict[str, int]] = {kind: zlib.crc32(kind.encode()) for kind in KINDS}


def seal(kind: str, body: bytes) -> int:
    """SQLite finds a broken page, not a wrong byte inside a value."""
    start = KIND_SEALS.get(kind)
    return zlib.crc32(body, zlib.crc32(kind.encode()) if start is None else start)


def rows_of(
    connection: sqlite3.Connection, account: str, after: int = 0, version: int = SEALED_SINCE
) -> Iterator[Row]:
    """Every row with `seq` above `after`, in the order in which it was written."""
    sealed = "crc" if version >= SEALED_SINCE else "NULL"
    query = f"SELECT seq, kind, body, {sealed} FROM entries WHERE account = ? AND seq > ?"
    return connection.execute(f"{query} ORDER BY seq", (account, after))


def tail_of(
    connection: sqlite3.Connection, account: str, after: int, what: str = "seq, kind, body, crc"
) -> sqlite3.Cursor:
    """Of the rows above `after` those that a ledger is rebuilt from, in their order."""
    query = (
        f"SELECT {what} FROM entries WHERE account = ? AND seq > ? AND kind NOT IN ({_STORY})"
        " ORDER BY seq"
    )
    return connection.execute(query, (account, after))


def verify(row: Row) -> None:
    """Raises SetUpError for a row that is not as it was written."""
    seq, kind, body, crc = row
    if crc is not None and seal(kind, body) != crc:
        raise SetUpError(f"ledger entry {seq} is damaged; restore the ledger, orders may be open")


def entry_of(row: Row, decode: Decode = decode) -> Entry:
    """Raises SetUpError in one line for a damaged row, or one that a later mmbot wrote."""
    verify(row)
    try:
        return decode(row[1], row[2])
    except (UnknownKind, msgspec.MsgspecError) as error:
        raise unreadable(row, error) from None


def unreadable(row: Row, error: Exception) -> SetUpError:
    return SetUpError(f"ledger entry {row[0]} cannot be read: {error}")
