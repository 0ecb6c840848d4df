"""Placement is disabled: one order asks now and then whether it still is."""
# faults: D13

from __future__ import annotations

from itertools import pairwise

from mmbot.domain.events import OrderSeen, PlaceRefused
from mmbot.domain.facts import Alarm
from mmbot.domain.order import Order
from tests.builders import SECOND, a_report
from tests.engine.desk import Desk

CODE = "err_order_placement_disabled"


def refusals(*orders: Order) -> tuple[PlaceRefused, ...]:
    return tuple(PlaceRefused(order.external_id, CODE, "placement is disabled") for order in orders)


def maintenance(desk: Desk, seconds: int) -> tuple[list[float], list[str]]:
    """When an order left, in seconds, and what was told: everything is refused."""
    left_s: list[float] = []
    told: list[str] = []
    began_ns, known = desk.now_ns, 0
    for _ in range(seconds * 5):
        fresh, known = desk.placed[known:], len(desk.placed)
        left_s += [(desk.now_ns - began_ns) / SECOND] * bool(fresh)
        assert known <= 2 or len(fresh) <= 1, "one asks for all of them"
        said = desk.wait(0.2, *refusals(*fresh), desk.fair(), desk.book(), *desk.account())
        told += [fact.detail for fact in said.facts if isinstance(fact, Alarm)]
    return left_s, told


def test_during_a_maintenance_one_order_asks_ever_more_rarely_and_never_gives_up() -> None:
    desk = Desk()
    desk.all_well()
    left_s, told = maintenance(desk, 20 * 60)
    waits_s = [round(later - sooner) for sooner, later in pairwise(left_s)]
    assert waits_s[:4] == [1, 2, 4, 8]
    assert set(waits_s[4:]) == {15}
    assert len([detail for detail in told if CODE in detail]) == 1


def test_the_first_order_that_is_taken_lets_the_others_go() -> None:
    desk = Desk()
    desk.all_well()
    maintenance(desk, 120)
    known = len(desk.placed)
    while len(desk.placed) == known:
        desk.wait(1.0, desk.fair(), desk.book(), *desk.account())
    taken = desk.placed[-1]
    desk.tell(OrderSeen(a_report(taken, status="inactive"), "reply", desk.now_ns))
    desk.wait(1.0, desk.fair(), desk.book())
    assert {order.strike_id for order in desk.placed[known:]} == {
        order.strike_id for order in desk.placed[:2]
    }
    desk.tell(*refusals(desk.placed[-1]))
    again = len(desk.placed)
    desk.wait(1.0, desk.fair(), desk.book())
    assert len(desk.placed) == again + 1, "and the next refusal starts with a short wait"
