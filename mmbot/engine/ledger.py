"""The ledger: every intent, what became of it, and the evidence. Pure and synchronous.

It takes events and our own intents, walks the order table, and collects entries (to journal),
commands (to perform) and facts (to show) until they are drained. `replay` rebuilds it.
"""

from __future__ import annotations

from typing import Final, assert_never

from mmbot.domain.commands import Command, ReadTransactions
from mmbot.domain.entries import (
    Entry,
    OperatorNoted,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
    TransactionBooked,
)
from mmbot.domain.facts import OrderIntended
from mmbot.domain.ids import ExternalId, LineId, OrderId, SportEventId, StrikeId, external_id
from mmbot.domain.order import Order, OrderReport, State
from mmbot.engine.conduct import Conduct, OrderEvent
from mmbot.engine.consequences import Consequences
from mmbot.engine.ledger_kit import Kit
from mmbot.engine.ledger_orders import stepped
from mmbot.engine.ledger_sums import LineExposure
from mmbot.engine.manual import UNKNOWN_LINE, LineOf, no_lines
from mmbot.engine.outbox import Drained

SECOND_NS: Final = 1_000_000_000
ARRIVAL_BOUND_NS: Final = (12 + 60) * SECOND_NS  # reply_timeout_s, and a minute to arrive
TRANSACTIONS_OVERLAP_NS: Final = 120 * SECOND_NS  # rows may be written late


