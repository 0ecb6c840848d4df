"""Emptying an account from outside the daemon: cancel, look, again, until nothing is found.

Verified means: two reads in a row that found nothing alive, both of a copy that the exchange made
after the cancel. What was still on its way is found by the rounds that follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mmbot.domain.commands import CancelRef, ReadHistory
from mmbot.domain.events import CancelLost, CancelRefused, HistoryRead, OrderSeen, ReadFailed
from mmbot.domain.ids import ExternalId, run_of
from mmbot.domain.order import OrderReport
from mmbot.exchange.gateway import Gateway
from mmbot.runtime.clock import NS_PER_S

# One window of the exchange's, which allows seven days: what rests was placed since.
READ_BACK_NS: Final = 6 * 86_400 * NS_PER_S
UNSYNCED_NS: Final = 10 * NS_PER_S  # a read that does not say how old its copy is may be so old
CLOCK_NS: Final = NS_PER_S  # so far may our idea of the exchange's time be off
EMPTY_READS: Final = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be cancelled: the whole account, or with a prefix only what bears it."""

    prefix: str = ""

    def takes(self, report: OrderReport) -> bool:
        ours = not self.prefix or run_of(self.prefix, report.external_id or "") is not None
        return report.alive and ours


class Flattening:
    """`round` again and again; `verified` and `resting` say what the last ones found."""

    def __init__(self, gateway: Gateway, scope: Scope) -> None:
        self._gateway = gateway
        self._scope = scope
        self._cancelled_ns = self._now_ns()  # exchange time of the cancel that reads must follow
        self._owed = True  # something may rest that no answered cancel has met
        self._empty_reads = 0
        self.resting: int | None = None  # found by the last read that came; None = none came yet
        self.failure = ""  # why the last round is no evidence

    @property
    def verified(self) -> bool:
        return self._empty_reads >= EMPTY_READS

    async def round(self) -> None:
        """Raises nothing: what failed is in `failure`, and the next round tries all of it again."""
        self.failure = ""
        if not self._scope.prefix:
            await self._cancel_all()
        found, seen_ns = await self._read()
        alive = [report for report in found if self._scope.takes(report)]
        if alive:
            self.resting = len(alive)
            self._empty_reads = 0
            # In a copy from before the last cancel they are no news.
            self._owed = self._owed or seen_ns is None or seen_ns >= self._cancelled_ns
            await self._cancel(alive)
        elif seen_ns is not None:
            self.resting = 0
            self._empty_reads += seen_ns >= self._cancelled_ns

    async def _cancel_all(self) -> None:
        failed = await self._gateway.cancel_everything()
        if not failed:
            self._answered()
        elif isinstance(failed[0], ReadFailed):  # seed may have no such route: by order, below
            self.failure = failed[0].reason

    async def _read(self) -> tuple[list[OrderReport], int | None]:
        """What was found alive, and the exchange's time of which a complete read tells."""
        found: list[OrderReport] = []
        seen_ns = None
        from_ns = self._now_ns() - READ_BACK_NS
        for event in await self._gateway.read_history(ReadHistory(from_ns, alive_only=True)):
            match event:
                case HistoryRead(reports=reports, synced_ns=synced_ns, date_ns=date_ns):
                    found.extend(reports)
                    seen_ns = date_ns - UNSYNCED_NS if synced_ns is None else synced_ns
                case OrderSeen(report):  # of a history that could not be read to its end
                    found.append(report)
                case ReadFailed(_, reason):
                    self.failure = reason
                case _:
                    pass
        return found, seen_ns

    async def _cancel(self, alive: Sequence[OrderReport]) -> None:
        refs = [CancelRef(r.external_id or ExternalId(r.order_id), r.order_id) for r in alive]
        answers = await self._gateway.cancel(refs)
        lost = [one for one in answers if isinstance(one, (CancelLost, CancelRefused))]
        if not lost:
            self._answered()
        else:
            self.failure = f"{len(lost)} of {len(refs)} cancels were not answered or refused"

    def _answered(self) -> None:
        if self._owed:
            self._owed, self._cancelled_ns = False, self._now_ns() + CLOCK_NS

    def _now_ns(self) -> int:
        return self._gateway.rest.session.exchange_now_ns()
