"""Did the private stream tell what a read found? A silent loss must not stay silent."""

from __future__ import annotations

from typing import Final

from mmbot.domain.ids import ExternalId
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.outbox import Outbox
from mmbot.engine.timers import Timers

FOLLOW_WAIT_NS: Final = 10_000_000_000  # a read may simply be faster than the message
WATCHED_MAX: Final = 1000


class Missed:
    """Orders that a read changed, until the stream says the same."""

    def __init__(self, out: Outbox, timers: Timers) -> None:
        self._out = out
        self._timers = timers
        self._expected: dict[ExternalId, Order] = {}
        self._due_ns: dict[ExternalId, int] = {}

    def expect(self, order: Order, now_ns: int) -> None:
        if len(self._expected) < WATCHED_MAX:
            self._expected[order.external_id] = order
            self._due_ns[order.external_id] = now_ns + FOLLOW_WAIT_NS
            self._timers.at(now_ns + FOLLOW_WAIT_NS, "missed", order.external_id)

    def told(self, ident: ExternalId, report: OrderReport) -> None:
        """The stream speaks of the order: is it what the read had shown?"""
        order = self._expected.get(ident)
        if order is None or report.filled_cents < order.filled_cents:
            return
        if report.alive and order.terminal:
            return
        self._drop(ident)

    def fire(self, ident: ExternalId, now_ns: int) -> None:
        order = self._expected.get(ident)
        if order is None or now_ns < self._due_ns[ident]:
            return
        self._drop(ident)
        detail = f"{ident}: a read showed {order.state}, {order.filled_cents} cents filled"
        self._out.alarm("the stream missed something", detail, order.event_id)

    def _drop(self, ident: ExternalId) -> None:
        self._expected.pop(ident, None)
        self._due_ns.pop(ident, None)
