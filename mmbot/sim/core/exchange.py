"""The exchange as one object without I/O: time is an argument, messages are collected."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from operator import attrgetter
from random import Random
from typing import Final, Protocol

from mmbot.sim.core.activation import MS as MS
from mmbot.sim.core.activation import ActivationQueue, Delay
from mmbot.sim.core.agenda import Agenda
from mmbot.sim.core.book_clock import BookClock
from mmbot.sim.core.bulletin import Bulletin
from mmbot.sim.core.calendar import Calendar
from mmbot.sim.core.credit import CreditDesk, available_cents
from mmbot.sim.core.ids import Ids
from mmbot.sim.core.lifecycle import Listing
from mmbot.sim.core.matching import LineBook
from mmbot.sim.core.messages import Outgoing
from mmbot.sim.core.orders import INSUFFICIENT, Account, Fill, Order, OrderRequest, Refusal, Status
from mmbot.sim.core.placement import (
    activation_refusal,
    cancel_refusal,
    crossing,
    is_over_delayed_cap,
    submission_refusal,
)
from mmbot.sim.core.prices import Ladder
from mmbot.sim.core.settlement import Settlement
from mmbot.sim.core.trading import match, match_whole, take_back, unpaid
from mmbot.sim.core.wallet import Cause, Wallet
from mmbot.sim.rules import Rules

NEVER: Final = "never"  # the reason of an order that stays inactive
ENDED: Final[Mapping[str, Status]] = {"wiped": "wiped", "invalid": "invalid", "void": "void"}


class Witness(Protocol):
    """Who writes down what the exchange did."""

    def order_changed(self, order: Order, what: str, now_ns: int) -> None: ...

    def filled(self, fill: Fill) -> None: ...

    def taken_back(self, fill: Fill) -> None: ...


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
        self.wallet = Wallet(rules.fee_bps, rules.money)
        self.witness = witness
        self.bulletin = Bulletin(rules)
        self.activation = ActivationQueue(rules.activation, activation_ns, rng)
        self.accounts: dict[str, Account] = {}
        self.books: list[LineBook] = []
        self.fills: list[Fill] = []
        self.fills_count = 0
        self.calendar = Calendar(self)
        self.settlement = Settlement(self)
        self.now_ns = 0
        self.new_id = Ids(rng).new
        self._waiting = self.activation.waiting
        self._agenda = Agenda(self._waiting)
        self._order_count = 0
        self._on_placement = rules.money.funds == "on_placement"
        self._floor = rules.profit_rounding == "floor"
        images = BookClock(self.bulletin, self.books, rules.book_coalesce_ms, self.schedule)
        self.book_changed, self.send_book = images.changed, images.send
        if rules.money.credit != "off":
            CreditDesk(self.accounts, rules.money, self.schedule)
        listing.line_added.append(lambda _: self.books.append(LineBook()))
        self.books += [LineBook() for _ in listing.lines]
        for event in listing.events.values():
            event.live_disabled &= not rules.life.in_play

    # -- time ---------------------------------------------------------------------------

    def schedule(self, at_ns: int, action: Callable[[int], object]) -> None:
        self._agenda.add(at_ns, action)

    def next_due_ns(self) -> int | None:
        return self._agenda.next_due_ns()

    def advance(self, now_ns: int) -> None:
        """Do everything that is due, each thing at its own time."""
        time_ns, waiting, heap = self.now_ns, self._waiting, self._agenda.heap
        while True:
            if waiting and waiting[0][0] <= now_ns:
                if not heap or waiting[0] < heap[0]:  # type: ignore[operator]  # turns differ
                    due_ns, _, order = waiting.popleft()
                    if due_ns > time_ns:
                        self.now_ns = time_ns = due_ns
                    self._activate(order, time_ns)
                    continue
            elif not heap or heap[0][0] > now_ns:
                break
            due_ns, _, action = heapq.heappop(heap)
            if due_ns > time_ns:
                self.now_ns = time_ns = due_ns
            action(time_ns)
        self.now_ns = now_ns if now_ns > time_ns else time_ns

    def sequence(self) -> int:
        """The next number of a message, of this moment."""
        return self.bulletin.sequence(self.now_ns)

    def take_outbox(self) -> list[Outgoing]:
        """All messages since the last time, in words."""
        return self.bulletin.take() if self.bulletin.facts else []

    # -- accounts -----------------------------------------------------------------------

    def open_account(self, account: Account) -> Account:
        account.start_cents = account.cash_cents
        self.wallet.chests["world"] -= account.cash_cents
        self.accounts[account.user_id] = account
        return account

    def set_cash(self, account: Account, cents: int, now_ns: int, kind: str = "") -> None:
        """Cash comes from outside, or leaves: DEPOSIT or WITHDRAW unless another word is given."""
        change = cents - account.cash_cents
        word = kind or ("DEPOSIT" if change > 0 else "WITHDRAW")
        if change:
            self.wallet.post(account, change, "world", word, Cause(now_ns))

    def credit_cents(self, account: Account) -> int:
        """`gec_balance` as the wallet shows it."""
        return available_cents(account)

    # -- orders -------------------------------------------------------------------------

    @property
    def orders(self) -> dict[str, Order]:
        """All that are known, by id; of the box's own traders only what may still trade."""
        known = (a.alive.values() if a.internal else a.orders for a in self.accounts.values())
        found = sorted(chain(*known), key=attrgetter("number"))
        return {order.order_id: order for order in found}

    def find(self, order_id: str) -> Order | None:
        """Any order that is known, whosever it is."""
        found = (account.find(order_id) for account in self.accounts.values())
        return next(filter(None, found), None)

    def submit(self, account: Account, request: OrderRequest, now_ns: int) -> Order | Refusal:
        """Take a request whose form was checked, or say why not."""
        refusal = submission_refusal(self, account, request)
        if refusal is not None:
            return refusal
        slow = self.rules.money.delayed == "slow" and is_over_delayed_cap(self, account)
        return self.accept(account, request, now_ns, slow=slow)

    def accept(
        self, account: Account, request: OrderRequest, now_ns: int, *, slow: bool = False
    ) -> Order:
        """Take a checked request into the activation queue."""
        listing, strike_id = self.listing, request.strike_id
        strike = listing.strikes.get(strike_id) or listing.gone[strike_id]
        line = listing.lines[strike.line_index]
        self._order_count += 1
        order_id, cents = self.new_id(), request.quantity_cents
        order = Order(
            order_id,
            self._order_count,
            account,
            request,
            line,
            strike,
            now_ns,
            now_ns,
            cents,
            cents,
            request.price,
            strike.side,
        )
        if self._floor:
            order.profit_floor = True
        if self._on_placement and not self.wallet.reserve(order, now_ns):
            order.reason = INSUFFICIENT
        account.resting_cents += cents
        account.at_strike[strike_id][order_id] = order
        if account.internal:
            self.witness.order_changed(order, "accepted", now_ns)
            self._activate(order, now_ns)
            return order
        account.orders.add(order)
        self.witness.order_changed(order, "accepted", now_ns)
        if line.event.status == "live":
            self._delay(order, now_ns)
        else:
            self.activation.put(order, now_ns, self._agenda.turn, slow=slow)
        return order

    def _delay(self, order: Order, now_ns: int) -> None:
        """In play an order waits on its own; it can neither match nor be cancelled."""
        order.delayed_until_ns = now_ns + self.rules.activation.in_play_delay_ms * MS
        order.account.delayed_orders += 1
        self.schedule(order.delayed_until_ns, lambda at_ns: self._activate(order, at_ns))

    def cancel_refusal(self, order: Order, now_ns: int) -> Refusal | None:
        """Why a single cancel of this order is refused now."""
        return cancel_refusal(self, order, now_ns)

    def crosses_own(self, account: Account, request: OrderRequest) -> bool:
        """Whether the request would trade with an order of the same account."""
        strike = self.listing.strikes[request.strike_id]
        opposite = self.listing.line_of(strike).strikes[1 - strike.side]
        return bool(crossing(account.at_strike.get(opposite.strike_id, {}), request.price))

    def cancel(
        self, order: Order, now_ns: int, what: str = "canceled", *, silent: bool = False
    ) -> None:
        """Take the open part away; what was filled stays."""
        self.end_open(order, now_ns)
        if order.filled_cents and (
            what == "canceled" or (what == "wiped" and self.rules.life.wiped_partly == "open")
        ):
            order.rest_canceled = True
        else:
            order.status = ENDED.get(what, "canceled")
        self.changed(order, what, now_ns, silent=silent)
        if not order.filled_cents and not order.account.internal:
            order.account.orders.ended_unfilled(order)

    def cancel_all(self, orders: Iterable[Order], now_ns: int, what: str = "canceled") -> int:
        alive = [order for order in orders if order.alive]
        for order in alive:
            self.cancel(order, now_ns, what)
        return len(alive)

    def end_open(self, order: Order, now_ns: int) -> None:
        """The open part is gone, from the book and from what the account has resting."""
        if order.reserved:
            self.wallet.release(order, now_ns)
        order.account.resting_cents -= order.open_cents
        if order.status == "open":
            self.books[order.line.index].remove(order)
            self.book_changed(order.line, now_ns)
        elif order.delayed_until_ns:
            order.account.delayed_orders -= 1
        if order.filled_cents and self.rules.quantity_after_cancel == "shrunk":
            order.quantity_cents = order.filled_cents
        order.open_cents = 0
        self.no_longer_alive(order)

    def no_longer_alive(self, order: Order) -> None:
        strike_id, at_strike = order.strike.strike_id, order.account.at_strike
        mine = at_strike[strike_id]
        mine.pop(order.order_id, None)
        if not mine:  # or a box of many days would keep one for every strike there ever was
            del at_strike[strike_id]

    def resume_activation(self, now_ns: int) -> None:
        """What waited while nothing was activated becomes open now, in its old order."""
        self.activation.stopped = False
        for order in self.activation.held():
            self._activate(order, now_ns)

    def _activate(self, order: Order, now_ns: int) -> None:
        if not order.open_cents:
            return
        account, book = order.account, self.books[order.line.index]
        if not account.internal and (self.activation.stopped or order.reason == NEVER):
            self.activation.hold(order)
            return
        crossed = book.is_crossed_by(order.side, order.price)
        refusal = activation_refusal(self, order, crossed)
        if refusal:
            self.cancel(order, now_ns, refusal)
            return
        if order.delayed_until_ns:
            order.delayed_until_ns = 0
            account.delayed_orders -= 1
        order.status = "open"
        order.opened_ns = now_ns
        self.changed(order, "open", now_ns)
        if (crossed or order.request.strategy) and not self._remains(order, crossed, now_ns):
            return
        book.add(order)
        self.book_changed(order.line, now_ns)

    def _remains(self, order: Order, crossed: bool, now_ns: int) -> bool:
        """Trade what can trade at once; whether the rest goes into the book."""
        strategy = order.request.strategy
        whole = strategy == "fillOrKill" and self.rules.fill_or_kill == "all_or_nothing"
        if crossed:
            (match_whole if whole else match)(self, order, now_ns)
            if not order.open_cents:
                return False
        if strategy == "take":
            self.end_open(order, now_ns)
            return False
        if strategy == "fillOrKill":
            due_ns = now_ns + self.rules.fill_or_kill_ms * MS
            self.schedule(due_ns, lambda at_ns: self._expire(order, at_ns))
        return not whole

    def _expire(self, order: Order, now_ns: int) -> None:
        if order.alive and self.rules.fill_or_kill == "all_or_nothing":
            match_whole(self, order, now_ns)
        if order.alive:
            self.cancel(order, now_ns)

    # -- fills --------------------------------------------------------------------------

    def keep(self, fill: Fill) -> None:
        """Remember a fill; the oldest are forgotten when there are too many."""
        self.fills.append(fill)
        if len(self.fills) > 2 * self.rules.fills_kept_max:
            del self.fills[: self.rules.fills_kept_max]

    def mass_cancel(self, orders: Iterable[Order], now_ns: int) -> int:
        """Cancel whatever is alive without asking; may cost a fill that is being paid for."""
        inactive_too = self.rules.mass_cancel_inactive
        alive = [one for one in orders if one.alive and (inactive_too or one.status == "open")]
        for order in alive:
            under_way = unpaid(self, order, now_ns)
            self.cancel(order, now_ns)
            if self.rules.money.mass_cancel_refunds:
                for fill in under_way:
                    take_back(self, fill, "REFUND", now_ns)
        return len(alive)

    # -- messages -----------------------------------------------------------------------

    def changed(self, order: Order, what: str, now_ns: int, *, silent: bool = False) -> None:
        """Tell the witness, and the owner unless the change is a silent one."""
        order.updated_ns = now_ns
        self.witness.order_changed(order, what, now_ns)
        if not (silent or order.account.internal):
            self.bulletin.tell(order, 0, now_ns)
