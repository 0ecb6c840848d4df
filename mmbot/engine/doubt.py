"""Orders in doubt: looking for them, sending them again, and when absence is believed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from mmbot.domain.commands import SweepStrike
from mmbot.domain.events import HistoryRead
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import Order, State
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.outbox import Outbox
from mmbot.engine.ports import LEAVES_WITHIN_NS
from mmbot.engine.reads import CLOCK_MARGIN_NS, Reads
from mmbot.engine.timers import Timers

SECOND_NS: Final = 1_000_000_000
LOOK_SOON_NS: Final = SECOND_NS  # the second look; most orders show up by then
LOOK_EVERY_NS: Final = 10 * SECOND_NS
ABSENT_APART_NS: Final = 10 * SECOND_NS  # between the two reads that prove absence
RESEND_GAP_NS: Final = 2 * SECOND_NS
ALARM_WAIT_NS: Final = 60 * SECOND_NS  # past the bound of the last attempt; then it doubles
SWEEP_AGAIN_NS: Final = 2 * SECOND_NS  # after a sweep that failed; then it doubles
SWEEP_AGAIN_MAX_NS: Final = 30 * SECOND_NS


@dataclass(slots=True)
class _Doubt:
    """`attempt_ns`: the id was not sent later than this; the arrival bound counts from it.

    `bound_ns` is that bound by the exchange's clock as it was known then: our own clock may be
    set in the meantime.
    """

    attempt_ns: int
    bound_ns: int
    due_ns: int
    looks: int = 0
    looked_ns: int = -1
    absent_ns: int | None = None
    alarms: int = 0
    landed: bool = False  # the exchange said that the id exists
    swept_ns: int = 0  # for which bound the sweep of what arrives late is due
    sweeps: int = 0  # that failed, or could not be asked for
    sweep_ns: int = 0  # when the next one of those is due


class Doubts:
    def __init__(
        self, orders: Orders, out: Outbox, timers: Timers, reads: Reads, arrival_bound_ns: int
    ) -> None:
        self._orders = orders
        self._out = out
        self._timers = timers
        self._reads = reads
        self._bound_ns = arrival_bound_ns
        self._doubts: dict[ExternalId, _Doubt] = {}
        self._unanswered: dict[ExternalId, int] = {}  # resends; the key stays once resent
        self._former: set[ExternalId] = set()  # intended by former processes
        self._existing: set[ExternalId] = set()  # the exchange said that the id exists
        self._seen_ns: dict[ExternalId, int] = {}  # when a live order was last shown alive
        self._missing_ns: dict[ExternalId, int] = {}  # the first 404 of an order not in doubt

    def __contains__(self, ident: ExternalId) -> bool:
        return ident in self._doubts

    # --- entering, leaving -------------------------------------------------------------------

    def enter(self, order: Order, now_ns: int, attempt_ns: int) -> None:
        """Look at once, again soon, then at the pace."""
        doubt = _Doubt(attempt_ns, self._bound(attempt_ns), now_ns)
        doubt.landed = order.order_id is None and order.external_id in self._existing
        self._doubts[order.external_id] = doubt
        self._look(now_ns)

    def _bound(self, attempt_ns: int) -> int:
        """Exchange time after which nothing sent at `attempt_ns` arrives any more; 0: not known."""
        known = self._reads.exchange_known
        return self._reads.to_exchange(attempt_ns + self._bound_ns) if known else 0

    def restart(self, live: Iterable[Order]) -> None:
        """Their intents were stamped by a clock that may have been set since."""
        self._former.update(order.external_id for order in live)

    def born_ns(self, order: Order) -> int:
        """Our time before which the exchange cannot hold it."""
        if order.external_id in self._former:
            return self._reads.since_former(order.intended_ns)
        return order.intended_ns

    def leave(self, ident: ExternalId) -> None:
        self._doubts.pop(ident, None)
        self._missing_ns.pop(ident, None)

    def ended(self, ident: ExternalId) -> None:
        self.leave(ident)
        self._seen_ns.pop(ident, None)

    def forget(self, ident: ExternalId) -> None:
        self._unanswered.pop(ident, None)
        self._existing.discard(ident)
        self._former.discard(ident)

    def landed(self, ident: ExternalId, now_ns: int) -> None:
        """`external_id_existed`: it is there; absence would contradict it."""
        self.exists(ident)
        doubt = self._doubts.get(ident)
        if doubt is not None:
            doubt.landed = True
            doubt.due_ns = now_ns
            self._look(now_ns)

    # --- sending the same id again -----------------------------------------------------------

    def may_resend(self, order: Order, now_ns: int) -> bool:
        doubt = self._doubts.get(order.external_id)
        return (
            doubt is not None
            and not doubt.landed
            and not order.cancel_wanted
            and order.order_id is None
            and not self._unanswered.get(order.external_id, 0)
            and now_ns - doubt.attempt_ns >= RESEND_GAP_NS
        )

    def resent(self, ident: ExternalId, now_ns: int) -> None:
        """From now on absence must be shown past a new arrival bound."""
        self._unanswered[ident] = self._unanswered.get(ident, 0) + 1
        doubt = self._doubts[ident]
        doubt.attempt_ns = now_ns + LEAVES_WITHIN_NS
        doubt.bound_ns = self._bound(doubt.attempt_ns)
        doubt.absent_ns = None

    def was_resent(self, ident: ExternalId) -> bool:
        """Whether its id went out more than once."""
        return ident in self._unanswered

    def exists(self, ident: ExternalId) -> None:
        """The exchange has said so, now or in an earlier run."""
        self._existing.add(ident)

    def answered_resend(self, ident: ExternalId) -> bool:
        """True when the answer was to a resend: then it says nothing of the first attempt."""
        if ident not in self._unanswered:
            return False
        self._unanswered[ident] = max(0, self._unanswered[ident] - 1)
        return True

    # --- looking -----------------------------------------------------------------------------

    def fire(self, now_ns: int) -> None:
        self._look(now_ns)

    def look_now(self, now_ns: int) -> None:
        """Recovery does not wait for the pace."""
        for doubt in self._doubts.values():
            if doubt.looked_ns < now_ns:
                doubt.due_ns = now_ns
        self._look(now_ns)

    def _look(self, now_ns: int) -> None:
        """One history read serves all orders in doubt; those with an order id are read too."""
        if not any(doubt.due_ns <= now_ns for doubt in self._doubts.values()):
            return
        oldest_ns = now_ns
        for ident, doubt in self._doubts.items():
            order = self._orders.get(ident)
            assert order is not None
            oldest_ns = min(oldest_ns, self.born_ns(order))
            doubt.looks += doubt.looked_ns != now_ns  # twenty that enter at once are one look
            doubt.looked_ns = now_ns
            doubt.due_ns = self._next_look(doubt, now_ns)
            self._timers.at(doubt.due_ns, "look")
            self._reads.order(ident, order.order_id, now_ns, ends_doubt=True)
            waited_ns = now_ns - doubt.attempt_ns - self._bound_ns
            if waited_ns > ALARM_WAIT_NS << doubt.alarms:
                doubt.alarms += 1
                detail = f"{ident}: looked for {doubt.looks} times"
                self._out.alarm("doubt does not end", detail, order.event_id)
        self._reads.doubtful(oldest_ns, now_ns)

    def _next_look(self, doubt: _Doubt, now_ns: int) -> int:
        next_ns = now_ns + (LOOK_SOON_NS if doubt.looks == 1 else LOOK_EVERY_NS)
        # A look just past the bound is the first that can prove anything: do not miss it.
        telling_ns = doubt.attempt_ns + self._bound_ns + 2 * CLOCK_MARGIN_NS
        return telling_ns if now_ns < telling_ns < next_ns + LOOK_EVERY_NS // 2 else next_ns

    # --- absence -----------------------------------------------------------------------------

    def absent_from(self, read: HistoryRead, listed: Collection[str]) -> list[Order]:
        """Orders in doubt whose absence this read completes the proof of."""
        if read.alive_only or read.changed_only or read.synced_ns is None:
            return []
        proven = []
        for ident in tuple(self._doubts):
            order = self._orders.get(ident)
            assert order is not None
            born_ns = self._reads.to_exchange(self.born_ns(order))
            covered = read.from_ns <= born_ns - CLOCK_MARGIN_NS
            if ident in listed or not covered:
                continue
            if self._absent(ident, read.synced_ns, read.received_ns):
                proven.append(order)
        return proven

    def not_found(self, order: Order, synced_ns: int | None, received_ns: int) -> bool:
        """`get_order` answered 404; True when a second one, late enough, completes the proof."""
        ident = order.external_id
        if synced_ns is None:
            return False
        if ident in self._doubts:
            return self._absent(ident, synced_ns, received_ns)
        seen_ns = self._reads.to_exchange(self._seen_ns.get(ident, order.intended_ns))
        if synced_ns <= seen_ns + CLOCK_MARGIN_NS:
            return False
        first_ns = self._missing_ns.setdefault(ident, received_ns)
        return received_ns - first_ns >= ABSENT_APART_NS

    def seen(self, ident: ExternalId, now_ns: int) -> None:
        """Shown alive: whatever looked like absence was none."""
        self._seen_ns[ident] = now_ns
        self._missing_ns.pop(ident, None)
        doubt = self._doubts.get(ident)
        if doubt is not None:
            doubt.absent_ns = None

    def _absent(self, ident: ExternalId, synced_ns: int, received_ns: int) -> bool:
        doubt = self._doubts.get(ident)
        if doubt is None or doubt.landed:
            return False
        bound_ns = max(doubt.bound_ns, self._bound(doubt.attempt_ns))
        if synced_ns <= bound_ns + CLOCK_MARGIN_NS:
            return False
        if doubt.absent_ns is None:
            doubt.absent_ns = received_ns
            doubt.due_ns = received_ns + ABSENT_APART_NS
            self._timers.at(doubt.due_ns, "look")
            return False
        return received_ns - doubt.absent_ns >= ABSENT_APART_NS

    # --- sweeping ----------------------------------------------------------------------------

    def sweep(self, order: Order, now_ns: int, manual_rests: bool) -> bool:
        """Cancel by strike what cannot be cancelled by id; False where a human's order rests."""
        doubt = self._doubts.get(order.external_id)
        if manual_rests:
            if doubt is None or not doubt.sweeps:
                detail = f"{order.external_id}: a manual order may rest on {order.strike_id}"
                self._out.alarm("cannot sweep", detail, order.event_id)
            if doubt is not None:
                self._sweep_later(order.external_id, doubt, now_ns)
            return False
        self._out.ask(SweepStrike(order.event_id, order.market_id, order.strike_id))
        if doubt is not None:
            bound_ns = doubt.attempt_ns + self._bound_ns
            if now_ns < bound_ns != doubt.swept_ns:
                doubt.swept_ns = bound_ns
                self._timers.at(bound_ns, "sweep", order.external_id)
        return True

    def sweep_failed(self, now_ns: int) -> None:
        """Which strike it was is not said: every doubt that waits for a sweep asks again."""
        for ident, doubt in self._doubts.items():
            if self.to_sweep(ident) is not None:
                self._sweep_later(ident, doubt, now_ns)

    def _sweep_later(self, ident: ExternalId, doubt: _Doubt, now_ns: int) -> None:
        if doubt.sweep_ns > now_ns:
            return
        pause_ns = min(SWEEP_AGAIN_MAX_NS, SWEEP_AGAIN_NS << min(doubt.sweeps, 8))
        doubt.sweeps += 1
        doubt.sweep_ns = now_ns + pause_ns
        self._timers.at(doubt.sweep_ns, "sweep", ident)

    def to_sweep(self, ident: ExternalId) -> Order | None:
        """The order whose second sweep is due, if it is still in doubt and unwanted."""
        order = self._orders.get(ident)
        if order is None or order.state is not State.IN_DOUBT or not order.cancel_wanted:
            return None
        return order if order.order_id is None else None
