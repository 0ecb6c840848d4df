"""Small parts for tests of the app layer: placements, a journal that can fail, a listener."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from mmbot.app.writer import Done, JournalWriter
from mmbot.domain.entries import Entry, PlaceIntended
from mmbot.domain.errors import MmbotError
from mmbot.domain.events import Event
from mmbot.domain.ids import ExternalId
from mmbot.engine.ports import PlaceOrders
from mmbot.runtime.clock import LoopClock
from mmbot.sim.virtual.loop import VirtualLoop, run_virtual
from tests.engine.situations import NOW_NS, an_order, approved

T = TypeVar("T")
WAIT_MAX_S = 1.0


def in_virtual_time(work: Callable[[LoopClock], Awaitable[T]]) -> T:
    """Run it under the virtual clock, whose zero is NOW_NS: waiting costs nothing."""

    async def main(loop: VirtualLoop) -> T:
        return await work(LoopClock(NOW_NS, loop))

    return run_virtual(main, seed=1)


def intent(ident: str) -> PlaceIntended:
    return PlaceIntended(an_order(ident=ident))


def placement(*idents: str, resend: bool = False) -> PlaceOrders:
    orders = tuple(approved(an_order(ident=ident), resend) for ident in idents)
    return PlaceOrders(orders, decided_ns=NOW_NS)


@dataclass
class Disk:
    """A journal's commit: `plan` holds seconds that a commit takes, or what it raises."""

    clock: LoopClock
    plan: list[float | MmbotError] = field(default_factory=list)
    kept: list[Entry] = field(default_factory=list)

    def commit(self, entries: Sequence[Entry], done: Done, urgent: bool) -> None:
        next_one = self.plan.pop(0) if self.plan else 0.001
        loop = asyncio.get_running_loop()
        if isinstance(next_one, MmbotError):
            loop.call_soon(done, next_one)
        else:
            loop.call_later(next_one, self._keep, entries, done)

    def _keep(self, entries: Sequence[Entry], done: Done) -> None:
        self.kept.extend(entries)
        done(None)


@dataclass
class Desk:
    """A writer with what came out of it."""

    disk: Disk
    clock: LoopClock
    prepared: list[ExternalId] = field(default_factory=list)
    released: list[ExternalId] = field(default_factory=list)
    withheld: list[ExternalId] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)

    def writer(self) -> JournalWriter:
        def departure(going: PlaceOrders) -> Leaves:
            return Leaves(self, [one.order.external_id for one in going.orders])

        return JournalWriter(self.disk.commit, departure, self.told.append, self.clock, WAIT_MAX_S)


@dataclass
class Leaves:
    desk: Desk
    idents: list[ExternalId]

    def prepare(self) -> None:
        self.desk.prepared.extend(self.idents)

    def release(self) -> None:
        self.desk.released.extend(self.idents)

    def withhold(self, reason: str) -> None:
        self.desk.withheld.extend(self.idents)


async def beside(service: Callable[[], Awaitable[None]], work: Callable[[], Awaitable[T]]) -> T:
    """Do the work while the service runs; then end the service."""

    async def serve() -> None:
        await service()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(serve())
        done = await work()
        running.cancel()
    return done
