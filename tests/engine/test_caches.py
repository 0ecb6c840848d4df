"""Whatever is kept from the last time it was asked for says what is true now."""
# faults: G6

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from mmbot.domain.book import Book, Level
from mmbot.domain.catalog import Catalog
from mmbot.domain.events import BookUpdated, CatalogSeeded
from mmbot.domain.ids import ExternalId, LineId
from mmbot.domain.order import Order, State
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.ledger_sums import LineSums
from mmbot.engine.planner import LastPlans, plan
from mmbot.engine.state import MarketState
from tests.engine.situations import AWAY, EVENT, HOME, LADDER, LINE, an_order

OTHER = LineId("1/10/1")  # where an order may stand before its line is known
PRICES = (105, 110, 120, -110)
QUANTITIES = (2_000, 5_000)
ALIVE = (State.INTENDED, State.IN_DOUBT, State.OPEN, State.CANCELLING)
ENDED = (State.CANCELLED, State.FILLED, State.REJECTED, State.CLOSED)


def next_order(dice: Random, orders: Orders, n: int) -> Order:
    """A new one, or the next moment of one that lives."""
    live = orders.live()
    if not live or dice.random() < 0.3:
        price, cents = dice.choice(PRICES), dice.choice(QUANTITIES)
        made = an_order(price, cents, side=dice.choice((0, 1)), ident=f"mm-{n}")
        return replace(made, line_id=dice.choice((LINE.line_id, OTHER)))
    order = dice.choice(live)
    filled = dice.choice((order.filled_cents, min(order.quantity_cents, order.filled_cents + 500)))
    return replace(
        order,
        state=dice.choice(ALIVE if dice.random() < 0.7 else ENDED),
        line_id=dice.choice((order.line_id, LINE.line_id)),
        filled_cents=filled,
        cancel_wanted=dice.random() < 0.3,
    )


def a_book(dice: Random) -> Book:
    levels = tuple(Level(Price(price), dice.choice((2_000, 9_000))) for price in PRICES[:2])
    return Book(LINE.line_id, (levels, levels), 0)


def listed(book: Book) -> MarketState:
    state = MarketState()
    state.apply(CatalogSeeded(Catalog.of([EVENT], [LINE])), 0)
    state.apply(BookUpdated(book), 0)
    return state


@pytest.mark.parametrize("seed", range(6))
def test_after_any_event_each_is_as_if_it_were_asked_for_the_first_time(seed: int) -> None:
    dice = Random(seed)
    sums = LineSums()
    orders, plans = Orders(sums), LastPlans()
    state, book, ladder = listed(a_book(dice)), a_book(dice), LADDER
    known: dict[ExternalId, Order] = {}
    for n in range(400):
        if dice.random() < 0.6:
            order = next_order(dice, orders, n)
            orders.put(order)
            known[order.external_id] = order
        if dice.random() < 0.3:
            book = a_book(dice)
            state.apply(BookUpdated(book), 0)
        if dice.random() < 0.05:
            ladder = replace(ladder)
        live = {ident: order for ident, order in known.items() if not order.terminal}
        for line_id in (LINE.line_id, OTHER):
            shown = orders.live_on_line(line_id)
            assert {o.external_id: o for o in shown} == {
                ident: order for ident, order in live.items() if order.line_id == line_id
            }
        assert set(orders.live_lines()) == {order.line_id for order in live.values()}
        own = orders.live_on_line(LINE.line_id)
        assert state.competing(LINE, own) == listed(state.book(LINE.line_id)).competing(LINE, own)
        for strike in (HOME, AWAY):
            on_strike = orders.live_on(strike)
            assert {o.external_id: o for o in on_strike} == {
                ident: order for ident, order in live.items() if order.strike_id == strike
            }
            price, cents = Price(dice.choice(PRICES)), dice.choice(QUANTITIES)
            wanted = [Quote(strike, price, cents)] * (dice.random() < 0.8)
            assert plans.of(strike, wanted, on_strike, ladder) == plan(wanted, on_strike, ladder)
        orders.check_sums({})
