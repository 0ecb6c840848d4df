"""The ledger: every intent, what became of it, and the evidence. Pure and synchronous.

It takes events and our own intents, walks the order table, and collects entries (to journal),
commands (to perform) and facts (to show) until they are drained. `replay` rebuilds it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mmbot.domain.commands import Command, ReadTransactions
from mmbot.domain.depth import Depth
from mmbot.domain.difference import Cause
from mmbot.domain.entries import Entry, PlaceIntended, RunStarted
from mmbot.domain.facts import OrderIntended
from mmbot.domain.ids import (
    ExternalId,
    IdRange,
    LineId,
    OrderId,
    SportEventId,
    StrikeId,
    external_id,
)
from mmbot.domain.motive import Motive, Verdict
from mmbot.domain.notes import ResendDecided
from mmbot.domain.order import Order, OrderReport, State
from mmbot.domain.price import Price
from mmbot.engine.accounting import Accounting
from mmbot.engine.books import Place
from mmbot.engine.conduct import Conduct, OrderEvent
from mmbot.engine.consequences import Consequences
from mmbot.engine.ledger_kit import Kit
from mmbot.engine.ledger_sums import LineExposure
from mmbot.engine.manual import LineOf, no_lines
from mmbot.engine.outbox import Drained
from mmbot.engine.reconcile import Reconciliation
from mmbot.engine.replay import Replay
from mmbot.engine.waiting import depths
from mmbot.pricing.portfolio import Portfolio

SECOND_NS: Final = 1_000_000_000
ARRIVAL_BOUND_NS: Final = (12 + 60) * SECOND_NS  # reply_timeout_s, and a minute to arrive


class Ledger:
    """Decisions 1-5, 8, 10 and 17. Times are our clock's nanoseconds; money is cents."""

    def __init__(
        self,
        prefix: str,
        arrival_bound_ns: int = ARRIVAL_BOUND_NS,
        line_of: LineOf = no_lines,
        portfolio: Portfolio | None = None,
    ) -> None:
        self._prefix = prefix
        self._kit = Kit.make(prefix, arrival_bound_ns, portfolio)
        self._walk = Consequences(self._kit)
        self._conduct = Conduct(self._kit, self._walk)
        self._run = ""
        self._connection = ""
        self._n = 0
        self._replay = Replay(self._kit)
        self.cool_offs, self.edge = self._kit.cool_offs, self._kit.edge
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

    def spent(self, ids: IdRange) -> None:
        """Ids of orders that ended long ago and are not replayed; comes before `replay`."""
        self._kit.tombstones.spent(ids)

    def replay(self, entry: Entry) -> None:
        """Take one journalled entry; no outputs. Before `begin_run`, in journal order."""
        self._replay.all((entry,))

    def rebuild(self, entries: Iterable[Entry]) -> None:
        """`replay` for many entries, faster."""
        self._replay.all(entries)

    def begin_run(self, run: str, now_ns: int, checks: tuple[str, ...] = ()) -> None:
        """A new run id, journalled before its first use; unanswered intents are in doubt.

        `checks` names those of the gate that approves the run's orders.
        """
        assert run, "a run needs an id"
        assert "-" not in run, f"not a run id: {run!r}"
        self._run = run
        self._n = 0
        self._kit.reads.first_run_ns = self._kit.reads.first_run_ns or now_ns
        self._kit.adoption.runs.add(run)
        self._kit.adoption.start_ns = now_ns
        self._kit.out.note(RunStarted(run, now_ns, checks))
        self._conduct.forget(now_ns)
        self._walk.restart(now_ns)
        self._kit.restart(now_ns)

    def exchange_ahead(self, offset_ns: int) -> None:
        """What the log-in told of the exchange's clock: single reads may answer before a list."""
        self._kit.reads.exchange_ahead(offset_ns)

    def latest_ns(self, now_ns: int) -> int:
        """By our clock or the exchange's, whichever says that it is later."""
        return max(now_ns, self._kit.reads.to_exchange(now_ns))

    def start(self, now_ns: int, cause: Cause = "start") -> tuple[Command, ...]:
        """The reads that a start needs; `recovered` turns true when they are answered."""
        self._start_reads(now_ns, cause)
        self._kit.cancels.leave(everything=False, by_event=False)
        return self._kit.out.take_commands()

    def _start_reads(self, now_ns: int, cause: Cause) -> None:
        kit, from_ns = self._kit, self._kit.reads.rows_from_ns
        kit.recovery.begin(now_ns, cause, self._replay.last_ns)
        kit.out.ask(ReadTransactions(from_ns))
        kit.trades.begin(from_ns)
        kit.trades.ask(now_ns)

    def connected(self, name: str, after_gap: bool, now_ns: int) -> None:
        """The private channel is up: after a gap the same as a start; a move had none."""
        self._kit.manual.hears(True, now_ns)
        moved = self._connection not in {"", name}
        if after_gap or not self._connection:
            live = [order.external_id for order in self._kit.orders.live()]
            self._kit.reconcile.listening("reconnect" if after_gap else "start", live, now_ns)
        self._connection = name
        if after_gap:
            self._start_reads(now_ns, "reconnect")
        elif moved:
            self._kit.recovery.audit(now_ns, at_once=True)

    def disconnected(self, now_ns: int) -> None:
        """No message comes any more."""
        self._kit.manual.hears(False, now_ns)

    @property
    def rows_from_ns(self) -> int:
        """From when money rows must be asked for, in exchange time."""
        return self._kit.reads.rows_from_ns

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

    def suspicion(self, now_ns: int) -> str:
        """Why nothing may be placed yet: somebody else may be placing in our name; or ""."""
        return self._kit.adoption.suspicion(now_ns)

    # --- our own steps -----------------------------------------------------------------------

    def intend(
        self, order: Order, motive: Motive | None = None, verdict: Verdict | None = None
    ) -> None:
        """Reserve and journal; the placement may leave once the entry is durable."""
        ident = order.external_id
        assert ident not in self._kit.orders, f"{ident} is used already"
        assert not self._kit.tombstones.was_ours(ident), f"{ident} was used before"
        assert order.state is State.INTENDED, order
        assert not order.filled_cents, order
        self._kit.orders.put(order)
        self._kit.out.note(PlaceIntended(order, False, motive, verdict))
        self._kit.out.tell(OrderIntended(order))
        self._walk.await_answer(order)

    def want_cancel(self, ident: ExternalId, now_ns: int, why: str = "") -> None:
        """Cancel it as its state allows; repeated calls are one wish."""
        self._walk.want_cancel(ident, now_ns, why)

    def may_resend(self, ident: ExternalId, now_ns: int) -> bool:
        """True when the same id may be sent again; tell `note_resend` when it is."""
        order = self._kit.orders.get(ident)
        if order is None or order.state is not State.IN_DOUBT:
            return False
        return self._kit.doubts.may_resend(order, now_ns)

    def note_resend(self, ident: ExternalId, now_ns: int, verdict: Verdict | None = None) -> None:
        """The same id goes out again: the arrival bound starts anew."""
        self._kit.doubts.resent(ident, now_ns)
        self._kit.out.note(ResendDecided(ident, verdict, now_ns))

    # --- events ------------------------------------------------------------------------------

    def apply(self, event: OrderEvent, now_ns: int) -> None:
        self._conduct.apply(event, now_ns)

    def tick(self, now_ns: int) -> None:
        """Whatever is due by the clock; cheap when nothing is."""
        self._conduct.tick(now_ns)

    def audit(self, now_ns: int) -> None:
        """Compare with the exchange; paced at 60 s, and called by `tick` too."""
        self._kit.recovery.audit(now_ns)

    @property
    def reconciliation(self) -> Reconciliation:
        """What differed from the exchange, and how the last comparison went."""
        return self._kit.reconcile

    def trust_again(self, event_id: SportEventId) -> None:
        """The sport event is reconciled (the ledger says so itself after its reads)."""
        self._conduct.trust_again(event_id)

    def drain(self, account: bool = False, everything: bool = False) -> Drained:
        """Everything to journal, to perform and to show since the last drain. `account`: a cancel
        may end orders of people, too. `everything`: cancel all of it now."""
        self._kit.cancels.leave(everything, account or not self._kit.manual.may_trade)
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

    @property
    def anything_rests(self) -> bool:
        """An order that may still fill, ours or a person's."""
        return self._kit.orders.live_count > 0 or self._kit.manual.any_rests

    @property
    def any_disputed(self) -> bool:
        """A fill may have been taken back, and its money has not come."""
        return self._kit.reversals.any_disputed

    def live_on(self, strike_id: StrikeId) -> tuple[Order, ...]:
        return self._kit.orders.live_on(strike_id)

    def prices_by_hand(self, strike_id: StrikeId) -> tuple[Price, ...]:
        """At which people's orders rest there."""
        return self._kit.manual.prices_on(strike_id)

    def live_on_line(self, line_id: LineId) -> tuple[Order, ...]:
        return self._kit.orders.live_on_line(line_id)

    def live_lines(self) -> tuple[LineId, ...]:
        """Lines on which something of ours is live, listed or not."""
        return self._kit.orders.live_lines()

    def manual(self) -> tuple[OrderReport, ...]:
        """Orders on the account that are not ours and still carry risk."""
        return self._kit.manual.reports()

    def exposure(self, line_id: LineId) -> LineExposure:
        return self._kit.sums.exposure(line_id)

    def exposures(self) -> dict[LineId, LineExposure]:
        return self._kit.sums.lines()

    @property
    def portfolio(self) -> Portfolio:
        """Worst cases per line, market, event, tournament and in all, as orders stand now."""
        return self._kit.sums.portfolio

    def market_resting_cents(self, line_id: LineId) -> int:
        """Stake that may still fill on all lines of the market of this one."""
        return self._kit.sums.market_resting_cents(line_id)

    @property
    def unmatched_cents(self) -> int:
        """Stake that may still fill, manual orders included."""
        return self._kit.sums.resting_total_cents

    @property
    def in_doubt_count(self) -> int:
        return self._kit.orders.in_doubt_count

    @property
    def unsettled_filled_orders(self) -> tuple[Order, ...]:
        return self._kit.orders.unsettled()

    def results(self) -> dict[ExternalId, str]:
        """The result of each settled order in memory, in the exchange's word."""
        return self._kit.orders.results()

    @property
    def pnl_cents(self) -> int:
        """The cash that trading made, as the exchange booked it."""
        return self._kit.accounting.pnl_cents

    @property
    def manual_waiting_cents(self) -> dict[Place, int]:
        """A person's filled stakes without a result, per market."""
        return self._kit.manual.waiting_cents()

    @property
    def open_stake_cents(self) -> int:
        """Filled stakes that wait for a result, a person's included: they have left the cash."""
        return self.accounting.books.waiting_cents + sum(self.manual_waiting_cents.values())

    @property
    def accounting(self) -> Accounting:
        """The books, and where they differ from the exchange's."""
        return self._kit.accounting

    def waiting(self) -> dict[str, Depth]:
        """Each queue of the ledger, by name."""
        return depths(self._kit)

    def check_sums(self) -> None:
        """Recompute every running sum from nothing; raises AssertionError on a difference."""
        self._kit.orders.check_sums(self._kit.manual.stakes())