class Ledger:
    """Decisions 1-5, 8, 10 and 17. Times are our clock's nanoseconds; money is cents."""

    def __init__(
        self, prefix: str, arrival_bound_ns: int = ARRIVAL_BOUND_NS, line_of: LineOf = no_lines
    ) -> None:
        self._prefix = prefix
        self._kit = Kit.make(prefix, arrival_bound_ns)
        self._walk = Consequences(self._kit)
        self._conduct = Conduct(self._kit, self._walk)
        self._run = ""
        self._n = 0
        self._last_entry_ns = 0
        self._first_run_ns = 0
        self.line_of = line_of

    # --- start -------------------------------------------------------------------------------

    @property
    def line_of(self) -> LineOf:
        """How a strike finds its line; may be set when the catalogue comes."""
        return self._kit.adoption.line_of

    @line_of.setter
    def line_of(self, lookup: LineOf) -> None:
        self._kit.adoption.line_of = lookup
        self._kit.manual.line_of = lookup

    def replay(self, entry: Entry) -> None:
        """Take one journalled entry; no outputs. Before `begin_run`, in journal order."""
        kit = self._kit
        match entry:
            case RunStarted(run, at_ns):
                kit.adoption.runs.add(run)
                self._first_run_ns = self._first_run_ns or at_ns
                self._last_entry_ns = at_ns
            case PlaceIntended(order):
                known = kit.orders.get(order.external_id)
                if known is not None and known.terminal and not order.terminal:
                    kit.orders.forget(order.external_id)  # left memory, then seen alive again
                kit.orders.put(order)
                if order.line_id == UNKNOWN_LINE:
                    kit.adoption.without_line(order)
                self._last_entry_ns = order.intended_ns
            case OrderStepped():
                self._replay_step(entry)
            case SettlementSeen(ident, winning_status, at_ns):
                kit.orders.settle(ident, winning_status)
                kit.tombstones.settled(ident, at_ns)
            case TransactionBooked(row):
                kit.settlement.book(row)
            case OperatorNoted():
                pass
            case _:
                assert_never(entry)

    def _replay_step(self, entry: OrderStepped) -> None:
        order = self._kit.orders.get(entry.external_id)
        assert order is not None, f"{entry.external_id}: a step without an intent"
        was_terminal = order.terminal
        order_id = OrderId(entry.order_id) if entry.order_id else None
        order = stepped(order, entry.state, entry.filled_cents, order_id, entry.cancel_wanted)
        self._kit.orders.put(order)
        self._last_entry_ns = entry.at_ns
        if order.terminal and not was_terminal:
            self._kit.tombstones.ended(entry.external_id, entry.at_ns)
        elif was_terminal and not order.terminal:
            self._kit.tombstones.revived(entry.external_id)

    def begin_run(self, run: str, now_ns: int) -> None:
        """A new run id, journalled before its first use; unanswered intents are in doubt."""
        assert run, "a run needs an id"
        assert "-" not in run, f"not a run id: {run!r}"
        self._run = run
        self._n = 0
        self._first_run_ns = self._first_run_ns or now_ns
        self._kit.adoption.runs.add(run)
        self._kit.adoption.start_ns = now_ns
        self._kit.out.note(RunStarted(run, now_ns))
        self._conduct.forget(now_ns)
        self._walk.restart(now_ns)

    def exchange_ahead(self, offset_ns: int) -> None:
        """What the log-in told of the exchange's clock: single reads may answer before a list."""
        self._kit.reads.exchange_ahead(offset_ns)

    def start(self, now_ns: int) -> tuple[Command, ...]:
        """The reads that a start needs; `recovered` turns true when they are answered."""
        self._kit.recovery.begin(now_ns)
        self._kit.out.ask(ReadTransactions(self.booked_ns - TRANSACTIONS_OVERLAP_NS))
        return self._kit.out.take_commands()

    def resync(self, now_ns: int) -> tuple[Command, ...]:
        """After a gap in the private channel: the same as a start."""
        return self.start(now_ns)

    @property
    def booked_ns(self) -> int:
        """Money rows are known up to here; before the first of them, our first run."""
        return self._kit.settlement.booked_until_ns or self._first_run_ns

    @property
    def recovered(self) -> bool:
        return self._kit.recovery.recovered

    def next_external_id(self) -> ExternalId:
        assert self._run, "begin_run comes first"
        self._n += 1
        return external_id(self._prefix, self._run, self._n)

    def is_ours(self, ident: str | None) -> bool:
        """True for an id with our prefix, of whichever run."""
        return self._kit.adoption.is_ours(ident)

    # --- our own steps -----------------------------------------------------------------------

    def intend(self, order: Order) -> None:
        """Reserve and journal; the placement may leave once the entry is durable."""
        ident = order.external_id
        assert ident not in self._kit.orders, f"{ident} is used already"
        assert not self._kit.tombstones.was_ours(ident), f"{ident} was used before"
        assert order.state is State.INTENDED, order
        assert not order.filled_cents, order
        self._kit.orders.put(order)
        self._kit.out.note(PlaceIntended(order))
        self._kit.out.tell(OrderIntended(order))
        self._walk.await_answer(order)

    def want_cancel(self, ident: ExternalId, now_ns: int) -> None:
        """Cancel it as its state allows; repeated calls are one wish."""
        self._walk.want_cancel(ident, now_ns)

    def may_resend(self, ident: ExternalId, now_ns: int) -> bool:
        """True when the same id may be sent again; tell `note_resend` when it is."""
        order = self._kit.orders.get(ident)
        if order is None or order.state is not State.IN_DOUBT:
            return False
        return self._kit.doubts.may_resend(order, now_ns)

    def note_resend(self, ident: ExternalId, now_ns: int) -> None:
        """The same id goes out again: the arrival bound starts anew."""
        self._kit.doubts.resent(ident, now_ns)

    # --- events ------------------------------------------------------------------------------

    def apply(self, event: OrderEvent, now_ns: int) -> None:
        self._conduct.apply(event, now_ns)

    def tick(self, now_ns: int) -> None:
        """Whatever is due by the clock; cheap when nothing is."""
        self._conduct.tick(now_ns)

    def audit(self, now_ns: int) -> None:
        """Compare with the exchange; paced at 60 s, and called by `tick` too."""
        self._kit.recovery.audit(now_ns)

    def trust_again(self, event_id: SportEventId) -> None:
        """The sport event is reconciled (the ledger says so itself after its reads)."""
        self._conduct.trust_again(event_id)

    def drain(self) -> Drained:
        """Everything to journal, to perform and to show since the last drain."""
        return self._kit.out.drain()

    @property
    def next_due_ns(self) -> int | None:
        return self._kit.timers.next_due_ns

    # --- questions ---------------------------------------------------------------------------

    @property
    def distrusted_events(self) -> set[SportEventId]:
        """Sport events that must stay in CANCEL_ONLY for now."""
        return set(self._kit.walk.distrusted)

    def order(self, ident: ExternalId) -> Order | None:
        return self._kit.orders.get(ident)

    def by_order_id(self, order_id: OrderId) -> Order | None:
        return self._kit.orders.by_order_id(order_id)

    def orders(self) -> tuple[Order, ...]:
        """Everything in memory, tombstones included."""
        return tuple(self._kit.orders)

    def live(self) -> tuple[Order, ...]:
        """INTENDED, IN_DOUBT, OPEN, CANCELLING."""
        return self._kit.orders.live()

    @property
    def live_count(self) -> int:
        return self._kit.orders.live_count

    def live_on(self, strike_id: StrikeId) -> tuple[Order, ...]:
        return self._kit.orders.live_on(strike_id)

    def live_on_line(self, line_id: LineId) -> tuple[Order, ...]:
        return self._kit.orders.live_on_line(line_id)

    def manual(self) -> tuple[OrderReport, ...]:
        """Orders on the account that are not ours and still carry risk."""
        return self._kit.manual.reports()

    def exposure(self, line_id: LineId) -> LineExposure:
        return self._kit.sums.exposure(line_id)

    def exposures(self) -> dict[LineId, LineExposure]:
        return self._kit.sums.lines()

    @property
    def worst_case_total_cents(self) -> int:
        return self._kit.sums.worst_case_total_cents

    @property
    def unmatched_cents(self) -> int:
        """Stake that may still fill, manual orders included."""
        return self._kit.sums.resting_total_cents

    @property
    def in_doubt_count(self) -> int:
        return self._kit.orders.in_doubt_count

    @property
    def filled_orders(self) -> tuple[Order, ...]:
        """Orders in memory that have a fill."""
        return tuple(o for o in self._kit.orders if o.filled_cents)

    @property
    def unsettled_filled_orders(self) -> tuple[Order, ...]:
        return self._kit.orders.unsettled()

    def results(self) -> dict[ExternalId, str]:
        """The result of each settled order in memory, in the exchange's word."""
        return self._kit.orders.results()

    @property
    def pnl_cents(self) -> int:
        """Sum of the booked money rows that come from trading."""
        return self._kit.settlement.pnl_cents

    def check_sums(self) -> None:
        """Recompute every running sum from nothing; raises AssertionError on a difference."""
        self._kit.orders.check_sums(self._kit.manual.stakes())
