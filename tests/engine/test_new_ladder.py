"""The price ladder changes during the run.  # faults: G1"""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.commands import ReloadLadder
from mmbot.domain.events import LadderLoaded, PlaceRefused, ReadFailed
from mmbot.domain.facts import Alarm, PlacementRefused
from mmbot.domain.price import Ladder, Price
from mmbot.domain.quote import Quote
from tests.engine.desk import Desk
from tests.engine.situations import AWAY, HOME, LADDER, NEVER

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


def refused(desk: Desk, code: str = "invalid_price") -> int:
    """The exchange refuses what was placed last; how often the ladder is asked for at once."""
    effects = desk.tell(*(PlaceRefused(one.external_id, code, "no") for one in desk.placed[-2:]))
    return sum(isinstance(one, ReloadLadder) for one in effects.commands)


@pytest.mark.parametrize("code", ["invalid_price", "wager_invalid_odds", "30010"])
def test_a_refused_price_is_not_tried_again_before_the_ladder_is_read(code: str) -> None:
    desk = Desk()
    desk.all_well()
    assert refused(desk, code) == 1
    for _ in range(60):
        desk.wait(1.0, desk.fair(), desk.book(), *desk.account())
    assert len(desk.placed) == 2
    desk.tell(LadderLoaded(LADDER), desk.fair(), desk.book())
    assert len(desk.placed) == 4


def test_the_ladder_is_asked_for_once_in_ten_seconds_and_again_when_that_failed() -> None:
    desk = Desk()
    desk.all_well()
    assert refused(desk) == 1
    assert refused(desk) == 0
    assert not any(isinstance(one, ReloadLadder) for one in desk.wait(9.9).commands)
    assert sum(isinstance(one, ReloadLadder) for one in desk.wait(0.2).commands) == 1
    desk.tell(ReadFailed("ReloadLadder", "down"))
    assert sum(isinstance(one, ReloadLadder) for one in desk.wait(10.1).commands) == 1


@pytest.mark.parametrize(("listed", "pulled"), [(False, False), (True, True)])
def test_refused_prices_are_a_reject_loop_only_if_the_ladder_has_them(
    listed: bool, pulled: bool
) -> None:
    desk = Desk(breakers=replace(NEVER, refusals_max=1))
    desk.all_well()
    refused(desk)
    assert desk.engine.mode.name == "ENABLED"
    effects = desk.tell(LadderLoaded(LADDER) if listed else WITHOUT_105)
    assert (desk.engine.mode.name == "CANCEL_ONLY") is pulled
    news = [one for one in effects.facts if isinstance(one, Alarm) and "ladder" in one.what]
    assert bool(news) is not listed
