"""A halt at any moment: ten times, at the start, blind, with a placement in flight."""

# faults: H12 H13

from __future__ import annotations

from mmbot.domain.commands import CancelEverything
from mmbot.domain.events import OperatorSaid, OrderSeen, PlaceLost, StreamStateChanged
from mmbot.domain.facts import Alarm
from mmbot.engine.ports import Effects
from tests.builders import a_report
from tests.engine.desk import Desk
from tests.engine.situations import an_order
from tests.engine.test_core import asked, cancelled

HALT = OperatorSaid("halt", "test")


def pages(effects: Effects) -> list[str]:
    return [fact.what for fact in effects.facts if isinstance(fact, Alarm) and fact.page]


def test_ten_pulls_are_one_halt_and_each_clears_the_account() -> None:
    desk = Desk()
    both = desk.quoting()
    told = [desk.wait(0.01, HALT) for _ in range(10)]
    assert [asked(effects, CancelEverything) for effects in told] == [1] * 10
    assert cancelled(told[0]) == {order.external_id for order in both}
    desk.tell(*desk.ended(*both))
    assert asked(desk.wait(3), CancelEverything) == 0
    assert len(desk.placed) == 2


def test_a_halt_during_the_start_cancels_what_the_start_finds() -> None:
    desk = Desk()
    desk.ledger.start(desk.now_ns)
    assert asked(desk.tell(HALT), CancelEverything) == 1
    found = an_order(ident="mm-0123456789ab-9")
    effects = desk.wait(0.5, desk.history(found), *desk.market(), *desk.account())
    assert cancelled(effects) == {found.external_id}
    assert not desk.placed
    assert asked(desk.wait(2), CancelEverything) == 1


def test_a_halt_without_a_stream_leaves_at_once() -> None:
    desk = Desk()
    both = desk.quoting()
    desk.tell(StreamStateChanged(False, False, ""))
    assert asked(desk.wait(0.1, HALT), CancelEverything) == 1
    desk.wait(0.1, *desk.ended(*both))
    effects = desk.wait(1, StreamStateChanged(True, True, "2"), *desk.market())
    assert not effects.placements


def test_a_placement_that_was_in_flight_is_cancelled_when_it_shows() -> None:
    desk = Desk()
    desk.all_well()
    first, second = desk.placed
    desk.tell(HALT)
    desk.tell(PlaceLost(first.external_id, "reset"), PlaceLost(second.external_id, "reset"))
    assert asked(desk.wait(2.1), CancelEverything) == 1  # it may have landed since
    effects = desk.wait(0.1, OrderSeen(a_report(first), "stream", desk.now_ns))
    assert cancelled(effects) == {first.external_id}
    assert asked(desk.wait(2.1), CancelEverything) == 1


def test_a_halt_that_does_not_become_flat_calls_a_person_at_each_doubling() -> None:
    desk = Desk()
    both = desk.quoting()
    desk.tell(HALT)
    called_s = [second for second in range(1, 60) if pages(desk.wait(1))]
    assert called_s == [10, 20, 40]
    assert not pages(desk.tell(*desk.ended(*both)))
    desk.tell(OperatorSaid("resume", "test"))
    assert not pages(desk.wait(11))
    desk.tell(HALT)
    assert not pages(desk.wait(9))


def test_where_only_ours_are_halted_a_persons_order_calls_nobody() -> None:
    desk = Desk(whole_account=False)
    desk.strategy.wants = ()
    desk.all_well()
    desk.tell(HALT, *desk.opened(an_order(ident="by-hand")))
    assert not [page for _ in range(30) for page in pages(desk.wait(1))]
