"""Where a sentinel is required, its absence withdraws nothing and lets nothing new out."""

from __future__ import annotations

from mmbot.domain.commands import CancelOrders
from mmbot.domain.events import SentinelSeen
from tests.engine.desk import Desk


def test_without_the_required_sentinel_nothing_is_placed() -> None:
    desk = Desk()
    desk.tell(SentinelSeen(False, "no sentinel has been seen yet"))
    desk.all_well()
    assert desk.placed == []
    assert desk.engine.mode.name == "CANCEL_ONLY"
    assert desk.engine.parts.modes.whole(0, desk.now_ns)[1] == "no sentinel has been seen yet"
    desk.wait(1, SentinelSeen(True))
    assert len(desk.placed) == 2


def test_what_rests_stays_while_it_is_wanted_and_is_replaced_by_nothing() -> None:
    desk = Desk()
    both = desk.quoting()
    effects = desk.wait(1, SentinelSeen(False, "silent"))
    assert not any(isinstance(command, CancelOrders) for command in effects.commands)
    desk.wait(1, *desk.ended(*both))
    assert len(desk.placed) == 2
    desk.wait(1, SentinelSeen(True))
    assert len(desk.placed) == 4
