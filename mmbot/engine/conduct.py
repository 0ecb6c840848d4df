"""What each event means for the ledger: answers and reports become steps of the table."""

from __future__ import annotations

from typing import Final, assert_never

from mmbot.domain.events import (
    CancelAcknowledged,
    CancelLost,
    CancelRefused,
    HistoryRead,
    OrderNotFound,
    OrderSeen,
    PlaceLost,
    PlaceNotSent,
    PlaceRefused,
    ReadFailed,
    TransactionsRead,
)
from mmbot.domain.ids import ExternalId, SportEventId
from mmbot.domain.order import Order, OrderReport, State, Step
from mmbot.engine.consequences import Consequences
from mmbot.engine.doubt import ABSENT_APART_NS, CLOCK_MARGIN_NS
from mmbot.engine.ledger_kit import Kit
from mmbot.engine.reading import Sight, read_report
from mmbot.engine.timers import Timer
from mmbot.engine.walk import Proof

TWIN_ID: Final = "id_existed"  # order_external_id_existed and its older spellings


OrderEvent = (
    OrderSeen
    | PlaceRefused
    | PlaceLost
    | PlaceNotSent
    | CancelAcknowledged
    | CancelRefused
    | CancelLost
    | OrderNotFound
    | HistoryRead
    | ReadFailed
    | TransactionsRead
)


