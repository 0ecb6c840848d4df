"""The portfolio that the ledger feeds: each order counts from its intent to its result."""

from __future__ import annotations

from dataclasses import replace

from mmbot.domain.catalog import Catalog
from mmbot.domain.events import PlaceLost
from mmbot.domain.ids import OrderId, StrikeId
from mmbot.domain.order import State
from mmbot.engine.ledger import Ledger
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.ledger_sums import LineSums
from mmbot.pricing.event_risk import NO_LOSS, Loss
from mmbot.pricing.portfolio import Place, Portfolio
from tests.builders import (
    AWAY,
    LINE,
    NOW,
    PREFIX,
    RUN,
    a_ledger,
    a_line,
    a_report,
    an_event,
    an_open_order,
    an_order,
    lines_of,
    seen,
)
from tests.pricing.games import GAME, a_moneyline, a_spread


def test_an_order_rests_is_in_doubt_fills_and_is_settled() -> None:
    ledger = a_ledger()
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    assert ledger.portfolio.total == Loss(0, 100_00)
    ledger.apply(PlaceLost(order.external_id, "timeout"), NOW)
    assert ledger.portfolio.total == Loss(100_00, 100_00)
    ledger.apply(seen(a_report(order)), NOW)
    assert ledger.portfolio.total == Loss(0, 100_00)
    ledger.apply(seen(a_report(order, filled=40_00)), NOW)
    assert ledger.portfolio.total == Loss(40_00, 100_00)
    ledger.apply(seen(a_report(order, filled=40_00, status="closed")), NOW)
    assert ledger.portfolio.total == Loss(40_00, 40_00)
    won = a_report(order, filled=40_00, status="closed", winning_status="profit")
    ledger.apply(seen(won), NOW)
    assert ledger.portfolio.total == NO_LOSS
    ledger.check_sums()


def test_of_a_part_filled_order_in_doubt_the_rest_is_held_too() -> None:
    sums = LineSums()
    Orders(sums).put(an_order(state=State.IN_DOUBT, filled_cents=40_00))
    assert sums.portfolio.total == Loss(100_00, 100_00)


def test_an_order_of_a_person_counts_and_where_its_line_is_unknown_it_offsets_nothing() -> None:
    ledger = a_ledger()
    by_hand = an_order("by-hand", quantity=30_00)
    ledger.apply(seen(a_report(by_hand, filled=10_00)), NOW)
    assert ledger.portfolio.total == Loss(10_00, 30_00)
    elsewhere = replace(by_hand, strike_id=StrikeId("who knows"), order_id=OrderId("other"))
    ledger.apply(seen(a_report(elsewhere, filled=5_00)), NOW)
    assert ledger.portfolio.total == Loss(15_00, 60_00)
    ledger.check_sums()


def test_what_the_catalogue_says_of_its_lines_lets_them_offset_each_other() -> None:
    lines = (a_moneyline(), a_spread(0.5))
    ledger = Ledger(PREFIX, line_of=lines_of(*lines), portfolio=Portfolio(0, None))
    ledger.begin_run(RUN, NOW)
    for line, side in ((lines[0], 1), (lines[1], 0)):
        order = an_order(
            ledger.next_external_id(),
            price=100,
            market_id=line.market_id,
            line_id=line.line_id,
            strike_id=line.strikes[side].strike_id,
            side=side,
        )
        ledger.intend(order)
        ledger.apply(seen(a_report(order, filled=100_00)), NOW)
    assert ledger.portfolio.total == Loss(200_00, 200_00)
    ledger.portfolio.learn(Catalog.of([GAME], lines))
    assert ledger.portfolio.total == Loss(1, 1)  # a fill may win a cent less than its price says
    ledger.check_sums()


def test_of_one_line_it_says_what_the_ledger_says() -> None:
    ledger = a_ledger()
    ledger.portfolio.learn(Catalog.of([an_event()], [a_line()]))
    an_open_order(ledger, quantity=70_00)
    other = an_open_order(ledger, strike_id=AWAY, side=1, price=100)
    ledger.apply(seen(a_report(other, filled=50_00)), NOW)
    levels = ledger.portfolio.levels(Place.of(LINE))
    assert levels.line.everything_cents == ledger.portfolio.total.everything_cents
    assert levels.line == levels.event == ledger.portfolio.total
