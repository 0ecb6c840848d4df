"""Cancels under way: repeated until there is evidence, never faster than their pace.

Many at once leave as one request where that touches nothing else: the whole account in a halt,
else a sport event. Whom it did not end is cancelled by the next narrower way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from mmbot.domain.commands import (
    BATCH_ORDERS_MAX,
    CancelEverything,
    CancelRef,
    CancelSportEvent,
)
from mmbot.domain.ids import ExternalId, SportEventId
from mmbot.domain.order import Order, State
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.outbox import Outbox
from mmbot.engine.reads import Reads
from mmbot.engine.timers import Timers

SECOND_NS: Final = 1_000_000_000
RETRY_MIN_NS: Final = 300_000_000  # what the exchange asks for after opened_retry
RETRY_MAX_NS: Final = 5 * SECOND_NS
CONFIRM_WAIT_NS: Final = 2 * SECOND_NS  # without a message after an answer: read the order
ANSWER_WAIT_NS: Final = 15 * SECOND_NS  # a command without any answer is repeated
MASS_WAIT_NS: Final = 2 * SECOND_NS  # what a mass cancel has not ended by then goes by its id
SENDS_ALARM: Final = 8  # and again at every doubling
REREAD_EVERY_REFUSALS: Final = 3
# About 12 s: longer than orders are known to be held back. Then: a mass cancel asks nothing.
SWEEP_REFUSALS: Final = 14
# Where answers come slowly or not at all so many refusals take minutes.
SWEEP_AFTER_NS: Final = 20 * SECOND_NS
SLOW_ATTEMPTS: Final = 3
SWEEP_AGAIN_NS: Final = 15 * SECOND_NS  # while it is still refused; then it doubles
SWEEP_AGAIN_MAX_NS: Final = 50 * SECOND_NS  # plus a retry: never a minute without one
SWEEP_WAITS_NS: Final = 10 * SECOND_NS  # for a list of what rests there, before it is asked again


class Way(IntEnum):
    """How an order was cancelled last; the next attempt is never wider."""

    NONE = 0
    ACCOUNT = 1
    SPORT_EVENT = 2
    ORDER = 3


@dataclass(slots=True)
class _Track:
    way: Way = Way.NONE
    sends: int = 0
    refusals: int = 0
    failed_ns: int = 0  # the first attempt that was refused, or lost
    losses: int = 0
    sweep_ns: int = 0  # when the next sweep is due; 0: none was asked for yet
    sweep_wait_ns: int = SWEEP_AGAIN_NS
    due_ns: int = 0
    sent_ns: int = 0
    looked: bool = False  # a read was asked for since
    reading: bool = False  # the next deadline asks for a read instead of another cancel


class Cancels:
    """Tracks orders in CANCELLING, and those in doubt again whose order id is known."""

    def __init__(self, orders: Orders, out: Outbox, timers: Timers, reads: Reads) -> None:
        self._orders = orders
        self._out = out
        self._timers = timers
        self._reads = reads
        self._tracks: dict[ExternalId, _Track] = {}
        self._fresh: dict[ExternalId, None] = {}  # leave with this turn, together if they are many

    def begin(self, order: Order, now_ns: int) -> None:
        """Send the cancel with this turn."""
        track = self._tracks.setdefault(order.external_id, _Track())
        self._send(order, track, now_ns)

    def end(self, ident: ExternalId) -> None:
        self._tracks.pop(ident, None)
        self._fresh.pop(ident, None)

    def leave(self, everything: bool, by_event: bool) -> None:
        """Let out what began in this turn; `everything` asks for the whole account besides.

        `by_event`: whether all orders on a sport event may go, whoever's they are.
        """
        if not (self._fresh or everything):
            return
        fresh = {ident: self._tracks[ident] for ident in self._fresh}
        self._fresh.clear()
        if everything:
            rides = [ident for ident, track in fresh.items() if track.way < Way.ACCOUNT]
            rides = rides if len(rides) > BATCH_ORDERS_MAX else []
            self._out.mass(CancelEverything(self._covered(rides, Way.ACCOUNT)))
            for ident in rides:
                del fresh[ident]
        grouped = self._by_event(fresh)
        wide = self._wide(grouped) if by_event else ()
        for event_id, idents in grouped.items():
            if event_id in wide:
                refs = self._covered(idents, Way.SPORT_EVENT)
                self._out.mass(CancelSportEvent(event_id, refs))
                continue
            for ident in idents:
                fresh[ident].way = Way.ORDER
                self._out.cancel(self._ref(ident))

    def _by_event(self, idents: Iterable[ExternalId]) -> dict[SportEventId, list[ExternalId]]:
        found: dict[SportEventId, list[ExternalId]] = {}
        for ident in idents:
            order = self._orders.get(ident)
            assert order is not None
            found.setdefault(order.event_id, []).append(ident)
        return found

    def _wide(self, going: Mapping[SportEventId, Sized]) -> set[SportEventId]:
        """Where more than a batch goes, and nothing stays."""
        wide = {event_id for event_id, some in going.items() if len(some) > BATCH_ORDERS_MAX}
        if wide:
            wide -= {one.event_id for one in self._orders.live() if not one.cancel_wanted}
        return wide

    def _covered(self, idents: Iterable[ExternalId], way: Way) -> tuple[CancelRef, ...]:
        """A message should follow for each; one without is not waited for long."""
        for ident in idents:
            track = self._tracks[ident]
            track.way = way
            self._send_in(ident, track, track.sent_ns, MASS_WAIT_NS)
        return tuple(self._ref(ident) for ident in idents)

    def _ref(self, ident: ExternalId) -> CancelRef:
        order = self._orders.get(ident)
        assert order is not None
        assert order.order_id is not None, f"{ident}: a cancel needs the order id"
        return CancelRef(ident, order.order_id)

    def acknowledged(self, ident: ExternalId, now_ns: int) -> None:
        """A bare success is no evidence: wait for the message, then read."""
        track = self._tracks.get(ident)
        if track is not None:
            self._read_in(ident, track, now_ns)

    def lost(self, ident: ExternalId, now_ns: int) -> bool:
        """Repeating a cancel is safe: at once the first time, then slower.

        True when the strike should be swept, too.
        """
        track = self._tracks.get(ident)
        if track is None:
            return False
        track.losses += 1
        track.failed_ns = track.failed_ns or now_ns
        order = self._orders.get(ident)
        if track.losses == 1 and order is not None:
            self._send(order, track, now_ns)
        else:
            self._send_in(ident, track, now_ns, _backoff(track.losses))
        return _sweeps(track, now_ns)

    def refused(self, order: Order, now_ns: int, retry_after_ns: int) -> bool:
        """Still being placed, matched or paid: repeat later, and look now and then.

        True when that has gone on for so long that the strike should be swept, too.
        """
        track = self._tracks.setdefault(order.external_id, _Track())
        track.refusals += 1
        track.failed_ns = track.failed_ns or now_ns
        pause_ns = max(RETRY_MIN_NS, min(retry_after_ns, RETRY_MAX_NS))
        if track.refusals > SENDS_ALARM:
            pause_ns = max(pause_ns, _backoff(track.refusals - SENDS_ALARM))
        self._send_in(order.external_id, track, now_ns, pause_ns)
        if track.refusals % REREAD_EVERY_REFUSALS == 0:
            self._reads.order(order.external_id, order.order_id, now_ns)
        return _sweeps(track, now_ns)

    def sweep_waits(self, ident: ExternalId, now_ns: int) -> None:
        """No list allows the sweep yet, so nothing was asked of the exchange: no pause grows."""
        track = self._tracks.get(ident)
        if track is not None:
            track.sweep_ns, track.sweep_wait_ns = now_ns + SWEEP_WAITS_NS, SWEEP_AGAIN_NS

    def read_alive(self, order: Order, now_ns: int) -> None:
        """A read after our cancel still shows the order alive: cancel again."""
        track = self._tracks.get(order.external_id)
        if track is not None and track.reading:
            track.losses += 1
            self._send_in(order.external_id, track, now_ns, _backoff(track.losses))

    def hurry(self, now_ns: int) -> None:
        """There is a session again: what was refused or lost for want of one waits no longer."""
        for ident, track in self._tracks.items():
            if track.failed_ns and not track.reading and track.due_ns <= now_ns + RETRY_MAX_NS:
                self._send_in(ident, track, now_ns, 0)

    def fire(self, ident: ExternalId, now_ns: int) -> None:
        track = self._tracks.get(ident)
        order = self._orders.get(ident)
        if track is None or order is None or now_ns < track.due_ns:
            return
        if track.reading and not (track.looked and now_ns >= track.sent_ns + ANSWER_WAIT_NS):
            track.looked = True
            self._reads.order(ident, order.order_id, now_ns)
            self._read_in(ident, track, now_ns)
        else:  # no answer; or one that no read has confirmed, and perhaps it was a lie
            self._send(order, track, now_ns)

    def _send(self, order: Order, track: _Track, now_ns: int) -> None:
        assert order.order_id is not None, f"{order.external_id}: a cancel needs the order id"
        assert order.state in {State.CANCELLING, State.IN_DOUBT}, order.state
        if track.way < Way.SPORT_EVENT:
            self._fresh[order.external_id] = None
        else:
            track.way = Way.ORDER
            self._out.cancel(CancelRef(order.external_id, order.order_id))
        track.sends += 1
        track.sent_ns, track.looked = now_ns, False
        if track.sends >= SENDS_ALARM and track.sends & (track.sends - 1) == 0:
            self._out.alarm(
                "cancel not confirmed",
                f"{order.external_id}: sent {track.sends} times",
                order.event_id,
            )
        self._send_in(order.external_id, track, now_ns, ANSWER_WAIT_NS)

    def _send_in(self, ident: ExternalId, track: _Track, now_ns: int, pause_ns: int) -> None:
        track.reading = False
        track.due_ns = now_ns + pause_ns
        self._timers.at(track.due_ns, "cancel", ident)

    def _read_in(self, ident: ExternalId, track: _Track, now_ns: int) -> None:
        """When a read can show what the cancel did; at the latest when it is to be repeated."""
        track.reading = True
        latest_ns = max(now_ns + CONFIRM_WAIT_NS, track.sent_ns + ANSWER_WAIT_NS)
        track.due_ns = min(now_ns + CONFIRM_WAIT_NS + self._reads.lag_ns, latest_ns)
        self._timers.at(track.due_ns, "cancel", ident)


def _sweeps(track: _Track, now_ns: int) -> bool:
    """Whether the strike is swept now; what only gets lost is repeated, and no order is held."""
    attempts = track.refusals + track.losses
    slow = now_ns - track.failed_ns >= SWEEP_AFTER_NS and attempts >= SLOW_ATTEMPTS
    often = track.refusals >= SWEEP_REFUSALS
    if now_ns < track.sweep_ns or not track.refusals or not (slow or often):
        return False
    track.sweep_ns = now_ns + track.sweep_wait_ns
    track.sweep_wait_ns = min(SWEEP_AGAIN_MAX_NS, track.sweep_wait_ns * 2)
    return True


def _backoff(times: int) -> int:
    return min(RETRY_MAX_NS, RETRY_MIN_NS << min(times - 1, 8))
