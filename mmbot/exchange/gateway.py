"""Commands in, domain events out. Outcomes of trading are values here, never exceptions.

`ReadGateway` has no write method: in observe mode nothing else is constructed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from functools import partial
from typing import Final, TypeVar

from mmbot.domain.commands import BATCH_ORDERS_MAX, CancelRef, CancelSportEvent, SweepStrike
from mmbot.domain.errors import FindOut, MmbotError, TryAgain
from mmbot.domain.events import (
    CancelAcknowledged,
    CancelLost,
    CancelRefused,
    Event,
    OrderSeen,
    PlaceLost,
    PlaceNotSent,
    PlaceRefused,
    ReadFailed,
)
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import Order, OrderReport
from mmbot.engine.risk import Approved
from mmbot.exchange import codec, wire
from mmbot.exchange.attempts import Attempt
from mmbot.exchange.order_wire import Cleared
from mmbot.exchange.reads import ReadGateway
from mmbot.exchange.refusals import OnCancel, OnPlace, Refusal, item_refusal
from mmbot.exchange.rest import Answer
from mmbot.exchange.routes import Route
from mmbot.runtime.limiter import Priority

NOT_SENT_RETRY_NS: Final = 300_000_000
MS_NS: Final = 1_000_000

T = TypeVar("T")


class Gateway(ReadGateway):
    """The reads, and everything that changes the book."""

    async def place(
        self,
        orders: Sequence[Approved],
        cleared: Cleared | None = None,
        priority: Priority = Priority.NEW,
    ) -> list[Event]:
        """One event per order, whatever happens. Chunks of 20; each chunk stands for itself.

        `cleared` is awaited before each write, when the request is ready (exchange/http.py).
        """
        unique = list({approved.order.external_id: approved.order for approved in orders}.values())
        if len(unique) < len(orders):
            self.notices.count("external_id_twice_in_a_batch")  # faults: C5
        events: list[Event] = []
        for chunk in _chunks(unique):
            events.extend(await self._place_chunk(chunk, cleared, priority))
        return events

    async def _place_chunk(
        self, orders: Sequence[Order], cleared: Cleared | None, priority: Priority
    ) -> list[Event]:
        attempt = self.rest.attempts.begin("place", [order.external_id for order in orders])
        body = codec.submit_body(orders)
        route = self.rest.routes.submit
        call = partial(self.rest.call, route, priority, body=body, cleared=cleared, attempt=attempt)
        events = await self._place_answer(orders, call())
        attempt.told(events)
        if cleared is not None and all(map(_unheard_of, events)):
            # The same ids at once: of each at most one can land, and the answer ends the doubt.
            # What has changed since, or is two seconds old, does not pass `cleared` again.
            again = await self._place_answer(orders, call())
            attempt.told(again)
            events = [*map(_of_two, events, again)]
        return events

    async def _place_answer(self, orders: Sequence[Order], asked: Awaitable[Answer]) -> list[Event]:
        try:
            answer = await asked
        except TryAgain as error:
            return [PlaceNotSent(order.external_id, str(error)) for order in orders]
        except FindOut as error:
            return [PlaceLost(order.external_id, str(error)) for order in orders]
        except MmbotError as error:
            return [PlaceNotSent(order.external_id, str(error)) for order in orders]
        if answer.refusal is not None:
            return [_placed(order, answer.refusal, len(orders)) for order in orders]
        return self._read_submitted(orders, answer)

    def _read_submitted(self, orders: Sequence[Order], answer: Answer) -> list[Event]:
        """Every order of the chunk gets exactly one event (faults: A5 C1)."""
        outcome: dict[ExternalId, Event] = {}
        asked = {order.external_id: order for order in orders}
        try:
            submitted = wire.unwrap(answer.body, wire.Submitted)
        except wire.Unreadable as error:
            self.notices.count("submit_answer_unreadable", str(error))
            return [PlaceLost(order.external_id, "a 200 that cannot be read") for order in orders]
        for raw in submitted.failed_orders or ():
            self._read_failed(raw, orders, asked, outcome)
        for raw in submitted.succeed_orders or ():
            report = self._report(raw, "submit_item_unreadable")
            if report is None:
                continue
            if report.external_id is None or report.external_id not in asked:
                self.notices.count("submit_item_of_nobody", str(report.order_id))
                continue
            # Success wins over a failure of the same id: what lives must be counted.
            outcome[report.external_id] = _shown(report, "place", answer)
        lost = "in neither list of the answer"
        return [
            outcome.get(order.external_id) or PlaceLost(order.external_id, lost) for order in orders
        ]

    def _read_failed(
        self,
        raw: wire.Raw,
        orders: Sequence[Order],
        asked: dict[ExternalId, Order],
        outcome: dict[ExternalId, Event],
    ) -> None:
        try:
            item = wire.decode(raw, wire.FailedOrder)
        except wire.Unreadable as error:
            self.notices.count("submit_item_unreadable", str(error))
            return
        named = (item.request.external_id if item.request else None) or item.external_id
        if named is not None:
            order = asked.get(ExternalId(named))
        elif item.index is not None and 0 <= item.index < len(orders):
            order = orders[item.index]
        else:
            order = None
        if order is None:
            self.notices.count("submit_item_of_nobody")
            return
        refusal = item_refusal(200, item.error, item.error_code, item.code, item.message)
        refusal.tell(self.notices, order.external_id, "item")
        outcome[order.external_id] = _placed(order, refusal, 1)

    async def cancel(self, refs: Sequence[CancelRef]) -> list[Event]:
        """One event per order. Nothing here says `cancelled` without the exchange's order."""
        events: list[Event] = []
        unique = list({ref.external_id: ref for ref in refs}.values())
        for chunk in _chunks(unique):
            events.extend(await self._cancel_chunk(chunk))
        return events

    async def _cancel_chunk(self, refs: Sequence[CancelRef]) -> list[Event]:
        attempt = self.rest.attempts.begin("cancel", [ref.external_id for ref in refs])
        call = partial(self.rest.call, body=codec.cancel_body(refs), attempt=attempt)
        events = await self._cancel_answer(refs, call(self.rest.routes.cancel, Priority.CANCEL))
        attempt.told(events)
        return events

    async def _cancel_answer(
        self, refs: Sequence[CancelRef], asked: Awaitable[Answer]
    ) -> list[Event]:
        try:
            answer = await asked
        except TryAgain as error:
            wait_ns = max(NOT_SENT_RETRY_NS, min(round(error.retry_after_s * 1e9), 10**10))
            return [
                CancelRefused(ref.external_id, f"not sent: {error}", wait_ns, unsent=True)
                for ref in refs
            ]
        except FindOut as error:
            return [CancelLost(ref.external_id, str(error)) for ref in refs]
        except MmbotError as error:
            return [CancelLost(ref.external_id, str(error)) for ref in refs]
        if answer.refusal is not None:
            return [_cancelled(ref, answer.refusal) for ref in refs]
        return self._read_cancelled(refs, answer)

    def _read_cancelled(self, refs: Sequence[CancelRef], answer: Answer) -> list[Event]:
        try:
            data = wire.unwrap(answer.body, wire.Raw)
            if not wire.is_list(data):
                return [CancelAcknowledged(ref.external_id, "a bare success") for ref in refs]
            items = [wire.decode(raw, wire.CancelItem) for raw in wire.raw_list(data)]
        except wire.Unreadable as error:
            self.notices.count("cancel_answer_unreadable", str(error))
            return [CancelLost(ref.external_id, "a 200 that cannot be read") for ref in refs]
        outcome: dict[ExternalId, Event] = {}
        for place, item in enumerate(items):
            report = self._report(item.order, "cancel_item_unreadable") if item.order else None
            ref = _ref_of(item, report, place, refs, len(items))
            if ref is not None:
                outcome[ref.external_id] = self._cancel_item(ref, item, report, answer)
        return [
            outcome.get(ref.external_id) or CancelLost(ref.external_id, "not in the answer")
            for ref in refs
        ]

    def _cancel_item(
        self, ref: CancelRef, item: wire.CancelItem, report: OrderReport | None, answer: Answer
    ) -> Event:
        if item.success:
            if report is None:
                return CancelAcknowledged(ref.external_id, "success without the order")
            return _shown(report, "cancel", answer)
        status = item.statusCode or 200
        refusal = item_refusal(status, item.error, item.error_code, None, item.message)
        refusal.tell(self.notices, ref.external_id, "item")
        return _cancelled(ref, refusal)

    async def sweep(self, sweep: SweepStrike) -> list[Event]:
        """Cancel all of ours on one strike. Empty means done or nothing there: now read."""
        route = self.rest.routes.cancel_by_market
        if route is None:
            return [ReadFailed("SweepStrike", "this dialect has no such route")]
        attempt = self.rest.attempts.begin("sweep", strike_id=sweep.strike_id)
        events = await self._mass("SweepStrike", route, codec.sweep_body(sweep, False), attempt)
        if attempt.code == "invalid_market_id":  # contract 15.22: a number first, then text
            attempt.again()
            events = await self._mass("SweepStrike", route, codec.sweep_body(sweep, True), attempt)
        attempt.told(events)
        return events

    async def cancel_event(self, command: CancelSportEvent) -> list[Event]:
        """All orders of one sport event. Empty means done or nothing there; else one each."""
        named = [ref.external_id for ref in command.refs]
        attempt = self.rest.attempts.begin("cancel", named)
        route, body = self.rest.routes.cancel_by_event, codec.event_body(command.event_id)
        if route is None:
            return _nothing_done("CancelSportEvent", "this dialect has no such route", command.refs)
        events = await self._mass("CancelSportEvent", route, body, attempt, command.refs)
        attempt.told(events[:1])
        return events

    async def cancel_everything(self, refs: Sequence[CancelRef] = ()) -> list[Event]:
        """The whole account, people's orders too. Empty means done or nothing there."""
        route = self.rest.routes.cancel_all
        if route is None:
            return _nothing_done("CancelEverything", "this dialect has no such route", refs)
        attempt = self.rest.attempts.begin("mass cancel")
        events = await self._mass("CancelEverything", route, b"{}", attempt, refs)
        attempt.told(events[:1])
        return events

    async def _mass(
        self,
        what: str,
        route: Route,
        body: bytes,
        attempt: Attempt,
        refs: Sequence[CancelRef] = (),
    ) -> list[Event]:
        try:
            answer = await self.rest.call(route, Priority.CANCEL, body=body, attempt=attempt)
        except MmbotError as error:
            return _nothing_done(what, str(error), refs)
        refusal = answer.refusal
        if refusal is not None and route.unsure and refusal.no_such_route:
            return _nothing_done(what, "this exchange has no such route", refs)
        if refusal is None or refusal.meaning.cancel is OnCancel.SEEMS_DONE:
            return []
        return _nothing_done(what, refusal.text, refs)


