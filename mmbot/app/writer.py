"""One commit in flight: what arrives meanwhile joins the next. Placements wait for theirs.

Notes (domain/notes.py) never make a placement wait: they ride with a commit on which none depends.

Callbacks instead of a task: each hop between a decision and the start of its commit, and between
the end of the commit and the write, costs every order its time (docs/benchmarks.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from mmbot.domain.depth import Depth
from mmbot.domain.entries import Entry
from mmbot.domain.errors import MmbotError
from mmbot.domain.events import Event, JournalStateChanged
from mmbot.domain.notes import STORY, Note
from mmbot.engine.ports import PlaceOrders
from mmbot.runtime.clock import NS_PER_S, Clock

ENTRIES_WAITING_MAX: Final = 100_000  # about a day of doubt; beyond it we stop rather than forget
RETRY_S: Final = 0.5
NOTE_WAIT_S: Final = 0.25  # without any other commit they get one of their own
NOTES_APART_MAX: Final = 500  # more of them ride with any commit
NOTES_WAITING_MAX: Final = 20_000  # the disk has failed for long: later ones are not kept

# Starts a commit; with `urgent` it returns only when the disk is at work. Tells the end later in
# the loop's own thread: None, or why nothing was kept.
Done = Callable[[BaseException | None], None]


class Commit(Protocol):
    def __call__(self, entries: Sequence[Entry], done: Done, urgent: bool) -> None: ...


class Leaving(Protocol):
    """A placement that waits for its commit (app/departure.py)."""

    def prepare(self) -> None: ...

    def release(self) -> None: ...

    def withhold(self, reason: str) -> None: ...


@dataclass(slots=True)
class CommitTimes:
    """The last commit's duration and the largest one, nanoseconds."""

    last_ns: int = 0
    max_ns: int = 0
    count: int = 0


@dataclass(slots=True)
class _Waiting:
    entries: list[Entry] = field(default_factory=list)
    leaving: list[Leaving] = field(default_factory=list)
    alarm: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Notes:
    waiting: list[Note] = field(default_factory=list)
    alarm: asyncio.TimerHandle | None = None
    due: bool = False


