"""The disk of a virtual day: commits that fail, hang or are slow, and deaths around a commit."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Sequence
from typing import Final, Literal, overload

from mmbot.app.writer import Commit, Done
from mmbot.domain.entries import Entry, FillDisputed, FillReversed, OrderStepped, PlaceIntended
from mmbot.domain.evidence import Kind
from mmbot.domain.notes import ManualSeen
from mmbot.domain.order import State
from mmbot.sim.virtual.island import Island
from mmbot.sim.virtual.loop import VirtualLoop
from mmbot.sim.witness.watch import Watch
from mmbot.store import tables
from mmbot.store.journal import ROWS_MAX, Journal, JournalError
from mmbot.store.tables import OrderRow

Append = Callable[[Sequence[Entry]], None]
Trouble = Literal["", "break", "lock", "slow"]
Death = Literal["", "before_commit", "after_commit", "after_reply"]

OF_ORDERS: Final = (PlaceIntended, OrderStepped, FillReversed)
LOCKED_S: Final = 5.0  # SQLite waits about so long for a lock, and gives up
SLOW_S: Final = (0.2, 3.0)  # one commit; placements wait for at most 1 s


class Disk:
    """Makes the `Commit` port of each life. `trouble` holds until it is cleared."""

    def __init__(self, loop: VirtualLoop, watch: Watch, replies: Callable[[], int]) -> None:
        """`watch` hears what is durable; `replies` counts the answers to placements that came
        back."""
        self.trouble: Trouble = ""
        self.death: Death = ""
        self.deaths = 0
        self.absent: Callable[[str], object] = len  # told whose absence lists have proven
        self.unwanted: set[str] = set()  # the last word of their steps is that they go
        self._kept: list[Entry] = []
        self._loop = loop
        self._watch = watch
        self._replies = replies
        self._replies_before = 0

    def orders(self) -> list[OrderRow]:
        """What an export of the ledger shows now, without reading the file."""
        return tables.orders(self._kept)

    def die(self, where: Death) -> None:
        """Kill the daemon at the next commit that fits."""
        self.death = where
        self._replies_before = self._replies()

    def port(self, journal: Journal, island: Island) -> Commit:
        self._watch.began()

        def append(entries: Sequence[Entry]) -> None:
            journal.append(entries)
            for entry in entries:
                if isinstance(entry, PlaceIntended):
                    self._watch.intended(entry.order.external_id, entry.adopted)
                elif isinstance(entry, OrderStepped):
                    self._stepped(entry)
                elif isinstance(entry, ManualSeen):
                    self._watch.by_person(entry.order_id)
                elif isinstance(entry, FillReversed):
                    self._watch.taken_back(entry.external_id, entry.reversed_cents)
                elif isinstance(entry, FillDisputed):
                    self._watch.disputed(entry.external_id, entry.cents)
                if isinstance(entry, OF_ORDERS):
                    self._kept.append(entry)

        def commit(entries: Sequence[Entry], done: Done, urgent: bool) -> None:
            if self._dies(entries, island, append):
                return
            if self.trouble == "lock":
                locked = JournalError("the ledger could not be written: database is locked")
                self._loop.call_later(LOCKED_S, done, locked)
                return
            if self.trouble == "break":
                in_vain = _write_a_part if len(entries) > ROWS_MAX else _write_in_vain
                self._loop.call_later(0.0, in_vain, append, entries, done)
                return
            if self.trouble == "slow":
                slow_s = self._loop.random.uniform(*SLOW_S)
                self._loop.call_later(slow_s, self._write, append, entries, done)
                return
            self._write(append, entries, done)

        return commit

    def _stepped(self, entry: OrderStepped) -> None:
        if entry.order_id is not None:
            self._watch.named(entry.order_id)
        self.unwanted.discard(entry.external_id)
        if entry.cancel_wanted:
            self.unwanted.add(entry.external_id)
        if entry.state is State.REJECTED and entry.evidence.kind is Kind.READ:
            self.absent(entry.external_id)
        if entry.state is State.REJECTED:
            self._watch.rejected(entry.external_id)
        elif entry.cancel_wanted:
            self._watch.unwanted(entry.external_id)
        else:
            self._watch.wanted(entry.external_id)

    def _write(self, append: Append, entries: Sequence[Entry], done: Done) -> None:
        writing = self._loop.run_in_executor(None, append, entries)
        writing.add_done_callback(lambda written: done(written.exception()))

    def _dies(
        self,
        entries: Sequence[Entry],
        island: Island,
        append: Append,
    ) -> bool:
        places = any(isinstance(entry, PlaceIntended) for entry in entries)
        match self.death:
            case "before_commit" | "after_commit" if not places:
                return False
            case "after_reply" if self._replies() == self._replies_before:
                return False
            case "":
                return False
        if self.death == "after_commit":
            append(entries)
        self.death = ""
        self.deaths += 1
        island.abandon()
        return True


class _TooMuch(Sequence[Entry]):
    """Entries of which the disk takes those of the first statement, and then no more."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, at: int) -> Entry: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Entry]: ...

    def __getitem__(self, at: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(at, slice) and at.start:
            raise sqlite3.OperationalError("database or disk is full")
        return self._entries[at]


def _write_a_part(append: Append, entries: Sequence[Entry], done: Done) -> None:
    try:
        append(_TooMuch(entries))
    except JournalError as error:
        done(error)
    else:
        done(None)


def _write_in_vain(append: Append, entries: Sequence[Entry], done: Done) -> None:
    """The operating system refuses every byte, so that it is the journal that must notice."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        append(entries)
    except JournalError as error:
        done(error)
    else:
        done(None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
