"""Which entries a start still replays. Derived from the journal; no entry is ever changed.

An order that ended long ago without a fill leaves nothing in a ledger's memory but its spent id,
and a step is made up for by the next one (store/lives.py). A checkpoint names such ids, and the
entries up to its place that are still needed. It is made only by the owner of the file and before
a replay, so that no ledger in memory can know an order that its own journal leaves out. Lost or
damaged, it costs time: all is replayed.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Final

import msgspec

from mmbot.domain.ids import REMEMBERED_N_MAX, IdRange
from mmbot.store import lives
from mmbot.store.codec import STORY_KINDS
from mmbot.store.rows import Row, tail_of

TAIL_ENTRIES_MAX: Final = 20_000  # replayed in a moment; beyond it a start makes a new checkpoint

_CARRIED: Final = """
    SELECT e.seq, e.kind, e.body, e.crc FROM carried AS c CROSS JOIN entries AS e
    ON e.seq = c.seq WHERE c.account = ? ORDER BY c.seq
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Up to `through` only the entries in `carried` are replayed; `spent` ids were ours."""

    through: int = 0
    spent: tuple[IdRange, ...] = ()
    carried: tuple[int, ...] = ()

    @property
    def digest(self) -> bytes:
        told = msgspec.json.encode((self.through, self.spent, self.carried))
        return hashlib.sha256(told).digest()


NO_CHECKPOINT: Final = Checkpoint()


@dataclass(frozen=True, slots=True)
class Plan:
    """A checkpoint held against single rows and orders, for whoever checks it."""

    through: int = 0
    carried: frozenset[int] = frozenset()
    spent: Mapping[str, tuple[IdRange, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, known: Checkpoint) -> Plan:
        spent = {
            stem: tuple(ranges) for stem, ranges in groupby(known.spent, key=lambda one: one.stem)
        }
        return cls(known.through, frozenset(known.carried), spent)

    def replays(self, row: Row) -> bool:
        seq, kind, _, _ = row
        return kind not in STORY_KINDS and (seq > self.through or seq in self.carried)

    def is_spent(self, ident: str) -> bool:
        stem, n = _parts(ident)
        ranges = self.spent.get(stem, ())
        at = bisect_right(ranges, n, key=lambda one: one.first)
        return at > 0 and n <= ranges[at - 1].last


_SPENT: Final = msgspec.json.Decoder(tuple[IdRange, ...])


def load(connection: sqlite3.Connection, account: str) -> Checkpoint | None:
    """The last one, or NO_CHECKPOINT; None when it is not as it was written."""
    found = connection.execute(
        "SELECT through, spent, digest FROM checkpoints WHERE account = ?", (account,)
    ).fetchone()
    rows = connection.execute("SELECT seq FROM carried WHERE account = ? ORDER BY seq", (account,))
    carried = tuple(seq for (seq,) in rows)
    if found is None:
        return None if carried else NO_CHECKPOINT
    through, spent, digest = found
    with contextlib.suppress(msgspec.MsgspecError):
        checkpoint = Checkpoint(through, _SPENT.decode(spent), carried)
        last = connection.execute("SELECT max(seq) FROM entries").fetchone()[0] or 0
        if checkpoint.digest == digest and through <= last:
            return checkpoint
    return None


def rows_to_replay(
    connection: sqlite3.Connection, account: str, checkpoint: Checkpoint
) -> Iterator[Row]:
    """What it carries, and all that was written after it."""
    carried: Iterable[Row] = ()
    if checkpoint.carried:
        carried = connection.execute(_CARRIED, (account,))
    return chain(carried, tail_of(connection, account, checkpoint.through))


def due(connection: sqlite3.Connection, account: str, checkpoint: Checkpoint) -> bool:
    """Whether so much was written since that a start would take long."""
    tail = tail_of(connection, account, checkpoint.through, "seq").fetchmany(TAIL_ENTRIES_MAX + 1)
    return len(tail) > TAIL_ENTRIES_MAX


def renew(connection: sqlite3.Connection, account: str, before: Checkpoint) -> Checkpoint:
    """Make and keep a new one in one transaction; sqlite3.Error, SetUpError of a damaged row."""
    made = make(rows_to_replay(connection, account, before), before)
    connection.execute("BEGIN IMMEDIATE")
    try:
        _write(connection, account, made)
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return made


def make(rows: Iterable[Row], before: Checkpoint = NO_CHECKPOINT) -> Checkpoint:
    """From the rows that would be replayed now; SetUpError on a bad one."""
    found = lives.read(rows)
    gone: dict[str, list[int]] = {}
    carried = found.rest
    for ident, life in found.orders.items():
        if ident in found.named:
            carried += life.whole
            continue
        stem, n = _parts(ident)
        if stem and life.is_over(found.youngest_ns):
            gone.setdefault(stem, []).append(n)
        else:
            carried += life.thin
    through = max(before.through, found.through)
    return Checkpoint(through, _ranges(gone, before.spent), tuple(sorted(carried)))


def _parts(ident: str) -> tuple[str, int]:
    """Stem and number; an empty stem for an id that a number cannot stand for."""
    stem, _, n = ident.rpartition("-")
    if not n.isdecimal() or str(int(n)) != n or int(n) > REMEMBERED_N_MAX:
        return "", 0
    return stem, int(n)


def _ranges(gone: dict[str, list[int]], before: Iterable[IdRange]) -> tuple[IdRange, ...]:
    """Sorted, and joined where they touch."""
    spans = [(one.stem, one.first, one.last) for one in before]
    spans += [(stem, n, n) for stem, numbers in gone.items() for n in numbers]
    joined: list[IdRange] = []
    for stem, first, last in sorted(spans):
        if joined and joined[-1].stem == stem and first <= joined[-1].last + 1:
            joined[-1] = IdRange(stem, joined[-1].first, max(last, joined[-1].last))
        else:
            joined.append(IdRange(stem, first, last))
    return tuple(joined)


def _write(connection: sqlite3.Connection, account: str, made: Checkpoint) -> None:
    rows = connection.execute("SELECT seq FROM carried WHERE account = ?", (account,))
    old, new = {seq for (seq,) in rows}, set(made.carried)
    connection.executemany(
        "DELETE FROM carried WHERE account = ? AND seq = ?", [(account, seq) for seq in old - new]
    )
    connection.executemany(
        "INSERT INTO carried (account, seq) VALUES (?, ?)",
        [(account, seq) for seq in sorted(new - old)],
    )
    connection.execute(
        "INSERT OR REPLACE INTO checkpoints (account, through, spent, digest) VALUES (?, ?, ?, ?)",
        (account, made.through, msgspec.json.encode(made.spent), made.digest),
    )
