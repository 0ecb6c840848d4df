"""Carries out what is done at the exchange by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING, Any, Final

from mmbot.sim.core.lifecycle import NS, Strike
from mmbot.sim.core.matching import takeable_cents
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Account, Order, OrderRequest, Refusal
from mmbot.sim.core.prices import complement
from mmbot.sim.stream.frames import CUT, Close
from mmbot.sim.timeline import hand_actions as wanted
from mmbot.sim.timeline.entries import Action

if TYPE_CHECKING:
    from mmbot.sim.box import Box

PASSER_BY_CENTS: Final = 100_000_000_000
NO_ACCOUNT: Final = Refusal(404, "data_not_found", "no such account")
NO_STRIKE: Final = Refusal(404, "data_not_found", "no such strike")


class Hands:
    """A person's orders are orders like any other; only their names tell them apart."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._placed = 0
        self._back_at_ns = 0
        self._passer_by: Account | None = None
        self._rng = Random(f"{box.options.seed}:hands")
        self.doers: dict[type[Action], Callable[[Any, int], Json | Refusal]] = {
            wanted.Place: self._place,
            wanted.Cancel: self._cancel,
            wanted.Take: self._take,
            wanted.Restart: self._restart,
            wanted.Burst: self._burst,
        }

    # -- orders by hand -------------------------------------------------------------------

    def _place(self, action: wanted.Place, now_ns: int) -> Json | Refusal:
        account, strike = self._account(action.account), self._strike(action)
        if account is None or strike is None:
            return NO_ACCOUNT if account is None else NO_STRIKE
        if action.price not in self._box.exchange.ladder:
            return Refusal(400, "invalid_price", "price is not on the ladder")
        self._placed += 1
        request = OrderRequest(
            external_id=action.external_id or f"by-hand-{self._placed}",
            strike_id=strike.strike_id,
            price=action.price,
            quantity_cents=round(action.usd * 100),
            strategy=action.strategy,
        )
        order = self._box.exchange.submit(account, request, now_ns)
        if isinstance(order, Refusal):
            return order
        return {"order_id": order.order_id, "external_id": request.external_id}

    def _cancel(self, action: wanted.Cancel, now_ns: int) -> Json | Refusal:
        account = self._account(action.account)
        if account is None:
            return NO_ACCOUNT
        found = self._open(account, 0, action.external_id)
        return {"cancelled": self._box.exchange.cancel_all(found, now_ns)}

    def _take(self, action: wanted.Take, now_ns: int) -> Json | Refusal:
        account = self._account(action.account)
        if account is None:
            return NO_ACCOUNT
        before = len(account.fills)
        for order in self._open(account, action.event, action.external_id):
            if order.status == "open":
                self._take_one(order, action, now_ns)
        return {"fills": len(account.fills) - before}

    def _take_one(self, order: Order, action: wanted.Take, now_ns: int) -> None:
        """Whoever wants this order must take all that trades before it."""
        open_cents = order.open_cents - round(action.leave_usd * 100)
        cents = takeable_cents(open_cents, order.price)
        cents = min(cents, round(action.usd * 100)) if action.usd else cents
        if cents <= 0:
            return
        for other in self._box.exchange.books[order.line.index].resting(order.strike.side):
            if other is order:
                break
            cents += takeable_cents(other.open_cents, other.price)
        opposite = order.line.strikes[1 - order.strike.side]
        request = OrderRequest("", opposite.strike_id, complement(order.price), cents, "take")
        self._box.exchange.accept(self._taker(now_ns), request, now_ns)

    def _open(self, account: Account, event: int, external_id: str) -> list[Order]:
        listing = self._box.exchange.listing
        numbers = dict(enumerate(listing.events, start=1))
        event_id = numbers.get(event, event)
        return [
            order
            for order in account.alive.values()
            if (not event_id or order.line.event_id == event_id)
            and external_id in ("", order.request.external_id)
        ]

    def _strike(self, action: wanted.Place) -> Strike | None:
        listing = self._box.exchange.listing
        if action.strike_id:
            return listing.strikes.get(action.strike_id)
        events = list(listing.events.values())
        event = listing.events.get(action.event)
        if event is None and 1 <= action.event <= len(events):
            event = events[action.event - 1]
        if event is None or action.line > len(event.lines):
            return None
        return event.lines[action.line - 1].strikes[action.side]

    def _account(self, name: str) -> Account | None:
        accounts = self._box.exchange.accounts.values()
        return next((one for one in accounts if one.name == name and not one.internal), None)

    def _taker(self, now_ns: int) -> Account:
        if self._passer_by is None:
            user_id = self._box.exchange.new_id()
            account = Account(user_id, "passer-by", PASSER_BY_CENTS, internal=True)
            self._passer_by = self._box.exchange.open_account(account)
            self._box.truth.opened(account, now_ns)
        return self._passer_by

    # -- the exchange itself --------------------------------------------------------------

    def _restart(self, action: wanted.Restart, now_ns: int) -> Json | Refusal:
        """Sockets drop at once, REST is away, sequence numbers restart, some orders are gone."""
        box = self._box
        box.hub.close_all(Close(CUT))
        box.hub.refuse_new = Close(CUT)
        box.switches.unavailable_502 = True
        self._back_at_ns = now_ns + round(action.down_s * NS)
        box.exchange.schedule(self._back_at_ns, self._come_back)
        gone = [
            order
            for account in box.exchange.accounts.values()
            if not account.internal
            for order in account.alive.values()
            if self._rng.random() < action.lost_share
        ]
        for order in gone:
            box.exchange.cancel(order, now_ns)
        box.exchange.bulletin.restart(now_ns)
        return {"down_s": action.down_s, "orders_gone": len(gone)}

    def _come_back(self, now_ns: int) -> None:
        if now_ns >= self._back_at_ns:
            self._box.hub.refuse_new = None
            self._box.switches.unavailable_502 = False

    def _burst(self, action: wanted.Burst, now_ns: int) -> Json | Refusal:
        """Images of the books as they are, one after the other, as fast as they go."""
        box = self._box
        numbers = dict(enumerate(box.exchange.listing.events, start=1))
        chosen = [numbers.get(action.event, action.event)] if action.event else numbers.values()
        lines = [
            line
            for event_id in chosen
            if event_id in box.exchange.listing.events
            for line in box.exchange.listing.events[event_id].lines
        ]
        for line in islice(cycle(lines), action.messages):
            box.exchange.send_book(line, now_ns)
        return {"messages": action.messages if lines else 0}
