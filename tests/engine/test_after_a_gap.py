"""What is asked after a gap in what we heard, and what is enough to quote again."""

from __future__ import annotations

import pytest

from mmbot.domain.commands import Command, ReadHistory
from mmbot.domain.events import ReadFailed
from mmbot.domain.order import Order
from mmbot.engine.ledger import Ledger
from tests.builders import LINE, NOW, SECOND, a_history, a_ledger, a_report, an_open_order, seen
from tests.engine.test_recovery import LATER, is_ready, only, reborn, some


def listened(orders: int) -> tuple[Ledger, list[Order]]:
    """A ledger whose lists are all in, with so many open orders."""
    ledger = a_ledger()
    ledger.start(NOW)
    ledger.apply(a_history(alive_only=True), NOW)
    live = [an_open_order(ledger) for _ in range(orders)]
    ledger.apply(a_history(changed_only=True), NOW)
    ledger.drain()
    return ledger, live


def after_a_gap(ledger: Ledger, at_ns: int = LATER) -> tuple[Command, ...]:
    ledger.disconnected(at_ns)
    ledger.connected("2", after_gap=True, now_ns=at_ns)
    return ledger.drain().commands


def test_after_a_gap_one_list_of_what_changed_is_enough_to_go_on() -> None:
    """What is alive takes three requests, a second apart, and it follows."""
    # faults: D10
    ledger, live = listened(2)
    commands = after_a_gap(ledger)
    (asked,) = only(ReadHistory, commands)
    assert asked.changed_only
    assert asked.from_ns < NOW
    filled = a_report(live[0], filled=30_00)
    ledger.apply(a_history(filled, at_ns=LATER, changed_only=True), LATER)
    assert not is_ready(ledger)  # the list leaves out what did not change: that is read by its id
    assert [c.alive_only for c in only(ReadHistory, ledger.drain().commands)] == [True]
    ledger.apply(seen(a_report(live[1]), "read", LATER, LATER), LATER)
    ledger.apply(seen(filled, "read", LATER, LATER), LATER)
    assert is_ready(ledger)
    assert ledger.exposure(LINE).position.stake_cents == (30_00, 0)


def test_a_list_asked_for_before_the_gap_tells_nothing_of_it() -> None:
    # faults: D10
    ledger, _ = listened(1)
    ledger.audit(NOW + 61 * SECOND)
    ledger.apply(a_history(at_ns=NOW + 61 * SECOND, alive_only=True), NOW + 61 * SECOND)
    assert any(c.changed_only for c in only(ReadHistory, ledger.drain().commands))
    again_ns = NOW + 63 * SECOND
    (order,) = ledger.live()
    assert not only(ReadHistory, after_a_gap(ledger, again_ns))
    ledger.apply(seen(a_report(order), "read", again_ns, again_ns), again_ns)
    ledger.apply(a_history(at_ns=again_ns, changed_only=True), again_ns)
    assert not is_ready(ledger)
    assert [c.changed_only for c in only(ReadHistory, ledger.drain().commands)] == [True]
    ledger.apply(a_history(at_ns=again_ns, changed_only=True), again_ns)
    assert is_ready(ledger)


def test_a_list_of_what_changed_that_fails_is_asked_for_again_and_then_what_is_alive() -> None:
    # faults: D14
    ledger, _ = listened(0)
    ended = an_open_order(ledger)
    ledger.apply(seen(a_report(ended, filled=100_00)), NOW)
    after_a_gap(ledger)
    at_ns = LATER + 2 * SECOND
    ledger.apply(ReadFailed("ReadHistory", "502"), at_ns)
    assert [c.changed_only for c in only(ReadHistory, ledger.drain().commands)] == [True]
    for second in range(3, 7):
        ledger.tick(LATER + second * SECOND)
    assert any(c.alive_only for c in only(ReadHistory, ledger.drain().commands))
    ledger.apply(a_history(at_ns=LATER + 7 * SECOND, alive_only=True), LATER + 7 * SECOND)
    assert is_ready(ledger)


@pytest.mark.parametrize(
    "case", ["many rest", "nothing was listed before", "nothing is there to list"]
)
def test_after_a_gap_what_is_alive_is_listed_first_where_that_says_more(case: str) -> None:
    # faults: D10 H1
    ledger, _ = listened({"many rest": 21, "nothing is there to list": 0}.get(case, 1))
    if case == "nothing was listed before":
        ledger = reborn(*some(1))
        ledger.start(LATER)
    at_ns = LATER + 2 * SECOND
    assert not any(c.changed_only for c in only(ReadHistory, after_a_gap(ledger, at_ns)))
    ledger.apply(ReadFailed("ReadHistory", "502"), at_ns)
    for _ in range(3):
        at_ns += 2 * SECOND
        ledger.tick(at_ns)
        ledger.apply(a_history(at_ns=at_ns, changed_only=True), at_ns)
    for order in ledger.live()[:20]:
        ledger.apply(seen(a_report(order), "read", at_ns, at_ns), at_ns)
    assert not is_ready(ledger)
    rests = [a_report(order) for order in ledger.live()]
    ledger.apply(a_history(*rests, at_ns=at_ns, alive_only=True), at_ns)
    assert is_ready(ledger)
