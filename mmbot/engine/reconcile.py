"""Reconciliation: what reads show is held against the ledger; each difference is told once.

The repair itself is the ledger's ordinary way: a read walks the same table as a message. Here a
difference gets its kind, its number and its words. A read may merely be faster than the stream:
while all is well, what the stream tells within a few seconds was none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mmbot.domain.case import Case, CaseKind
from mmbot.domain.difference import (
    Cause,
    Difference,
    DifferenceFound,
    DifferenceKind,
    Repair,
)
from mmbot.domain.facts import DifferenceRepaired, Reconciled
from mmbot.domain.ids import ExternalId, OrderId
from mmbot.domain.order import Order, OrderReport, State
from mmbot.engine.outbox import Outbox
from mmbot.engine.timers import Timers

FOLLOW_WAIT_NS: Final = 10_000_000_000  # a read may simply be faster than the message
WATCHED_MAX: Final = 1000
KIND_OF_CASE: Final = {
    CaseKind.MARKET: DifferenceKind.ROWS,
    CaseKind.CASH: DifferenceKind.BALANCE,
    CaseKind.REVERSAL: DifferenceKind.FILLED_TOTAL,
}
UNSEEN: Final = frozenset({State.INTENDED, State.IN_DOUBT})


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a read showed, and the stream has not told yet."""

    order: Order
    difference: Difference
    due_ns: int


@dataclass(frozen=True, slots=True)
class Pass:
    """One reconciliation of everything, from its first request to the last answer it needs."""

    cause: Cause
    began_ns: int
    orders: int
    found_before: int


