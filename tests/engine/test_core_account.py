"""What concerns the whole account: mass cancels, many doubts, and somebody else in our name."""
# faults: B12 C2 D7 H5 H12

from __future__ import annotations

from dataclasses import replace

from mmbot.domain.commands import CancelEverything, Command
from mmbot.domain.events import OperatorSaid, PlaceLost, ReadFailed
from mmbot.engine.modes import Mode
from mmbot.engine.ports import Effects
from tests.engine.desk import Desk
from tests.engine.situations import S, an_order


def asked(effects: Effects, kind: type[Command]) -> int:
    return sum(isinstance(command, kind) for command in effects.commands)


def mode_of(desk: Desk) -> Mode:
    return desk.engine.mode


def test_a_mass_cancel_that_failed_is_repeated_though_nothing_of_ours_rests() -> None:
    # faults: B12 H12
    desk = Desk()
    desk.strategy.wants = ()
    desk.all_well()
    assert asked(desk.tell(OperatorSaid("halt", "test")), CancelEverything) == 1
    for _ in range(3):
        desk.tell(ReadFailed("CancelEverything", "502"))
        assert asked(desk.wait(2.1), CancelEverything) == 1
    assert asked(desk.wait(10), CancelEverything) == 0


def test_a_halt_repeats_while_a_persons_order_rests() -> None:
    # faults: B12
    desk = Desk()
    desk.strategy.wants = ()
    desk.all_well()
    human = an_order(ident="by-hand")
    desk.tell(*desk.opened(human))
    assert asked(desk.tell(OperatorSaid("halt", "test")), CancelEverything) == 1
    assert asked(desk.wait(2.1), CancelEverything) == 1
    desk.tell(*desk.ended(human))
    assert asked(desk.wait(5), CancelEverything) == 0


def test_more_than_twenty_in_doubt_stop_placing_until_they_are_found() -> None:
    # faults: C2
    desk = Desk()
    desk.all_well()
    lost = [replace(an_order(ident=f"mm-0123456789ab-{n}")) for n in range(100, 121)]
    for order in lost[:20]:
        desk.ledger.intend(order)
        desk.tell(PlaceLost(order.external_id, "timeout"))
    assert mode_of(desk) is Mode.ENABLED
    desk.ledger.intend(lost[20])
    desk.tell(PlaceLost(lost[20].external_id, "timeout"))
    assert mode_of(desk) is Mode.CANCEL_ONLY
    desk.tell(*desk.opened(lost[20]))
    assert mode_of(desk) is Mode.ENABLED


def test_nothing_is_placed_while_somebody_else_may_place_in_our_name() -> None:
    # faults: H5
    desk = Desk()
    desk.quoting()
    desk.now_ns += 10 * S
    stranger = replace(an_order(ident="mm-ffffffffffff-1"), intended_ns=desk.now_ns)
    desk.tell(*desk.opened(stranger))
    assert mode_of(desk) is Mode.CANCEL_ONLY
    desk.now_ns += 70 * S
    desk.tell(*desk.account())
    assert mode_of(desk) is Mode.ENABLED


def test_what_waited_for_its_turn_until_it_was_no_longer_wanted_does_not_leave() -> None:
    # faults: D7
    desk = Desk()
    desk.all_well()
    order = desk.placed[0]
    desk.now_ns += S
    desk.tell(desk.book(), desk.fair(), *desk.account())
    assert desk.engine.drop_reason(order, 0, desk.now_ns) == ""
    desk.ledger.want_cancel(order.external_id, desk.now_ns)
    assert desk.engine.drop_reason(order, 0, desk.now_ns) == "no longer wanted"