class Conduct:
    def __init__(self, kit: Kit, walk: Consequences) -> None:
        self._kit = kit
        self._walk = walk

    # --- answers to cancels ------------------------------------------------------------------

    def _cancel_refused(self, event: CancelRefused, now_ns: int) -> None:
        ident = event.external_id
        if ident not in self._kit.orders:
            return
        proof = Proof(f"cancel refused {event.code}", now_ns)
        order = self._walk.step(ident, Step.CANCEL_REFUSED, proof)
        if order.state is not State.CANCELLING:
            return
        if self._kit.cancels.refused(order, now_ns, event.retry_after_ns):
            self._walk.sweep(order, now_ns)

    # --- answers to placements ---------------------------------------------------------------

    def _place_answered(self, event: PlaceRefused | PlaceLost | PlaceNotSent, now_ns: int) -> None:
        kit, ident = self._kit, event.external_id
        if ident not in kit.orders:
            return
        to_resend = kit.doubts.answered_resend(ident)
        match event:
            case PlaceLost(_, reason):
                self._walk.step(ident, Step.LOST_REPLY, Proof(f"place lost: {reason}", now_ns))
                if TWIN_ID in reason:
                    kit.doubts.landed(ident, now_ns)
            case PlaceRefused(_, code):
                if not to_resend:
                    self._walk.step(ident, Step.REJECTED, Proof(f"refused {code}", now_ns))
            case PlaceNotSent(_, reason):
                if not to_resend:
                    self._walk.step(ident, Step.NOT_SENT, Proof(f"not sent: {reason}", now_ns))
            case _:
                assert_never(event)

    # --- reports -----------------------------------------------------------------------------

    def see(self, report: OrderReport, sight: Sight, now_ns: int) -> None:
        """One order as the exchange shows it."""
        kit = self._kit
        order = self._find(report, sight, now_ns)
        if order is None:
            return
        ident = order.external_id
        if order.order_id is not None and order.order_id != report.order_id:
            detail = f"{ident}: {order.order_id} and {report.order_id}"
            kit.out.alarm("two orders for one id", detail, order.event_id)
            return
        before = order
        proof = Proof(sight.evidence(report), now_ns, report.filled_cents, report.order_id)
        if order.terminal and sight.channel == "read":
            order = self._corrected(order, report, sight, now_ns)
        reading = read_report(order, report, sight.channel)
        for step in reading.steps:
            order = self._walk.step(ident, step, proof)
        if reading.strange:
            kit.out.alarm("strange report", f"{ident}: {reading.strange}", order.event_id)
        if reading.look:
            kit.reads.order(ident, report.order_id, now_ns)
        if report.alive and not order.terminal:
            kit.doubts.seen(ident, now_ns)
            if sight.channel == "read" and order.state is State.CANCELLING:
                kit.cancels.read_alive(order, now_ns)
        self._compare(before, order, report, sight)
        kit.recovery.seen(order, sight)
        if kit.settlement.result(order, report, now_ns):
            kit.tombstones.settled(ident, now_ns)
            kit.recovery.result_seen(order, now_ns)

    def _compare(self, before: Order, order: Order, report: OrderReport, sight: Sight) -> None:
        """Two channels, one truth: what a read found the stream should tell as well."""
        kit = self._kit
        if sight.channel == "stream":
            kit.missed.told(order.external_id, report)
        elif sight.channel == "read" and kit.recovery.recovered:
            ended = order.terminal and not before.terminal
            gained = order.filled_cents > before.filled_cents
            if before.state in {State.OPEN, State.CANCELLING} and (ended or gained):
                kit.missed.expect(order, sight.received_ns)

    def _find(self, report: OrderReport, sight: Sight, now_ns: int) -> Order | None:
        """The order of a report; adopted when it is ours and unknown; None when not ours."""
        kit, ident = self._kit, report.external_id
        order = kit.orders.get(ident) if ident is not None else None
        order = order or kit.orders.by_order_id(report.order_id)
        if order is not None:
            return order
        if ident is None or not kit.adoption.is_ours(ident):
            kit.manual.see(report)
            return None
        if kit.tombstones.was_ours(ident) and not report.alive:
            return None
        return kit.adoption.adopt(report, sight.channel, now_ns)

    # --- ends that a read contradicts --------------------------------------------------------

    def _corrected(self, order: Order, report: OrderReport, sight: Sight, now_ns: int) -> Order:
        """A read of an ended order: it may be alive after all, or exist though rejected."""
        kit, ident = self._kit, order.external_id
        proof = Proof(sight.evidence(report), now_ns, order_id=report.order_id)
        ended_ns = kit.reads.to_exchange(kit.tombstones.ended_ns(ident))
        stale = sight.synced_ns is None or sight.synced_ns <= ended_ns + CLOCK_MARGIN_NS
        if report.alive and stale:
            return order
        if report.alive and order.state is not State.FILLED:
            moved = kit.walk.correct(order, Step.SEEN_ALIVE, State.CANCELLING, proof)
            self._walk.follow(moved)
            return moved.order
        if report.alive:
            # Only money can take a fill back: say it, and count on.
            detail = f"{ident}: a read shows {report.filled_cents} of {order.filled_cents} filled"
            kit.out.alarm("fewer fills than counted", detail, order.event_id)
            return order
        kit.tombstones.explained(ident)
        if order.state is not State.REJECTED:
            return order
        return kit.walk.correct(order, Step.ENDED_BY_VENUE, State.CLOSED, proof).order

    # --- absence -----------------------------------------------------------------------------

    def _not_found(self, event: OrderNotFound, now_ns: int) -> None:
        """One 404 proves nothing: a lagging copy of the database answers so too."""
        kit, ident = self._kit, event.external_id
        order = kit.orders.get(ident)
        if order is None:
            return
        kit.recovery.not_found(ident)
        if order.terminal:
            kit.tombstones.explained(ident)
        elif kit.doubts.not_found(order, event.synced_ns, event.received_ns):
            self._absent(order, f"404 twice, synced {event.synced_ns}", now_ns)
        elif order.state is not State.IN_DOUBT:
            kit.timers.at(now_ns + ABSENT_APART_NS, "reread", ident)

    def _absent(self, order: Order, evidence: str, now_ns: int) -> None:
        if order.state is not State.IN_DOUBT:
            detail = f"{order.external_id} was {order.state}: {evidence}"
            self._kit.out.alarm("order vanished", detail, order.event_id)
        self._walk.step(order.external_id, Step.TRUSTED_ABSENT, Proof(evidence, now_ns))

    def _history(self, read: HistoryRead, now_ns: int) -> None:
        kit = self._kit
        kit.reads.answered(read, now_ns)
        sight = Sight("read", read.received_ns, read.synced_ns, "history")
        listed = set()
        for report in read.reports:
            listed.add(report.external_id or "")
            self.see(report, sight, now_ns)
        for order in kit.doubts.absent_from(read, listed):
            self._absent(order, f"absent from two histories, synced {read.synced_ns}", now_ns)
        kit.manual.history(read, now_ns)
        for event_id in kit.recovery.history(read, now_ns):
            self.trust_again(event_id)

    def trust_again(self, event_id: SportEventId) -> None:
        self._kit.walk.distrusted.discard(event_id)
        self._kit.recovery.trusted(event_id)

    # --- the two doors -----------------------------------------------------------------------

    def apply(self, event: OrderEvent, now_ns: int) -> None:
        kit = self._kit
        match event:
            case OrderSeen(report, channel, received_ns, synced_ns):
                self.see(report, Sight(channel, received_ns, synced_ns), now_ns)
            case PlaceRefused() | PlaceLost() | PlaceNotSent():
                self._place_answered(event, now_ns)
            case CancelAcknowledged(ident):
                kit.cancels.acknowledged(ident, now_ns)
            case CancelRefused():
                self._cancel_refused(event, now_ns)
            case CancelLost(ident, reason):
                order = kit.orders.get(ident)
                if order is not None and order.state is State.CANCELLING:
                    self._walk.step(ident, Step.LOST_REPLY, Proof(f"cancel lost: {reason}", now_ns))
            case OrderNotFound():
                self._not_found(event, now_ns)
            case HistoryRead():
                self._history(event, now_ns)
            case ReadFailed(what):
                if what == "ReadHistory":
                    kit.reads.failed(now_ns)
            case TransactionsRead():
                kit.settlement.transactions(event, now_ns)
            case _:
                assert_never(event)

    def tick(self, now_ns: int) -> None:
        kit = self._kit
        while (timer := kit.timers.pop_due(now_ns)) is not None:
            self._fire(timer, now_ns)
        kit.adoption.locate()
        kit.manual.locate()
        self.forget(now_ns)

    def forget(self, now_ns: int) -> None:
        """Old tombstones leave memory."""
        for ident in self._kit.tombstones.to_forget(now_ns):
            self._kit.orders.forget(ident)
            self._kit.doubts.forget(ident)

    def _fire(self, timer: Timer, now_ns: int) -> None:
        kit, ident = self._kit, ExternalId(timer.about)
        match timer.what:
            case "answer":
                order = kit.orders.get(ident)
                if order is not None and order.state is State.INTENDED:
                    self._walk.step(ident, Step.LOST_REPLY, Proof("no answer", now_ns))
            case "cancel":
                kit.cancels.fire(ident, now_ns)
            case "look":
                kit.doubts.fire(now_ns)
            case "sweep":
                order = kit.doubts.to_sweep(ident)
                if order is not None:
                    self._walk.sweep_or_wait(order, now_ns)
            case "history":
                kit.reads.fire(now_ns)
            case "recover":
                kit.recovery.fire(now_ns)
            case "audit":
                kit.recovery.audit(now_ns)
            case "reread":
                order = kit.orders.get(ident)
                if order is not None and not order.terminal:
                    kit.reads.order(ident, order.order_id, now_ns)
                elif order is not None and kit.tombstones.unexplained(ident):
                    self._walk.reread(order, now_ns)
            case "settle":
                kit.recovery.fire_results(now_ns)
            case "missed":
                kit.missed.fire(ident, now_ns)
            case _:
                assert_never(timer.what)