def _nothing_done(what: str, why: str, refs: Sequence[CancelRef]) -> list[Event]:
    """A mass cancel that did not work, as far as we know; each order goes another way."""
    return [ReadFailed(what, why), *(CancelLost(ref.external_id, f"{what}: {why}") for ref in refs)]


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH_ORDERS_MAX):
        yield items[start : start + BATCH_ORDERS_MAX]


def _shown(report: OrderReport, route: str, answer: Answer) -> OrderSeen:
    return OrderSeen(report, "reply", answer.received_ns, route=route, exchange_ns=answer.date_ns)


def _placed(order: Order, refusal: Refusal, asked_with: int) -> Event:
    """A word about one order proves nothing about the others of a batch (faults: C3)."""
    match refusal.meaning.place:
        case OnPlace.NOT_ASKED:
            return PlaceNotSent(order.external_id, refusal.text)
        case OnPlace.REQUEST_REFUSED:
            return PlaceRefused(order.external_id, refusal.placing_code, refusal.message)
        case OnPlace.REFUSED if asked_with == 1:
            return PlaceRefused(order.external_id, refusal.placing_code, refusal.message)
        case OnPlace.REFUSED | OnPlace.LOST:
            return PlaceLost(order.external_id, refusal.text)


def _unheard_of(event: Event) -> bool:
    """Nothing is known of it, not even that its id exists."""
    return isinstance(event, PlaceLost) and "id_existed" not in event.reason


def _of_two(first: Event, second: Event) -> Event:
    """A refusal of the second says nothing of the first, which may still arrive."""
    return first if isinstance(second, PlaceRefused | PlaceNotSent) else second


def _cancelled(ref: CancelRef, refusal: Refusal) -> Event:
    match refusal.meaning.cancel:
        case OnCancel.SEEMS_DONE:
            return CancelAcknowledged(ref.external_id, refusal.text)
        case OnCancel.AGAIN:
            wait_ns = refusal.meaning.retry_after_ms * MS_NS
            return CancelRefused(ref.external_id, refusal.code or str(refusal.status), wait_ns)
        case OnCancel.LOST:
            return CancelLost(ref.external_id, refusal.text)


def _ref_of(
    item: wire.CancelItem,
    report: OrderReport | None,
    place: int,
    refs: Sequence[CancelRef],
    items: int,
) -> CancelRef | None:
    """By ids where the item has them, else by its place in a complete list."""
    order_id = str(report.order_id) if report else str(item.order_id or "")
    if order_id:
        return next((ref for ref in refs if ref.order_id == order_id), None)
    external_id = item.external_id
    if external_id:
        return next((ref for ref in refs if ref.external_id == external_id), None)
    return refs[place] if items == len(refs) else None
