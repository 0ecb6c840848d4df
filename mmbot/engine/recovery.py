"""Asking the exchange what is true: at start, after a gap, by the clock, and after a surprise."""

from __future__ import annotations

from typing import Final

from mmbot.domain.difference import Cause
from mmbot.domain.events import HistoryRead
from mmbot.domain.ids import ExternalId, OrderId, SportEventId
from mmbot.domain.order import Order, OrderReport, State
from mmbot.engine.changes import Changes
from mmbot.engine.doubt import Doubts
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.reading import NO_RESULT_YET, Sight
from mmbot.engine.reads import HISTORY_SPAN_MAX_NS, Reads
from mmbot.engine.reconcile import Reconciliation
from mmbot.engine.timers import Timers
from mmbot.engine.trades import Trades

SECOND_NS: Final = 1_000_000_000
AUDIT_EVERY_NS: Final = 60 * SECOND_NS
LIST_SPAN_NS: Final = HISTORY_SPAN_MAX_NS - 3600 * SECOND_NS
READ_SINGLY_MAX: Final = 20  # more live orders than this wait for the list of what is alive
ASK_AGAIN_NS: Final = 5 * SECOND_NS
FAILURES_AT_ONCE_MAX: Final = 5  # lists in a row that a start asks for again without a wait


