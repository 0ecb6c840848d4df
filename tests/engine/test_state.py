"""The market as the engine holds it: what is ours in a book is no information."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.book import Book, Level
from mmbot.domain.catalog import Catalog
from mmbot.domain.events import (
    BookUpdated,
    CatalogSeeded,
    SportEventChanged,
    StreamStateChanged,
)
from mmbot.domain.order import Order
from mmbot.domain.price import Price, profit_ratio
from mmbot.engine.state import MarketState
from tests.builders import LINE, NOW, SECOND, a_line, an_event, an_order


def rivals(shown: Level, *own: Order) -> tuple[Level, ...]:
    """What is left on side 0 of a book that shows one level."""
    state = MarketState()
    state.apply(CatalogSeeded(Catalog.of((an_event(),), (a_line(),))), NOW)
    state.apply(BookUpdated(replace(Book(LINE), levels=((shown,), ()))), NOW)
    return state.competing(a_line(), own).levels[0]


def read_back(price: Price, orders: tuple[Order, ...]) -> Level:
    """The level of these orders when the exchange rounds the `value` of each to the cent."""
    values = sum(round(order.quantity_cents * profit_ratio(price)) for order in orders)
    return Level(price, int(values / profit_ratio(price)))


@given(
    st.sampled_from([-101, -400, -1_000, -2_000, -10_000, 150, 10_000]).map(Price),
    st.lists(st.integers(100, 100_000), min_size=1, max_size=3),
)
def test_our_own_orders_are_no_rivals_however_steep_their_price(
    price: Price, stakes: list[int]
) -> None:
    own = tuple(an_order(f"mm-{n}", price=price, quantity=cents) for n, cents in enumerate(stakes))
    assert rivals(read_back(price, own), *own) == ()


@pytest.mark.parametrize(("price", "rival_cents"), [(150, 3), (-110, 3), (-2_000, 13)])
def test_a_rival_beside_our_order_is_seen_beyond_what_rounding_explains(
    price: int, rival_cents: int
) -> None:
    own = an_order(price=Price(price))
    shown = Level(Price(price), own.quantity_cents + rival_cents)
    assert rivals(shown, own) == (Level(Price(price), rival_cents),)
    assert rivals(shown) == (shown,)


@pytest.mark.parametrize(
    ("sub_type", "age_s"),
    [("moneyline", 0), ("first_half_total", 0), ("", 0), ("player_total_hits", 40),
     ("Team_Total", 40), ("total_goal_odd-even", 40)],
)  # fmt: skip
def test_a_book_that_no_channel_carries_ages_on_a_live_stream(sub_type: str, age_s: int) -> None:
    state = MarketState()
    line = a_line(sub_type=sub_type)
    state.apply(CatalogSeeded(Catalog.of((an_event(),), (line,))), NOW)
    state.apply(StreamStateChanged(True, True, "stream-1"), NOW)
    state.apply(BookUpdated(replace(Book(LINE), received_ns=NOW + SECOND)), NOW + SECOND)
    assert state.book_age_ns(LINE, NOW + 41 * SECOND) == age_s * SECOND


def test_a_message_that_leaves_out_sport_and_tournament_takes_no_limit_away() -> None:
    state, known = MarketState(), replace(an_event(), sport_name="Soccer")
    state.apply(CatalogSeeded(Catalog.of((known,), (a_line(),))), NOW)
    state.apply(SportEventChanged(replace(known, sport_name="", tournament_id=0, name="B")), NOW)
    assert state.events[known.event_id] == replace(known, name="B")
    moved = replace(known, sport_name="Tennis", tournament_id=32)
    state.apply(SportEventChanged(moved), NOW)
    assert state.events[known.event_id] == moved
