"""Accepted is not active: silence about it is looked into after ten seconds, and never believed."""
# faults: A14 A16

from __future__ import annotations

from mmbot.domain.commands import ReadOrder
from mmbot.domain.difference import DifferenceKind
from mmbot.domain.events import StreamStateChanged
from mmbot.domain.facts import Alarm
from mmbot.domain.order import Order, State
from mmbot.engine.ledger import Ledger
from tests.builders import NOW, SECOND, a_history, a_ledger, a_report, an_order, seen
from tests.engine.desk import Desk
from tests.engine.situations import S


def accepted(told_first: bool = False) -> tuple[Ledger, Order]:
    """`told_first`: the message that it is active came before the reply to its placement."""
    ledger = a_ledger()
    ledger.start(NOW)
    ledger.apply(a_history(alive_only=True), NOW)
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    if told_first:
        ledger.apply(seen(a_report(order)), NOW)
    ledger.apply(seen(a_report(order, status="inactive"), "reply"), NOW)
    ledger.drain()
    return ledger, order


def reads_until(ledger: Ledger, end_s: int) -> list[int]:
    asked = []
    for second in range(1, end_s):
        ledger.tick(NOW + second * SECOND)
        if any(isinstance(c, ReadOrder) for c in ledger.drain().commands):
            asked.append(second)
    return asked


def running(desk: Desk) -> str | None:
    seen = desk.ledger.reconciliation.running
    return None if seen is None else seen.cause


def test_an_activation_in_time_asks_for_nothing() -> None:
    ledger, order = accepted()
    ledger.apply(seen(a_report(order)), NOW + 9 * SECOND)
    assert reads_until(ledger, 40) == []


def test_a_reply_that_comes_after_the_message_is_not_waited_for() -> None:
    """Seen 2026-11-23 under venue latencies: a reply takes up to 6 s, the message none; forty times
    a day the stream was said to have missed what it had told."""
    ledger, order = accepted(told_first=True)
    assert reads_until(ledger, 40) == []
    at_ns = NOW + 41 * SECOND
    ledger.apply(seen(a_report(order), "read", at_ns, at_ns), at_ns)  # an audit
    ledger.tick(at_ns + 11 * SECOND)
    assert not [fact for fact in ledger.drain().facts if isinstance(fact, Alarm)]
    assert ledger.reconciliation.counts == {}


def test_one_that_is_not_active_after_ten_seconds_is_read_and_then_more_slowly() -> None:
    ledger, _ = accepted()
    assert reads_until(ledger, 55) == [10, 30]
    assert ledger.unmatched_cents == 100_00


def test_one_that_became_invalid_unseen_ends() -> None:
    ledger, order = accepted()
    reads_until(ledger, 12)
    at_ns = NOW + 12 * SECOND
    ledger.apply(seen(a_report(order, status="invalid"), "read", at_ns, at_ns), at_ns)
    found = ledger.order(order.external_id)
    assert found is not None
    assert found.state is State.CLOSED
    assert reads_until(ledger, 80) == []


def test_an_activation_that_only_a_read_told_is_a_lost_message() -> None:
    for told in (True, False):
        ledger, order = accepted()
        reads_until(ledger, 12)
        at_ns = NOW + 12 * SECOND
        ledger.apply(seen(a_report(order), "read", at_ns, at_ns), at_ns)
        if told:  # the read was merely faster
            ledger.apply(seen(a_report(order)), at_ns + SECOND)
        ledger.tick(at_ns + 11 * SECOND)
        alarms = [f.what for f in ledger.drain().facts if isinstance(f, Alarm)]
        assert alarms == ([] if told else ["the stream missed something"])
        counts = ledger.reconciliation.counts
        assert counts == ({} if told else {DifferenceKind.STATUS: 1})


def test_a_move_of_the_stream_is_followed_by_an_audit_and_quoting_goes_on() -> None:
    # faults: E6
    desk = Desk()
    both = desk.quoting()
    desk.tell(desk.history(*both))
    assert running(desk) is None
    desk.now_ns += S
    desk.tell(StreamStateChanged(True, True, "2"))
    assert running(desk) == "audit"
    assert desk.ledger.recovered
    desk.tell(desk.history(*both))
    assert running(desk) is None
