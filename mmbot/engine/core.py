"""The engine: one synchronous call takes a batch of events and returns what must be done.

book or fair -> view -> quotes -> plan (wanted - live) -> risk -> ledger (intent). Nobody sees
it half done; there is one place for a breakpoint. It never looks at a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mmbot.domain.catalog import Line, SportEvent
from mmbot.domain.commands import BATCH_ORDERS_MAX, Command
from mmbot.domain.entries import Entry, OperatorNoted, SettlementSeen
from mmbot.domain.events import (
    BalanceSeen,
    BookUpdated,
    CancelAcknowledged,
    CancelLost,
    CancelRefused,
    CatalogSeeded,
    Event,
    FairUpdated,
    FixtureTold,
    HistoryRead,
    JournalStateChanged,
    LadderLoaded,
    Lagged,
    LoopStalled,
    MarketStatusChanged,
    OperatorSaid,
    OrderNotFound,
    OrderSeen,
    PlaceLost,
    PlaceNotSent,
    PlaceRefused,
    ReadFailed,
    SentinelSeen,
    SessionStateChanged,
    SourceStateChanged,
    SportEventChanged,
    SportEventsListed,
    SportEventUnlisted,
    StrategyQuarantined,
    StreamStateChanged,
    TradesRead,
    TransactionsRead,
    WishesChanged,
)
from mmbot.domain.facts import Alarm, Fact, FillCounted, FillTakenBack, ModeChanged, OrderMoved
from mmbot.domain.ids import LineId
from mmbot.domain.order import Order
from mmbot.domain.quote import Quote
from mmbot.engine.governor import Governor
from mmbot.engine.halting import Halting
from mmbot.engine.held import Held
from mmbot.engine.modes import Mode
from mmbot.engine.parts import Parts
from mmbot.engine.placing import Candidate, batches, doubtful
from mmbot.engine.planner import LastPlans
from mmbot.engine.ports import Budget, Effects, PlaceOrders
from mmbot.engine.pulling import Pulling
from mmbot.engine.rounds import Rounds
from mmbot.engine.spot_audit import SpotAudit
from mmbot.engine.strays import Strays
from mmbot.engine.wishes import NotYet

MS_NS = 1_000_000
IDLE_NS = 2_000 * MS_NS  # a turn at least so often: a gap of our own is noticed, a halt repeated
AS_DECIDED_NS = 5 * MS_NS
PRICES = (BookUpdated, FairUpdated)


class Engine:
    """Owns every decision. Not thread-safe: exactly one caller."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._dirty: set[LineId] = set()
        self._cause_ns: dict[LineId, int] = {}
        self._rounds = Rounds()
        self._held = Held()
        self._strays = Strays(parts.ledger, parts.state, parts.modes)
        self._audit = SpotAudit(parts.state)
        self._governor = Governor(parts)
        self._pulling = Pulling(parts)
        self._commands: list[Command] = []
        self._entries: list[Entry] = []
        self._facts: list[Fact] = []
        self._mode = Mode.CANCEL_ONLY
        self._withdrawn = ""
        self._halting = Halting(parts)
        self._turn = self._due_ns = 0
        self._plans = LastPlans()

    def handle(self, batch: Sequence[Event], now_ns: int, budget: Budget) -> Effects:
        """Decide. `now_ns` is our clock; the limiter's `budget` bounds new intents."""
        self._turn += 1
        prices_only = now_ns < self._due_ns
        for event in batch:
            self._take(event, now_ns)
            tripped = self._pulling.heard(event, now_ns)
            prices_only = prices_only and isinstance(event, PRICES) and not tripped
        if not prices_only:  # a price alone moves no order and no mode, and nothing is due
            self.parts.ledger.tick(now_ns)
            self._collect(now_ns)
            self._follow_mode(now_ns)
            self._dirty.update(self._rounds.pop_due(now_ns))
            self._keep_house(now_ns)
        placements, ready_ns = self._judge(now_ns, budget)
        self._collect(now_ns, self._halting.due(self._mode, now_ns))
        self._due_ns = self._wake_at(now_ns, ready_ns)
        effects = Effects(
            tuple(self._entries),
            tuple(self._commands),
            placements,
            tuple(self._facts),
            self._due_ns,
        )
        self._entries, self._commands, self._facts = [], [], []
        return effects

    # --- taking events -----------------------------------------------------------------------

    def _take(self, event: Event, now_ns: int) -> None:
        parts = self.parts
        match event:
            case BookUpdated(book):
                self._cause_ns.setdefault(book.line_id, book.received_ns)
                self._dirty |= parts.state.apply(event, now_ns)
            case FairUpdated():
                touched = parts.state.apply(event, now_ns)
                for line_id in touched:
                    self._cause_ns.setdefault(line_id, event.received_ns)
                self._dirty |= touched
            case StreamStateChanged():
                self._stream(event, now_ns)
            case CatalogSeeded(catalog):
                parts.ledger.portfolio.learn(catalog)
                self._dirty.update(parts.state.apply(event, now_ns), parts.ledger.live_lines())
            case (
                LadderLoaded() | SportEventChanged() | SportEventUnlisted()
                | SportEventsListed() | MarketStatusChanged() | FixtureTold()
            ):  # fmt: skip
                self._dirty |= parts.state.apply(event, now_ns)
            case SourceStateChanged(source, healthy, detail):
                if not healthy:
                    self._facts.append(Alarm("source is down", f"{source}: {detail}"))
                self._dirty |= parts.state.apply(event, now_ns)
            case SessionStateChanged():
                parts.modes.apply(event, now_ns)
                parts.ledger.apply(event, now_ns)
            case JournalStateChanged() | Lagged() | SentinelSeen():
                parts.modes.apply(event, now_ns)
            case LoopStalled(gap_ns):
                self._facts.append(Alarm("loop stalled", f"{gap_ns / 1e9:.1f} s"))
                self._commands.extend(self._audit.distrust(now_ns))
            case OperatorSaid():
                self._operator(event, now_ns)
            case WishesChanged(_, strike_ids):
                known = parts.state.line_of
                self._dirty |= {known[strike] for strike in strike_ids if strike in known}
            case StrategyQuarantined(owner, reason):
                parts.wishes.quarantine(owner, reason)
                self._facts.append(Alarm("strategy quarantined", f"{owner}: {reason}"))
                self._dirty |= set(parts.state.lines)
            case BalanceSeen() | TransactionsRead() | HistoryRead() | ReadFailed():
                parts.housekeeping.apply(event)
                parts.ledger.apply(event, now_ns)
                self._halting.hear(event)
                self._audit.hear(event, now_ns)
                self._proof(event, now_ns)
            case (
                OrderSeen() | PlaceRefused() | PlaceLost() | PlaceNotSent() | CancelAcknowledged()
                | CancelRefused() | CancelLost() | OrderNotFound() | TradesRead()
            ):  # fmt: skip
                parts.ledger.apply(event, now_ns)
                parts.placing.answered(event, now_ns)
                if isinstance(event, OrderSeen | PlaceRefused):
                    self._dirty |= parts.state.perhaps_started(event, parts.ledger.order, now_ns)

    def _stream(self, event: StreamStateChanged, now_ns: int) -> None:
        was_private = self.parts.modes.private_up
        self._dirty |= self.parts.state.apply(event, now_ns)
        reconnected = event.private and not was_private and self.parts.modes.was_connected
        self.parts.modes.apply(event, now_ns)
        self._commands.extend(self._audit.stream(event, now_ns))
        if event.private:
            self.parts.ledger.connected(event.connection, reconnected, now_ns)
        else:
            self.parts.ledger.disconnected(now_ns)

    def _operator(self, event: OperatorSaid, now_ns: int) -> None:
        self._entries.append(OperatorNoted(event.word, event.who, event.reason, now_ns))
        self.parts.modes.apply(event, now_ns)
        self._dirty |= set(self.parts.state.lines)
        if event.word == "halt":
            self._halting.begin()

    def _proof(self, event: Event, now_ns: int) -> None:
        """A read of what is alive, asked for after our last live order ended."""
        if not isinstance(event, HistoryRead):
            return
        ledger = self.parts.ledger
        ours = [r for r in event.reports if r.alive and ledger.is_ours(r.external_id)]
        if event.alive_only and not ours and not ledger.live():
            self.parts.housekeeping.proven_empty_ns = now_ns

    # --- following what came of it -----------------------------------------------------------

    def _collect(self, now_ns: int, everything: bool = False) -> None:
        account = self._mode is Mode.HALTED and self.parts.halt_whole_account
        drained = self.parts.ledger.drain(account, everything)
        self._entries.extend(drained.entries)
        self._commands.extend(drained.commands)
        self._facts.extend(drained.facts)
        self._pulling.filled(drained.facts, now_ns)
        for fact in drained.facts:
            match fact:
                case OrderMoved(order):
                    self._dirty.add(order.line_id)
                case FillCounted() | FillTakenBack():
                    self._dirty.add(fact.line_id)
                case Alarm("second daemon", detail):
                    self.parts.modes.halted = f"second daemon: {detail}"
        for entry in drained.entries:
            if isinstance(entry, SettlementSeen):
                self.parts.housekeeping.settlement_seen(now_ns)

    def _follow_mode(self, now_ns: int) -> None:
        modes, ledger = self.parts.modes, self.parts.ledger
        modes.distrusted, modes.recovered = ledger.distrusted_events, ledger.recovered
        modes.suspicion = ledger.suspicion(now_ns)
        self._dirty |= self._pulling.look(now_ns, self._facts)
        mode, why = modes.whole(ledger.in_doubt_count, now_ns)
        withdrawn = modes.withdrawn(now_ns)
        if mode is not self._mode or withdrawn != self._withdrawn:
            self._facts.append(ModeChanged("", self._mode.name, mode.name, why))
            self._mode, self._withdrawn = mode, withdrawn
            self._dirty.update(self.parts.state.lines, ledger.live_lines())

    def _keep_house(self, now_ns: int) -> None:
        ledger, modes, house = self.parts.ledger, self.parts.modes, self.parts.housekeeping
        live = ledger.live_count
        if live:
            house.proven_empty_ns = 0
        self._dirty |= self._audit.look(now_ns)
        self._commands.extend(self._audit.due(now_ns))
        self._facts.extend(self._audit.alarms(now_ns))
        self._facts.extend(self._halting.late(now_ns))
        self._facts.extend(self.parts.state.doubtful_starts(now_ns))
        self._facts.extend(self._governor.look(now_ns))
        ending = modes.stopping or bool(modes.halted)
        self._commands.extend(house.due(now_ns, ending, live, ledger.rows_from_ns))

    # --- judging lines -----------------------------------------------------------------------

    def _judge(self, now_ns: int, budget: Budget) -> tuple[tuple[PlaceOrders, ...], int]:
        """Re-plan every dirty line; returns placements and when a start may judge, or 0."""
        if self._turn == 1:
            self._dirty.update(self.parts.ledger.live_lines())
        if self.parts.modes.starting(now_ns):
            self._cause_ns.clear()  # waiting for recovery is no reaction time
            return (), self.parts.modes.grace_until_ns
        candidates: list[Candidate] = []
        dirty, self._dirty = self._dirty | self._held.take(budget, now_ns), set()
        for line_id in sorted(dirty):
            line = self.parts.state.line(line_id, now_ns)
            if line is None:
                if self._strays.judge(line_id, self._withdrawn, now_ns):
                    self._rounds.looked(line_id, now_ns)
                continue
            cause_ns = self._cause_ns.pop(line_id, 0)
            if self._withdrawn and not self.parts.ledger.live_on_line(line_id):
                continue  # nothing to withdraw; a change of mode looks at every line
            candidates.extend(self._judge_line(line, now_ns, cause_ns))
            self._rounds.looked(line_id, now_ns)
        room = budget.placements * BATCH_ORDERS_MAX
        placed = self.parts.placing.place(candidates[:room], self._mode, now_ns, self._facts)
        for late in candidates[room:]:
            self._held.hold(late.line.line_id, now_ns)
            if late.cause_ns:
                self._cause_ns.setdefault(late.line.line_id, late.cause_ns)
        return batches(placed, self._turn, now_ns), 0

    def _judge_line(self, line: Line, now_ns: int, cause_ns: int) -> Iterable[Candidate]:
        parts = self.parts
        event = parts.state.event(line.event_id, now_ns)
        wanted = self._wanted(event, line, now_ns)
        if isinstance(wanted, NotYet) or parts.state.ladder is None:
            return
        shown = parts.wishes.shown
        for strike in line.strikes:
            live = parts.ledger.live_on(strike.strike_id)
            quotes = [q for q in wanted if q.strike_id == strike.strike_id]
            planned = self._plans.of(strike.strike_id, quotes, live, parts.state.ladder)
            for ident in planned.cancels:
                why = self._withdrawn or parts.modes.pulled.get(line.event_id, "")
                why = why or parts.placing.why_unwanted(line.line_id, quotes)
                parts.ledger.want_cancel(ident, now_ns, why)
            if event is None:
                continue
            for quote in planned.places:
                yield Candidate(event, line, strike.side, quote, None, cause_ns, shown)
            for order in doubtful(live, quotes, planned.cancels) if live else ():
                if parts.ledger.may_resend(order.external_id, now_ns):
                    yield Candidate(event, line, strike.side, quotes[0], order, cause_ns)

    def _wanted(
        self, event: SportEvent | None, line: Line, now_ns: int
    ) -> Sequence[Quote] | NotYet:
        if self._withdrawn or event is None or event.event_id in self.parts.modes.pulled:
            return ()
        wanted = self.parts.wishes.of(event, line, now_ns, self._facts)
        if (
            isinstance(wanted, NotYet)
            or not wanted
            or not self.parts.ledger.live_on_line(line.line_id)
        ):
            return wanted  # where nothing rests the gate alone decides
        return () if self.parts.placing.unfit(event, line, now_ns, self._facts) else wanted

    def _wake_at(self, now_ns: int, ready_ns: int) -> int:
        parts = self.parts
        wake_ns = min(now_ns + IDLE_NS, parts.housekeeping.next_due_ns())
        wake_ns = min(wake_ns, parts.state.fresh.next_due_ns(now_ns))
        rounds_ns, held_ns = self._rounds.next_due_ns, self._held.next_due_ns
        for due_ns in (rounds_ns, held_ns, parts.ledger.next_due_ns, ready_ns):
            if due_ns and due_ns < wake_ns:
                wake_ns = due_ns
        return max(now_ns + MS_NS, wake_ns)

    def drop_reason(self, order: Order, turn: int, now_ns: int) -> str:
        """Decision: between commit and write, mode and price age are looked at once more.

        Within the turn that decided it and a few milliseconds nothing can have changed.
        """
        if turn == self._turn and 0 <= now_ns - order.intended_ns < AS_DECIDED_NS:
            return ""
        return self._withdrawn or self.parts.placing.too_old(order, self._mode, now_ns)

    @property
    def flat(self) -> bool:
        """Nothing of ours is live, and a read of the exchange has proven it since."""
        ledger = self.parts.ledger
        proven = ledger.recovered and self.parts.housekeeping.proven_empty_ns > 0
        return proven and not ledger.live_count

    @property
    def mode(self) -> Mode:
        return self._mode
