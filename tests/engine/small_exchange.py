"""A toy exchange behind a bad network, in one thread and with its own clock: for properties.

It knows orders, cancels, fills and reads, and nothing of the ledger's rules. Until `calm` it
loses, repeats, delays and reorders what it says; what it does, it does.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from mmbot.domain.commands import CancelOrders, Command, ReadHistory, ReadOrder, SweepStrike
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
)
from mmbot.domain.ids import ExternalId, OrderId
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.conduct import OrderEvent
from tests.builders import NOW, SECOND, a_report

LATEST_S = 55.0  # a request may still land this long after it was sent


@dataclass
class Resting:
    order: Order
    created_ns: int
    filled: int = 0
    status: str = "open"
    gone: bool = False

    @property
    def open_cents(self) -> int:
        return 0 if self.gone else self.order.quantity_cents - self.filled

    def report(self) -> OrderReport:
        return a_report(
            self.order,
            filled=self.filled,
            status=self.status,
            open_cents=self.open_cents,
            order_id=OrderId(f"theirs-{self.order.external_id}"),
            created_ns=self.created_ns,
        )


@dataclass
class SmallExchange:
    rng: Random
    now_ns: int = NOW
    calm: bool = False
    orders: dict[ExternalId, Resting] = field(default_factory=dict)
    _coming: list[tuple[int, int, OrderEvent]] = field(default_factory=list)
    _landing: list[tuple[int, int, Order]] = field(default_factory=list)
    _seq: int = 0

    # --- what the client sends ---------------------------------------------------------------

    def place(self, order: Order) -> None:
        fate = "ok" if self.calm else self.rng.choice(FATES_OF_PLACE)
        match fate:
            case "ok":
                known = order.external_id in self.orders
                if known:
                    self._say(PlaceLost(order.external_id, "external_id_existed"))
                else:
                    self._land(order)
                    self._say(OrderSeen(self.orders[order.external_id].report(), "reply", 0))
            case "refused":
                self._say(PlaceRefused(order.external_id, "suspended", ""))
            case "not sent":
                self._say(PlaceNotSent(order.external_id, "429"))
            case "lost before":
                self._say(PlaceLost(order.external_id, "reset"))
            case _:
                delay = 0.0 if fate == "lost after" else self.rng.uniform(0, LATEST_S)
                self._seq += 1
                due_ns = self.now_ns + int(delay * SECOND)
                heapq.heappush(self._landing, (due_ns, self._seq, order))
                self._say(PlaceLost(order.external_id, "timeout"))

    def perform(self, command: Command) -> None:
        match command:
            case CancelOrders(refs):
                for ref in refs:
                    self._cancel(ref.external_id)
            case SweepStrike():
                for resting in tuple(self.orders.values()):
                    if resting.order.strike_id == command.strike_id:
                        self._end(resting, "canceled")
            case ReadOrder(ident, order_id):
                self._read(ident, order_id)
            case ReadHistory():
                self._list(command)
            case _:
                pass

    def _cancel(self, ident: ExternalId) -> None:
        fate = "ok" if self.calm else self.rng.choice(FATES_OF_CANCEL)
        resting = self.orders.get(ident)
        if fate in {"ok", "lost after"} and resting is not None:
            self._end(resting, "canceled")
        match fate:
            case "ok":
                self._say(CancelAcknowledged(ident, "success"))
            case "refused":
                self._say(CancelRefused(ident, "opened_retry", 300_000_000))
            case _:
                self._say(CancelLost(ident, "timeout"))

    def _read(self, ident: ExternalId, order_id: OrderId) -> None:
        if not self.calm and self.rng.random() < 0.3:
            self._say(ReadFailed("ReadOrder", "502"))
            return
        resting = self.orders.get(ident)
        if resting is None:
            self._say(OrderNotFound(ident, self.now_ns, self.now_ns))
        else:
            self._say(OrderSeen(resting.report(), "read", self.now_ns, self.now_ns))

    def _list(self, asked: ReadHistory) -> None:
        if not self.calm and self.rng.random() < 0.3:
            self._say(ReadFailed("ReadHistory", "503"))
            return
        reports = tuple(
            r.report()
            for r in self.orders.values()
            if (asked.changed_only or r.created_ns >= asked.from_ns)
            and (r.open_cents or not asked.alive_only)
        )
        now_ns, only = self.now_ns, (asked.alive_only, asked.changed_only)
        self._say(HistoryRead(asked.from_ns, reports, now_ns, now_ns, now_ns, *only))

    # --- what happens there ------------------------------------------------------------------

    def fill_something(self) -> None:
        alive = [r for r in self.orders.values() if r.open_cents]
        if alive:
            resting = self.rng.choice(alive)
            resting.filled += self.rng.choice([resting.open_cents, 1, resting.open_cents // 2])
            self._stream(resting)

    def wipe_something(self) -> None:
        alive = [r for r in self.orders.values() if r.open_cents]
        if alive:
            self._end(self.rng.choice(alive), "wiped")

    def _land(self, order: Order) -> None:
        if order.external_id in self.orders:
            return  # the same id again: refused, and the first one stands
        self.orders[order.external_id] = Resting(order, self.now_ns)
        self._stream(self.orders[order.external_id])

    def _end(self, resting: Resting, status: str) -> None:
        if resting.open_cents:
            resting.gone = True
            partly = status == "canceled" and resting.filled
            resting.status = "open" if partly else status
            self._stream(resting)

    # --- what is said, and when it arrives ---------------------------------------------------

    def _stream(self, resting: Resting) -> None:
        copies = 1 if self.calm else self.rng.choice([0, 1, 1, 1, 2, 3])
        for _ in range(copies):
            self._say(OrderSeen(resting.report(), "stream", self.now_ns))

    def _say(self, event: OrderEvent) -> None:
        delay_s = 0.05 if self.calm else self.rng.choice([0.0, 0.05, 0.5, 3.0])
        self._seq += 1
        due_ns = self.now_ns + int(delay_s * SECOND)
        heapq.heappush(self._coming, (due_ns, self._seq, event))

    def until(self, now_ns: int) -> Iterator[OrderEvent]:
        """Everything that arrives by then; requests on their way land."""
        self.now_ns = now_ns
        while self._landing and self._landing[0][0] <= now_ns:
            self._land(heapq.heappop(self._landing)[2])
        while self._coming and self._coming[0][0] <= now_ns:
            yield heapq.heappop(self._coming)[2]

    def forget_the_client(self) -> None:
        """The client died: nothing that was said will be heard."""
        self._coming.clear()


FATES_OF_PLACE = ["ok", "ok", "ok", "refused", "not sent", "lost before", "lost after", "late"]
FATES_OF_CANCEL = ["ok", "ok", "refused", "lost before", "lost after"]
