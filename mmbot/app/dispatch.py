"""Performs what the engine decided: every command becomes one call, every answer an event."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Final, Protocol, assert_never

from mmbot.app.departure import Cleared, Departure, LastLook, TickToTrade
from mmbot.domain.commands import (
    CancelEverything,
    CancelOrders,
    CancelRef,
    CancelSportEvent,
    Command,
    ReadBalance,
    ReadHistory,
    ReadMarkets,
    ReadOrder,
    ReadTrades,
    ReadTransactions,
    ReloadLadder,
    SweepStrike,
)
from mmbot.domain.depth import Depth
from mmbot.domain.errors import MmbotError
from mmbot.domain.events import Event, ReadFailed
from mmbot.domain.ids import SportEventId
from mmbot.engine.ports import PlaceOrders
from mmbot.engine.risk import Approved
from mmbot.runtime.limiter import WAITING_MAX

CALLS_MAX: Final = 256  # calls in flight; the engine repeats what it still wants

Call = Callable[[], Awaitable[Sequence[Event]]]


class Reads(Protocol):
    """The read half of the gateway."""

    async def read_order(self, command: ReadOrder) -> Sequence[Event]: ...
    async def read_history(self, command: ReadHistory) -> Sequence[Event]: ...
    async def read_markets(self, event_ids: Sequence[SportEventId]) -> Sequence[Event]: ...
    async def read_balance(self) -> Sequence[Event]: ...
    async def read_transactions(self, from_ns: int) -> Sequence[Event]: ...
    async def read_trades(self, from_ns: int) -> Sequence[Event]: ...
    async def load_ladder(self) -> Event: ...


class Writes(Protocol):
    """The write half; absent in observe mode."""

    async def place(self, orders: Sequence[Approved], cleared: Cleared) -> Sequence[Event]: ...
    async def cancel(self, refs: Sequence[CancelRef]) -> Sequence[Event]: ...
    async def sweep(self, command: SweepStrike) -> Sequence[Event]: ...
    async def cancel_event(self, command: CancelSportEvent) -> Sequence[Event]: ...
    async def cancel_everything(self, refs: Sequence[CancelRef]) -> Sequence[Event]: ...


class Dispatcher:
    """`run` is the service; `commands` and departures only start calls and never wait."""

    def __init__(
        self,
        reads: Reads,
        writes: Writes | None,
        tell: Callable[[Event], None],
        look: LastLook,
    ) -> None:
        self._reads = reads
        self._writes = writes
        self.tell = tell
        self._look = look
        self._early: list[tuple[str, Call]] = []  # asked before `run`
        self._group: asyncio.TaskGroup | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._reading: set[object] = set()
        self.ticks = TickToTrade()

    async def run(self) -> None:
        """Own every call in flight; ends only by cancellation, which ends them too."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            early, self._early = self._early, []
            for what, call in early:
                self.start(what, call)
            try:
                await asyncio.get_running_loop().create_future()  # until cancelled
            finally:
                self._group = None

    def start(self, what: str, call: Call) -> None:
        """A task of the group at once: every hop before the write costs a tick its time."""
        group = self._group
        if group is None:
            self._early.append((what, call))
            return
        task = group.create_task(self._perform(what, call), name=what)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    @property
    def in_flight(self) -> int:
        return len(self._calls) + len(self._early)

    @property
    def depth(self) -> Depth:
        """Calls under way; all but a second's worth of them wait for the rate budget."""
        return Depth(self.in_flight, WAITING_MAX)

    @property
    def reads_depth(self) -> Depth:
        return Depth(len(self._reading), CALLS_MAX)

    async def _perform(self, what: str, call: Call) -> None:
        try:
            events = await call()
        except MmbotError as error:
            events = (ReadFailed(what, str(error)),)
        for event in events:
            self.tell(event)

    # --- commands ----------------------------------------------------------------------------

    def commands(self, commands: Iterable[Command]) -> None:
        for command in commands:
            call = self._call(command)
            if call is not None:
                self.start(type(command).__name__, call)

    def _call(self, command: Command) -> Call | None:
        reads, writes = self._reads, self._writes
        match command:
            case CancelOrders(refs):
                return partial(writes.cancel, refs) if writes else None
            case SweepStrike():
                return partial(writes.sweep, command) if writes else None
            case CancelSportEvent():
                return partial(writes.cancel_event, command) if writes else None
            case CancelEverything(refs):
                return partial(writes.cancel_everything, refs) if writes else None
            case ReadOrder():
                return self._once(command.order_id, lambda: reads.read_order(command))
            case ReadHistory():
                return self._once(command, lambda: reads.read_history(command))
            case ReadMarkets(event_ids):
                return self._once("markets", lambda: reads.read_markets(event_ids))
            case ReadBalance():
                return self._once("balance", reads.read_balance)
            case ReadTransactions(from_ns):
                return self._once("transactions", lambda: reads.read_transactions(from_ns))
            case ReadTrades(from_ns):
                return self._once("trades", lambda: reads.read_trades(from_ns))
            case ReloadLadder():
                return self._once("ladder", self._reload_ladder)
            case _:
                assert_never(command)

    def _once(self, key: object, read: Call) -> Call | None:
        """A read that is already under way is not asked twice."""
        if key in self._reading or len(self._reading) >= CALLS_MAX:
            return None
        self._reading.add(key)

        async def call() -> Sequence[Event]:
            try:
                return await read()
            finally:
                self._reading.discard(key)

        return call

    async def _reload_ladder(self) -> Sequence[Event]:
        return (await self._reads.load_ladder(),)

    # --- placements --------------------------------------------------------------------------

    def departure(self, placement: PlaceOrders) -> Departure:
        place = self._writes.place if self._writes is not None else None
        return Departure(placement, place, self._look, self.ticks, self)
