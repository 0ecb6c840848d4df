"""An engine that can do nothing yet, or wants nothing, sleeps: until an event, or 2 s."""
# faults: D2 H12

from __future__ import annotations

from mmbot.domain.events import OperatorSaid
from mmbot.engine.core import IDLE_NS
from mmbot.engine.modes import START_GRACE_NS
from tests.engine.desk import Desk
from tests.engine.situations import S


def sleeps_ns(desk: Desk, after_s: float) -> int:
    wake_at_ns = desk.wait(after_s).wake_at_ns
    assert wake_at_ns is not None
    return wake_at_ns - desk.now_ns


def test_a_start_that_waits_for_its_reads_sleeps_but_not_past_the_grace() -> None:
    desk = Desk()
    started_ns = desk.now_ns
    desk.now_ns += S  # the reads of the house are due at other moments than the end of the grace
    desk.ledger.start(desk.now_ns)
    desk.tell(*desk.market(), *desk.account())
    slept_ns = [sleeps_ns(desk, 0.5) for _ in range(27)]
    assert max(slept_ns) == IDLE_NS
    assert min(slept_ns) >= S // 4
    assert desk.now_ns == started_ns + START_GRACE_NS - S // 2
    assert slept_ns[-1] == S // 2


def test_with_every_wish_withdrawn_and_nothing_resting_no_line_is_looked_at() -> None:
    desk = Desk()
    first, second = desk.quoting()
    desk.tell(OperatorSaid("pause", "test"))
    desk.tell(*desk.ended(first, second))
    desk.wait(2)
    slept_ns = [sleeps_ns(desk, 2) for _ in range(4)]
    assert max(slept_ns) == IDLE_NS  # a turn at least so often, or a gap of ours goes unnoticed
    desk.tell(desk.book(), desk.fair(), *desk.account())
    desk.tell(OperatorSaid("resume", "test"))
    assert len(desk.placed) == 4
