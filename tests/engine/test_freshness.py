"""Quiet is not stale, silent is: what makes a book believed, and what brings it back."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from mmbot.domain.book import Book, Level
from mmbot.domain.catalog import Catalog
from mmbot.domain.commands import CancelOrders, ReadMarkets
from mmbot.domain.events import (
    CatalogSeeded,
    Lagged,
    ReadFailed,
    SportEventsListed,
    StreamStateChanged,
)
from mmbot.domain.facts import Alarm
from mmbot.domain.ids import LineId, SportEventId
from mmbot.domain.price import Price
from mmbot.engine.freshness import (
    AUDIT_BUSY_PACE_NS,
    AUDIT_EVENTS_MAX,
    AUDIT_EVERY_NS,
    AUDIT_PACE_NS,
    MUTE,
    PUBLIC_DOWN,
    RENEW_EVERY_NS,
    UNLISTED,
    UNREAD,
    Freshness,
)
from mmbot.engine.spot_audit import CHANNEL_MUTE, SpotAudit
from mmbot.engine.state import MarketState
from tests.engine.desk import Desk
from tests.engine.fresh_books import ONE, Books, a_read, cancelled, events
from tests.engine.situations import EVENT, LINE, S


# faults: E2
def test_a_quiet_book_is_believed_for_as_long_as_the_stream_is_up() -> None:
    books = Books().up().streamed()
    assert books.wait(3_600).why == ""
    assert books.read().wait(3_600).why == ""


# faults: E5 E16
def test_what_was_lost_comes_back_with_a_read_that_was_asked_for_after_it() -> None:
    books = Books().up().streamed()
    assert books.down().why == PUBLIC_DOWN
    assert books.wait(5).up("stream-2").why == UNREAD
    assert books.streamed(110).why == UNREAD
    assert books.wait(1).read(110, asked_s_ago=1.5).why == UNREAD
    assert books.read(110, asked_s_ago=0.5).why == ""


def test_a_first_read_that_disagrees_brings_nothing_back() -> None:
    books = Books().up().streamed().down().wait(5).up("stream-2").streamed(105)
    assert books.wait(1).read(110).why == UNREAD
    assert books.streamed(110).wait(0).why == ""


# faults: F1 F2 F3
@pytest.mark.parametrize("prop", [False, True])
def test_what_changed_while_nobody_could_hear_it_has_to_be_listed(prop: bool) -> None:
    books, line = Books().up().streamed(), replace(LINE, sub_type="player") if prop else LINE
    books.fresh.hears(False)  # its socket may be open
    books.games_listed(whole=False)  # asked for before the end
    books.fresh.hears(True)
    assert books.fresh.why_stale(line, books.now_ns) == UNLISTED
    books.games_listed(whole=False)
    assert books.fresh.why_stale(line, books.now_ns) == UNLISTED
    books.games_listed()
    assert books.fresh.why_stale(line, books.now_ns) == ""


def test_the_first_connection_has_lost_nothing() -> None:
    books = Books()
    assert books.why == PUBLIC_DOWN
    assert books.up().why == ""


# faults: E3 E4 E12
def test_a_channel_that_does_not_show_what_rest_shows_is_mute_a_second_later() -> None:
    books = Books().up().streamed(105).wait(60).read(110)
    assert [books.wait(0.9).why, books.wait(0.1).why] == ["", MUTE]


# faults: E3
def test_a_channel_that_never_spoke_is_mute_when_a_read_differs_from_the_one_before() -> None:
    books = Books().up().wait(1).read(105).wait(45).read(105)
    assert books.wait(45).read(110).wait(1).why == MUTE


def test_what_was_read_before_the_stream_was_up_is_held_against_nothing() -> None:
    books = Books().read(105).wait(1).up().read(110, asked_s_ago=0.5)
    assert books.wait(0.5).read(115).wait(1).why == ""


# faults: E12
@pytest.mark.parametrize("after_s", [0.0, 0.9])
def test_a_frame_that_was_on_its_way_is_no_muteness(after_s: float) -> None:
    books = Books().up().streamed(105).wait(60).read(110).wait(after_s).streamed(110)
    assert books.wait(5).why == ""


def test_amounts_and_what_only_rest_shows_are_no_dispute() -> None:
    books = Books().up().wait(60).read(110)
    assert books.wait(5).why == ""
    deeper = replace(books.book(105), levels=((Level(Price(105), 9), Level(Price(104), 7)), ()))
    books.streamed(105).fresh.read(LINE, deeper, books.now_ns, books.now_ns)
    assert books.wait(5).why == ""


# faults: E4
def test_a_mute_channel_that_speaks_again_is_believed_after_a_read() -> None:
    books = Books().mute()
    assert books.wait(2).read(110).why == MUTE
    assert books.streamed(120).wait(0).why == UNREAD
    assert books.wait(0.5).read(120).why == ""


# faults: E4
def test_another_socket_has_channels_of_its_own() -> None:
    books = Books().mute()
    assert books.up("stream-2").wait(0).why == UNREAD
    assert books.wait(1).read(110).why == ""
    assert books.streamed(110).wait(60).read(115).wait(1).why == MUTE


# faults: E4 E16
def test_a_socket_that_lived_while_the_channel_was_found_mute_is_no_other_one() -> None:
    books = Books().up("stream-2").up("stream-1").streamed(105).wait(60).read(110).wait(1)
    assert books.up("stream-2").wait(0).why == MUTE
    polled = Books().up("stream-2").polled()
    assert polled.up("stream-2").wait(1).read(110).fresh.silent == {ONE}


# faults: E6
def test_a_planned_change_of_the_connection_distrusts_nothing() -> None:
    books = Books().up().streamed(105)
    assert books.up("stream-2").wait(1).why == ""
    assert books.wait(60).read(110).wait(1).why == MUTE


def test_a_prop_has_no_channel_and_ages_instead() -> None:
    assert Freshness().why_stale(replace(LINE, sub_type="player_total_hits"), 0) == ""


def test_a_prop_that_moves_unheard_is_no_muteness_of_its_sport_event() -> None:
    books = Books().up().streamed()
    prop = replace(LINE, line_id=LineId("a prop"), sub_type="player_total_hits")
    for price in (105, 110):
        shown = replace(books.wait(60).book(price), line_id=prop.line_id)
        books.fresh.read(prop, shown, books.now_ns, books.now_ns)
    assert books.wait(5).why == ""


# faults: E2
def test_each_book_has_a_reason_and_its_age() -> None:
    books = Books().up()
    up_ns = books.now_ns
    assert books.wait(1).fresh.proof(LINE, 0) == ("stream", 0)
    assert books.read().fresh.proof(LINE, up_ns)[0] == "rest"
    assert books.wait(1).streamed().fresh.proof(LINE, up_ns) == ("stream", books.now_ns)
    quiet = books.wait(60).fresh.proof(LINE, books.now_ns - S)
    assert quiet == ("health_check", books.now_ns - S)
    assert books.down().fresh.proof(LINE, books.now_ns)[0] == "rest"


def test_another_socket_is_asked_for_now_and_then_while_a_channel_is_mute() -> None:
    books = Books().up()
    assert not books.fresh.wants_renewal(books.now_ns)
    books = Books().mute()
    asked = [books.fresh.wants_renewal(books.wait(30).now_ns) for _ in range(5)]
    assert asked == [True, False, True, False, True]
    assert RENEW_EVERY_NS == 60 * S


def test_what_is_not_listed_any_more_is_forgotten() -> None:
    books = Books().mute()
    books.fresh.listed({})
    assert books.why == ""
    assert not books.fresh.wants_renewal(books.now_ns)


# faults: E4
def test_nobody_is_woken_again_and_again_while_a_read_goes_on_disagreeing() -> None:
    books = Books().up().streamed().down().wait(5).up("stream-2").streamed(105)
    books.wait(1).read(110).wait(1)
    assert books.why == MUTE
    books.fresh.due({ONE: EVENT}, books.now_ns)
    assert books.fresh.next_due_ns(books.now_ns) >= books.now_ns + S


# --- the rolling audit -----------------------------------------------------------------------


# faults: D10 E4
@pytest.mark.parametrize(("count", "apart_ns"), [(15, AUDIT_PACE_NS), (400, AUDIT_BUSY_PACE_NS)])
def test_every_sport_event_is_read_again_within_a_minute_and_never_in_a_burst(
    count: int, apart_ns: int
) -> None:
    fresh, listed = Freshness(), events(count)
    fresh.stream(True, 0, listed, 0)
    asked: dict[int, list[SportEventId]] = {}
    for second in range(200):
        if found := fresh.due(listed, (1_000 + second) * S):
            asked[second] = list(found)
    seconds = sorted(asked)
    assert all(len(found) <= AUDIT_EVENTS_MAX for found in asked.values())
    assert min(b - a for a, b in pairwise(seconds)) >= apart_ns // S
    for one in listed:
        times = [second for second in seconds if one in asked[second]]
        assert times[0] <= 40
        assert max(b - a for a, b in pairwise(times)) <= 50


def test_what_waits_for_a_read_comes_before_the_audit_and_over_games_are_left_alone() -> None:
    fresh, listed = Freshness(), events(3)
    listed[SportEventId(3)] = replace(listed[SportEventId(3)], status="closed")
    fresh.stream(True, 0, listed, 0)
    assert list(fresh.due(listed, 100 * S)) == [1, 2]
    fresh.stream(False, 0, listed, 101 * S)
    fresh.stream(True, 103 * S, listed, 103 * S)
    fresh.ask_all(listed, 103 * S)
    assert list(fresh.due(listed, 104 * S)) == []
    line = replace(LINE, event_id=SportEventId(1))
    fresh.read(line, Book(LineId("1/10/0")), 104 * S, 105 * S)
    assert fresh.tick(105 * S) == {1}
    assert list(fresh.due(listed, 106 * S)) == [2]
    assert AUDIT_EVERY_NS == 45 * S


# --- in the engine ---------------------------------------------------------------------------


# faults: E16
def test_without_the_public_stream_nothing_rests_and_a_read_brings_it_back() -> None:
    desk = Desk()
    both = desk.quoting()
    assert cancelled(desk, StreamStateChanged(True, False, "1", "refused")) == 2
    desk.tell(*desk.ended(*both))
    back = desk.wait(1, StreamStateChanged(True, True, "1"), desk.book())
    assert [one.event_ids for one in back.commands if isinstance(one, ReadMarkets)] == [(ONE,)]
    assert len(desk.placed) == 2
    desk.wait(0.2, a_read(desk))
    desk.wait(0.001)
    assert len(desk.placed) == 2  # it may have begun while nobody could hear it
    desk.wait(0.001, SportEventsListed((EVENT,), whole=True))
    assert len(desk.placed) == 4


# faults: E1 F3
def test_after_missed_health_checks_all_is_listed_before_anything_is_quoted() -> None:
    state = MarketState()
    audit = SpotAudit(state)
    state.apply(CatalogSeeded(Catalog.of([EVENT], [LINE])), 0)
    for private in (True, False, True):
        list(audit.stream(StreamStateChanged(private, True, "1"), 0))
    assert state.fresh.why_stale(LINE, 0) == UNLISTED
    state.apply(SportEventsListed((EVENT,), whole=False), 0)
    assert state.fresh.why_stale(LINE, 0) == UNLISTED
    state.apply(SportEventsListed((EVENT,), whole=True), 0)
    assert state.fresh.why_stale(LINE, 0) == ""


# faults: E4
def test_a_mute_channel_withdraws_its_sport_event_within_a_second_of_knowing() -> None:
    desk = Desk()
    desk.quoting()
    desk.tell(desk.book())
    effects = desk.wait(5, a_read(desk, 110))
    assert effects.wake_at_ns == desk.now_ns + S
    effects = desk.wait(1)
    assert sum(len(one.refs) for one in effects.commands if isinstance(one, CancelOrders)) == 2
    alarms = [fact.what for fact in effects.facts if isinstance(fact, Alarm)]
    assert CHANNEL_MUTE in alarms


def test_the_engine_audits_by_the_clock() -> None:
    desk = Desk()
    desk.quoting()
    asked = [
        second
        for second in range(100)
        for command in desk.wait(1).commands
        if isinstance(command, ReadMarkets)
    ]
    assert len(asked) == 2
    assert asked[1] - asked[0] in (45, 46)


# faults: D4 E4
def test_an_audit_whose_read_failed_is_asked_again_five_seconds_later() -> None:
    desk = Desk()
    desk.quoting()
    asked: list[int] = []
    for second in range(100):
        if any(isinstance(command, ReadMarkets) for command in desk.wait(1).commands):
            asked.append(second)
            if len(asked) < 3:  # there is no session
                desk.tell(ReadFailed("ReadMarkets", "401"))
            else:
                desk.tell(a_read(desk))
    assert [b - a for a, b in pairwise(asked)] == [5, 5, 45]


# faults: E15
def test_a_stream_that_is_three_seconds_late_is_pulled_until_it_has_told_otherwise() -> None:
    desk = Desk()
    desk.quoting()
    assert cancelled(desk, Lagged("stream", 3 * S)) == 0
    assert cancelled(desk, Lagged("stream", 3 * S + 1), after_s=5) == 2
    for _ in range(2):  # a health_check each five seconds, and the first is as late
        desk.wait(5, Lagged("stream", 4 * S))
        assert desk.engine.mode.name == "CANCEL_ONLY"
    desk.wait(5, Lagged("stream", 0))
    assert desk.engine.mode.name == "CANCEL_ONLY"
    desk.wait(1)
    assert desk.engine.mode.name == "ENABLED"
