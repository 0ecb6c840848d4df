"""One commit in flight: what arrives meanwhile joins the next. Placements wait for theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mmbot.domain.entries import Entry
from mmbot.domain.errors import MmbotError
from mmbot.domain.events import Event, JournalStateChanged, PlaceNotSent
from mmbot.engine.ports import PlaceOrders
from mmbot.runtime.clock import NS_PER_S, Clock

ENTRIES_WAITING_MAX: Final = 100_000  # about a day of doubt; beyond it we stop rather than forget
RETRY_S: Final = 0.5

Commit = Callable[[Sequence[Entry]], Awaitable[None]]  # raises MmbotError when nothing was kept


@dataclass(slots=True)
class CommitTimes:
    """The last commit's duration and the largest one, nanoseconds."""

    last_ns: int = 0
    max_ns: int = 0
    count: int = 0


@dataclass(slots=True)
class _Waiting:
    entries: list[Entry] = field(default_factory=list)
    placements: list[PlaceOrders] = field(default_factory=list)


class JournalWriter:
    """Takes effects from the loop, commits them in groups, then releases the placements."""

    def __init__(
        self,
        commit: Commit,
        release: Callable[[PlaceOrders], None],
        tell: Callable[[Event], None],
        clock: Clock,
        wait_max_s: float,
    ) -> None:
        self._commit = commit
        self._release = release
        self._tell = tell
        self._clock = clock
        self._wait_max_ns = round(wait_max_s * NS_PER_S)
        self._waiting = _Waiting()
        self._work = asyncio.Event()
        self._busy = False
        self._healthy = True
        self.times = CommitTimes()

    def enqueue(self, entries: Sequence[Entry], placements: Sequence[PlaceOrders]) -> None:
        """Never blocks."""
        self._waiting.entries.extend(entries)
        assert len(self._waiting.entries) <= ENTRIES_WAITING_MAX, "the journal failed for too long"
        self._waiting.placements.extend(placements)
        if entries or placements:
            self._work.set()

    @property
    def idle(self) -> bool:
        return not self._busy and not self._waiting.entries

    async def run(self) -> None:
        """Write until cancelled; a failed commit is kept and tried again, its orders are not."""
        while True:
            await self._work.wait()
            self._work.clear()
            taken, self._waiting = self._waiting, _Waiting()
            self._busy = True
            try:
                kept = await self._write(taken.entries)
                if not kept:
                    self._waiting.entries[:0] = taken.entries
            finally:
                self._busy = False
            if self._healthy:
                for placement in taken.placements:
                    self._release(placement)
                continue
            self._drop(taken.placements)
            await self._clock.sleep(RETRY_S)
            if kept and self.idle:
                self._report(True, "")  # it came back; the next commit is watched like any other
            self._work.set()

    async def _write(self, entries: Sequence[Entry]) -> bool:
        """Whether the entries are durable; whether in time is told by `_healthy`."""
        if not entries:
            return True  # a resend: its intent is durable already
        began_ns = self._clock.monotonic_ns()
        wait_s = self._wait_max_ns / NS_PER_S
        alarm = asyncio.get_running_loop().call_later(
            wait_s, self._report, False, f"a commit takes longer than {wait_s:g} s"
        )
        try:
            await self._commit(entries)
        except MmbotError as error:
            self._report(False, str(error))
            return False
        finally:
            alarm.cancel()
        took_ns = self._clock.monotonic_ns() - began_ns
        self.times.last_ns = took_ns
        self.times.max_ns = max(self.times.max_ns, took_ns)
        self.times.count += 1
        slow = took_ns > self._wait_max_ns
        self._report(not slow, f"a commit took {took_ns / 1e9:.1f} s" if slow else "")
        return True

    def _drop(self, placements: Sequence[PlaceOrders]) -> None:
        """A placement without an intent in time never leaves: its price is old by now."""
        for placement in placements:
            for approved in placement.orders:
                if not approved.resend:
                    self._tell(PlaceNotSent(approved.order.external_id, "journal failed"))

    def _report(self, healthy: bool, reason: str) -> None:
        if healthy is not self._healthy:
            self._healthy = healthy
            self._tell(JournalStateChanged(healthy, reason))
