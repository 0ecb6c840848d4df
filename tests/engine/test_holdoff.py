"""Placement is disabled: one order asks now and then whether it still is."""
# faults: D13 G8

from __future__ import annotations

from itertools import pairwise

import pytest

from mmbot.domain.events import OrderSeen, PlaceRefused
from mmbot.domain.facts import Alarm
from mmbot.domain.order import Order
from tests.builders import SECOND, a_report
from tests.engine.desk import Desk

CODE = "err_order_placement_disabled"
CODES = (CODE, "err_add_liquidity_only_disabled")


def refusals(*orders: Order, code: str = CODE) -> tuple[PlaceRefused, ...]:
    return tuple(PlaceRefused(order.external_id, code, "it is disabled") for order in orders)


def maintenance(desk: Desk, seconds: int, code: str = CODE) -> tuple[list[float], list[str]]:
    """When an order left, in seconds, and what was told: everything is refused."""
    left_s: list[float] = []
    told: list[str] = []
    began_ns, known = desk.now_ns, 0
    for _ in range(seconds * 5):
        fresh, known = desk.placed[known:], len(desk.placed)
        left_s += [(desk.now_ns - began_ns) / SECOND] * bool(fresh)
        assert known <= 2 or len(fresh) <= 1, "one asks for all of them"
        no = refusals(*fresh, code=code)
        said = desk.wait(0.2, *no, desk.fair(), desk.book(), *desk.account())
        told += [fact.detail for fact in said.facts if isinstance(fact, Alarm)]
    return left_s, told


@pytest.mark.parametrize("code", CODES)
def test_during_a_maintenance_one_order_asks_ever_more_rarely_and_never_gives_up(code: str) -> None:
    desk = Desk()
    desk.all_well()
    left_s, told = maintenance(desk, 20 * 60 if code == CODE else 60, code)
    waits_s = [round(later - sooner) for sooner, later in pairwise(left_s)]
    assert waits_s[:3] == [1, 2, 4]
    assert set(waits_s[3:]) == {5}
    assert len([detail for detail in told if code in detail]) == 1


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


def test_one_market_that_takes_no_order_keeps_no_other_from_placing() -> None:
    desk = Desk()
    desk.all_well()
    shut = desk.placed[0].strike_id
    known, tried, open_elsewhere = 0, 0, 0
    for _ in range(600):
        fresh, known = desk.placed[known:], len(desk.placed)
        refused = [order for order in fresh if order.strike_id == shut]
        taken = [order for order in fresh if order.strike_id != shut]
        tried, open_elsewhere = tried + len(refused), open_elsewhere + len(taken)
        for order in taken:
            report = a_report(order, status="inactive")
            desk.tell(OrderSeen(report, "reply", desk.now_ns), *desk.opened(order))
            desk.tell(*desk.ended(order))
        desk.wait(0.2, *refusals(*refused), desk.fair(), desk.book(), *desk.account())
    assert open_elsewhere > 400, "each that ends is replaced within a turn or two"
    assert 5 < tried < 20, "and the shut one is asked ever more rarely"


def test_while_one_market_is_shut_another_gets_its_turn_to_ask() -> None:
    desk = Desk()
    shut, rests = desk.quoting()
    desk.tell(*desk.ended(shut))
    known = 2
    for second in range(60):
        fresh, known = desk.placed[known:], len(desk.placed)
        if any(order.strike_id == rests.strike_id for order in fresh):
            return
        desk.wait(1.0, *refusals(*fresh), desk.fair(), desk.book(), *desk.account())
        if second == 30:
            desk.tell(*desk.ended(rests))
    raise AssertionError("only the shut market is asked, again and again")


def came_and_went(desk: Desk, *orders: Order, copies: int = 1) -> None:
    """Accepted, and gone before they were open: the exchange drops what would cross."""
    for order in orders:
        desk.tell(OrderSeen(a_report(order, status="inactive"), "reply", desk.now_ns))
        for _ in range(copies):
            desk.wait(0.3, *desk.ended(order))


def test_an_order_that_comes_and_goes_is_tried_ever_more_rarely_and_never_given_up() -> None:
    desk = Desk()
    desk.all_well()
    known, left_s, began_ns = 0, [0.0], desk.now_ns
    while desk.now_ns < began_ns + 240 * SECOND:
        fresh, known = desk.placed[known:], len(desk.placed)
        left_s += [(desk.now_ns - began_ns) / SECOND] * bool(fresh)
        came_and_went(desk, *fresh)
        desk.wait(0.5, desk.fair(), desk.book(), *desk.account())
    waits_s = [later - sooner for sooner, later in pairwise(left_s)]
    assert waits_s[2] < 3
    assert max(waits_s) < 35
    assert min(waits_s[-3:]) > 25


def test_its_end_told_again_and_again_counts_once() -> None:
    desk = Desk()
    desk.all_well()
    first, _ = desk.placed
    came_and_went(desk, first, copies=8)
    desk.wait(1.0, desk.fair(), desk.book())
    assert [order.strike_id for order in desk.placed].count(first.strike_id) == 2