class JournalWriter:
    """Takes effects from the loop, commits them in groups, then releases the placements."""

    def __init__(
        self,
        commit: Commit,
        departure: Callable[[PlaceOrders], Leaving],
        tell: Callable[[Event], None],
        clock: Clock,
        wait_max_s: float,
    ) -> None:
        self._commit = commit
        self._departure = departure
        self._tell = tell
        self._clock = clock
        self._wait_max_s = wait_max_s
        self._waiting = _Waiting()
        self._notes = _Notes()
        self._running: asyncio.Future[None] | None = None
        self._busy = False
        self._retry: asyncio.TimerHandle | None = None
        self._healthy = True
        self.times = CommitTimes()

    def enqueue(
        self, entries: Sequence[Entry], placements: Sequence[PlaceOrders], at_once: bool = True
    ) -> None:
        """Start the commit when none is in flight; not `at_once`: after what is on its way."""
        if not (entries or placements or self._waiting.entries or self._waiting.leaving):
            return  # most turns decide nothing
        for entry in entries:
            if isinstance(entry, STORY):
                self.note(entry)
            else:
                self._waiting.entries.append(entry)
        assert len(self._waiting.entries) <= ENTRIES_WAITING_MAX, "the journal failed for too long"
        self._waiting.leaving.extend(map(self._departure, placements))
        if at_once:
            self._begin_if_free()
        elif self._running is not None:
            asyncio.get_running_loop().call_soon(self._begin_if_free)

    def note(self, note: Note) -> None:
        """Keep it with a later commit, soon."""
        notes = self._notes
        if len(notes.waiting) < NOTES_WAITING_MAX:
            notes.waiting.append(note)
        if notes.alarm is None:
            loop = asyncio.get_running_loop()
            notes.alarm = loop.call_later(NOTE_WAIT_S, self._notes_due)

    def _notes_due(self) -> None:
        self._notes.alarm = None
        self._notes.due = True
        self._begin_if_free()

    def _with_notes(self, taken: _Waiting) -> None:
        notes = self._notes
        if taken.leaving and len(notes.waiting) <= NOTES_APART_MAX:
            return
        taken.entries.extend(notes.waiting)
        notes.waiting.clear()
        notes.due = False

    def _begin_if_free(self) -> None:
        if self._running is not None and not self._busy and self._retry is None:
            self._begin()

    @property
    def depth(self) -> Depth:
        """Entries that no commit has taken yet."""
        return Depth(len(self._waiting.entries), ENTRIES_WAITING_MAX)

    @property
    def notes_depth(self) -> Depth:
        return Depth(len(self._notes.waiting), NOTES_WAITING_MAX)

    @property
    def idle(self) -> bool:
        return not (self._busy or self._waiting.entries or self._notes.waiting)

    async def run(self) -> None:
        """Service: write until cancelled; what was enqueued before waits for it."""
        self._running = asyncio.get_running_loop().create_future()
        self._begin()
        try:
            await self._running
        finally:
            self._running = None
            for alarm in (self._retry, self._notes.alarm):
                if alarm is not None:
                    alarm.cancel()
            self._retry = self._notes.alarm = None

    def _begin(self) -> None:
        taken, self._waiting = self._waiting, _Waiting()
        if not taken.entries:  # a resend: its intent is durable already
            self._let_go(taken.leaving)
            taken.leaving = []
        self._with_notes(taken)
        if not taken.entries:
            return
        self._busy = True
        began_ns = self._clock.monotonic_ns()
        done = partial(self._ended, taken, began_ns)
        self._commit(taken.entries, done, urgent=bool(taken.leaving))
        # While the disk works, what leaves after it is made ready.
        taken.alarm = asyncio.get_running_loop().call_later(
            self._wait_max_s,
            self._report,
            False,
            f"a commit takes longer than {self._wait_max_s:g} s",
        )
        for leaving in taken.leaving:
            leaving.prepare()

    def _ended(self, taken: _Waiting, began_ns: int, error: BaseException | None) -> None:
        if taken.alarm is not None:
            taken.alarm.cancel()
        self._busy = False
        if error is None:
            self._note_time(self._clock.monotonic_ns() - began_ns)
        elif isinstance(error, MmbotError):
            self._waiting.entries[:0] = taken.entries
            self._report(False, str(error))
        else:
            self._fail(error)
            return
        self._let_go(taken.leaving)
        if not self._healthy:
            self._retry = asyncio.get_running_loop().call_later(RETRY_S, self._again, error is None)
        elif self._waiting.entries or self._waiting.leaving or self._notes.due:
            self._begin()

    def _note_time(self, took_ns: int) -> None:
        self.times.last_ns = took_ns
        self.times.max_ns = max(self.times.max_ns, took_ns)
        self.times.count += 1
        slow = took_ns > self._wait_max_s * NS_PER_S
        self._report(not slow, f"a commit took {took_ns / NS_PER_S:.1f} s" if slow else "")

    def _let_go(self, leaving: Sequence[Leaving]) -> None:
        for one in leaving:
            if self._healthy:
                one.release()
            else:
                one.withhold("journal failed")

    def _again(self, kept: bool) -> None:
        self._retry = None
        if kept and self.idle:
            self._report(True, "")  # it came back; the next commit is watched like any other
        self._begin()

    def _fail(self, error: BaseException) -> None:
        """Not the disk but we are wrong: the service ends with the error."""
        if self._running is not None and not self._running.done():
            self._running.set_exception(error)

    def _report(self, healthy: bool, reason: str) -> None:
        if healthy is not self._healthy:
            self._healthy = healthy
            self._tell(JournalStateChanged(healthy, reason))
