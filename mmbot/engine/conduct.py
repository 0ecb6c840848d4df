"""What each event means for the ledger: answers and reports become steps of the table."""

from __future__ import annotations

from typing import Final, assert_never

from mmbot.domain.events import (
    BalanceSeen,
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
    SessionStateChanged,
    TradesRead,
    TransactionsRead,
)
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.ids import ExternalId, SportEventId
from mmbot.domain.notes import IdExists, ManualSeen
from mmbot.domain.order import Order, OrderReport, State, Step
from mmbot.engine.consequences import Consequences
from mmbot.engine.deadlines import Deadlines
from mmbot.engine.doubt import ABSENT_APART_NS
from mmbot.engine.ledger_kit import Kit
from mmbot.engine.reading import CANCELLED_BY, PLACED_BY, Sight, read_report
from mmbot.engine.reads import CLOCK_MARGIN_NS
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
    | TradesRead
    | BalanceSeen
    | SessionStateChanged
)


class Conduct:
    def __init__(self, kit: Kit, walk: Consequences) -> None:
        self._kit = kit
        self._walk = walk
        self._deadlines = Deadlines(kit, walk)

    # --- answers to cancels ------------------------------------------------------------------

    def _cancel_refused(self, event: CancelRefused, now_ns: int) -> None:
        ident = event.external_id
        if ident not in self._kit.orders:
            return
        kind = Kind.UNSENT if event.unsent else Kind.CANCEL_ITEM
        proof = Proof(Evidence(kind, CANCELLED_BY, f"refused {event.code}"), now_ns)
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
                exists = TWIN_ID in reason
                kind = Kind.SAME_ID if exists else Kind.SILENCE
                lost = Proof(Evidence(kind, PLACED_BY, reason), now_ns)
                self._walk.step(ident, Step.LOST_REPLY, lost)
                if exists:
                    kit.out.note(IdExists(ident, lost.evidence, now_ns))
                    kit.doubts.landed(ident, now_ns)
            case PlaceRefused(_, code, _, exchange_ns):
                if not to_resend:
                    refused = Evidence(Kind.REPLY, PLACED_BY, f"refused {code}", exchange_ns)
                    self._walk.step(ident, Step.REJECTED, Proof(refused, now_ns))
            case PlaceNotSent(_, reason):
                if not to_resend:
                    unsent = Proof(Evidence(Kind.UNSENT, PLACED_BY, reason), now_ns)
                    self._walk.step(ident, Step.NOT_SENT, unsent)
            case _:
                assert_never(event)

    # --- reports -----------------------------------------------------------------------------

    def see(self, report: OrderReport, sight: Sight, now_ns: int) -> None:
        """One order as the exchange shows it."""
        kit = self._kit
        if sight.channel == "read" and sight.synced_ns is not None:
            kit.reads.synced(sight.synced_ns, now_ns)
        order = self._find(report, sight, now_ns)
        if order is None:
            return
        ident = order.external_id
        if order.order_id is not None and order.order_id != report.order_id:
            detail = f"{ident}: {order.order_id} and {report.order_id}"
            kit.out.alarm("two orders for one id", detail, order.event_id)
            kit.reconcile.doubled(order, report, now_ns)
            return
        kit.manual.ours(report.order_id)
        told, was = report, kit.proofs.held(order)
        report = kit.reversals.weighed(order, report, sight, now_ns)
        before = order
        said = sight.evidence(report, resent=kit.doubts.was_resent(ident))
        proof = Proof(said, now_ns, report.filled_cents, report.order_id)
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
        kit.activations.see(order, report, sight, now_ns)
        kit.recovery.seen(order, sight)
        kit.reversals.see(order, report, sight, now_ns)
        self._reverse(now_ns)
        if not kit.reversals.disputed(ident):
            self._result(ident, report, sight, now_ns)
        kit.proofs.see(was, ident, told, sight, now_ns)

    def _result(self, ident: ExternalId, report: OrderReport, sight: Sight, now_ns: int) -> None:
        kit = self._kit
        order = kit.orders.get(ident)
        if order is not None and kit.settlement.result(order, report, sight, now_ns):
            kit.tombstones.settled(ident, now_ns)
            kit.changes.result_seen(order, now_ns)

    def _reverse(self, now_ns: int) -> None:
        """Fills that a read and the money say were taken back."""
        kit = self._kit
        if not kit.reversals.any_disputed:
            return
        for one in kit.reversals.proven(kit.accounting.returned_cents, now_ns):
            state = one.order.state
            if state is State.FILLED:
                state = State.CANCELLING if one.report.alive else State.CLOSED
            proof = Proof(one.evidence, now_ns)
            filled_cents = one.report.filled_cents
            self._walk.follow(kit.walk.take_back(one.order, filled_cents, state, one.rows, proof))
            read = Sight("read", now_ns)
            self._result(one.order.external_id, one.report, read, now_ns)
            kit.proofs.doubt(one.order.external_id, now_ns)

    def _compare(self, before: Order, order: Order, report: OrderReport, sight: Sight) -> None:
        """Two channels, one truth: what a read found the stream should tell as well."""
        kit = self._kit
        if sight.channel == "stream":
            kit.reconcile.told(order.external_id, report)
        elif sight.channel == "read":
            kit.reconcile.compared(before, order, report, sight.received_ns)
            shown_ns = kit.reads.shown_ns(sight.synced_ns, sight.received_ns)
            kit.reconcile.read(order.external_id, shown_ns)

    def _find(self, report: OrderReport, sight: Sight, now_ns: int) -> Order | None:
        """The order of a report; adopted when it is ours and unknown; None when not ours."""
        kit, ident = self._kit, report.external_id
        order = kit.orders.get(ident) if ident is not None else None
        order = order or kit.orders.by_order_id(report.order_id)
        if order is not None:
            return order
        if ident is None or not kit.adoption.is_ours(ident):
            self._manual(report, sight, now_ns)
            return None
        all_known = kit.recovery.recovered
        adopted = kit.adoption.adopt(report, sight.channel, now_ns, all_known)
        if adopted is not None:
            kit.reconcile.adopted(adopted, report, now_ns)
        return adopted

    def _manual(self, report: OrderReport, sight: Sight, now_ns: int) -> None:
        """A person's order: counted, and told when it came or changed."""
        kit = self._kit
        before = kit.manual.known(report.order_id)
        shown_ns = kit.reads.shown_ns(sight.synced_ns, now_ns) if sight.channel == "read" else 0
        if kit.manual.see(report, now_ns, shown_ns):
            kit.reconcile.manual(report, now_ns)
        after = kit.manual.known(report.order_id)
        if after != before:
            kit.out.note(ManualSeen.of(after or report, sight.evidence(report), now_ns))

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
        if report.alive:  # only money can take a fill back: until then it counts
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
            twice = Evidence(Kind.READ, "order", "404 twice", synced_ns=event.synced_ns)
            self._absent(order, twice, now_ns)
        elif order.state is not State.IN_DOUBT:
            kit.timers.at(now_ns + ABSENT_APART_NS, "reread", ident)

    def _absent(self, order: Order, evidence: Evidence, now_ns: int) -> None:
        if order.state is not State.IN_DOUBT:
            detail = f"{order.external_id} was {order.state}: {evidence}"
            self._kit.out.alarm("order vanished", detail, order.event_id)
            self._kit.reconcile.vanished(order, str(evidence), now_ns)
        self._walk.step(order.external_id, Step.TRUSTED_ABSENT, Proof(evidence, now_ns))

    def _history(self, read: HistoryRead, now_ns: int) -> None:
        kit = self._kit
        kit.reads.answered(read, now_ns)
        sight = Sight("read", read.received_ns, read.synced_ns, "history", exchange_ns=read.date_ns)
        listed, shown_ns = set(), kit.reads.shown_ns(read.synced_ns, now_ns)
        for report in read.reports:
            listed.add(report.external_id or "")
            if kit.recovery.unchanged(report, now_ns):
                kit.proofs.unchanged(report.external_id, sight, now_ns)
                kit.reconcile.read(report.external_id, shown_ns)
            else:
                self.see(report, sight, now_ns)
        for order in kit.doubts.absent_from(read, listed):
            absent = Evidence(Kind.READ, "history", "absent from two", read.date_ns, read.synced_ns)
            self._absent(order, absent, now_ns)
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
            case OrderSeen(report):
                self.see(report, Sight.of(event), now_ns)
            case PlaceRefused() | PlaceLost() | PlaceNotSent():
                self._place_answered(event, now_ns)
            case CancelAcknowledged(ident):
                kit.cancels.acknowledged(ident, now_ns)
            case CancelRefused():
                self._cancel_refused(event, now_ns)
            case CancelLost(ident, reason):
                order = kit.orders.get(ident)
                if order is not None and order.state is State.CANCELLING:
                    lost = Evidence(Kind.SILENCE, CANCELLED_BY, reason)
                    self._walk.step(ident, Step.LOST_REPLY, Proof(lost, now_ns))
            case OrderNotFound():
                self._not_found(event, now_ns)
            case HistoryRead():
                self._history(event, now_ns)
            case ReadFailed(what):
                if what == "ReadHistory":
                    kit.reads.failed(now_ns)
                    kit.recovery.failed(now_ns)
                    kit.changes.failed(now_ns)
                elif what == "SweepStrike":
                    kit.doubts.sweep_failed(now_ns)
            case TransactionsRead():
                for row in kit.settlement.transactions(event, now_ns):
                    kit.reversals.row(row)
                    kit.proofs.row(row, now_ns)
                if event.by_rows:
                    kit.reversals.rows_read(event.asked_ns)
                self._reverse(now_ns)
                kit.accounting.transactions(event, now_ns)
            case BalanceSeen():
                kit.accounting.balance(event, now_ns)
                self._reverse(now_ns)
            case SessionStateChanged():
                kit.cancels.hurry(now_ns)
            case TradesRead():
                kit.trades.read(event, now_ns)
            case _:
                assert_never(event)

    def tick(self, now_ns: int) -> None:
        kit = self._kit
        while (timer := kit.timers.pop_due(now_ns)) is not None:
            self._deadlines.fire(timer, now_ns)
        kit.adoption.locate()
        kit.manual.locate()
        kit.recovery.close(now_ns)
        self.forget(now_ns)

    def forget(self, now_ns: int) -> None:
        """Old tombstones leave memory."""
        for ident in self._kit.tombstones.to_forget(now_ns):
            self._kit.orders.forget(ident)
            self._kit.doubts.forget(ident)
            self._kit.settlement.forget(ident)
            self._kit.reversals.forget(ident)
            self._kit.proofs.forget(ident)
            self._kit.activations.forget(ident)
