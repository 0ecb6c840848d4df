"""No two orders of the account can cross: whoever's they are, in whatever state, on any listing."""

# faults: G7 B12

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from mmbot.domain.catalog import Catalog
from mmbot.domain.events import (
    CatalogSeeded,
    OperatorSaid,
    OrderSeen,
    PlaceLost,
)
from mmbot.domain.facts import PlacementRefused
from mmbot.domain.ids import ExternalId, LineId, OrderId, StrikeId
from mmbot.domain.order import Order, State
from mmbot.domain.price import Price, crosses
from mmbot.domain.quote import Quote
from mmbot.engine.ports import Effects
from tests.builders import a_report
from tests.engine.desk import Desk
from tests.engine.situations import AWAY, EVENT, HOME, LADDER, LINE, an_order

HERE, AGAINST = Quote(HOME, Price(105), 5_000), Quote(AWAY, Price(-110), 5_000)
APART = Quote(AWAY, Price(101), 5_000)


def refusals(effects: Effects) -> set[str]:
    return {fact.check for fact in effects.facts if isinstance(fact, PlacementRefused)}


def by_hand(price: int, strike_id: StrikeId = AWAY, status: str = "open") -> OrderSeen:
    order = replace(an_order(price, ident="by-hand"), strike_id=strike_id)
    report = replace(a_report(order, status=status), order_id=OrderId("hand-1"), external_id=None)
    return OrderSeen(report, "stream", 0)


def wanting(*quotes: Quote) -> Desk:
    desk = Desk()
    desk.strategy.wants = quotes
    desk.all_well()
    return desk


def wants(desk: Desk, *quotes: Quote) -> Effects:
    desk.strategy.wants = quotes
    return desk.wait(1, desk.book(), desk.fair())


def test_both_strikes_of_a_line_that_would_cross_are_not_both_placed() -> None:
    desk = wanting(HERE, AGAINST)
    assert [order.strike_id for order in desk.placed] == [HOME]


@pytest.mark.parametrize("state", ["intended", "in doubt", "open", "cancelling"])
def test_whatever_may_still_fill_is_not_crossed(state: str) -> None:
    desk = wanting(HERE)
    (first,) = desk.placed
    if state == "in doubt":
        desk.tell(PlaceLost(first.external_id, "reset"))
    if state in {"open", "cancelling"}:
        desk.tell(*desk.opened(first))
    effects = wants(desk, *((HERE, AGAINST) if state != "cancelling" else (AGAINST,)))
    assert refusals(effects) == {"not_crossing_ourselves"}
    assert len(desk.placed) == 1
    if state == "cancelling":
        order = desk.ledger.order(first.external_id)
        assert order is not None
        assert order.state is State.CANCELLING
        desk.tell(*desk.ended(first))
        assert len(desk.placed) == 2  # the cancel is proven: now it may


def test_a_persons_order_is_not_crossed_until_it_ends() -> None:
    desk = wanting()
    desk.tell(by_hand(-110))
    assert refusals(wants(desk, HERE)) == {"not_crossing_ourselves"}
    assert not desk.placed
    desk.tell(by_hand(-110, status="canceled"))
    wants(desk, HERE)
    assert len(desk.placed) == 1


def test_a_persons_order_that_does_not_cross_is_no_reason() -> None:
    desk = wanting()
    desk.tell(by_hand(101), by_hand(-110, HOME))
    wants(desk, HERE)
    assert len(desk.placed) == 1


def test_a_persons_order_that_comes_between_approval_and_write_holds_ours_back() -> None:
    desk = wanting(HERE)
    (first,) = desk.placed
    assert desk.engine.drop_reason(first, 0, desk.now_ns) == ""
    desk.wait(0.1, by_hand(-110))
    assert "would trade with our own -110" in desk.engine.drop_reason(first, 0, desk.now_ns)


def test_an_adopted_order_of_ours_is_not_crossed() -> None:
    desk = wanting()
    lost = an_order(-110, side=1, ident="mm-0123456789ab-77")
    desk.tell(*desk.opened(lost))
    assert refusals(wants(desk, HERE, Quote(AWAY, Price(-110), 5_000))) == {
        "not_crossing_ourselves"
    }


def test_an_order_on_a_strike_that_the_line_has_left_is_not_crossed() -> None:
    """The line moved: one side has a new strike, and the old one's order still rests."""
    desk = wanting(AGAINST)
    desk.tell(*desk.opened(*desk.placed))
    strikes = (LINE.strikes[0], replace(LINE.strikes[1], strike_id=StrikeId("new")))
    moved = replace(LINE, line_id=LineId("1/10/moved"), strikes=strikes)
    desk.strategy.wants = (HERE,)
    desk.tell(CatalogSeeded(Catalog.of([EVENT], [moved])))
    book = replace(desk.book().book, line_id=moved.line_id)
    effects = desk.wait(0.1, replace(desk.book(), book=book), desk.fair())
    assert refusals(effects) == {"not_crossing_ourselves"}
    assert len(desk.placed) == 1


def test_whatever_is_wished_nothing_on_the_account_can_trade_with_anything_else() -> None:
    """Random wishes of both sides, answers in any order, people trading beside."""
    dice = Random(7)
    prices = list(LADDER.prices)
    for _ in range(8):
        desk = wanting()
        hand: tuple[Price, ...] = ()
        for _ in range(20):
            wishes = [
                Quote(strike, dice.choice(prices), 1_000)
                for strike in (HOME, AWAY)
                if dice.random() < 0.8
            ]
            wants(desk, *wishes)
            live = [order for order in desk.ledger.live() if dice.random() < 0.6]
            desk.tell(*(_told(order, dice, desk) for order in live))
            if dice.random() < 0.1 and not hand:
                mine = [order.price for order in desk.ledger.live_on(HOME)]
                hand = (dice.choice(prices),)
                if any(crosses(hand[0], price) for price in mine):
                    hand = ()  # the exchange refuses it
                else:
                    desk.tell(by_hand(hand[0]))
            home = [order.price for order in desk.ledger.live_on(HOME)]
            away = [order.price for order in desk.ledger.live_on(AWAY)] + list(hand)
            assert not [(a, b) for a in home for b in away if crosses(a, b)]
        desk.tell(OperatorSaid("stop", "test"))


def _told(order: Order, dice: Random, desk: Desk) -> OrderSeen | PlaceLost:
    if order.state is State.INTENDED and dice.random() < 0.2:
        return PlaceLost(ExternalId(order.external_id), "reset")
    ends = order.cancel_wanted and dice.random() < 0.7
    report = a_report(order, status="canceled" if ends else "open")
    return OrderSeen(report, "stream", desk.now_ns)
