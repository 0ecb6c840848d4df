"""The price ladder changes during the run.  # faults: G1"""

from __future__ import annotations

from mmbot.domain.events import LadderLoaded
from mmbot.domain.facts import PlacementRefused
from mmbot.domain.price import Ladder, Price
from mmbot.domain.quote import Quote
from tests.engine.desk import Desk
from tests.engine.situations import AWAY, HOME

WITHOUT_105 = LadderLoaded(Ladder.of([100, 104, 106, -104, -106, 200, -200]))


def test_a_price_that_left_the_ladder_is_not_placed_and_one_that_came_is() -> None:
    desk = Desk()
    desk.all_well()
    assert [order.price for order in desk.placed] == [105, 105]
    first, second = desk.placed
    desk.tell(WITHOUT_105, *desk.ended(first, second))
    refused = [one for one in desk.wait(1.0).facts if isinstance(one, PlacementRefused)]
    assert len(desk.placed) == 2
    assert {one.check for one in refused} <= {"on_ladder"}  # told when it began
    desk.strategy.wants = (Quote(HOME, Price(106), 5_000), Quote(AWAY, Price(106), 5_000))
    desk.wait(1.0)
    assert [order.price for order in desk.placed[2:]] == [106, 106]


def test_what_rests_at_a_price_that_left_goes_once_another_is_wanted() -> None:
    desk = Desk()
    desk.quoting()
    desk.strategy.wants = (Quote(HOME, Price(106), 5_000), Quote(AWAY, Price(106), 5_000))
    desk.tell(WITHOUT_105)
    assert all(order.cancel_wanted for order in desk.ledger.live())


def test_an_order_that_waits_for_its_commit_does_not_leave_at_a_price_that_left() -> None:
    desk = Desk()
    turn_before = 0
    desk.all_well()
    order = desk.placed[0]
    desk.wait(1.0)
    assert desk.engine.drop_reason(order, turn_before, desk.now_ns) == ""
    desk.wait(0.1, WITHOUT_105)
    why = desk.engine.drop_reason(order, turn_before, desk.now_ns)
    assert why == "its price has left the ladder"
