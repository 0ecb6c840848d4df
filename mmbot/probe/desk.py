"""Orders of the probe: few, small, each with all that was ever seen of it, and all taken back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from mmbot.domain.errors import FindOut, TryAgain
from mmbot.exchange.amounts import time_ns
from mmbot.probe.allowance import Allowance
from mmbot.probe.calls import Calls, Reply, dig
from mmbot.probe.listener import Heard
from mmbot.runtime.clock import NS_PER_S, Clock
from mmbot.runtime.limiter import Priority

SUBMIT: Final = "/v4/mm/submit_order"
SUBMIT_MANY: Final = "/v4/mm/submit_multiple_orders"
CANCEL: Final = "/v4/mm/cancel_order"
CANCEL_MANY: Final = "/v4/mm/cancel_multiple_orders"
CANCEL_BY_MARKET: Final = "/v4/mm/cancel_orders_by_market"
ORDER: Final = "/v4/mm/get_order"
HISTORY: Final = "/v4/mm/get_order_history"

RANK: Final = {"": 0, "inactive": 1, "open": 2}
OVER: Final = 3  # every other word ends an order
LOOKS_S: Final = (1.0, 2.0, 4.0, 8.0)
END_WAITS_S: Final = (0.1, 0.3, 0.6, 1.0, 2.0, 4.0, 8.0, 8.0)  # activation may take ten
CLEAN_UP_ROUNDS_MAX: Final = 8
BATCH_MAX: Final = 20
WEEK_S: Final = 7 * 86_400 - 3_600
ARRIVAL_NS: Final = 20 * NS_PER_S  # nothing of ours arrives later than that


@dataclass(slots=True, eq=False)
class Ticket:
    """One order. `open_cents` is None until an answer or a message told it."""

    external_id: str
    strike_id: str
    price: int
    quantity_cents: int
    sent_ns: int
    order_id: str = ""
    status: str = ""
    filled_cents: int = 0
    open_cents: int | None = None
    refused: str = ""  # the word of a refusal: the order does not exist
    reply: Reply | None = field(default=None, repr=False)
    seen: dict[str, Any] = field(default_factory=dict, repr=False)  # the newest order object
    told: list[Heard] = field(default_factory=list, repr=False)

    @property
    def over(self) -> bool:
        """Nothing of it can be filled any more."""
        return bool(self.refused) or _rank(self.status) == OVER or self._closed

    @property
    def _closed(self) -> bool:
        return _rank(self.status) == 2 and self.open_cents == 0

    @property
    def rests(self) -> bool:
        return self.status == "open" and not self._closed

    @property
    def at_risk_cents(self) -> int:
        return self.filled_cents if self.over else self.quantity_cents

    @property
    def words(self) -> list[str]:
        """The statuses that messages told, in their order."""
        return [str(heard.info.get("status") or "") for heard in self.told]

    @property
    def ids(self) -> dict[str, str]:
        return {"external_id": self.external_id, "order_id": self.order_id}

    def take(self, order: Any) -> None:
        """What an answer or a message says; an older image undoes nothing."""
        if not isinstance(order, dict):
            return
        self.order_id = self.order_id or _id_of(order)
        word = str(order.get("status") or "")
        if _rank(word) >= _rank(self.status):
            self.status = word or self.status
            self.seen = order
        filled = order.get("total_filled_quantity", order.get("filled_quantity"))
        self.filled_cents = max(self.filled_cents, _cents(filled) or 0)
        rest = _cents(order.get("open_quantity"))
        if rest is not None:
            self.open_cents = rest if self.open_cents is None else min(self.open_cents, rest)


def _id_of(order: dict[str, Any]) -> str:
    return str(next((order[key] for key in ("order_id", "id", "wager_id") if order.get(key)), ""))


def _rank(status: str) -> int:
    return RANK.get(status, OVER)


def _cents(usd: Any) -> int | None:
    return round(Decimal(str(usd)) * 100) if isinstance(usd, (int, float)) else None


class Desk:
    """Places and cancels. An order whose answer was lost counts in full until it is found."""

    def __init__(self, calls: Calls, allowance: Allowance, clock: Clock, run: str) -> None:
        self.calls = calls
        self.tickets: list[Ticket] = []
        self.lag_s = 0.0  # by which the reports are behind
        self.hears: Callable[[], bool] = lambda: False
        self._allowance = allowance
        self._clock = clock
        self._run = run
        self._by_id: dict[str, Ticket] = {}
        self._changed = asyncio.Event()
        self._began_s = clock.now_ns() // NS_PER_S

    @property
    def at_risk_cents(self) -> int:
        return sum(ticket.at_risk_cents for ticket in self.tickets)

    def draft(self, strike_id: str, price: int, cents: int, strategy: str = "") -> dict[str, Any]:
        """The body of an order with an id of its own; nothing is sent and nothing at risk."""
        body: dict[str, Any] = {
            "external_id": f"probe-{self._run}-{len(self.tickets) + 1}",
            "strike_id": strike_id,
            "price": price,
            "quantity": cents / 100,
        }
        if strategy:
            body["order_strategy"] = strategy
        self._allowance.risk(self.at_risk_cents + cents)
        ticket = Ticket(body["external_id"], strike_id, price, cents, self._clock.now_ns())
        self.tickets.append(ticket)
        self._by_id[ticket.external_id] = ticket
        return body

    async def place(self, strike_id: str, price: int, cents: int, strategy: str = "") -> Ticket:
        """Raises AllowanceSpent; TryAgain when it was not sent; FindOut when that is not known."""
        body = self.draft(strike_id, price, cents, strategy)
        ticket = self._by_id[body["external_id"]]
        try:
            ticket.reply = reply = await self.calls.post(SUBMIT, body)
        except TryAgain:
            ticket.refused = "not sent"
            raise
        if not reply.ok:
            ticket.refused = reply.code or str(reply.status)
            return ticket
        ticket.take(dig(reply.data, "order"))
        if not ticket.order_id:
            raise FindOut("an order was answered with success and without its id")
        return ticket

    def ticket_of(self, body: dict[str, Any]) -> Ticket:
        return self._by_id[body["external_id"]]

    def adopt(self, order: Any, ticket: Ticket) -> None:
        """An order that a batch made of this ticket; a second one gets a ticket of its own.

        A message may have told of the first before the batch was answered.
        """
        if ticket.order_id and isinstance(order, dict) and _id_of(order) != ticket.order_id:
            ticket = Ticket(
                ticket.external_id,
                ticket.strike_id,
                ticket.price,
                ticket.quantity_cents,
                self._clock.now_ns(),
            )
            self.tickets.append(ticket)
        ticket.take(order)

    def hear(self, heard: Heard) -> None:
        info = heard.info
        ticket = self._by_id.get(str(info.get("external_id") or ""))
        if ticket is not None:
            ticket.told.append(heard)
            ticket.take(info)
            self._changed.set()

    async def until(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for the stream to make it true."""
        end_ns = self._clock.monotonic_ns() + round(timeout_s * NS_PER_S)
        while not done():
            left_s = (end_ns - self._clock.monotonic_ns()) / NS_PER_S
            self._changed.clear()
            try:
                async with asyncio.timeout(max(0.0, left_s)):
                    await self._changed.wait()
            except TimeoutError:
                return done()
        return True

    async def follow(
        self, ticket: Ticket, done: Callable[[Ticket], bool], timeout_s: float
    ) -> bool:
        """The same of one order, which is read when the stream tells nothing."""
        left_s, steps_s = timeout_s, iter(LOOKS_S)
        while left_s > 0:
            wait_s = min(left_s, next(steps_s, LOOKS_S[-1]))
            if await self.until(lambda: done(ticket), wait_s):
                return True
            left_s -= wait_s
            if not self.hears():
                await self.read(ticket)
        if not done(ticket):
            await self.read(ticket)
        return done(ticket)

    async def read(self, ticket: Ticket) -> Reply | None:
        """One look at the order by its id."""
        if not ticket.order_id:
            return None
        reply = await self.calls.get(f"{ORDER}/{ticket.order_id}")
        if reply.ok:
            ticket.take(dig(reply.data, "order") or reply.data)
        return reply

    async def rest(self, strike_id: str, price: int, cents: int) -> Ticket:
        """Place and wait until it rests, or is over."""
        ticket = await self.place(strike_id, price, cents)
        if not ticket.refused:
            await self.follow(ticket, lambda one: one.rests or one.over, 15.0 + self.lag_s)
        return ticket

    async def cancel(self, ticket: Ticket, body: dict[str, str] | None = None) -> Reply:
        reply = await self.calls.post(CANCEL, body or ticket.ids, Priority.CANCEL)
        ticket.take(dig(reply.data, "order") if reply.ok else None)
        return reply

    async def end(self, ticket: Ticket) -> None:
        """Cancel until it is over, a few times; what is left is for `clean_up`."""
        for wait_s in END_WAITS_S:
            if ticket.over or not ticket.order_id:
                return
            with contextlib.suppress(FindOut):
                await self.cancel(ticket)
            await self.until(lambda: ticket.over, wait_s)
        await self.read(ticket)

    async def clean_up(self) -> None:
        """Cancel everything that may still be filled, until it is seen to be over."""
        for number in range(CLEAN_UP_ROUNDS_MAX):
            if self.all_over:
                return
            try:
                await self._clean_up_once(stubborn=number > 0)
            except TryAgain as error:
                await self._clock.sleep(min(5.0, error.retry_after_s))
            except FindOut:
                pass  # the next round asks again
            await self.until(lambda: self.all_over, 1.0 + number)

    @property
    def all_over(self) -> bool:
        return all(ticket.over for ticket in self.tickets)

    async def _clean_up_once(self, stubborn: bool) -> None:
        """What an order's own cancel did not end, the mass cancel of its strike may: that takes
        orders that are not open yet."""
        left = [ticket for ticket in self.tickets if not ticket.over]
        if any(not ticket.order_id for ticket in left):
            await self._find()
        known = [ticket for ticket in left if ticket.order_id]
        for start in range(0, len(known), BATCH_MAX):
            rows = [ticket.ids for ticket in known[start : start + BATCH_MAX]]
            await self.calls.post(CANCEL_MANY, {"data": rows}, Priority.CANCEL)
        for ticket in known if stubborn else ():
            await self._sweep(ticket)
        await self.until(lambda: self.all_over, 1.0 + self.lag_s)
        for ticket in known:
            if not ticket.over:
                await self.read(ticket)

    async def _sweep(self, ticket: Ticket) -> None:
        event_id, market_id = (ticket.seen.get(key) for key in ("sport_event_id", "market_id"))
        for form in (market_id, str(market_id)):
            body = {"event_id": event_id, "market_id": form, "strike_id": ticket.strike_id}
            reply = await self.calls.post(CANCEL_BY_MARKET, body, Priority.CANCEL)
            if reply.code != "invalid_market_id":
                return

    async def resting_of_all(self) -> list[Reply]:
        """What the account has unfilled, of whomever: two pages of the week's history."""
        now_s = self._clock.now_ns() // NS_PER_S
        window: dict[str, str | int] = {"from": now_s - WEEK_S, "to": now_s + 60, "limit": 100}
        return [
            await self.calls.get(HISTORY, **window, matching_status=word)
            for word in ("unmatched", "partially_matched")
        ]

    async def _find(self) -> None:
        """Orders whose answer was lost, by their ids in the account's history.

        One that is not there, though the copy is younger than any late arrival, never came.
        """
        now_s = self._clock.now_ns() // NS_PER_S
        reply = await self.calls.get(
            HISTORY, **{"from": self._began_s - 60, "to": now_s + 60, "limit": 100}
        )
        for row in dig(reply.data, "orders") or ():
            ticket = self._by_id.get(str(dig(row, "external_id") or ""))
            if ticket is not None:
                ticket.take(row)
        synced_ns = time_ns(dig(reply.body, "last_synced_at"))
        for ticket in self.tickets:
            late = synced_ns is not None and synced_ns > ticket.sent_ns + ARRIVAL_NS
            if late and not ticket.order_id and not ticket.refused:
                ticket.refused = "never arrived"
