"""What changed since we last asked: one list, instead of a read of every order with fills."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from mmbot.domain.depth import Depth
from mmbot.domain.events import HistoryRead
from mmbot.domain.ids import ExternalId, SportEventId
from mmbot.domain.order import Order
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.reads import CLOCK_MARGIN_NS, Reads
from mmbot.engine.timers import Timers

SECOND_NS: Final = 1_000_000_000
START_OVERLAP_NS: Final = 1_800 * SECOND_NS  # the last process may have read less than it heard
UNSYNCED_NS: Final = 60 * SECOND_NS  # a list without `last_synced_at` may be so old
RESULTS_WAIT_NS: Final = 3 * SECOND_NS  # the other results of a fixture come by themselves
RESULTS_AGAIN_NS: Final = 5 * SECOND_NS
RESULTS_LISTS_MAX: Final = 3  # then singly: an order may be newer than the list
SINGLY_MAX: Final = 5  # so few results are not worth a list
PACE_NS: Final = SECOND_NS
PACE_ORDERS: Final = 10
AUDIT_ORDERS: Final = 5  # read per audit, each in its turn: a list may leave one out
QUEUE_MAX: Final = 20_000


class Changes:
    """Every fill, end and result moves an order's time of change. What a list does not explain
    is read singly: late results of a fixture that has some, and a few with every audit.
    """

    def __init__(self, orders: Orders, timers: Timers, reads: Reads) -> None:
        self._orders = orders
        self._timers = timers
        self._reads = reads
        self._unanswered = False  # a list was asked for and has not come
        self._again = False  # it failed
        self._until_ns: int | None = None  # exchange time: what changed before has been read
        self._begun_ns: int | None = None  # from when a start read, until it has read that again
        self._settling: dict[SportEventId, int] = {}  # when a result was seen, exchange time
        self._lists = 0  # asked for since, for those
        self._singly: deque[ExternalId] = deque()
        self._due_ns: int | None = None
        self._turn = 0
        self.listed: Callable[[int, int], None] = _nobody  # (synced_ns, now_ns) of each list

    @property
    def depth(self) -> Depth:
        """Orders that will be read singly."""
        return Depth(len(self._singly), QUEUE_MAX)

    def begin(self, lived_until_ns: int, now_ns: int) -> bool:
        """At a start, since the journal ends (our time; 0: there is none); else since the last.

        Returns whether a list is to come that leaves no gap to what has been read.
        """
        if self._until_ns is None and lived_until_ns:
            ended_ns = min(now_ns, self._reads.since_former(lived_until_ns))
            ends_ns = self._reads.to_exchange(ended_ns)
            self._until_ns = self._begun_ns = ends_ns - START_OVERLAP_NS
        self.ask(now_ns)
        return self._unanswered and self._until_ns is not None

    def audit(self, now_ns: int) -> None:
        if self._begun_ns is not None:  # the list of the start was no younger than the start
            self._until_ns, self._begun_ns = self._begun_ns, None
        self.ask(now_ns)
        waiting = [o for o in self._orders.unsettled() if o.terminal]
        if waiting:
            at = self._turn % len(waiting)
            self._turn = at + AUDIT_ORDERS
            self._read_singly(waiting[at : at + AUDIT_ORDERS], now_ns)

    def ask(self, now_ns: int) -> None:
        """Where nothing is known, nothing before the oldest that may still change matters."""
        known = [*self._orders.unsettled(), *self._orders.live(), *self._orders.settled()]
        if known:
            oldest_ns = self._reads.to_exchange(min(order.intended_ns for order in known))
            self._unanswered, self._again = True, False
            self._reads.changed(self._until_ns or oldest_ns, now_ns)

    def failed(self, now_ns: int) -> None:
        """A list could not be had, perhaps this one: a result in it must not wait for an audit."""
        if self._unanswered:
            self._again = True
            self._wake(now_ns + RESULTS_AGAIN_NS)

    def read(self, read: HistoryRead, now_ns: int) -> None:
        """A list of what changed has been taken in."""
        self._unanswered = self._again = False
        synced_ns = read.date_ns - UNSYNCED_NS if read.synced_ns is None else read.synced_ns
        self._until_ns = max(self._until_ns or 0, min(read.date_ns, synced_ns))
        self.listed(synced_ns, now_ns)
        told = {e for e, seen_ns in self._settling.items() if seen_ns + CLOCK_MARGIN_NS < synced_ns}
        if told:
            self._read_late(told, now_ns)

    # --- results -----------------------------------------------------------------------------

    def result_seen(self, order: Order, now_ns: int) -> None:
        """Where one result is known the others follow; look for those that do not."""
        if order.event_id not in self._settling:
            self._settling[order.event_id] = self._reads.to_exchange(now_ns)
            self._lists = 0
        self._wake(now_ns + RESULTS_WAIT_NS)

    def fire(self, now_ns: int) -> None:
        if self._due_ns is None or now_ns < self._due_ns:
            return
        self._due_ns = None
        if self._again:
            self.ask(now_ns)
        if self._settling:
            late = sum(o.event_id in self._settling for o in self._orders.unsettled())
            if late <= SINGLY_MAX or self._lists >= RESULTS_LISTS_MAX:
                self._read_late(set(self._settling), now_ns)
            else:
                self._lists += 1
                self.ask(now_ns)
                self._wake(now_ns + RESULTS_AGAIN_NS)
        for _ in range(min(PACE_ORDERS, len(self._singly))):
            order = self._orders.get(self._singly.popleft())
            if order is not None and self._orders.result_of(order.external_id) is None:
                self._reads.order(order.external_id, order.order_id, now_ns)
        if self._singly:
            self._wake(now_ns + PACE_NS)

    def _read_late(self, events: set[SportEventId], now_ns: int) -> None:
        for event_id in events:
            del self._settling[event_id]
        self._read_singly([o for o in self._orders.unsettled() if o.event_id in events], now_ns)

    def _read_singly(self, orders: list[Order], now_ns: int) -> None:
        known = set(self._singly)
        room = QUEUE_MAX - len(self._singly)
        idents = [o.external_id for o in orders if o.external_id not in known]
        self._singly.extend(idents[:room])
        if self._singly:
            self._wake(now_ns)

    def _wake(self, due_ns: int) -> None:
        self._due_ns = due_ns if self._due_ns is None else min(due_ns, self._due_ns)
        self._timers.at(due_ns, "settle")


def _nobody(synced_ns: int, now_ns: int) -> None:
    """Nobody waits for a list."""
