"""Messages of a connection: newest images win, per connection and per key."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.book import Book
from mmbot.domain.events import (
    BookUpdated,
    Event,
    MarketStatusChanged,
    OrderSeen,
    SportEventUnlisted,
)
from mmbot.domain.ids import LineId, MarketId, SportEventId, StrikeId
from mmbot.exchange import wire
from mmbot.exchange.drift import Finding, What
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from mmbot.exchange.pusher import AppMessage
from mmbot.exchange.stream import BOOKS_ONE_IN, Kind, Sequences, StreamReader, kind_of
from tests.exchange.parts import EVENT_ID, example_json, kinds, seeded


def message(change_type: str, payload: Any, op: str = "u", event: str = "x") -> AppMessage:
    packed = base64.b64encode(json.dumps(payload).encode()).decode()
    data = json.dumps({"change_type": change_type, "op": op, "payload": packed})
    return AppMessage(event, "", wire.Raw(json.dumps(data).encode()))


def book(number: int | None, value: float = 100.0, strike: str | None = None) -> AppMessage:
    payload = example_json("ws_market_selections.event.decoded.json")["payload"]
    payload["info"]["sequence_number"] = number
    payload["info"]["selections"][0] = payload["info"]["selections"][0][:1]
    payload["info"]["selections"][0][0]["value"] = value
    if strike:
        payload["info"]["selections"][0][0]["strike_id"] = strike
    return message("market_selections", payload)


def order(number: int, update_type: str = "status", **changes: Any) -> AppMessage:
    payload = example_json("ws_order.activated.decoded.json")["payload"]
    payload["info"] |= {"sequence_number": number, "update_type": update_type, **changes}
    return message("orders", payload)


def reader(notices: Notices | None = None) -> StreamReader:
    return StreamReader(seeded(Listing()), notices or Notices())


def events_of(stream: StreamReader, *messages: AppMessage) -> list[Event]:
    return [event for one in messages for event in stream.read(one, 7)[1]]


def test_an_older_image_never_overwrites_a_newer_one() -> None:
    # faults: A8
    found = events_of(reader(), book(10), book(9), book(11))
    assert kinds(found) == ["BookUpdated"] * 2


def test_equal_numbers_keep_the_later_arrival() -> None:
    found = events_of(reader(), book(10, 100.0), book(10, 200.0))
    last = found[-1]
    assert isinstance(last, BookUpdated)
    assert last.book.levels[1][0].stake_cents == 16_393


def test_a_gap_is_nothing() -> None:
    # faults: E12
    assert len(events_of(reader(), book(10), book(10**18))) == 2


@pytest.mark.parametrize("number", [None, 0])
def test_an_image_without_a_number_is_taken(number: int | None) -> None:
    assert len(events_of(reader(), book(10), book(number))) == 2


def test_numbers_of_another_connection_in_another_unit_do_not_matter() -> None:
    # faults: J5 D16
    assert len(events_of(reader(), book(1_795_359_650_000_000_417))) == 1
    assert len(events_of(reader(), book(1_795_359_650_000_417))) == 1


def test_status_and_fills_are_numbered_apart() -> None:
    found = events_of(
        reader(), order(10**18), order(10**15, "matching", total_filled_quantity=5), order(5)
    )
    assert kinds(found) == ["OrderSeen"] * 2


@given(st.permutations([3, 5, 7, 11]), st.lists(st.sampled_from([3, 5, 7, 11]), max_size=6))
def test_whatever_the_order_and_however_often_the_newest_stands_last(
    numbers: list[int], again: list[int]
) -> None:
    # faults: A9
    sequences, shown = Sequences(), 0
    for number in (*numbers, *again):
        if sequences.is_new("line", number):
            assert number >= shown
            shown = number
    assert shown == 11


def test_the_memory_of_numbers_is_bounded() -> None:
    sequences = Sequences(keys_max=10)
    for key in range(1000):
        assert sequences.is_new(key, 5)
    assert not sequences.is_new(999, 4)
    assert sequences.is_new(1, 4)


def test_an_order_message_without_its_total_is_counted_and_left_to_a_read() -> None:
    notices = Notices()
    found = events_of(reader(notices), order(1, total_filled_quantity=None))
    assert found == []
    assert notices.counts == {"message_unreadable": 1}


@pytest.mark.parametrize("word", ["orders", "order", "wagers", "wager"])
def test_a_private_message_has_several_names(word: str) -> None:
    assert kind_of(word, "") is Kind.ORDER
    assert kind_of("", word) is Kind.ORDER


@pytest.mark.parametrize("word", ["matched_order", "trade_execution", "matched_bet"])
def test_public_prints_are_counted_and_are_no_fills(word: str) -> None:
    stream = reader()
    assert events_of(stream, message(word, {"info": {}})) == []
    assert stream.prints == 1


def test_a_word_of_tomorrow_is_counted_once_and_shown_once() -> None:
    # faults: A13
    shown: list[str] = []
    notices = Notices(first=lambda kind, detail: shown.append(kind))
    assert events_of(reader(notices), *[message("hologram", {})] * 5) == []
    word = Finding(What.UNKNOWN_MESSAGE, "stream", "hologram")
    assert notices.drift.seen[word].count == 5
    assert shown.count("unknown message: stream hologram") == 1


def test_a_field_of_tomorrow_in_an_order_message_is_counted_and_the_order_is_read() -> None:
    # faults: A13
    notices = Notices()
    (event,) = events_of(reader(notices), order(1, hologram=3))
    assert isinstance(event, OrderSeen)
    assert Finding(What.UNKNOWN_FIELD, "stream.orders", "info.hologram") in notices.drift.seen


def test_of_the_book_images_the_first_and_one_in_so_many_is_held_against_the_contract() -> None:
    notices = Notices()
    stream = reader(notices)
    unstamped = Finding(What.MISSING_FIELD, "stream.message", "timestamp")
    counts = []
    for number in range(1, BOOKS_ONE_IN + 2):
        stream.read(book(number), number)
        counts.append(notices.drift.seen[unstamped].count)
    assert counts == [1] * BOOKS_ONE_IN + [2]


@pytest.mark.parametrize(
    "data", [b'"%%%"', b"[1]", b'"not json"', b"3", b"", b'{"payload": "%%%", "change_type": 3}']
)
def test_a_broken_message_is_counted_and_the_next_is_read(data: bytes) -> None:
    # faults: A13
    stream = reader()
    assert events_of(stream, AppMessage("market_selections", "", wire.Raw(data))) == []
    assert len(events_of(stream, book(1))) == 1


def test_a_market_that_is_deleted_or_told_without_status_is_not_active() -> None:
    info = {"id": 219, "sport_event_id": EVENT_ID}
    found = events_of(reader(), message("market", {"id": str(EVENT_ID), "info": info}, "d"))
    assert found == [MarketStatusChanged(EVENT_ID, MarketId(219), None, "unknown", deleted=True)]


def test_a_new_strike_asks_for_a_new_seeding() -> None:
    listing = seeded(Listing())
    payload = example_json("ws_market_strike.create.decoded.json")["payload"]
    payload["info"]["strike_id"] = "never seen"
    found = events_of(StreamReader(listing, Notices()), message("market_strike", payload, "c"))
    assert listing.reseed_wanted
    assert found == [MarketStatusChanged(EVENT_ID, MarketId(223), StrikeId("never seen"), "active")]


def test_an_unlisting_with_an_inner_zero_takes_the_outer_id() -> None:
    # faults: F5
    payload = {"id": "77", "tournament_id": "31", "info": {"event_id": 0}}
    found = events_of(reader(), message("sport_event", payload, "d"))
    assert found == [SportEventUnlisted(SportEventId(77))]


def test_an_event_without_a_start_is_not_believed() -> None:
    payload = {"id": "77", "info": {"event_id": 77, "status": "not_started"}}
    assert events_of(reader(), message("sport_event", payload)) == []


def test_stream_times_are_remembered_for_slower_reads() -> None:
    listing = seeded(Listing())
    (event,) = StreamReader(listing, Notices()).read(book(1), 700)[1]
    assert isinstance(event, BookUpdated)
    assert listing.streamed_since(event.book.line_id, 700)
    assert not listing.differs_from_stream(event.book)
    assert listing.differs_from_stream(Book(event.book.line_id))
    assert listing.differs_from_stream(Book(LineId("never streamed"))) is None
    assert not listing.streamed_since(event.book.line_id, 701)


def test_a_burst_costs_little_and_yields_one_event_each() -> None:
    # faults: E15
    stream = reader()
    found = events_of(stream, *[book(number) for number in range(1, 501)])
    assert len(found) == 500
    assert not any(isinstance(event, OrderSeen) for event in found)
