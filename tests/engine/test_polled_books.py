"""A channel that stays mute: reads that agree are believed in its place, while they go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mmbot.domain.book import Book, Level
from mmbot.domain.commands import ReadMarkets
from mmbot.domain.ids import LineId, SportEventId
from mmbot.domain.price import Price
from mmbot.engine.freshness import (
    AGREED_AFTER_NS,
    AUDIT_EVENTS_MAX,
    MUTE,
    POLLED_EVENTS_MAX,
    UNPOLLED,
    UNREAD,
    Freshness,
)
from tests.engine.desk import Desk
from tests.engine.fresh_books import ONE, Books, a_read, cancelled, events
from tests.engine.situations import LINE, S


# faults: E3 E4 E12
def test_reads_that_agree_for_four_seconds_are_believed_in_place_of_a_mute_channel() -> None:
    books = Books().mute()
    assert [books.wait(1).read(110).why, books.wait(1.9).read(110).why] == [MUTE, MUTE]
    assert books.wait(0.1).read(110).why == ""
    assert AGREED_AFTER_NS == 4 * S


# faults: E4
def test_what_the_stream_has_shown_before_proves_no_more_than_any_other_price() -> None:
    books = Books().mute()
    assert [books.wait(2).read(105).why for _ in range(3)] == [MUTE, MUTE, ""]
    assert books.wait(10.1).why == UNPOLLED  # for it has not spoken


# faults: E4
def test_reads_that_do_not_agree_bring_nothing_back() -> None:
    books = Books().mute()
    assert {books.wait(2).read(price).why for price in (115, 110, 115, 110, 115)} == {MUTE}


# faults: E4
def test_what_is_polled_is_believed_only_as_long_as_it_is_read() -> None:
    books = Books().polled()
    assert books.wait(2).read(120).wait(1.5).why == ""  # a read shows it: nobody else does
    assert [books.wait(8.4).why, books.wait(0.1).why] == ["", UNPOLLED]
    assert books.read(125).why == ""
    assert books.fresh.proof(LINE, books.now_ns)[0] == "rest"
    assert books.down().up().why == UNREAD


# faults: E4
@pytest.mark.parametrize("speaks", [Books.streamed, lambda books: books.up("stream-2")])
def test_what_is_polled_is_polled_until_it_has_spoken_and_was_read_since(
    speaks: Callable[[Books], Books],
) -> None:
    books = Books().polled()
    assert books.fresh.silent == {ONE}
    speaks(books.wait(5))
    assert books.wait(1).read(120, asked_s_ago=1.5).fresh.silent == {ONE}
    assert books.read(120, asked_s_ago=0.5).fresh.silent == set()
    assert books.wait(3_600).why == ""
    assert books.read(125).wait(1).why == MUTE


# faults: E4
def test_no_more_sport_events_are_polled_than_leave_room_for_the_audit() -> None:
    lines = {one: replace(LINE, event_id=one, line_id=LineId(f"{one}/10/0")) for one in events(40)}
    fresh, listed = Freshness(), events(40)
    fresh.stream(True, 0, listed, 0)
    asked: list[SportEventId] = []
    for second in range(100, 200):
        asked = list(fresh.due(listed, second * S))
        for one in asked:
            mute = one <= 15 and second >= 150
            book = Book(lines[one].line_id, ((Level(Price(110 if mute else 105), 500),), ()))
            fresh.read(lines[one], book, second * S, second * S)
        fresh.tick(second * S)
        assert len(asked) <= AUDIT_EVENTS_MAX
    assert fresh.silent == set(range(1, 16))
    assert len(fresh.mute) == 15 - POLLED_EVENTS_MAX


# faults: E12
def test_one_lost_frame_of_a_quiet_line_withdraws_it_for_five_seconds() -> None:
    desk = Desk()
    both = desk.quoting()
    desk.tell(desk.book())
    desk.wait(5, a_read(desk, 110))
    gone_ns = desk.now_ns + S
    assert cancelled(desk, after_s=1) == 2
    desk.tell(*desk.ended(*both))
    effects = desk.wait(0.1)
    while len(desk.placed) == 2:
        asked = [one for one in effects.commands if isinstance(one, ReadMarkets)]
        effects = desk.wait(0.25, *(a_read(desk, 110) for _ in asked))
        assert desk.now_ns - gone_ns <= 5 * S
    assert len(desk.placed) == 4
