"""Breakers: what trips each, for how long, and that the sport event or everything is pulled."""

# faults: G4

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.book import Book, Level
from mmbot.domain.commands import CancelOrders
from mmbot.domain.events import BookUpdated, OrderSeen, PlaceRefused
from mmbot.domain.facts import Alarm, ModeChanged
from mmbot.domain.ids import SportEventId
from mmbot.domain.order import Order
from mmbot.domain.price import Price
from mmbot.engine.breakers import BreakerLimits, Breakers
from mmbot.engine.cool_offs import CoolOffs
from mmbot.engine.outbox import Outbox
from mmbot.engine.ports import Effects
from tests.builders import a_report
from tests.engine.desk import Desk
from tests.engine.situations import EVENT, LINE, NEVER, S

LIMITS = BreakerLimits(3, 10_000, 5, 20_000, 0.4, 10)
ONE = SportEventId(1)


def some_breakers() -> Breakers:
    return Breakers(LIMITS, CoolOffs(Outbox()))


def a_book(first: int, second: int) -> Book:
    """One price of others on either side."""
    sides = ((Level(Price(first), 10_000),), (Level(Price(second), 10_000),))
    return Book(LINE.line_id, sides, 1)


EVEN, DEARER = a_book(105, 105), a_book(-145, 165)


def whys(breakers: Breakers, now_ns: int) -> dict[SportEventId | None, str]:
    return {scope: off.why for scope, off in breakers.cool_offs.cooling(now_ns).items()}


# --- fills --------------------------------------------------------------------------------------


def test_one_fill_more_than_allowed_pulls_its_sport_event_alone() -> None:
    breakers = some_breakers()
    for at_ns in range(3):
        breakers.filled(ONE, 100, at_ns)
    assert whys(breakers, 3) == {}
    breakers.filled(ONE, 100, 3)
    assert whys(breakers, 3) == {ONE: "4 fills of 4.00 USD in 10 s"}


def test_the_stake_counts_as_well_as_the_number() -> None:
    breakers = some_breakers()
    breakers.filled(ONE, 10_000, 0)
    assert whys(breakers, 0) == {}
    breakers.filled(ONE, 1, 1)
    assert whys(breakers, 1) == {ONE: "2 fills of 100.01 USD in 10 s"}


def test_small_bursts_of_many_sport_events_pull_everything() -> None:
    breakers = some_breakers()
    for number in range(6):
        breakers.filled(SportEventId(number), 100, number)
    assert whys(breakers, 6) == {None: "6 fills of 6.00 USD in 10 s"}


def test_what_is_ten_seconds_old_counts_no_more() -> None:
    breakers = some_breakers()
    for at_ns in (0, 1, 2, 10 * S):
        breakers.filled(ONE, 100, at_ns)
    assert whys(breakers, 10 * S) == {}
    early = some_breakers()
    for at_ns in (0, 1, 2, 10 * S - 1):
        early.filled(ONE, 100, at_ns)
    assert list(whys(early, 10 * S)) == [ONE]


# --- prices and refusals ------------------------------------------------------------------------


def test_a_price_that_jumps_pulls_and_one_that_creeps_does_not() -> None:
    breakers = some_breakers()
    assert not breakers.priced(ONE, EVEN, 0)
    assert breakers.priced(ONE, DEARER, S)
    assert "+0.4" in whys(breakers, S)[ONE]
    slow = some_breakers()
    assert not slow.priced(ONE, EVEN, 0)
    assert not slow.priced(ONE, a_book(-120, 140), 9 * S)
    assert not slow.priced(ONE, DEARER, 19 * S)  # the first was left ten seconds ago


def test_a_quiet_book_jumps_as_well() -> None:
    for again_s in (1, 50):  # whether it was told again or not
        breakers = some_breakers()
        breakers.priced(ONE, EVEN, 0)
        assert not breakers.priced(ONE, EVEN, again_s * S)
        assert breakers.priced(ONE, DEARER, 60 * S)


