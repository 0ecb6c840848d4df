"""Orders that were accepted and are not active yet: silence is looked into, never believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mmbot.domain.depth import Depth
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.reading import Sight
from mmbot.engine.reads import Reads
from mmbot.engine.reconcile import Reconciliation
from mmbot.engine.timers import Timers

SECOND_NS: Final = 1_000_000_000
ACTIVE_WAIT_NS: Final = 10 * SECOND_NS  # the vendor's word: then a message was lost
WAIT_MAX_NS: Final = 60 * SECOND_NS  # the wait doubles up to here
WAITING_MAX: Final = 10_000  # beyond it the audit has to do


@dataclass(slots=True)
class _Waiting:
    since_ns: int
    wait_ns: int
    due_ns: int


class Activations:
    """An order is waited for until anything shows it active, and never again after that: the reply
    to its placement may come seconds after the message, and shows how it was before.
    """

    def __init__(self, timers: Timers, reads: Reads, reconcile: Reconciliation) -> None:
        self._timers = timers
        self._reads = reads
        self._reconcile = reconcile
        self._waiting: dict[ExternalId, _Waiting] = {}
        self._active: set[ExternalId] = set()  # seen so, until the ledger forgets them

    @property
    def depth(self) -> Depth:
        return Depth(len(self._waiting), WAITING_MAX)

    def see(self, order: Order, report: OrderReport, sight: Sight, now_ns: int) -> None:
        """`order` as the report has left it."""
        ident = order.external_id
        waiting = self._waiting.get(ident)
        if report.status == "inactive" and not order.terminal:
            known = waiting is not None or ident in self._active
            if not known and len(self._waiting) < WAITING_MAX:
                self._waiting[ident] = _Waiting(now_ns, ACTIVE_WAIT_NS, now_ns + ACTIVE_WAIT_NS)
                self._timers.at(now_ns + ACTIVE_WAIT_NS, "activation", ident)
            return
        self._active.add(ident)
        if waiting is not None:
            del self._waiting[ident]
            late = now_ns >= waiting.since_ns + ACTIVE_WAIT_NS
            if late and sight.channel == "read" and not order.terminal:
                self._reconcile.activated(order, report, now_ns)

    def forget(self, ident: ExternalId) -> None:
        self._active.discard(ident)

    def fire(self, ident: ExternalId, order: Order | None, now_ns: int) -> None:
        waiting = self._waiting.get(ident)
        if waiting is None or now_ns < waiting.due_ns:
            return
        if order is None or order.terminal:
            del self._waiting[ident]
            return
        self._reads.later(ident, order.order_id, now_ns)
        waiting.wait_ns = min(WAIT_MAX_NS, waiting.wait_ns * 2)
        waiting.due_ns = now_ns + waiting.wait_ns
        self._timers.at(waiting.due_ns, "activation", ident)
