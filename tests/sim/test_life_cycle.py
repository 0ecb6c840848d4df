"""The programme of the venue: events come, move, go live and end; lines move, markets close."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.sim.core.orders import Order, Refusal
from mmbot.sim.games.fixtures import LineSpec
from mmbot.sim.rules import ActivationRules, LifeRules, Rules
from tests.sim.small_venue import KICK_OFF_NS, NS, SPECS, SmallVenue, a_game, status


def refusal(found: Order | Refusal) -> str:
    return found.code if isinstance(found, Refusal) else ""


def told(venue: SmallVenue) -> list[tuple[str, str]]:
    """Kind and operation of what went to everybody."""
    return [(one.change_type, one.op) for one in venue.messages() if not one.user_id]


def test_a_new_event_is_told_with_its_lines_and_takes_orders() -> None:
    venue = SmallVenue()
    maker = venue.account("maker")
    event = venue.exchange.calendar.list_event(a_game(9), SPECS, venue.now_ns)
    seen = told(venue)
    assert ("sport_event", "c") in seen
    assert seen.count(("market_strike", "c")) == 2 * len(SPECS)
    assert venue.place(maker, event.lines[0].strikes[0], 300, 10.0).status == "open"


def test_an_event_that_is_created_but_unlisted_is_told_to_nobody() -> None:
    venue = SmallVenue()
    maker = venue.account("maker")
    event = a_game(9)
    event.listed = False
    venue.exchange.calendar.list_event(event, SPECS, venue.now_ns)
    assert told(venue) == []
    strike = event.lines[0].strikes[0]
    assert refusal(venue.submit(maker, strike, 300, 10.0)) == "sport_event_is_not_booked"
    venue.exchange.calendar.relist(event, venue.now_ns)
    assert ("sport_event", "u") in told(venue)
    assert refusal(venue.submit(maker, strike, 300, 10.0)) == ""


@pytest.mark.parametrize("wipes", [True, False])
def test_an_unlisted_event_takes_no_orders_and_wipes_by_rule(wipes: bool) -> None:
    # faults: F5
    venue = SmallVenue(Rules(life=LifeRules(unlisting_wipes=wipes)))
    maker = venue.account("maker")
    strike = venue.sides()[0]
    order = venue.place(maker, strike, 300, 10.0)
    venue.messages()
    venue.exchange.calendar.unlist(venue.event, venue.now_ns)
    [removed, *_] = [one for one in venue.messages() if one.change_type == "sport_event"]
    assert removed.op == "d"
    assert set(removed.payload) <= {"id", "tournament_id", "info"}
    assert order.status == ("wiped" if wipes else "open")
    assert refusal(venue.submit(maker, strike, 300, 10.0)) == "sport_event_is_not_booked"


def test_an_event_relisted_under_its_id_has_its_old_strikes() -> None:
    # faults: F5
    venue = SmallVenue()
    maker = venue.account("maker")
    event, strike = venue.event, venue.sides()[0]
    venue.exchange.calendar.unlist(event, venue.now_ns)
    assert venue.exchange.calendar.relist(event, venue.now_ns) is event
    assert venue.place(maker, strike, 300, 10.0).status == "open"


def test_an_event_relisted_under_a_new_id_has_new_strikes_only() -> None:
    # faults: F5
    venue = SmallVenue()
    maker = venue.account("maker")
    event, old = venue.event, venue.sides()[0]
    order = venue.place(maker, old, 300, 10.0)
    fresh = venue.exchange.calendar.relist(event, venue.now_ns, 12_345)
    assert fresh.event_id == 12_345
    assert (event.listed, order.status) == (False, "wiped")
    new = fresh.lines[0].strikes[0]
    assert new.strike_id != old.strike_id
    assert refusal(venue.submit(maker, old, 300, 10.0)) == "strike_id_invalid"
    assert venue.place(maker, new, 300, 10.0).status == "open"
    assert len({line.index for line in (*event.lines, *fresh.lines)}) == 2 * len(SPECS)
    with pytest.raises(ValueError, match="listed already"):
        venue.exchange.calendar.relist(fresh, venue.now_ns, event.event_id)


@pytest.mark.parametrize("by_s", [-1800, 7200])
def test_the_go_live_follows_a_moved_start(by_s: int) -> None:
    # faults: F2
    venue = SmallVenue()
    event, calendar = venue.event, venue.exchange.calendar
    calendar.move_start(event, KICK_OFF_NS + by_s * NS, venue.now_ns)
    assert ("sport_event", "u") in told(venue)
    venue.wait(3600 + by_s - 1)
    assert event.status == "not_started"
    venue.wait(2)
    assert event.status == "live"


def test_a_start_moved_away_and_back_goes_live_once_on_time() -> None:
    # faults: F2
    venue = SmallVenue(games=1)
    event, calendar = venue.event, venue.exchange.calendar
    calendar.move_start(event, KICK_OFF_NS + 86_400 * NS, venue.now_ns)
    calendar.move_start(event, KICK_OFF_NS, venue.now_ns)
    venue.messages()
    venue.wait(7200)
    assert event.status == "live"
    assert told(venue).count(("sport_event", "u")) == 1


def test_the_start_may_pass_with_the_event_still_not_started() -> None:
    # faults: F1
    venue = SmallVenue(Rules(life=LifeRules(start="by_hand")))
    maker = venue.account("maker")
    venue.wait(7200)
    assert venue.event.status == "not_started"
    assert venue.place(maker, venue.sides()[0], 300, 10.0).status == "open"
    venue.exchange.calendar.go_live(venue.event, venue.now_ns)
    assert venue.event.status == "live"


@pytest.mark.parametrize(
    ("form", "at_once", "in_the_end"), [("each", 5, 5), ("batches", 0, 5), ("none", 0, 0)]
)
def test_going_live_wipes_everything_and_tells_it_as_the_rules_say(
    form: Any, at_once: int, in_the_end: int
) -> None:
    # faults: F3
    life = LifeRules(wiped_messages=form, wiped_batch_orders=2)
    venue = SmallVenue(Rules(life=life))
    maker = venue.account("maker")
    orders = [venue.place(maker, venue.sides()[0], 300, 10.0) for _ in range(5)]
    other = venue.place(maker, venue.exchange.listing.lines[-1].strikes[0], 300, 10.0)
    venue.messages()
    venue.exchange.calendar.go_live(venue.event, venue.now_ns)
    assert [order.status for order in orders] == ["wiped"] * 5
    assert (other.status, maker.resting_cents) == ("open", 1_000)
    count = len(venue.infos("orders"))
    assert count == at_once
    batches = []
    for _ in range(4):
        venue.wait(0.2)
        infos = venue.infos("orders")
        assert all(info["status"] == "wiped" for info in infos)
        batches.append(len(infos))
    assert count + sum(batches) == in_the_end
    if form == "batches":
        assert batches == [2, 2, 1, 0]


@pytest.mark.parametrize("rule", ["open", "wiped"])
def test_a_partly_filled_order_keeps_its_fill_when_it_is_wiped(rule: Any) -> None:
    venue = SmallVenue(Rules(life=LifeRules(wiped_partly=rule)))
    maker, taker = venue.account("maker"), venue.account("taker")
    order = venue.place(maker, venue.sides()[0], 100, 10.0)
    venue.place(taker, venue.sides()[1], 100, 4.0)
    venue.exchange.calendar.go_live(venue.event, venue.now_ns)
    assert (order.status, order.matching_status) == (rule, "fully_matched")
    assert (order.filled_cents, order.open_cents) == (400, 0)
    venue.exchange.settlement.settle(venue.event, {venue.line().index: 0}, venue.now_ns)
    assert (order.winning_status, order.status) == ("profit", "closed")


def test_in_play_an_order_waits_and_cannot_be_cancelled_meanwhile() -> None:
    # faults: B3 F4
    delay = ActivationRules(in_play_delay_ms=3_000, in_play_orders_max=1)
    rules = Rules(life=LifeRules(in_play=True), activation=delay, cancel_inactive="allow")
    venue = SmallVenue(rules)
    maker = venue.account("maker")
    venue.exchange.calendar.go_live(venue.event, venue.now_ns)
    order = venue.submit(maker, venue.sides()[0], 300, 10.0)
    assert isinstance(order, Order)
    venue.wait(2.9)
    assert status(order) == "inactive"
    found = venue.exchange.cancel_refusal(order, venue.now_ns)
    assert found is not None
    assert (found.status, found.code) == (409, "order_is_placing")
    assert refusal(venue.submit(maker, venue.sides()[0], 300, 1.0)) == "too_many_delayed_requests"
    venue.wait(0.2)
    assert status(order) == "open"
    assert isinstance(venue.submit(maker, venue.sides()[0], 300, 1.0), Order)


def test_in_play_is_for_events_that_allow_it_and_not_for_supplemental_markets() -> None:
    # faults: F4
    venue = SmallVenue(Rules(life=LifeRules(in_play=True)))
    maker = venue.account("maker")
    event = a_game(9)
    specs = (*SPECS, LineSpec("sup_moneyline", 0.0, 0.5))
    venue.exchange.calendar.list_event(event, specs, venue.now_ns)
    extra = event.lines[-1].strikes[0]
    assert refusal(venue.submit(maker, extra, 300, 10.0)) == ""
    venue.exchange.calendar.go_live(event, venue.now_ns)
    assert refusal(venue.submit(maker, extra, 300, 10.0)) == "supplemental_market_pre_match_only"
    assert refusal(venue.submit(maker, event.lines[0].strikes[0], 300, 10.0)) == ""
    event.live_disabled = True
    found = venue.submit(maker, event.lines[0].strikes[0], 300, 10.0)
    assert refusal(found) == "event_not_available"


def test_one_market_is_suspended_and_reopened_and_the_others_go_on() -> None:
    # faults: F6
    venue = SmallVenue()
    maker = venue.account("maker")
    resting = venue.place(maker, venue.sides()[0], 300, 10.0)
    market_id = venue.line().market_id
    venue.messages()
    venue.exchange.calendar.suspend(venue.event, venue.now_ns, on=True, market_id=market_id)
    assert [(info["id"], info["status"]) for info in venue.infos("market")] == [
        (market_id, "suspended")
    ]
    assert refusal(venue.submit(maker, venue.sides()[0], 300, 10.0)) == "event_not_available"
    assert refusal(venue.submit(maker, venue.sides(1)[0], 300, 10.0)) == ""
    venue.exchange.calendar.suspend(venue.event, venue.now_ns, on=False, market_id=market_id)
    assert refusal(venue.submit(maker, venue.sides()[0], 300, 10.0)) == ""
    assert resting.status == "open"


def test_a_market_that_flickers_fifty_times_ends_open_and_wipes_only_by_rule() -> None:
    # faults: F6
    for wipes in (False, True):
        venue = SmallVenue(Rules(life=LifeRules(suspending_wipes=wipes)))
        maker = venue.account("maker")
        resting = venue.place(maker, venue.sides()[0], 300, 10.0)
        for _ in range(50):
            for on in (True, False):
                venue.exchange.calendar.suspend(venue.event, venue.now_ns, on=on)
                venue.wait(0.1)
        assert resting.status == ("wiped" if wipes else "open")
        assert venue.place(maker, venue.sides()[0], 300, 10.0).status == "open"


@pytest.mark.parametrize("rule", ["rest", "wipe"])
def test_a_line_moves_and_its_old_strikes_are_invalid(rule: Any) -> None:
    # faults: F8
    venue = SmallVenue(Rules(life=LifeRules(line_move=rule)))
    maker, taker = venue.account("maker"), venue.account("taker")
    old = venue.line(1)
    order = venue.place(maker, old.strikes[0], 100, 10.0)
    venue.place(taker, old.strikes[1], 100, 4.0)
    venue.messages()
    new = venue.exchange.calendar.move_line(old, 45.5, venue.now_ns)
    assert told(venue).count(("market_strike", "d")) == 2
    assert (new.market_id, new.number) == (old.market_id, 45.5)
    assert {one.strike_id for one in new.strikes}.isdisjoint(one.strike_id for one in old.strikes)
    assert new in venue.event.lines
    assert old not in venue.event.lines
    assert refusal(venue.submit(taker, old.strikes[1], 100, 4.0)) == "strike_id_invalid"
    assert venue.place(taker, new.strikes[1], 300, 4.0).status == "open"
    assert order.open_cents == (600 if rule == "rest" else 0)
    venue.exchange.calendar.go_live(venue.event, venue.now_ns)
    assert (order.open_cents, order.filled_cents) == (0, 400)
    venue.exchange.settlement.settle(venue.event, {old.index: 0}, venue.now_ns)
    assert order.winning_status == "profit"


def test_a_line_that_moves_back_has_its_first_strikes_again() -> None:
    # faults: F8
    venue = SmallVenue()
    first = venue.line(1)
    there = venue.exchange.calendar.move_line(first, 45.5, venue.now_ns)
    back = venue.exchange.calendar.move_line(there, first.number, venue.now_ns)
    assert [one.strike_id for one in back.strikes] == [one.strike_id for one in first.strikes]
    assert venue.place(venue.account("maker"), back.strikes[0], 300, 10.0).line is back
    with pytest.raises(ValueError, match="not listed any more"):
        venue.exchange.calendar.move_line(there, 50.5, venue.now_ns)
    with pytest.raises(ValueError, match="listed already"):
        venue.exchange.calendar.move_line(back, 47.5, venue.now_ns)


def test_a_game_that_is_postponed_and_resumed_takes_orders_again() -> None:
    # faults: F2
    venue = SmallVenue()
    maker, calendar = venue.account("maker"), venue.exchange.calendar
    resting = venue.place(maker, venue.sides()[0], 300, 10.0)
    calendar.set_status(venue.event, "postponed", venue.now_ns)
    assert resting.status == "wiped"
    assert refusal(venue.submit(maker, venue.sides()[0], 300, 10.0)) == "event_not_available"
    calendar.move_start(venue.event, KICK_OFF_NS + 86_400 * NS, venue.now_ns)
    calendar.set_status(venue.event, "not_started", venue.now_ns)
    assert refusal(venue.submit(maker, venue.sides()[0], 300, 10.0)) == ""
