"""The way out when the daemon cannot go on: what rests is cancelled, and looked for until gone.

Neither engine nor journal takes part, since one of them may be what failed. Each step is a service
of its own, tried again when it fails: a bug in one of them does not keep the others from working.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from mmbot.app.dispatch import Reads, Writes
from mmbot.domain.commands import CancelRef, ReadHistory
from mmbot.domain.errors import MmbotError
from mmbot.domain.events import HistoryRead, OrderSeen
from mmbot.engine.ledger import Ledger
from mmbot.engine.reads import CLOCK_MARGIN_NS, HISTORY_SPAN_MAX_NS
from mmbot.runtime.clock import Clock
from mmbot.runtime.supervisor import Restart, Service, Supervisor, SupervisorEvent

LAST_CANCEL_MAX_S: Final = 20.0
LOOK_EVERY_S: Final = 1.05  # one history request a second
EMPTY_READS: Final = 2


@dataclass(slots=True)
class LastCancel:
    """`account`: everything on the account goes, as in a halt; else only what is ours."""

    reads: Reads
    writes: Writes
    ledger: Ledger
    clock: Clock
    account: bool
    told: Callable[[SupervisorEvent], None]
    rng: random.Random
    _cancelled_ns: int = 0  # when the last cancel was answered
    _empty: int = 0  # reads in a row that showed nothing

    async def run(self) -> bool:
        """True when two reads, each younger than the last cancel, have shown nothing alive."""
        supervisor = Supervisor(self.clock, self.rng, self.told)

        async def look() -> None:
            while self._empty < EMPTY_READS:
                await self._look()
                await self.clock.sleep(LOOK_EVERY_S)
            supervisor.stop()

        steps = [Service("last look", look, Restart.ON_ERROR)]
        if self.account:
            steps.append(Service("last cancel of all", self._everything, Restart.ON_ERROR))
        steps.append(Service("last cancel by order", self._known, Restart.ON_ERROR))
        with suppress(TimeoutError, MmbotError):
            async with asyncio.timeout(LAST_CANCEL_MAX_S):
                await supervisor.run(steps)
        return self._empty >= EMPTY_READS

    async def _everything(self) -> None:
        await self.writes.cancel_everything(())
        self._cancelled()

    async def _known(self) -> None:
        live = self.ledger.live()
        await self._cancel(
            [CancelRef(o.external_id, o.order_id) for o in live if o.order_id is not None]
        )

    async def _cancel(self, refs: Sequence[CancelRef]) -> None:
        if refs:
            await self.writes.cancel(refs)
            self._cancelled()

    def _cancelled(self) -> None:
        self._cancelled_ns, self._empty = self.clock.now_ns(), 0

    async def _look(self) -> None:
        """Whatever is alive goes, also what no ledger knows: a placement may have landed since."""
        from_ns = self.clock.now_ns() - HISTORY_SPAN_MAX_NS
        reads = await self.reads.read_history(ReadHistory(from_ns, alive_only=True))
        whole = next((one for one in reads if isinstance(one, HistoryRead)), None)
        # Of a list that broke off each order that was read comes by itself.
        seen = whole.reports if whole else [r.report for r in reads if isinstance(r, OrderSeen)]
        alive = [report for report in seen if report.alive]
        ours = [one for one in alive if self.ledger.is_ours(one.external_id)]
        if self.account and len(ours) < len(alive):
            await self._everything()
        await self._cancel(
            [CancelRef(one.external_id, one.order_id) for one in ours if one.external_id]
        )
        if whole is not None:
            gone = not (alive if self.account else ours)
            self._empty = self._empty + 1 if gone and self._shows_all(whole) else 0

    def _shows_all(self, read: HistoryRead) -> bool:
        """A copy that lags shows what was; and what is on its way may still land."""
        ahead_ns = read.date_ns - read.received_ns
        told_ns = self._cancelled_ns + ahead_ns + CLOCK_MARGIN_NS
        young = read.synced_ns is not None and read.synced_ns > told_ns
        return young and all(order.order_id is not None for order in self.ledger.live())
