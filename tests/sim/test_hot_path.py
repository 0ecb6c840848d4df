"""What the short ways of the core must agree with: exact odds, and the order of what is due."""

from __future__ import annotations

from fractions import Fraction

from mmbot.sim.core.orders import Order
from mmbot.sim.core.prices import complement, crosses, rank, ratio
from tests.sim.small_venue import ACTIVATION_NS, NS, SmallVenue, ladder


def exact_odds(price: int) -> Fraction:
    return Fraction(*ratio(price))


def test_prices_cross_when_the_taker_asks_for_no_more_than_the_maker_pays() -> None:
    prices = ladder().prices
    for taker in prices:
        for maker in prices:
            pays = exact_odds(complement(maker)) >= exact_odds(taker)
            assert crosses(taker, maker) is pays, (taker, maker)


def test_ranks_are_in_the_order_of_the_odds() -> None:
    prices = sorted(ladder().prices, key=exact_odds)
    ranks = [rank(price) for price in prices]
    assert ranks == sorted(set(ranks))


def test_what_is_due_at_one_moment_is_done_in_the_order_of_its_making() -> None:
    venue = SmallVenue()
    maker = venue.account("maker")
    due_ns, seen = venue.now_ns + ACTIVATION_NS, []

    def look(_: int) -> None:
        seen.append(order.status)

    venue.exchange.schedule(due_ns, look)
    order = venue.submit(maker, venue.sides()[0], 300, 10.0)
    assert isinstance(order, Order)
    venue.exchange.schedule(due_ns, look)
    venue.wait(ACTIVATION_NS / NS)
    assert seen == ["inactive", "open"]


def test_what_is_alive_is_listed_in_the_order_in_which_it_came() -> None:
    venue = SmallVenue()
    maker, other = venue.account("maker"), venue.account("other")
    first, second = venue.sides()
    orders = [venue.place(maker, one, 300, 10.0) for one in (first, second, first, second)]
    theirs = venue.place(other, first, 400, 10.0)
    venue.exchange.cancel(orders[0], venue.now_ns)
    left = orders[1:]
    assert list(maker.alive.values()) == left
    assert list(maker.alive) == [order.order_id for order in left]
    assert venue.exchange.find(theirs.order_id) is theirs
    assert list(venue.exchange.orders.values()) == [*orders, theirs]


def test_a_message_tells_the_order_as_it_was_and_not_as_it_is() -> None:
    venue = SmallVenue()
    maker, taker = venue.account("maker"), venue.account("taker")
    venue.trade(maker, taker, 10.0)
    told = [
        (info["status"], info["open_quantity"], info["filled_quantity"], info["matching_status"])
        for info in venue.infos("orders")
        if info["user_id"] == maker.user_id
    ]
    assert told == [("open", 10.0, 0.0, "unmatched"), ("open", 0.0, 10.0, "fully_matched")]
