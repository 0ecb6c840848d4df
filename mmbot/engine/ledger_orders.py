"""The ledger's memory: every order it knows, and indexes so that no question scans it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from mmbot.domain.ids import ExternalId, LineId, OrderId, StrikeId
from mmbot.domain.order import TERMINAL, Order, State
from mmbot.domain.price import profit_cents
from mmbot.engine.books import NO_SHARE, Books, share_of
from mmbot.engine.ledger_sums import NOTHING, LineSums, Stakes, fill_profit_cents

K = TypeVar("K")


class Orders:
    """Orders by external id; a settled order counts in no sum any more."""

    def __init__(self, sums: LineSums, books: Books | None = None) -> None:
        self._sums = sums
        self._books = Books() if books is None else books
        self._orders: dict[ExternalId, Order] = {}
        self._by_order_id: dict[OrderId, ExternalId] = {}
        self._live: dict[ExternalId, None] = {}
        self._on_strike: dict[StrikeId, dict[ExternalId, None]] = {}
        self._on_line: dict[LineId, dict[ExternalId, None]] = {}
        # The same as tuples, as they were last asked for: most questions come again unchanged.
        self._strike_shown: dict[StrikeId, tuple[Order, ...]] = {}
        self._line_shown: dict[LineId, tuple[Order, ...]] = {}
        self._profit_cents: dict[ExternalId, int] = {}
        self._settled: dict[ExternalId, str] = {}
        self._disputed: dict[ExternalId, int] = {}
        self._unsettled: dict[ExternalId, None] = {}
        self.in_doubt_count = 0

    def __contains__(self, ident: ExternalId) -> bool:
        return ident in self._orders

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders.values())

    def __len__(self) -> int:
        return len(self._orders)

    def get(self, ident: ExternalId) -> Order | None:
        return self._orders.get(ident)

    def by_order_id(self, order_id: OrderId) -> Order | None:
        ident = self._by_order_id.get(order_id)
        return None if ident is None else self._orders[ident]

    def live(self) -> tuple[Order, ...]:
        return tuple(self._orders[i] for i in self._live)

    @property
    def live_count(self) -> int:
        return len(self._live)

    def live_on(self, strike_id: StrikeId) -> tuple[Order, ...]:
        shown = self._strike_shown.get(strike_id)
        if shown is None:
            found = self._on_strike.get(strike_id)
            if found is None:
                return ()  # and no entry for each strike that was ever asked for
            shown = self._strike_shown[strike_id] = tuple([self._orders[i] for i in found])
        return shown

    def live_on_line(self, line_id: LineId) -> tuple[Order, ...]:
        shown = self._line_shown.get(line_id)
        if shown is None:
            found = self._on_line.get(line_id)
            if found is None:
                return ()
            shown = self._line_shown[line_id] = tuple([self._orders[i] for i in found])
        return shown

    def live_lines(self) -> tuple[LineId, ...]:
        return tuple(self._on_line)

    def unsettled(self) -> tuple[Order, ...]:
        """Orders with fills whose result is not known."""
        return tuple(self._orders[i] for i in self._unsettled)

    def settled(self) -> tuple[Order, ...]:
        """Orders with a result, which may yet be taken back."""
        return tuple(self._orders[i] for i in self._settled)

    def result_of(self, ident: ExternalId) -> str | None:
        return self._settled.get(ident)

    def results(self) -> dict[ExternalId, str]:
        return dict(self._settled)

    def put(self, order: Order) -> None:
        """Take the order as it is now; indexes and sums follow."""
        ident = order.external_id
        old = self._orders.get(ident)
        for moved in (order,) if old is None else (order, old):
            self._strike_shown.pop(moved.strike_id, None)
            self._line_shown.pop(moved.line_id, None)
        if old is not None and _only_moved_on(old, order):
            self._orders[ident] = order
            if old.order_id is None and order.order_id is not None:
                self._by_order_id[order.order_id] = ident
            return
        if old is not None and (old.line_id, old.side) != (order.line_id, order.side):
            self._take_off(old)
            self._add(order, self._stakes(order))
            _drop(self._on_line, old.line_id, ident)
        elif old is None or _risk(old) != _risk(order):
            before = NOTHING if old is None else self._stakes(old)
            gained = order.filled_cents - (0 if old is None else old.filled_cents)
            if gained:
                self._count(order, old)
                self._profit_cents[ident] = self._profit(order, gained)
                if not order.filled_cents:
                    self._settled.pop(ident, None)  # nothing is left for a result
            self._add(order, self._stakes(order).minus(before))
        self._orders[ident] = order
        self._index(order)
        was_doubt = old is not None and old.state is State.IN_DOUBT
        self.in_doubt_count += (order.state is State.IN_DOUBT) - was_doubt

    def _profit(self, order: Order, gained: int) -> int:
        """The least that its fills win; of those taken back nobody says which they were."""
        before = self._profit_cents.get(order.external_id, 0)
        if gained > 0:
            return before + fill_profit_cents(order.price, gained)
        return max(0, before - profit_cents(order.price, -gained)) if order.filled_cents else 0

    def _count(self, order: Order, old: Order | None) -> None:
        word = self._settled.get(order.external_id)
        before = NO_SHARE if old is None else share_of(old, word)
        self._books.change(order, share_of(order, word).minus(before))

    def _result(self, order: Order, before: str | None, after: str | None) -> None:
        self._books.change(order, share_of(order, after).minus(share_of(order, before)))

    def dispute(self, ident: ExternalId, cents: int) -> None:
        """Fills that may have been taken back: their stake counts, what they win does not."""
        order = self._orders[ident]
        before = self._stakes(order)
        if cents:
            self._disputed[ident] = cents
        else:
            self._disputed.pop(ident, None)
        self._add(order, self._stakes(order).minus(before))

    def unsettle(self, ident: ExternalId) -> None:
        """The result was taken back: the fills are risk again."""
        order = self._orders[ident]
        if ident in self._settled:
            before = self._stakes(order)
            self._result(order, self._settled[ident], None)
            del self._settled[ident]
            self._add(order, self._stakes(order).minus(before))
            self._index(order)

    def settle(self, ident: ExternalId, winning_status: str) -> None:
        """The result is known: the fills are money now and risk no more."""
        order = self._orders[ident]
        self._result(order, self._settled.get(ident), winning_status)
        if ident not in self._settled:
            before = self._stakes(order)
            self._settled[ident] = winning_status
            self._add(order, self._stakes(order).minus(before))
            self._unsettled.pop(ident, None)
        self._settled[ident] = winning_status

    def forget(self, ident: ExternalId) -> None:
        """Drop a tombstone from memory; the journal keeps it."""
        order = self._orders.pop(ident)
        assert order.terminal, f"{ident} is {order.state}, not a tombstone"
        assert not order.filled_cents or ident in self._settled, f"{ident} is not settled"
        if order.order_id is not None:
            self._by_order_id.pop(order.order_id, None)
        self._settled.pop(ident, None)
        self._profit_cents.pop(ident, None)
        self._disputed.pop(ident, None)

    def check_sums(self, manual: dict[tuple[LineId, int], Stakes]) -> None:
        """Recompute every running sum from nothing; a difference is our own error."""
        fresh = LineSums()
        for order in self._orders.values():
            fresh.add(order.line_id, order.side, self._stakes(order))
        for (line_id, side), stakes in manual.items():
            fresh.add(line_id, 1 if side else 0, stakes)
        assert fresh.stakes() == self._sums.stakes(), "the sums per line drifted"
        self._sums.portfolio.check()
        assert fresh.resting_total_cents == self._sums.resting_total_cents
        assert fresh.markets() == self._sums.markets(), "the sums per market drifted"
        doubts = sum(order.state is State.IN_DOUBT for order in self._orders.values())
        assert doubts == self.in_doubt_count
        live = {i for i, order in self._orders.items() if not order.terminal}
        assert live == set(self._live)

    def _stakes(self, order: Order) -> Stakes:
        ident = order.external_id
        resting = order.remaining_cents
        doubt = resting if order.state is State.IN_DOUBT else 0
        if not order.filled_cents or ident in self._settled:
            return Stakes(0, 0, resting, doubt)
        profit = self._profit_cents.get(ident, 0)
        if ident in self._disputed:
            profit = max(0, profit - profit_cents(order.price, self._disputed[ident]) - 1)
        return Stakes(order.filled_cents, profit, resting, doubt)

    def _add(self, order: Order, change: Stakes) -> None:
        self._sums.add(order.line_id, order.side, change)

    def _take_off(self, order: Order) -> None:
        self._add(order, NOTHING.minus(self._stakes(order)))

    def _index(self, order: Order) -> None:
        ident = order.external_id
        if order.order_id is not None:
            self._by_order_id[order.order_id] = ident
        if order.filled_cents and ident not in self._settled:
            self._unsettled[ident] = None
        elif not order.filled_cents:
            self._unsettled.pop(ident, None)
        if order.terminal:
            self._live.pop(ident, None)
            _drop(self._on_strike, order.strike_id, ident)
            _drop(self._on_line, order.line_id, ident)
        else:
            self._live[ident] = None
            self._on_strike.setdefault(order.strike_id, {})[ident] = None
            self._on_line.setdefault(order.line_id, {})[ident] = None


def stepped(
    order: Order,
    state: State,
    filled_cents: int,
    order_id: OrderId | None,
    cancel_wanted: bool,
) -> Order:
    """The order after a step. Positional on purpose: `replace` costs more than all the rest."""
    return Order(
        order.external_id,
        order.event_id,
        order.market_id,
        order.line_id,
        order.strike_id,
        order.side,
        order.price,
        order.quantity_cents,
        order.order_strategy,
        order.owner,
        order.intended_ns,
        state,
        order_id,
        filled_cents,
        cancel_wanted,
    )


def _only_moved_on(old: Order, new: Order) -> bool:
    """Alive before and after, and as risky: most steps are such, and no sum or index moves."""
    return (
        old.state not in TERMINAL
        and new.state not in TERMINAL
        and (old.state is State.IN_DOUBT) == (new.state is State.IN_DOUBT)
        and old.filled_cents == new.filled_cents
        and old.quantity_cents == new.quantity_cents
        and old.strike_id == new.strike_id
        and old.line_id == new.line_id
        and old.side == new.side
    )


def _risk(order: Order) -> tuple[int, int, bool]:
    return order.filled_cents, order.remaining_cents, order.state is State.IN_DOUBT


def _drop(index: dict[K, dict[ExternalId, None]], key: K, ident: ExternalId) -> None:
    found = index.get(key)
    if found is not None:
        found.pop(ident, None)
        if not found:
            del index[key]
