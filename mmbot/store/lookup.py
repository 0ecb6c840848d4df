"""Finds the entries of one order in a ledger file, also while it is in use.

The file has no index by order: nothing but entries is written on the way of an order. SQLite
looks through the bodies for the id, and only what names it is decoded.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbot.domain.entries import Entry, OrderStepped, PlaceIntended, RunStarted
from mmbot.domain.errors import MmbotError, SetUpError
from mmbot.domain.notes import ManualSeen, RequestSent
from mmbot.store.rows import SEALED_SINCE, Row, entry_of
from mmbot.store.schema import DEFAULT_ACCOUNT, connect_to_read, version_of

NAMED_MAX: Final = 5  # candidates shown when a beginning is not enough
CANDIDATES_MAX: Final = 100  # counted
SEQ_MAX: Final = 2**62

Numbered = dict[int, Entry]  # by place in the journal


class NoSuchOrder(MmbotError):
    """The ledger knows no order of that id, or more than one that begins so."""


@dataclass(frozen=True, slots=True)
class Found:
    """An order's entries in journal order, with the attempts that concerned it.

    `run` is the one that intended it; None for an order that is not ours, or an old file.
    """

    ident: str
    entries: tuple[Entry, ...]
    run: RunStarted | None


def find(path: Path, text: str, account: str = DEFAULT_ACCOUNT) -> Found:
    """By our id, by theirs, or by the beginning of either; raises NoSuchOrder, SetUpError."""
    connection = connect_to_read(path)
    try:
        file = _File(connection, account)
        entries = file.naming(text) if text else {}
        ident = _exactly(text, entries.values()) or _by_beginning(text, file)
        if ident != text:
            entries = file.naming(ident)
        first, last = min(entries), max(entries)
        entries |= file.around(first, last)
        for seq, entry in tuple(entries.items()):
            if isinstance(entry, RequestSent):
                entries |= file.answer(seq, entry)
        in_order = tuple(entries[seq] for seq in sorted(entries))
        return Found(ident, in_order, file.run_before(first))
    except sqlite3.Error as error:
        raise SetUpError(f"{path}: the ledger cannot be read: {error}") from None
    finally:
        connection.close()


def _exactly(text: str, entries: Iterable[Entry]) -> str:
    """The order with that id, by our id where it has one; or ""."""
    for entry in entries:
        for ours, theirs in _ids(entry):
            if text in {ours, theirs}:
                return ours or theirs
    return ""


def _by_beginning(text: str, file: _File) -> str:
    found: dict[str, None] = {}
    for entry in file.beginning(text) if text else ():
        for ours, theirs in _ids(entry):
            if (ours and ours.startswith(text)) or theirs.startswith(text):
                found[ours or theirs] = None
        if len(found) > CANDIDATES_MAX:
            break
    if len(found) == 1:
        return next(iter(found))
    if not found:
        raise NoSuchOrder(f"the ledger knows no order {text} (mmbot orders --all lists them)")
    count = f"{len(found)}" if len(found) <= CANDIDATES_MAX else f"more than {CANDIDATES_MAX}"
    shown = ", ".join(list(found)[:NAMED_MAX])
    raise NoSuchOrder(f"{count} orders begin with {text}, such as {shown}: give more of the id")


def _ids(entry: Entry) -> Iterator[tuple[str, str]]:
    match entry:
        case PlaceIntended(order):
            yield order.external_id, order.order_id or ""
        case OrderStepped():
            yield entry.external_id, entry.order_id
        case ManualSeen(order_id, external_id):
            yield external_id or "", order_id
        case _:
            pass


class _File:
    def __init__(self, connection: sqlite3.Connection, account: str) -> None:
        self._connection = connection
        self._account = account
        self._crc = "crc" if version_of(connection) >= SEALED_SINCE else "NULL"
        self._runs: dict[int, RunStarted] = {}  # of the whole file, known after `naming`

    def naming(self, text: str) -> Numbered:
        """Entries that hold this text as one of their values; one pass through the file."""
        needle = json.dumps(text, ensure_ascii=False).encode(errors="replace")
        found: Numbered = {}
        for seq, entry in self._read("(instr(body, ?) > 0 OR kind = 'run')", needle):
            if isinstance(entry, RunStarted):
                self._runs[seq] = entry
            else:
                found[seq] = entry
        return found

    def beginning(self, text: str) -> Iterator[Entry]:
        """Entries with a text that begins so."""
        needle = json.dumps(text, ensure_ascii=False)[:-1].encode(errors="replace")
        return (entry for _, entry in self._read("instr(body, ?) > 0", needle))

    def around(self, first: int, last: int) -> Numbered:
        """What concerned every order between its first and its last entry: runs, wide cancels."""
        wide = "instr(body, '\"sweep\"') > 0 OR instr(body, '\"mass cancel\"') > 0"
        within = f"seq > ? AND seq <= ? AND kind = 'sent' AND ({wide})"
        runs: Numbered = {seq: run for seq, run in self._runs.items() if first < seq <= last}
        return dict(self._read(within, first, last)) | runs

    def answer(self, seq: int, request: RequestSent) -> Numbered:
        """The answer to that attempt, if one was kept before the next run began."""
        ends = min((run for run in self._runs if run > seq), default=SEQ_MAX)
        number = f'"number":{request.number},'.encode()
        within = "seq > ? AND seq < ? AND kind = 'answered' AND instr(body, ?) > 0"
        return dict(self._read(within, seq, ends, number, limit=1))

    def run_before(self, seq: int) -> RunStarted | None:
        before = [run for run in self._runs if run < seq]
        return self._runs[max(before)] if before else None

    def _read(
        self, condition: str, *values: object, limit: int = -1
    ) -> Iterator[tuple[int, Entry]]:
        query = f"SELECT seq, kind, body, {self._crc} FROM entries WHERE account = ? AND "
        query += f"{condition} ORDER BY seq LIMIT ?"
        rows: Iterator[Row] = self._connection.execute(query, (self._account, *values, limit))
        for row in rows:
            yield row[0], entry_of(row)
