"""The exchange as one object without I/O: time is an argument, messages are collected."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable, Iterable
from random import Random
from typing import Protocol

from mmbot.sim import messages
from mmbot.sim.lifecycle import Line, Listing, SportEvent
from mmbot.sim.matching import LineBook, match_cents
from mmbot.sim.messages import Outgoing
from mmbot.sim.orders import Account, Fill, Order, OrderRequest
from mmbot.sim.prices import Ladder, at_least_as_good, complement
from mmbot.sim.scenario import Rules
from mmbot.sim.wallet import Wallet

MS = 1_000_000
Delay = Callable[[], int]


class Witness(Protocol):
    """Who writes down what the exchange did."""

    def order_changed(self, order: Order, what: str, now_ns: int) -> None: ...

    def filled(self, fill: Fill) -> None: ...


class Exchange:
    """Accounts, books and the queue of what is due."""

    def __init__(
        self,
        listing: Listing,
        ladder: Ladder,
        rules: Rules,
        witness: Witness,
        rng: Random,
        activation_ns: Delay,
    ) -> None:
        self.listing = listing
        self.ladder = ladder
        self.rules = rules
        self.wallet = Wallet(rules.fee_bps)
        self.witness = witness
        self.accounts: dict[str, Account] = {}
        self.orders: dict[str, Order] = {}
        self.books = [LineBook() for _ in listing.lines]
        self.outbox: list[Outgoing] = []
        self.fills: list[Fill] = []
        self.now_ns = 0
        self._rng = rng
        self._activation_ns = activation_ns
        self._due: list[tuple[int, int, Callable[[int], None]]] = []
        self._due_count = 0
        self._order_count = 0
        self._sequence = 0
        self._book_sent_ns = [0] * len(listing.lines)
        self._book_pending = [False] * len(listing.lines)
        self._activation_tail_ns = 0

    # -- time ---------------------------------------------------------------------------

    def schedule(self, at_ns: int, action: Callable[[int], None]) -> None:
        self._due_count += 1
        heapq.heappush(self._due, (at_ns, self._due_count, action))

    def next_due_ns(self) -> int | None:
        return self._due[0][0] if self._due else None

    def advance(self, now_ns: int) -> None:
        """Do everything that is due, each thing at its own time."""
        while self._due and self._due[0][0] <= now_ns:
            at_ns, _, action = heapq.heappop(self._due)
            self.now_ns = max(self.now_ns, at_ns)
            action(self.now_ns)
        self.now_ns = max(self.now_ns, now_ns)

    def sequence(self) -> int:
        """Monotonic; microseconds of the clock, as the vendor's own numbers look."""
        self._sequence = max(self._sequence + 1, self.now_ns // 1000)
        return self._sequence

    # -- accounts -----------------------------------------------------------------------

    def open_account(self, account: Account) -> Account:
        account.start_cents = account.cash_cents
        self.accounts[account.user_id] = account
        return account

    def new_id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))

    # -- orders -------------------------------------------------------------------------

    def accept(self, account: Account, request: OrderRequest, now_ns: int) -> Order:
        """Take a checked request into the activation queue."""
        strike = self.listing.strikes[request.strike_id]
        self._order_count += 1
        order = Order(
            order_id=self.new_id(),
            number=self._order_count,
            account=account,
            request=request,
            line=self.listing.line_of(strike),
            strike=strike,
            created_ns=now_ns,
            updated_ns=now_ns,
            open_cents=request.quantity_cents,
        )
        self.orders[order.order_id] = order
        account.alive[order.order_id] = order
        account.resting_cents += order.open_cents
        if not account.internal:
            account.orders[order.order_id] = order
            account.by_external[request.external_id] = order
        self.witness.order_changed(order, "accepted", now_ns)
        if account.internal:
            self._activate(order, now_ns)
        else:  # confirmations come in the order of submission
            due = max(now_ns + self._activation_ns(), self._activation_tail_ns)
            self._activation_tail_ns = due
            self.schedule(due, lambda at_ns: self._activate(order, at_ns))
        return order

    def crosses_own(self, account: Account, request: OrderRequest) -> bool:
        """Whether the request would trade with an order of the same account."""
        strike = self.listing.strikes[request.strike_id]
        return any(
            other.line.index == strike.line_index
            and other.strike.side != strike.side
            and at_least_as_good(complement(other.price), request.price)
            for other in account.alive.values()
        )

    def cancel(self, order: Order, now_ns: int, what: str = "canceled") -> None:
        """Take the open part away; what was filled stays."""
        self._end_open(order, now_ns)
        if order.filled_cents and what in ("canceled", "wiped"):
            order.rest_canceled = True
        elif what == "wiped":
            order.status = "wiped"
        elif what == "invalid":
            order.status = "invalid"
        else:
            order.status = "canceled"
        self._changed(order, what, now_ns)

    def cancel_all(self, orders: Iterable[Order], now_ns: int, what: str = "canceled") -> int:
        alive = [order for order in orders if order.alive]
        for order in alive:
            self.cancel(order, now_ns, what)
        return len(alive)

    def _end_open(self, order: Order, now_ns: int) -> None:
        account = order.account
        account.resting_cents -= order.open_cents
        account.alive.pop(order.order_id, None)
        book = self.books[order.line.index]
        if order.status == "open":
            book.remove(order)
            self._book_changed(order.line, now_ns)
        order.open_cents = 0
        if account.internal and order.filled_cents == 0:
            self.orders.pop(order.order_id, None)

    def _activate(self, order: Order, now_ns: int) -> None:
        if not order.alive:
            return
        refusal = self._activation_refusal(order)
        if refusal:
            self.cancel(order, now_ns, refusal)
            return
        order.status = "open"
        order.opened_ns = now_ns
        self._changed(order, "open", now_ns)
        if order.request.strategy != "ALO":
            self._match(order, now_ns)
        if order.open_cents == 0:
            return
        if order.request.strategy == "take":
            self._end_open(order, now_ns)
            return
        self.books[order.line.index].add(order)
        self._book_changed(order.line, now_ns)
        if order.request.strategy == "fillOrKill":
            due = now_ns + self.rules.fill_or_kill_ms * MS
            self.schedule(due, lambda at_ns: self._expire(order, at_ns))

    def _activation_refusal(self, order: Order) -> str:
        """Why an order does not become open: `invalid` or `canceled`, or nothing."""
        account = order.account
        event = self.listing.events[order.line.event_id]
        if not event.tradable:
            return "wiped"
        cap = account.cash_cents * self.rules.resting_cash_multiple_max
        if order.open_cents > account.cash_cents or account.resting_cents > cap:
            return "invalid"
        crossing = self.books[order.line.index].crossing(order.strike.side, order.price)
        first = next(crossing, None)
        if first is None:
            return ""
        if order.request.strategy == "ALO":
            return "canceled" if self.rules.alo_crossing == "canceled" else "invalid"
        return "invalid" if first.account is account else ""

    def _expire(self, order: Order, now_ns: int) -> None:
        if order.alive:
            self.cancel(order, now_ns)

    # -- matching -----------------------------------------------------------------------

    def _match(self, taker: Order, now_ns: int) -> None:
        book = self.books[taker.line.index]
        for maker in book.crossing(taker.strike.side, taker.price):
            if taker.open_cents == 0:
                return
            if maker.account is taker.account:
                continue
            taker_cents, maker_cents = match_cents(taker.open_cents, maker.open_cents, maker.price)
            if taker_cents == 0:
                continue
            if not self.wallet.can_pay(maker.account, maker_cents):
                self.cancel(maker, now_ns)
                continue
            if not self.wallet.can_pay(taker.account, taker_cents):
                self.cancel(taker, now_ns)
                return
            self._fill(taker, maker, (taker_cents, maker_cents), now_ns)

    def _fill(self, taker: Order, maker: Order, stakes: tuple[int, int], now_ns: int) -> None:
        fill = Fill(
            fill_id=f"trade-{len(self.fills) + 1}",
            at_ns=now_ns,
            taker=taker,
            maker=maker,
            taker_price=complement(maker.price),
            maker_price=maker.price,
            taker_cents=stakes[0],
            maker_cents=stakes[1],
        )
        self.fills.append(fill)
        for order, own, other in ((maker, stakes[1], stakes[0]), (taker, stakes[0], stakes[1])):
            account = order.account
            order.open_cents -= own
            order.filled_cents += own
            order.counter_cents += other
            order.updated_ns = now_ns
            account.resting_cents -= own
            account.filled[order.order_id] = order
            if order.open_cents == 0:
                account.alive.pop(order.order_id, None)
            if not account.internal:
                account.fills.append(fill)
        if maker.open_cents == 0:
            self.books[maker.line.index].remove(maker)
        self._book_changed(maker.line, now_ns)
        self.wallet.take_stakes(fill)
        self.witness.filled(fill)
        for order, own in ((maker, stakes[1]), (taker, stakes[0])):
            if not order.account.internal:
                message = messages.order_message(order, own, now_ns, self.sequence())
                self.outbox.append(message)
        tournament_id = self.listing.events[taker.line.event_id].tournament.id
        self.outbox.append(messages.trade_print(fill, tournament_id, self.sequence()))

    # -- messages -----------------------------------------------------------------------

    def _changed(self, order: Order, what: str, now_ns: int) -> None:
        order.updated_ns = now_ns
        self.witness.order_changed(order, what, now_ns)
        if not order.account.internal:
            self.outbox.append(messages.order_message(order, 0, now_ns, self.sequence()))

    def announce(self, order: Order, what: str, now_ns: int) -> None:
        """Tell the owner about a change that settlement made."""
        self._changed(order, what, now_ns)

    def change_event(self, event: SportEvent, status: str, now_ns: int) -> None:
        """Move an event to a status; whatever is not `not_started` wipes what rests on it."""
        event.status, event.updated_ns = status, now_ns
        self.outbox.append(messages.event_message(event, now_ns, self.sequence()))
        self._announce_markets(event, now_ns)
        if status != "not_started":
            for account in self.accounts.values():
                mine = [o for o in account.alive.values() if o.line.event_id == event.event_id]
                self.cancel_all(mine, now_ns, "wiped")

    def suspend(self, event: SportEvent, now_ns: int, *, on: bool) -> None:
        """Markets of the event take no orders for now; what rests stays and does not trade."""
        event.suspended, event.updated_ns = on, now_ns
        self._announce_markets(event, now_ns)

    def _announce_markets(self, event: SportEvent, now_ns: int) -> None:
        for market_id in dict.fromkeys(line.market_id for line in event.lines):
            status = event.market_status
            sequence = self.sequence()
            message = messages.market_message(event, market_id, status, now_ns, sequence)
            self.outbox.append(message)

    def _book_changed(self, line: Line, now_ns: int) -> None:
        self.books[line.index].updated_ns = now_ns
        if self._book_pending[line.index]:
            return
        self._book_pending[line.index] = True
        due = self._book_sent_ns[line.index] + self.rules.book_coalesce_ms * MS
        self.schedule(max(due, now_ns), lambda at_ns: self._send_book(line, at_ns))

    def _send_book(self, line: Line, now_ns: int) -> None:
        self._book_pending[line.index] = False
        self._book_sent_ns[line.index] = now_ns
        book = self.books[line.index]
        levels = self.rules.book_levels_max
        self.outbox.append(messages.book_message(line, book, now_ns, self.sequence(), levels))
