"""Everything that can be told of a ledger file without changing it: `mmbot ledger check`."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mmbot.domain.entries import Entry, FillReversed, OrderStepped, PlaceIntended
from mmbot.domain.errors import SetUpError
from mmbot.domain.order import TERMINAL, State
from mmbot.store import checkpoint
from mmbot.store.rows import SEALED_SINCE, Row, entry_of, rows_of
from mmbot.store.schema import DEFAULT_ACCOUNT, connect_to_read, version_of

FINDINGS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Inspection:
    """`replayed` entries are read by a start; times are our clock's nanoseconds, 0 for none."""

    path: str
    schema: int
    bytes: int
    entries: int
    kinds: dict[str, int]  # entries of each
    orders: int
    live_orders: int
    oldest_ns: int
    youngest_ns: int
    replayed: int
    findings: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not self.findings


def inspect(path: Path, account: str = DEFAULT_ACCOUNT) -> Inspection:
    """Read the whole file, also while it is in use; SetUpError where it cannot be opened."""
    with closing(connect_to_read(path)) as connection:
        try:
            connection.execute("BEGIN")  # all of it as of one moment
            return _inspect(connection, path, account)
        except sqlite3.Error as error:
            raise SetUpError(f"{path}: damaged ({error}); restore it, orders may be open") from None


def _inspect(connection: sqlite3.Connection, path: Path, account: str) -> Inspection:
    read = _Reading()
    for (text,) in connection.execute(f"PRAGMA integrity_check({FINDINGS_MAX})"):
        if text != "ok":
            read.find(f"the file is damaged: {' '.join(str(text).replace('*', '').split())}")
    last, count = connection.execute("SELECT max(seq), count(*) FROM entries").fetchone()
    if count != (last or 0):
        read.find(f"{(last or 0) - count} entries are missing")
    version = version_of(connection)
    if version >= SEALED_SINCE:
        known = checkpoint.load(connection, account)
        if known is None:
            read.find("the checkpoint is damaged; a start replays everything and makes a new one")
        else:
            read.plan = checkpoint.Plan.of(known)
    for row in rows_of(connection, account, version=version):
        read.take(row)
    read.compare()
    return Inspection(
        path=str(path),
        schema=version,
        bytes=sum(one.stat().st_size for one in (path, _log_of(path)) if one.exists()),
        entries=sum(read.kinds.values()),
        kinds=dict(sorted(read.kinds.items())),
        orders=len(read.orders),
        live_orders=sum(one.state not in TERMINAL for one in read.orders.values()),
        oldest_ns=read.oldest_ns,
        youngest_ns=read.youngest_ns,
        replayed=read.replayed,
        findings=tuple(read.findings),
    )


@dataclass(slots=True)
class _Reading:
    """What the rows told so far."""

    plan: checkpoint.Plan = field(default_factory=checkpoint.Plan)
    kinds: Counter[str] = field(default_factory=Counter)
    orders: dict[str, _Course] = field(default_factory=dict)  # by all entries
    known: dict[str, _Course] = field(default_factory=dict)  # by those that a start replays
    oldest_ns: int = 0
    youngest_ns: int = 0
    replayed: int = 0
    findings: list[str] = field(default_factory=list)

    def find(self, what: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(what)

    def take(self, row: Row) -> None:
        self.kinds[row[1]] += 1
        try:
            entry = entry_of(row)
        except SetUpError as error:
            self.find(str(error))
            return
        replays = self.plan.replays(row)
        self.replayed += replays
        self._order(row[0], entry, replays)
        at_ns = entry.order.intended_ns if isinstance(entry, PlaceIntended) else entry.at_ns
        self.oldest_ns = self.oldest_ns or at_ns
        self.youngest_ns = max(self.youngest_ns, at_ns)

    def _order(self, seq: int, entry: Entry, replays: bool) -> None:
        if isinstance(entry, PlaceIntended):
            order = entry.order
            ident, state, filled = order.external_id, order.state, order.filled_cents
        elif isinstance(entry, (OrderStepped, FillReversed)):
            ident, state, filled = entry.external_id, entry.state, entry.filled_cents
            if ident not in self.orders:
                self.find(f"ledger entry {seq}: no intent of {ident} came before it")
        else:
            return
        self.orders.setdefault(ident, _Course()).take(state, filled)
        if replays:
            self.known.setdefault(ident, _Course()).take(state, filled)

    def compare(self) -> None:
        """What a start knows of each order, against all that was written of it."""
        for ident, course in self.orders.items():
            known = self.known.get(ident)
            if known is None and course.over and self.plan.is_spent(ident):
                continue
            if known is None or (known.state, known.fills) != (course.state, course.fills):
                self.find(f"the checkpoint is wrong about {ident}")


@dataclass(slots=True)
class _Course:
    """How an order stands, and the filled totals that it went through."""

    state: State = State.INTENDED
    fills: tuple[int, ...] = ()

    def take(self, state: State, filled_cents: int) -> None:
        self.state = state
        if filled_cents != (self.fills[-1] if self.fills else 0):
            self.fills = (*self.fills, filled_cents)

    @property
    def over(self) -> bool:
        return self.state in TERMINAL and not self.fills


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
