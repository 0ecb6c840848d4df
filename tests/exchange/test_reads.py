"""Reads: complete or failed, never half; a page is followed to its end and not for ever."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from mmbot.domain.book import Book
from mmbot.domain.commands import ReadHistory, ReadOrder
from mmbot.domain.errors import FindOut, SetUpError, TryAgain
from mmbot.domain.events import (
    BalanceSeen,
    BookUpdated,
    Event,
    HistoryRead,
    OrderNotFound,
    OrderSeen,
    ReadFailed,
    TransactionsRead,
)
from mmbot.domain.ids import ExternalId, LineId, OrderId, SportEventId
from mmbot.exchange.amounts import time_ns
from mmbot.exchange.http import HttpReply, ReplyLost
from tests.exchange.parts import (
    EPOCH_NS,
    EVENT_ID,
    Asked,
    Parts,
    S,
    Step,
    a_client,
    example,
    example_json,
    kinds,
    refused,
    reply,
    run,
    seeded,
    wire_order,
)

HISTORY = "/v4/mm/get_order_history"
MARKETS = "/v4/mm/get_multiple_markets"
ONE = ReadOrder(ExternalId("mm-0a-1"), OrderId("theirs-1"))
SYNCED_NS = time_ns("2026-11-22T15:00:10Z")


def read_order(step: Step) -> Event:
    async def scenario() -> Event:
        parts = a_client()
        parts.http.on("/v4/mm/get_order/", step)
        (event,) = await parts.gateway.read_order(ONE)
        return event

    return run(scenario())


@pytest.mark.parametrize("name", ["get_order.response.v4.json", "get_order.response.v4.flat.json"])
def test_an_order_is_read_with_the_age_of_the_copy(name: str) -> None:
    event = read_order(reply(example(name)))
    assert isinstance(event, OrderSeen)
    assert (event.channel, event.synced_ns) == ("read", SYNCED_NS)


def test_a_404_is_told_as_it_is_with_its_age() -> None:
    # faults: A11
    body = {"error": "data_not_found", "last_synced_at": "2026-11-22T15:00:10Z"}
    event = read_order(reply(body, 404))
    assert isinstance(event, OrderNotFound)
    assert event.synced_ns == SYNCED_NS
    unsaid = read_order(refused(404, "data_not_found"))
    assert isinstance(unsaid, OrderNotFound)
    assert unsaid.synced_ns is None


@pytest.mark.parametrize(
    "step",
    [
        ReplyLost("reset"),
        refused(503, "reporting_not_available"),  # faults: D14
        reply(b"<html>", 502),
        reply({"data": {}}),
        reply({"data": [1]}),
        reply(b"{"),
    ],
)
def test_a_read_that_fails_says_so(step: Step) -> None:
    event = read_order(step)
    assert isinstance(event, ReadFailed)
    assert event.what == "ReadOrder"


# --- history --------------------------------------------------------------------------------


def history(*steps: Step, days: float = 1) -> tuple[Event, Parts]:
    async def scenario() -> tuple[Event, Parts]:
        parts = a_client()
        parts.http.on(HISTORY, *steps)
        from_ns = EPOCH_NS - round(days * 86_400) * S
        (event,) = await parts.gateway.read_history(ReadHistory(from_ns, ends_doubt=True))
        return event, parts

    return run(scenario())


def test_what_changed_is_asked_for_in_windows_of_two_days() -> None:
    async def scenario() -> tuple[Event, Parts]:
        parts = a_client()
        parts.http.on(HISTORY, *[page([])] * 3)
        asked = ReadHistory(EPOCH_NS - 5 * 86_400 * S, changed_only=True)
        (event,) = await parts.gateway.read_history(asked)
        return event, parts

    event, parts = run(scenario())
    assert isinstance(event, HistoryRead)
    assert event.changed_only
    windows = [parse_qs(one.query) for one in parts.http.asked if one.path == HISTORY]
    assert [sorted(one) for one in windows] == [["limit", "updated_at_from", "updated_at_to"]] * 3
    spans = [int(w["updated_at_to"][0]) - int(w["updated_at_from"][0]) for w in windows]
    assert max(spans) <= 2 * 86_400


def page(orders: list[Any], cursor: str = "", synced: str | None = None) -> HttpReply:
    body = {"data": {"orders": orders, "next_cursor": cursor}}
    return reply(body | ({"last_synced_at": synced} if synced else {}))


def test_pages_are_followed_one_a_second() -> None:
    # faults: D10
    event, parts = history(
        reply(example("get_order_history.response.v4.json"), date="Sun, 22 Nov 2026 15:00:11 GMT"),
        reply(example("get_order_history.response.v4.last_page.json")),
    )
    assert isinstance(event, HistoryRead)
    assert len(event.reports) == 2
    query = parse_qs(parts.http.asked[-1].query)
    assert event.synced_ns == int(query["to"][0]) * S  # their clock was ahead of ours
    assert event.date_ns == time_ns("2026-11-22T15:00:11Z")
    first, second = (one for one in parts.http.asked if one.path == HISTORY)
    assert second.at_ns - first.at_ns >= S
    query = parse_qs(second.query)
    assert query["next_cursor"] == ["eyJpZCI6NDM3OTI3Mzg4fQ=="]
    assert query["limit"] == ["100"]


def test_long_histories_are_cut_into_weeks() -> None:
    _, parts = history(page([]), days=20)
    windows = [parse_qs(one.query) for one in parts.http.asked if one.path == HISTORY]
    spans = [(int(one["from"][0]), int(one["to"][0])) for one in windows]
    assert len(spans) == 3
    assert all(0 < end - start <= 7 * 86_400 for start, end in spans)
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]
    assert spans[0][0] == EPOCH_NS // S - 20 * 86_400
    assert spans[-1][1] >= EPOCH_NS // S


def test_the_oldest_copy_decides_how_fresh_a_history_is() -> None:
    older = "2026-11-22T14:59:00Z"
    event, _ = history(page([], "a", "2026-11-22T15:00:10Z"), page([], "", older))
    assert isinstance(event, HistoryRead)
    assert event.synced_ns == time_ns(older)
    event, _ = history(page([], "a", older), page([]))
    assert isinstance(event, HistoryRead)
    assert event.synced_ns is None


@pytest.mark.parametrize(
    "steps",
    [
        (page([wire_order(1)], "a"), page([wire_order(2)], "a")),  # the cursor repeats
        (page([wire_order(1)], "a"), ReplyLost("reset")),
        (page([wire_order(1)], "a"), refused(503, "reporting_not_available")),
        (reply({"data": {}}),),
    ],
)
def test_half_a_history_is_no_history_and_what_was_read_is_seen(steps: tuple[Step, ...]) -> None:
    """Seed 141: the id of an order in doubt went by in a list that could not be read to its end."""
    # faults: A7 D14

    async def scenario() -> list[Event]:
        parts = a_client()
        parts.http.on(HISTORY, *steps)
        return await parts.gateway.read_history(ReadHistory(EPOCH_NS - S, alive_only=True))

    *seen, failed = run(scenario())
    assert isinstance(failed, ReadFailed)
    assert all(isinstance(one, OrderSeen) for one in seen)
    idents = [one.report.external_id for one in seen if isinstance(one, OrderSeen)]
    assert idents == [f"mm-0a-{n}" for n in range(1, len(steps) + 1)][: len(idents)]
    assert bool(idents) == (len(steps) > 1)


def test_beside_a_row_that_cannot_be_read_the_others_are_seen() -> None:
    # faults: A13; what was placed and never answered for is found, and nothing looks absent
    async def scenario() -> list[Event]:
        parts = a_client()
        parts.http.on(HISTORY, page([wire_order(1), wire_order(2, price=None), wire_order(3)]))
        return await parts.gateway.read_history(ReadHistory(EPOCH_NS, ends_doubt=True))

    first, third, failed = run(scenario())
    assert [getattr(one, "route", "") for one in (first, third)] == ["history", "history"]
    assert "theirs-1" in str(first)
    assert "theirs-3" in str(third)
    assert isinstance(failed, ReadFailed)


def test_an_order_on_two_pages_counts_once() -> None:
    first, again = wire_order(1), wire_order(1, filled_quantity=10, open_quantity=107)
    event, _ = history(page([first], "a"), page([again]))
    assert isinstance(event, HistoryRead)
    assert [report.filled_cents for report in event.reports] == [1_000]


def test_a_field_of_tomorrow_changes_nothing() -> None:
    # faults: A13
    event, _ = history(page([wire_order(1, hologram=3), wire_order(2)]))
    assert isinstance(event, HistoryRead)
    assert len(event.reports) == 2


# --- books ----------------------------------------------------------------------------------


def markets(*steps: Step, ids: tuple[int, ...] = (EVENT_ID,)) -> tuple[list[Event], Parts]:
    async def scenario() -> tuple[list[Event], Parts]:
        parts = a_client()
        seeded(parts.listing)
        parts.http.on(MARKETS, *steps)
        return await parts.gateway.read_markets([SportEventId(one) for one in ids]), parts

    return run(scenario())


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("get_multiple_markets.response.v4.json", {"10079123/219/0", "10079123/225/46.5"}),
        ("get_multiple_markets.response.flat_list_variant.json", {"10079123/219/0"}),
    ],
)
def test_books_are_read_from_both_forms(name: str, lines: set[str]) -> None:
    events, _ = markets(reply(example(name)))
    assert {event.book.line_id for event in events if isinstance(event, BookUpdated)} == lines


def test_fifty_events_a_call_and_the_missing_ones_once_more() -> None:
    def answer(asked: Asked) -> HttpReply:
        ids = parse_qs(asked.query)["event_ids"][0].split(",")
        return reply({"data": {one: None for one in ids if one != "7"}})

    _, parts = markets(answer, ids=tuple(range(1, 61)))
    sizes = [len(parse_qs(one.query)["event_ids"][0].split(",")) for one in parts.http.asked[1:]]
    assert sizes == [50, 1, 10]


def test_an_image_that_the_stream_has_overtaken_is_dropped() -> None:
    async def scenario() -> None:
        parts = a_client()
        seeded(parts.listing)

        def overtaken(asked: Asked) -> HttpReply:
            book = Book(LineId("10079123/219/0"), received_ns=asked.at_ns + 1)
            parts.listing.note_streamed(book)
            return reply(example("get_multiple_markets.response.v4.json"))

        parts.http.on(MARKETS, overtaken)
        events = await parts.gateway.read_markets([EVENT_ID])
        assert [event.book.line_id for event in events if isinstance(event, BookUpdated)] == [
            "10079123/225/46.5"
        ]

    run(scenario())


def test_markets_that_cannot_be_had_are_told() -> None:
    events, _ = markets(reply(b"<html>", 502))
    assert kinds(events) == ["ReadFailed"]


# --- money and ladder -----------------------------------------------------------------------


def test_balance_and_its_failures() -> None:
    # faults: G3
    async def scenario() -> None:
        parts = a_client()
        body = example_json("get_balance.response.v4.json")
        for step, expected in (
            (reply(body), 9_764_925),
            (reply({"data": {"cash": 1}}), None),
        ):
            parts.http.on("/v4/mm/get_balance", step)
            (event,) = await parts.gateway.read_balance()
            assert isinstance(event, BalanceSeen)
            assert event.cash_cents == expected
        assert parts.alarms == ["balance_unreadable"]
        parts.http.on("/v4/mm/get_balance", ReplyLost("reset"))
        assert kinds(await parts.gateway.read_balance()) == ["ReadFailed"]

    run(scenario())


def test_transactions_over_pages() -> None:
    async def scenario() -> None:
        parts = a_client()
        body = json.loads(example("get_transactions.response.v4.json"))
        more = {**body, "data": {**body["data"], "next_cursor": "c"}}
        parts.http.on("/v4/mm/get_transactions", reply(more), reply(body))
        (event,) = await parts.gateway.read_transactions(EPOCH_NS - S)
        assert isinstance(event, TransactionsRead)
        assert [row.transaction_id for row in event.rows] == ["tx-1", "tx-2", "tx-3"]
        assert event.by_rows
        parts.http.on("/v4/mm/get_transactions", reply({"data": {"transactions": [{"id": 1}]}}))
        (event,) = await parts.gateway.read_transactions(EPOCH_NS - S)
        assert isinstance(event, TransactionsRead)
        assert (event.rows, event.by_rows) == ((), False)  # no amount: the balance must tell

    run(scenario())


def test_the_ladder_loads_or_says_why_not() -> None:
    async def scenario() -> None:
        parts = a_client()
        path = "/v4/mm/get_price_ladder"
        parts.http.on(path, reply(example("get_price_ladder.response.v4.json")))
        assert len((await parts.gateway.load_ladder()).ladder) == 291
        for step, error in (
            (reply({"data": [1.95]}), SetUpError),
            (reply({"data": None}), TryAgain),
            (refused(500, "internal_error"), TryAgain),
            (ReplyLost("reset"), FindOut),
        ):
            parts.http.on(path, step)
            with pytest.raises(error):
                await parts.gateway.load_ladder()

    run(scenario())