class Recovery:
    """`recovered` once every order live at the start was confirmed, and doubts looked for."""

    def __init__(
        self,
        orders: Orders,
        timers: Timers,
        reads: Reads,
        doubts: Doubts,
        reconcile: Reconciliation,
        trades: Trades,
        changes: Changes,
    ) -> None:
        self._trades = trades
        self._changes = changes
        self._reconcile = reconcile
        self._orders = orders
        self._timers = timers
        self._reads = reads
        self._doubts = doubts
        self._started = False
        self._unread: set[ExternalId] = set()
        self._unlooked: set[ExternalId] = set()
        self._list_due = True
        self._gap = False  # what changed meanwhile is listed first, then what is alive
        self._unlisted: set[ExternalId] = set()  # alive for us, not in a list of what is alive
        self._audit_list_due = False
        self._ask_again_ns = 0
        self._failures = 0
        self._audited_ns = 0
        self._surprised: dict[SportEventId, set[ExternalId]] = {}

    @property
    def recovered(self) -> bool:
        pending = self._unread or self._unlooked or self._list_due
        return self._started and not pending

    def begin(self, now_ns: int, cause: Cause = "start", lived_until_ns: int = 0) -> None:
        """At start and after every gap: nothing is believed until it was read again.

        After a gap in what we heard, the list of what changed since the last one is one request,
        where what is alive takes three, a second apart; so that one goes first there.
        `lived_until_ns`: our time of the last journalled entry, 0 without one.
        """
        self._started = True
        listed = self._gap or not self._list_due
        live = self._orders.live()
        self._reconcile.begin(cause, len(live), now_ns)
        self._unread = {o.external_id for o in live if o.order_id is not None}
        self._unlooked = {
            o.external_id for o in live if o.order_id is None and o.state is State.IN_DOUBT
        }
        self._list_due = True
        self._failures = 0
        self._doubts.look_now(now_ns)
        few = len(self._unread) <= READ_SINGLY_MAX
        goes_on = few and listed and cause == "reconnect"
        self._gap = self._audit_list_due = goes_on and self._changes.begin(lived_until_ns, now_ns)
        if not self._gap:
            self._reads.alive(now_ns)
        if few:
            self._read_unread(now_ns)
        self._again(now_ns)
        if not goes_on:
            self._changes.begin(lived_until_ns, now_ns)
        self._audited_ns = now_ns
        self._timers.at(now_ns + AUDIT_EVERY_NS, "audit")

    # --- what the reads say ------------------------------------------------------------------

    def seen(self, order: Order, sight: Sight) -> None:
        if sight.channel == "read" or order.terminal:
            self._confirm(order.external_id)

    def not_found(self, ident: ExternalId) -> None:
        """An answer too: the order stays as it is until absence is proven."""
        self._confirm(ident)

    def left_doubt(self, ident: ExternalId) -> None:
        self._unlooked.discard(ident)

    def history(self, read: HistoryRead, now_ns: int) -> list[SportEventId]:
        """Returns the sport events that are reconciled now."""
        if read.changed_only:
            self._changes.read(read, now_ns)
            self._read_singly(self._unlisted, now_ns)
            self._gap_listed(now_ns)
            self.close(now_ns)
            return self._reconciled()
        if not read.alive_only:
            for ident in tuple(self._unlooked):
                order = self._orders.get(ident)
                born_ns = 0 if order is None else self._doubts.born_ns(order)
                if order is None or read.from_ns <= self._reads.to_exchange(born_ns):
                    self._unlooked.discard(ident)
            return []
        # A list that reaches less far back than ours may leave out an old manual order.
        if read.from_ns <= self._reads.to_exchange(now_ns - LIST_SPAN_NS):
            self._list_due = self._audit_list_due = False
        self._read_unlisted({report.order_id for report in read.reports}, now_ns)
        self.close(now_ns)
        return self._reconciled()

    def _gap_listed(self, now_ns: int) -> None:
        """Not by a list that was asked for before the gap: then another one is under way."""
        if self._gap and not self._reads.changes_come:
            self._gap = self._list_due = False
            self._reads.alive(now_ns)

    def unchanged(self, report: OrderReport, now_ns: int) -> bool:
        """True when a row of a list says what we know: most do, and nothing follows from them."""
        ident = report.external_id
        order = self._orders.get(ident) if ident is not None else None
        if (
            order is None
            or order.state is not State.OPEN
            or order.order_id != report.order_id
            or order.filled_cents != report.filled_cents
            or report.open_cents <= 0
            or report.status != "open"
            or report.winning_status not in NO_RESULT_YET
        ):
            return False
        self._doubts.seen(order.external_id, now_ns)
        self._confirm(order.external_id)
        return True

    def _read_unlisted(self, listed: set[OrderId], now_ns: int) -> None:
        """Alive for us, and not in the list of everything alive: read it by its id."""
        for order in self._orders.live():
            if order.order_id is not None and order.order_id not in listed:
                self._unlisted.add(order.external_id)
        if len(self._unlisted) <= READ_SINGLY_MAX or not self._reads.changes_come:
            self._read_singly(self._unlisted, now_ns)

    def close(self, now_ns: int) -> None:
        """The pass is over when everything that it asked for was answered."""
        if self._reconcile.running is None or not self.recovered:
            return
        if not (self._unlisted or self._audit_list_due):
            self._reconcile.end(now_ns)

    def _confirm(self, ident: ExternalId) -> None:
        if ident in self._unread or ident in self._unlisted:
            self._unread.discard(ident)
            self._unlisted.discard(ident)
            order = self._orders.get(ident)
            self._reads.no_longer(None if order is None else order.order_id)
        for waiting in self._surprised.values():
            waiting.discard(ident)

    # --- asking again ------------------------------------------------------------------------

    def failed(self, now_ns: int) -> None:
        """A list could not be had, and nothing is quoted before one was."""
        self._failures += 1
        if not self._started or self.recovered or self._failures > FAILURES_AT_ONCE_MAX:
            return
        if self._gap:
            self._changes.ask(now_ns)
        elif self._list_due:
            self._reads.alive(now_ns)
        if self._unlooked:
            self._doubts.look_now(now_ns)

    def fire(self, now_ns: int) -> None:
        if now_ns < self._ask_again_ns or (self.recovered and not self._surprised):
            return
        self._read_unread(now_ns)
        if self._list_due or self._surprised:
            self._reads.alive(now_ns)
        self._again(now_ns)

    def _again(self, now_ns: int) -> None:
        self._ask_again_ns = now_ns + ASK_AGAIN_NS
        self._timers.at(self._ask_again_ns, "recover")

    def _read_unread(self, now_ns: int) -> None:
        waiting = self._unread.union(*self._surprised.values())
        if self._list_due and len(waiting) > READ_SINGLY_MAX:
            return  # the list tells most of them
        self._read_singly(waiting, now_ns)

    def _read_singly(self, idents: set[ExternalId], now_ns: int) -> None:
        for ident in sorted(idents):
            order = self._orders.get(ident)
            if order is not None:
                self._reads.later(ident, order.order_id, now_ns)

    # --- a surprise --------------------------------------------------------------------------

    def surprised(self, order: Order, now_ns: int) -> None:
        """Something impossible happened in this fixture: read all that we hold there."""
        live = {
            o.external_id
            for o in self._orders.live()
            if o.event_id == order.event_id and o.order_id is not None
        }
        if order.order_id is not None:
            live.add(order.external_id)
        self._surprised[order.event_id] = live
        self._read_unread(now_ns)
        self._reads.alive(now_ns)
        self._again(now_ns)

    def trusted(self, event_id: SportEventId) -> None:
        self._surprised.pop(event_id, None)

    def _reconciled(self) -> list[SportEventId]:
        return [event_id for event_id, waiting in self._surprised.items() if not waiting]

    # --- by the clock ------------------------------------------------------------------------

    def audit(self, now_ns: int, at_once: bool = False) -> None:
        """Ask for everything alive, and for some results; paced, so it may be called often."""
        due = at_once or now_ns >= self._audited_ns + AUDIT_EVERY_NS
        if not self._started or not due:
            return
        self._audited_ns = now_ns
        self._timers.at(now_ns + AUDIT_EVERY_NS, "audit")
        self._reconcile.begin("audit", self._orders.live_count, now_ns)
        self._unlisted = {ident for ident in self._unlisted if self._lives(ident)}
        self._audit_list_due = True
        self._reads.alive(now_ns)
        self._changes.audit(now_ns)
        self._trades.ask(now_ns)

    def _lives(self, ident: ExternalId) -> bool:
        order = self._orders.get(ident)
        return order is not None and not order.terminal
