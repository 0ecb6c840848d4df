"""Steps and their consequences: each walked cell, and what it asks the other parts to do."""

from __future__ import annotations

from typing import Final, assert_never

from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import Order, State, Step, Then
from mmbot.engine.ledger_kit import Kit
from mmbot.engine.ports import LEAVES_WITHIN_NS
from mmbot.engine.tombstones import REREAD_MAX_NS
from mmbot.engine.walk import Moved, Proof

# A lost request was given up by now: of the arrival bound a minute at least is still to come.
REPLY_TIMEOUT_NS: Final = 12_000_000_000


def _decided(why: str, now_ns: int) -> Proof:
    return Proof(Evidence(Kind.DECISION, "engine", why), now_ns)


class Consequences:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    # --- steps and what follows --------------------------------------------------------------

    def step(self, ident: ExternalId, step: Step, proof: Proof) -> Order:
        """Walk one cell and do what it asks for; returns the order as it is afterwards."""
        kit = self._kit
        order = kit.orders.get(ident)
        assert order is not None, f"{ident} is unknown"
        moved = kit.walk.step(order, step, proof)
        self.follow(moved)
        match moved.then:
            case Then.NOTHING | Then.IGNORE | Then.MARK | Then.ALARM:
                pass
            case Then.RETRY:
                if kit.cancels.lost(ident, proof.now_ns):
                    self.sweep(moved.order, proof.now_ns)
            case Then.RETRY_REREAD:
                pass  # the refusal says when; `Conduct` does it
            case Then.SWEEP_OR_WAIT:
                self.sweep_or_wait(moved.order, proof.now_ns)
            case Then.REREAD:
                self.reread(moved.order, proof.now_ns)
            case Then.COUNT | Then.DASH:
                kit.recovery.surprised(moved.order, proof.now_ns)
            case _:
                assert_never(moved.then)
        found = kit.orders.get(ident)
        assert found is not None
        return found

    def follow(self, moved: Moved) -> None:
        """The state changed: who has to know."""
        kit, order, before = self._kit, moved.order, moved.before.state
        ident, now_ns = order.external_id, moved.at_ns
        if order.state is before:
            return
        if before is State.IN_DOUBT:
            kit.doubts.leave(ident)
            kit.recovery.left_doubt(ident)
        if order.terminal:
            kit.doubts.ended(ident)
            kit.cancels.end(ident)
            kit.tombstones.ended(ident, now_ns)
        elif order.state is State.IN_DOUBT:
            # It left soon after the intent; a clock that was set since may tell it otherwise.
            left_ns = min(now_ns, order.intended_ns + LEAVES_WITHIN_NS)
            kit.doubts.enter(order, now_ns, max(left_ns, now_ns - REPLY_TIMEOUT_NS))
            if order.cancel_wanted:
                self.sweep_or_wait(order, now_ns)
        elif order.state is State.CANCELLING:
            if moved.before.terminal:
                kit.tombstones.revived(ident)
            kit.cancels.begin(order, now_ns)
        elif order.state is State.OPEN and order.cancel_wanted:
            self.step(ident, Step.CANCEL_WANTED, _decided("wanted before it opened", now_ns))

    def await_answer(self, order: Order) -> None:
        """An intent that nobody answers must not stay INTENDED for ever."""
        due_ns = order.intended_ns + self._kit.arrival_bound_ns
        self._kit.timers.at(due_ns, "answer", order.external_id)

    def restart(self, now_ns: int) -> None:
        """After a replay: unanswered intents are in doubt, and doubts are looked for again."""
        kit = self._kit
        kit.doubts.restart(kit.orders.live())
        kit.tombstones.restart(now_ns)
        for order in kit.orders.live():
            match order.state:
                case State.INTENDED:
                    lost = Evidence(Kind.RESTART, "place", "no answer was journalled")
                    self.step(order.external_id, Step.LOST_REPLY, Proof(lost, now_ns))
                case State.IN_DOUBT:
                    # It may have been sent again just before the end of the former process.
                    kit.doubts.enter(order, now_ns, now_ns - REPLY_TIMEOUT_NS)
                    if order.cancel_wanted:
                        self.sweep_or_wait(order, now_ns)
                case State.CANCELLING:
                    kit.cancels.begin(order, now_ns)
                case _:
                    pass

    # --- cancels -----------------------------------------------------------------------------

    def want_cancel(self, ident: ExternalId, now_ns: int, why: str = "") -> None:
        order = self._kit.orders.get(ident)
        assert order is not None, f"{ident} is unknown"
        if not order.cancel_wanted:
            self.step(ident, Step.CANCEL_WANTED, _decided(why or "wanted", now_ns))

    def sweep_or_wait(self, order: Order, now_ns: int) -> None:
        """In doubt and unwanted: by id where it is known, else by strike."""
        kit = self._kit
        if order.order_id is not None:
            kit.cancels.begin(order, now_ns)
        else:
            self.sweep(order, now_ns)

    def sweep(self, order: Order, now_ns: int) -> None:
        """Cancel the whole strike; our other orders there go with it."""
        kit = self._kit
        manual = kit.manual.may_rest_on(order.strike_id)
        if not kit.manual.told:  # the list of a start may be older than the channel: ask again
            kit.reads.alive(now_ns)
            kit.cancels.sweep_waits(order.external_id, now_ns)
        if not kit.doubts.sweep(order, now_ns, manual_rests=manual):
            return
        for other in kit.orders.live_on(order.strike_id):
            if other.cancel_wanted or other.external_id == order.external_id:
                continue
            if other.state in {State.OPEN, State.INTENDED}:
                proof = _decided(f"strike swept for {order.external_id}", now_ns)
                self.step(other.external_id, Step.CANCEL_WANTED, proof)

    def reread(self, order: Order, now_ns: int) -> None:
        """Seen alive after its end: a slower channel, or the truth. A read decides."""
        kit, ident = self._kit, order.external_id
        young_ns = kit.reads.young_ns(kit.tombstones.ended_ns(ident))
        if now_ns < young_ns:  # no read can tell yet
            if kit.tombstones.reads_wait(ident, young_ns):
                kit.timers.at(young_ns, "reread", ident)
            return
        after_ns = kit.tombstones.reread_after_ns(ident, now_ns)
        if after_ns is None:
            return
        if after_ns >= REREAD_MAX_NS:
            detail = f"{ident} is {order.state}, and no read tells more"
            kit.out.alarm("looks alive after its end", detail, order.event_id)
        kit.reads.order(ident, order.order_id, now_ns)
        kit.timers.at(now_ns + after_ns, "reread", ident)