class Reconciliation:
    """`counts` since this process began; `last` is the last complete pass."""

    def __init__(self, out: Outbox, timers: Timers) -> None:
        self._out = out
        self._timers = timers
        self._expected: dict[ExternalId, _Expected] = {}
        self._untold: set[ExternalId] = set()  # alive when we began to listen, not read since
        self._listening_ns = 0
        self._gap: Cause = "start"
        self._doubled: set[OrderId] = set()
        self._traded: set[ExternalId] = set()  # a trade says that a fill is not counted yet
        self.counts: dict[DifferenceKind, int] = {}
        self.running: Pass | None = None
        self.last: Reconciled | None = None

    # --- passes ------------------------------------------------------------------------------

    @property
    def cause(self) -> Cause:
        return "audit" if self.running is None else self.running.cause

    def begin(self, cause: Cause, orders: int, now_ns: int) -> None:
        """A start or a reconnect is never cut short by an audit."""
        if self.running is None or cause != "audit":
            self.running = Pass(cause, now_ns, orders, self.total)

    def end(self, now_ns: int) -> None:
        done, self.running = self.running, None
        if done is not None:
            found = self.total - done.found_before
            self.last = Reconciled(done.cause, done.orders, found, now_ns - done.began_ns, now_ns)
            self._out.tell(self.last)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    # --- differences -------------------------------------------------------------------------

    def found(self, difference: Difference, now_ns: int) -> None:
        """Count it, journal it, say it."""
        kind = difference.kind
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self._out.note(DifferenceFound(difference, now_ns))
        self._out.tell(DifferenceRepaired(difference))

    def compared(self, before: Order, order: Order, report: OrderReport, now_ns: int) -> None:
        """A read of an order that was known, and the order as that has left it."""
        if order is before or before.state in UNSEEN:  # doubt is no difference: nothing was known
            return
        gained = order.filled_cents > before.filled_cents
        ended = order.terminal and not before.terminal
        if before.terminal and not order.terminal:
            self._differs(DifferenceKind.STATUS, before, report, Repair.REVIVED, now_ns)
        elif gained:
            traded = before.external_id in self._traded
            kind = DifferenceKind.FILL_UNKNOWN if traded else DifferenceKind.FILLED_TOTAL
            self._differs(kind, before, report, Repair.COUNTED, now_ns, order)
        elif ended or (before.terminal and order.state is not before.state):
            self._differs(DifferenceKind.STATUS, before, report, Repair.ENDED, now_ns, order)
        self._traded.discard(before.external_id)

    def _differs(
        self,
        kind: DifferenceKind,
        before: Order,
        report: OrderReport,
        repair: Repair,
        now_ns: int,
        follow: Order | None = None,
    ) -> None:
        """`follow`: the stream should tell the same of it, and has a while to do so."""
        ident, ours = before.external_id, f"{before.state} filled {before.filled_cents}"
        difference = Difference(kind, ident, ours, _theirs(report), repair, self._cause_of(ident))
        if follow is None or before.terminal:
            self.found(difference, now_ns)
        else:
            self._follow(follow, difference, now_ns)

    def _follow(self, order: Order, difference: Difference, now_ns: int) -> None:
        if difference.cause != "audit" or len(self._expected) >= WATCHED_MAX:
            self.found(difference, now_ns)
            return
        ident, due_ns = order.external_id, now_ns + FOLLOW_WAIT_NS
        self._expected[ident] = _Expected(order, difference, due_ns)
        self._timers.at(due_ns, "missed", ident)

    def adopted(self, order: Order, report: OrderReport, now_ns: int) -> None:
        self.found(
            Difference(
                DifferenceKind.UNKNOWN_ORDER,
                order.external_id,
                "unknown",
                _theirs(report),
                Repair.ADOPTED,
                self.cause,
            ),
            now_ns,
        )

    def activated(self, order: Order, report: OrderReport, now_ns: int) -> None:
        """A read shows active what no message told of in the time that it may take."""
        kind, ident, ours = DifferenceKind.STATUS, order.external_id, "OPEN, not active yet"
        theirs, cause = _theirs(report), self._cause_of(ident)
        difference = Difference(kind, ident, ours, theirs, Repair.NOTED, cause)
        self._follow(order, difference, now_ns)

    def vanished(self, order: Order, why: str, now_ns: int) -> None:
        ours = f"{order.state} filled {order.filled_cents}"
        kind, repair = DifferenceKind.MISSING_ORDER, Repair.DOUBTED
        self.found(Difference(kind, order.external_id, ours, why, repair, self.cause), now_ns)

    def doubled(self, order: Order, report: OrderReport, now_ns: int) -> None:
        if report.order_id in self._doubled:
            return
        self._doubled.add(report.order_id)
        kind, repair = DifferenceKind.TWO_ORDERS, Repair.ALARMED
        ours, theirs = f"order {order.order_id}", f"order {report.order_id} {_theirs(report)}"
        self.found(Difference(kind, order.external_id, ours, theirs, repair, self.cause), now_ns)

    def manual(self, report: OrderReport, now_ns: int) -> None:
        """A person's order that was not known."""
        kind, repair = DifferenceKind.MANUAL_ORDER, Repair.LEFT_ALONE
        about, theirs = str(report.order_id), _theirs(report)
        self.found(Difference(kind, about, "unknown", theirs, repair, self.cause), now_ns)

    def money(self, case: Case, now_ns: int) -> None:
        """Our money and the exchange's differ, and have for a while."""
        ours, theirs = f"{case.ours_cents} cents", f"{case.theirs_cents} cents: {case.detail}"
        kind, cause = KIND_OF_CASE[case.kind], self.cause
        self.found(Difference(kind, case.case_id, ours, theirs, Repair.CASE, cause), now_ns)

    def traded(self, ident: ExternalId) -> None:
        """A trade row shows more than is counted; the read of the order that follows decides."""
        self._traded.add(ident)

    # --- the stream --------------------------------------------------------------------------

    def listening(self, after: Cause, live: Iterable[ExternalId], now_ns: int) -> None:
        """The private channel is up after a start or a gap. What happened before, to the orders
        that were alive, it does not tell; a process that died may have heard it."""
        self._gap, self._listening_ns, self._untold = after, now_ns, set(live)

    def read(self, ident: ExternalId | None, shown_ns: int) -> None:
        """A read that shows all that happened to the order before then (our time)."""
        if ident is not None and shown_ns >= self._listening_ns:
            self._untold.discard(ident)

    def _cause_of(self, ident: ExternalId) -> Cause:
        return self._gap if ident in self._untold else self.cause

    def told(self, ident: ExternalId, report: OrderReport) -> None:
        """The stream speaks of the order: is it what the read had shown?"""
        self._untold.discard(ident)
        expected = self._expected.get(ident)
        if expected is None or report.filled_cents < expected.order.filled_cents:
            return
        if not (report.alive and expected.order.terminal):
            del self._expected[ident]

    def fire(self, ident: ExternalId, now_ns: int) -> None:
        """The stream had its time."""
        expected = self._expected.get(ident)
        if expected is None or now_ns < expected.due_ns:
            return
        del self._expected[ident]
        order = expected.order
        detail = f"{ident}: a read showed {order.state}, {order.filled_cents} cents filled"
        self._out.alarm("the stream missed something", detail, order.event_id)
        self.found(expected.difference, now_ns)


def _theirs(report: OrderReport) -> str:
    return f"{report.status} filled {report.filled_cents} open {report.open_cents}"
