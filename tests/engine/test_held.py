"""Wishes that wait for the request budget are looked at when it opens, and not all the time."""

# faults: D7

from __future__ import annotations

import pytest

from mmbot.engine.ports import Budget
from tests.engine.desk import Desk
from tests.engine.situations import S


def held(budget: Budget) -> tuple[Desk, float]:
    """Everything is well but the budget; and in how many seconds the engine looks again."""
    desk = Desk()
    desk.recovered()
    effects = desk.tell(*desk.market(), *desk.account(), budget=budget)
    assert desk.placed == []
    assert effects.wake_at_ns is not None
    return desk, (effects.wake_at_ns - desk.now_ns) / S


@pytest.mark.parametrize(("opens_in_s", "looks_in_s"), [(0.0, 0.025), (0.4, 0.4), (300.0, 1.0)])
def test_it_looks_again_when_the_budget_opens_and_each_second(
    opens_in_s: float, looks_in_s: float
) -> None:
    _, seconds = held(Budget(0, round(opens_in_s * S)))
    assert seconds == looks_in_s


def test_what_waits_leaves_with_the_first_turn_that_may_place() -> None:
    desk, _ = held(Budget(0, 300 * S))
    closed = Budget(0, 299 * S)
    desk.now_ns += S // 10
    desk.tell(budget=closed)
    assert desk.placed == []
    desk.wait(0.1)
    assert len(desk.placed) == 2


def test_nobody_is_asked_while_nothing_can_leave() -> None:
    desk, _ = held(Budget(0, 300 * S))
    before = desk.asked
    for _ in range(8):
        desk.now_ns += S // 10
        desk.tell(budget=Budget(0, 299 * S))
    assert desk.asked == before
    desk.now_ns += S // 5
    desk.tell(budget=Budget(0, 299 * S))
    assert desk.asked > before
