"""From a planned quote to an approved intent: what the gate is shown, and what it lets through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mmbot.domain.catalog import Line, Side, SportEvent
from mmbot.domain.commands import BATCH_ORDERS_MAX
from mmbot.domain.events import Event, OrderSeen, PlaceNotSent, PlaceRefused
from mmbot.domain.facts import Alarm, Fact, PlacementRefused
from mmbot.domain.ids import ExternalId, LineId, StrikeId
from mmbot.domain.money import usd
from mmbot.domain.motive import Motive
from mmbot.domain.order import Order, OrderReport, State
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.engine.gate_case import added_cents
from mmbot.engine.holdoff import OFF_LADDER, HoldOff
from mmbot.engine.housekeeping import Housekeeping
from mmbot.engine.ledger import Ledger
from mmbot.engine.limits import LimitBook
from mmbot.engine.modes import Mode, Modes
from mmbot.engine.ports import PlaceOrders
from mmbot.engine.reading import CANCELLED_BY
from mmbot.engine.refusals import Refusals
from mmbot.engine.risk import Approved, Gate, Refused
from mmbot.engine.self_match import meets, prices_against
from mmbot.engine.situation import Resting, Situation
from mmbot.engine.state import MarketState
from mmbot.engine.wishes import Wishes
from mmbot.pricing.portfolio import Place


@dataclass(frozen=True, slots=True)
class Candidate:
    """A quote that the planner wants placed; `resend` is the order in doubt to repeat."""

    event: SportEvent
    line: Line
    side: Side
    quote: Quote
    resend: Order | None
    cause_ns: int
    view: MarketView | None = None  # what its strategy was shown


CAME_AND_WENT_NS = 10_000_000_000
UNSEEN = frozenset({State.INTENDED, State.IN_DOUBT})
Placed = tuple[Approved, int]  # and when the event came in that caused it


@dataclass(frozen=True, slots=True)
class Rights:
    """What this process may do at all."""

    writable: bool  # run_mode live, and armed where the host is production


class Placing:
    def __init__(
        self,
        gate: Gate,
        ledger: Ledger,
        state: MarketState,
        modes: Modes,
        housekeeping: Housekeeping,
        wishes: Wishes,
        rights: Rights,
    ) -> None:
        self._gate = gate
        self._ledger = ledger
        self._state = state
        self._modes = modes
        self._housekeeping = housekeeping
        self._wishes = wishes
        self._rights = rights
        self.refusals = Refusals()
        self._unfit: dict[LineId, str] = {}
        self._holdoff = HoldOff()
        self._last_opened: dict[StrikeId, ExternalId | None] = {}

    def answered(self, event: Event, now_ns: int) -> None:
        """What the exchange made of a placement decides how soon the next one is tried."""
        match event:
            case OrderSeen(report, "reply") if report.alive and event.route != CANCELLED_BY:
                self._holdoff.accepted()
                if report.status == "open":
                    self._opened(report)
            case OrderSeen(report) if report.status == "open":
                self._opened(report)
            case OrderSeen(report) if report.status == "invalid":
                self._holdoff.failed(report.strike_id, now_ns, report.status)
            case OrderSeen(report) if report.status == "canceled" and report.external_id:
                self._taken_back(report.external_id, now_ns)
            case PlaceRefused(ident, code) | PlaceNotSent(ident, code):
                order = self._ledger.order(ident)
                if order is not None:
                    self._holdoff.failed(order.strike_id, now_ns, code)
                if order is not None and code in OFF_LADDER:
                    self._state.price_refused(order.price)
                    self._housekeeping.want_ladder()
            case _:
                pass

    def _opened(self, report: OrderReport) -> None:
        self._holdoff.worked(report.strike_id)
        self._last_opened[report.strike_id] = report.external_id

    def _taken_back(self, ident: ExternalId, now_ns: int) -> None:
        """It came and went without a word of ours: it crossed something that we do not see."""
        order = self._ledger.order(ident)
        if order is None or order.cancel_wanted or order.filled_cents or not order.terminal:
            return
        never_open = self._last_opened.get(order.strike_id) != ident
        if never_open and now_ns - order.intended_ns < CAME_AND_WENT_NS:
            self._holdoff.failed(order.strike_id, now_ns, "canceled by the exchange")
            self._last_opened[order.strike_id] = ident  # told again, it counts no more

    def place(
        self, candidates: Sequence[Candidate], mode: Mode, now_ns: int, facts: list[Fact]
    ) -> list[Placed]:
        """One by one, since each intent changes what the next may do."""
        placed = []
        if failing := self._holdoff.to_tell():
            facts.append(Alarm("placing goes on failing", failing))
        if self._holdoff.probing:
            if not self._holdoff.probe_due(now_ns):
                return []
            candidates = sorted(candidates, key=self._turn_to_probe)
        for candidate in candidates:
            if not candidate.resend and self._holdoff.holds(candidate.quote.strike_id, now_ns):
                continue
            order = candidate.resend or self._draft(candidate, now_ns)
            resend = candidate.resend is not None
            adds = added_cents(order, resend)
            situation = self.situation(candidate.event, candidate.line, order, mode, now_ns, adds)
            verdict = self._gate.review(order, situation, resend)
            strike_id, price = order.strike_id, order.price
            if isinstance(verdict, Refused):
                if self.refusals.refused(strike_id, price, verdict.check, now_ns):
                    facts.append(
                        PlacementRefused(
                            order.owner, order.strike_id, verdict.check, verdict.detail
                        )
                    )
                continue
            self.refusals.passed(strike_id, price)
            if candidate.resend is None:
                motive = Motive.of(candidate.view) if candidate.view else None
                self._ledger.intend(verdict.order, motive, verdict.verdict)
            else:
                self._ledger.note_resend(order.external_id, now_ns, verdict.verdict)
            placed.append((verdict, candidate.cause_ns))
            if self._holdoff.probing:
                self._holdoff.probed(now_ns)
                break
        return placed

    @property
    def limits(self) -> LimitBook:
        return self._gate.limits

    @property
    def on_hold(self) -> str:
        """Why nothing leaves although we would place; or ""."""
        return "the exchange takes no order: one asks now and then" * self._holdoff.probing

    def _turn_to_probe(self, candidate: Candidate) -> tuple[bool, int]:
        return candidate.resend is not None, self._holdoff.refused_ns(candidate.quote.strike_id)

    def _draft(self, candidate: Candidate, now_ns: int) -> Order:
        line, quote = candidate.line, candidate.quote
        slot = self._wishes.owner_of(candidate.event, line)
        return Order(
            external_id=self._ledger.next_external_id(),
            event_id=line.event_id,
            market_id=line.market_id,
            line_id=line.line_id,
            strike_id=quote.strike_id,
            side=candidate.side,
            price=quote.price,
            quantity_cents=quote.quantity_cents,
            order_strategy=quote.order_strategy,
            owner=slot.owner if slot else "",
            intended_ns=now_ns,
        )

    def situation(
        self,
        event: SportEvent,
        line: Line,
        order: Order,
        mode: Mode,
        now_ns: int,
        adds_cents: int = 0,
    ) -> Situation:
        """Everything that the gate may look at, as it is at this moment; `adds_cents`: of the
        order's stake, what the ledger does not count yet."""
        slot = self._wishes.owner_of(event, line)
        uses_fairs = slot is not None and slot.quoter.uses_fairs
        same = self._ledger.live_on(order.strike_id)
        exposure = self._ledger.exposure(line.line_id)
        portfolio, place = (
            self._ledger.portfolio,
            Place(line.event_id, line.market_id, line.line_id),
        )
        levels = portfolio.levels(place)
        return Situation(
            now_ns=self._ledger.latest_ns(now_ns),
            mode=max(mode, self._modes.of_event(line.event_id)).word,
            ladder=self._state.ladder,
            event=event,
            line=line,
            exposure=exposure,
            levels_now=levels,
            levels_after=(
                portfolio.levels_with(place, order.side, adds_cents) if adds_cents else levels
            ),
            market_resting_cents=self._ledger.market_resting_cents(line.line_id),
            open_orders=self._ledger.live_count,
            unmatched_cents=self._ledger.unmatched_cents,
            cash_cents=self._housekeeping.usable_cash(now_ns),
            opposite_live=prices_against(order, self._state.opposites, self._ledger),
            same_price_live=bool(same)
            and any(o.price == order.price and o.external_id != order.external_id for o in same),
            book_age_ns=self._state.book_age_ns(line.line_id, now_ns),
            fair_age_ns=self._state.fair_age_ns(line.line_id, now_ns) if uses_fairs else None,
            blind=self._modes.blind(now_ns),
            writable=self._rights.writable,
            halted=bool(self._modes.halted),
            stale=self._state.fresh.why_stale(line, now_ns),
        )

    def unfit(self, event: SportEvent, line: Line, now_ns: int, facts: list[Fact]) -> bool:
        """Closed, starting, or judged on old data: whatever is wished, nothing may rest there."""
        slot = self._wishes.owner_of(event, line)
        uses_fairs = slot is not None and slot.quoter.uses_fairs
        resting = Resting(
            self._ledger.latest_ns(now_ns),
            event,
            line,
            self._state.book_age_ns(line.line_id, now_ns),
            self._state.fair_age_ns(line.line_id, now_ns) if uses_fairs else None,
            self._state.fresh.why_stale(line, now_ns),
        )
        why = self._gate.may_rest(resting)
        if why is None:
            self._unfit.pop(line.line_id, None)
            return False
        if self._unfit.get(line.line_id) != why.check:
            self._unfit[line.line_id] = why.check
            owner, strike = slot.owner if slot else "", line.strikes[0].strike_id
            facts.append(PlacementRefused(owner, strike, why.check, why.detail))
        return True

    def why_unwanted(self, line_id: LineId, quotes: Sequence[Quote]) -> str:
        """In words: why what rests on a strike goes; `quotes` is what is wanted there now."""
        if unfit := self._unfit.get(line_id):
            return f"unfit: {unfit}"
        wished = [f"{quote.price:+d} x {usd(quote.quantity_cents)}" for quote in quotes]
        return f"wanted now: {', '.join(wished)}" if wished else "no quote is wanted"

    def too_old(self, order: Order, mode: Mode, now_ns: int) -> str:
        """A last look before the write: why this order must not leave now, or ""."""
        line = self._state.line(order.line_id, now_ns)
        event = self._state.event(order.event_id, now_ns)
        if line is None or event is None:
            return "line is not listed"
        situation = self.situation(event, line, order, mode, now_ns)
        why = self._gate.still_good(situation) or meets(order, situation.opposite_live)
        if why:
            return why
        if situation.ladder is None or order.price not in situation.ladder:
            return "its price has left the ladder"
        known = self._ledger.order(order.external_id)
        waits = known is not None and known.state in UNSEEN and not known.cancel_wanted
        return "" if waits else "no longer wanted"  # it may have waited long for its turn


def batches(placed: Sequence[Placed], turn: int, now_ns: int) -> tuple[PlaceOrders, ...]:
    """At most 20 orders each, with the oldest cause of its orders."""
    made = []
    for at in range(0, len(placed), BATCH_ORDERS_MAX):
        orders, oldest_ns = [], 0
        for approved, cause_ns in placed[at : at + BATCH_ORDERS_MAX]:
            orders.append(approved)
            if cause_ns and (not oldest_ns or cause_ns < oldest_ns):
                oldest_ns = cause_ns
        made.append(PlaceOrders(tuple(orders), now_ns, oldest_ns, turn))
    return tuple(made)


def doubtful(
    live: Iterable[Order], quotes: Sequence[Quote], cancels: Sequence[str]
) -> Iterable[Order]:
    """Orders in doubt that are still wanted: the same id may be sent again."""
    if not quotes:
        return ()
    return [o for o in live if o.state is State.IN_DOUBT and o.external_id not in cancels]
