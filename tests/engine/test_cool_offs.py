"""Cool-offs: how long each lasts, and that a restart neither ends nor lengthens one."""

# faults: B1 G4

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.entries import BreakerTripped, Entry
from mmbot.domain.events import OrderSeen
from mmbot.domain.ids import SportEventId
from mmbot.engine.cool_offs import COOL_OFF_MAX_NS, COOL_OFF_NS, CoolOffs, Scope
from mmbot.engine.outbox import Outbox
from mmbot.store.codec import decode, encode
from tests.builders import a_report
from tests.engine.killed import Killed
from tests.engine.situations import EVENT, NEVER, S

ONE = SportEventId(1)
MINUTE = COOL_OFF_NS


def some() -> CoolOffs:
    return CoolOffs(Outbox())


def trip(some: CoolOffs, now_ns: int, scope: Scope = ONE) -> int:
    """Returns when it has cooled off."""
    some.trip("fill burst", scope, "why", now_ns)
    return some.cooling(now_ns)[scope].until_ns


def test_a_minute_and_twice_as_long_when_it_trips_again_soon() -> None:
    off = some()
    assert trip(off, 0) == MINUTE
    assert ONE not in off.cooling(MINUTE)
    assert trip(off, 2 * MINUTE - 1) == 4 * MINUTE - 1
    assert trip(off, 100 * MINUTE) == 101 * MINUTE  # that was long ago


def test_doubling_has_an_end() -> None:
    off, now_ns = some(), 0
    for _ in range(12):
        now_ns = trip(off, now_ns)
    assert trip(off, now_ns) - now_ns == COOL_OFF_MAX_NS


def test_fills_of_orders_on_their_way_do_not_make_it_longer() -> None:
    off = some()
    trip(off, 0)
    assert trip(off, S) == MINUTE


# --- over a restart -----------------------------------------------------------------------------


def kept(entry: Entry) -> Entry:
    """As the ledger's file gives it back."""
    return decode(*encode(entry))


@pytest.mark.parametrize("scope", [ONE, None])
def test_the_journal_alone_makes_the_same_cool_offs(scope: Scope) -> None:
    out = Outbox()
    off = CoolOffs(out)
    trip(off, 0, scope)
    trip(off, MINUTE, scope)
    again = some()
    for entry in out.drain().entries:
        told = kept(entry)
        assert isinstance(told, BreakerTripped)
        again.replay(told)
    again.restart(MINUTE + S)
    assert again.cooling(MINUTE + S) == off.cooling(MINUTE + S)
    assert trip(again, 3 * MINUTE, scope) == trip(off, 3 * MINUTE, scope) == 7 * MINUTE


def test_a_clock_set_back_lets_it_last_as_long_as_it_was_and_no_longer() -> None:
    off = some()
    off.replay(BreakerTripped(ONE, "fill burst", "why", MINUTE, 1000 * MINUTE))
    off.restart(0)
    assert off.cooling(0)[ONE].until_ns == MINUTE


def test_a_crash_ten_seconds_after_a_burst_quotes_when_it_has_cooled_off() -> None:
    desk = Killed(breakers=replace(NEVER, event_filled_max_cents=999))
    first, second = desk.quoting()
    desk.tell(OrderSeen(a_report(first, filled=1_000), "stream", desk.now_ns))
    desk.tell(*desk.ended(first, second))
    for after_s, quotes in ((10, False), (59.9, False), (60, True), (600, True)):
        later = desk.again(after_s)
        later.tell(*later.market(), *later.account())
        assert bool(later.placed) is quotes, after_s
        pulled = dict(later.engine.parts.modes.pulled)
        assert pulled == ({} if quotes else {EVENT.event_id: "1 fills of 10.00 USD in 10 s"})


def test_what_pulled_everything_still_does_after_a_crash() -> None:
    desk = Killed(breakers=replace(NEVER, total_filled_max_cents=999))
    first, second = desk.quoting()
    desk.tell(OrderSeen(a_report(first, filled=1_000), "stream", desk.now_ns))
    desk.tell(*desk.ended(first, second))
    later = desk.again(10)
    later.tell(*later.market(), *later.account())
    assert not later.placed
    assert later.engine.mode.name == "CANCEL_ONLY"