def test_a_way_in_small_steps_is_as_long() -> None:
    breakers, steps = some_breakers(), (EVEN, a_book(-110, 130), a_book(-125, 145), DEARER)
    jumped = [breakers.priced(ONE, book, at * S) for at, book in enumerate(steps)]
    assert jumped == [False, False, False, True]


def test_a_book_with_an_empty_side_says_nothing() -> None:
    breakers = some_breakers()
    breakers.priced(ONE, EVEN, 0)
    assert not breakers.priced(ONE, Book(LINE.line_id, (DEARER.levels[0], ()), 1), S)


def test_the_eleventh_refusal_in_a_minute_pulls_everything() -> None:
    breakers = some_breakers()
    assert not any(breakers.refused("x", at * 5 * S) for at in range(10))
    assert breakers.refused("insufficient_funds", 50 * S)
    assert whys(breakers, 50 * S) == {
        None: "11 orders refused in 60 s, at last for insufficient_funds"
    }
    rare = some_breakers()
    assert not any(rare.refused("x", at * 6 * S) for at in range(100))


# --- in the engine ------------------------------------------------------------------------------


def cancelled(effects: Effects) -> set[str]:
    commands = (one for one in effects.commands if isinstance(one, CancelOrders))
    return {str(ref.external_id) for command in commands for ref in command.refs}


def a_fill(desk: Desk, order: Order, cents: int) -> OrderSeen:
    return OrderSeen(a_report(order, filled=cents), "stream", desk.now_ns)


def test_a_burst_pulls_the_sport_event_and_a_minute_later_it_is_quoted_again() -> None:
    desk = Desk(breakers=replace(NEVER, event_filled_max_cents=999))
    first, second = desk.quoting()
    effects = desk.tell(a_fill(desk, first, 1_000))
    assert cancelled(effects) == {first.external_id, second.external_id}
    alarms = [one.detail for one in effects.facts if isinstance(one, Alarm)]
    pulled = f"sport event {EVENT.event_id} is pulled for 60 s"
    assert alarms == [f"1 fills of 10.00 USD in 10 s: {pulled}"]
    scopes = [one.scope for one in effects.facts if isinstance(one, ModeChanged)]
    assert scopes == [str(EVENT.event_id)]
    assert desk.engine.drop_reason(second, 0, desk.now_ns).startswith("mode_places")
    desk.tell(*desk.ended(second))
    desk.wait(59, desk.book(), desk.fair())
    assert len(desk.placed) == 2
    assert desk.engine.mode.name == "ENABLED"
    desk.wait(1, desk.book(), desk.fair())
    assert len(desk.placed) > 2


def test_a_jump_of_the_book_alone_is_a_turn_that_cancels() -> None:
    desk = Desk(breakers=replace(NEVER, jump_max_logit=0.4))
    both = desk.quoting()
    desk.tell(BookUpdated(replace(EVEN, received_ns=desk.now_ns)))
    assert cancelled(desk.wait(0.001, desk.fair())) == set()  # a turn of prices only
    jumped = BookUpdated(replace(DEARER, received_ns=desk.now_ns))
    assert cancelled(desk.wait(0.001, jumped)) == {one.external_id for one in both}
    assert desk.engine.parts.modes.pulled.keys() == {EVENT.event_id}


@pytest.mark.parametrize(
    ("code", "pulled"), [("insufficient_funds", True), ("placement_disabled", False)]
)
def test_refusals_pull_everything_but_not_where_no_order_is_taken_at_all(
    code: str, pulled: bool
) -> None:
    desk = Desk(breakers=replace(NEVER, refusals_max=1))
    desk.all_well()
    desk.tell(*(PlaceRefused(one.external_id, code, "no") for one in desk.placed))
    desk.wait(5, desk.book(), desk.fair())
    assert (len(desk.placed) == 2) is pulled
    assert (desk.engine.mode.name == "CANCEL_ONLY") is pulled
    desk.wait(55)
    desk.wait(1)
    desk.tell(*desk.account(), desk.book(), desk.fair())
    assert len(desk.placed) > 2
