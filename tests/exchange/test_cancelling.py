"""Cancelling: nothing counts as cancelled before the exchange shows the order."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.domain.commands import CancelSportEvent, SweepStrike
from mmbot.domain.events import (
    CancelAcknowledged,
    CancelLost,
    CancelRefused,
    Event,
    OrderSeen,
)
from mmbot.domain.ids import MarketId, SportEventId, StrikeId
from mmbot.exchange.http import NotSent, ReplyLost
from tests.exchange.answers import CANCEL, ref
from tests.exchange.parts import (
    EVENT_ID,
    Step,
    a_client,
    example,
    example_json,
    kinds,
    refused,
    reply,
    run,
    wire_order,
)


def cancelled(*steps: Step, orders: int = 2) -> list[Event]:
    return cancelled_with_alarms(*steps, orders=orders)[0]


def cancelled_with_alarms(*steps: Step, orders: int) -> tuple[list[Event], list[str]]:
    async def scenario() -> tuple[list[Event], list[str]]:
        parts = a_client()
        parts.http.on(CANCEL, *steps)
        await parts.clock.sleep(1.1)
        refs = [ref(n) for n in range(1, orders + 1)]
        return await parts.gateway.cancel(refs), parts.alarms

    return run(scenario())


def test_the_cancel_answer_of_the_contract() -> None:
    # faults: B1
    events = cancelled(
        lambda asked: reply(
            example("cancel_multiple_orders.response.v4.json")
            .replace(b"7d1f6a90-53c2-4a9e-8f5b-0c2b1de4a901", b"theirs-1")
            .replace(b"mm1-20261122-000001", b"mm-0a-1")
        )
    )
    assert kinds(events) == ["OrderSeen", "CancelAcknowledged"]
    seen, done = events
    assert isinstance(seen, OrderSeen)
    assert (seen.report.open_cents, seen.report.filled_cents) == (0, 0)
    assert isinstance(done, CancelAcknowledged)
    assert done.external_id == "mm-0a-2"
    assert done.reason.startswith("order_already_filled")


def item(code: str, status: int = 400) -> dict[str, Any]:
    error = {"error_code": code, "message": "no"}
    return {"success": False, "statusCode": status, "error": error}


@pytest.mark.parametrize("code", ["order_not_belongs_to_user", "order_not_matching_external_id"])
def test_an_item_that_is_not_ours_is_an_alarm(code: str) -> None:
    events, alarms = cancelled_with_alarms(reply({"data": [item(code, 403)]}), orders=1)
    assert kinds(events) == ["CancelAcknowledged"]
    assert alarms == [code]


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (item("order_already_cancelled"), "CancelAcknowledged"),  # faults: B2
        (item("data_not_found", 404), "CancelAcknowledged"),  # faults: C7
        (item("", 404), "CancelAcknowledged"),
        (item("order_is_placing", 409), "CancelRefused"),  # faults: B3
        (item("order_opened_retry", 425), "CancelRefused"),
        (item("opened_retry", 500), "CancelRefused"),
        (item("order_unable_to_cancel", 500), "CancelLost"),
        (item("a_word_of_tomorrow", 400), "CancelLost"),
        ({"success": True}, "CancelAcknowledged"),
        ({"success": True, "order": {"order_id": "theirs-1"}}, "CancelAcknowledged"),
        ({}, "CancelLost"),
    ],
)
def test_what_one_item_of_a_cancel_says(answered: Any, expected: str) -> None:
    other = {"success": True, "order": wire_order(2, open_quantity=0, status="canceled")}
    events = cancelled(reply({"data": [answered, other]}))
    assert kinds(events) == [expected, "OrderSeen"]


def test_items_with_ids_are_found_in_any_order() -> None:
    items = [{"success": True, "order": wire_order(n, open_quantity=0)} for n in (2, 1)]
    events = cancelled(reply({"data": items}))
    found = [event.report.external_id for event in events if isinstance(event, OrderSeen)]
    assert found == ["mm-0a-1", "mm-0a-2"]


def test_a_short_list_without_ids_is_not_guessed() -> None:
    assert kinds(cancelled(reply({"data": [item("order_already_filled")]}))) == ["CancelLost"] * 2


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (ReplyLost("reset"), CancelLost),  # faults: B4
        (refused(500, "internal_error"), CancelLost),
        (reply(b"<html>", 502), CancelLost),
        (reply(b'{"data": [{', 200), CancelLost),
        (NotSent("no connection"), CancelRefused),
        (refused(429, "rate_limit_reached"), CancelRefused),
        (refused(404, "data_not_found"), CancelAcknowledged),
        (refused(409, "order_is_placing"), CancelRefused),
        (refused(422, "invalid_request", "order is processing"), CancelRefused),
        (reply({"data": {"success": True}}), CancelAcknowledged),
    ],
)
def test_a_cancel_answered_as_a_whole(step: Step, expected: type[Event]) -> None:
    assert [type(event) for event in cancelled(step)] == [expected] * 2


@pytest.mark.parametrize(
    ("step", "wait_ms"),
    [(refused(425, "order_opened_retry"), 300), (refused(409, "order_is_placing"), 500)],
)
def test_a_refused_cancel_says_when_to_try_again(step: Step, wait_ms: int) -> None:
    (event,) = cancelled(step, orders=1)
    assert isinstance(event, CancelRefused)
    assert event.retry_after_ns == wait_ms * 1_000_000


def test_a_sweep_tries_the_market_as_a_number_then_as_text() -> None:
    async def scenario() -> None:
        parts = a_client()
        path = "/v4/mm/cancel_orders_by_market"
        sweep = SweepStrike(EVENT_ID, MarketId(219), StrikeId("s"))
        parts.http.on(path, refused(400, "invalid_market_id"), reply({"data": {"success": True}}))
        assert await parts.gateway.sweep(sweep) == []
        sent = [one.body["market_id"] for one in parts.http.asked if one.path == path]
        assert sent == [219, "219"]
        parts.http.on(path, refused(404, "no_cancellable_orders"))
        assert await parts.gateway.sweep(sweep) == []
        parts.http.on(path, refused(500, "internal_error"))
        assert kinds(await parts.gateway.sweep(sweep)) == ["ReadFailed"]

    run(scenario())


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (reply(example("cancel_all_orders.response.v4.json")), []),
        (reply(example("error.404.no_cancellable_orders.v4.json"), 404), []),  # faults: B10
        (ReplyLost("reset"), ["ReadFailed"]),
        (refused(500, "unknown_error"), ["ReadFailed"]),
    ],
)
def test_cancelling_everything(step: Step, expected: list[str]) -> None:
    async def scenario() -> None:
        parts = a_client()
        parts.http.on("/v4/mm/cancel_all_orders", step)
        assert kinds(await parts.gateway.cancel_everything()) == expected
        assert parts.http.asked[-1].body == example_json("cancel_all_orders.request.v4.json")

    run(scenario())


def test_cancelling_everything_answers_for_the_orders_that_it_stands_for() -> None:
    async def scenario() -> None:
        parts = a_client()
        parts.http.on("/v4/mm/cancel_all_orders", refused(500, "unknown_error"))
        events = await parts.gateway.cancel_everything([ref(1), ref(2)])
        assert kinds(events) == ["ReadFailed", "CancelLost", "CancelLost"]

    run(scenario())


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (reply(example("cancel_orders_by.response.v4.json")), []),
        (reply(example("error.404.no_cancellable_orders.v4.json"), 404), []),
        (ReplyLost("reset"), ["ReadFailed", "CancelLost"]),
        (refused(429, "rate_limit_reached"), ["ReadFailed", "CancelLost"]),
        (refused(500, "unknown_error"), ["ReadFailed", "CancelLost"]),
    ],
)
def test_cancelling_a_sport_event(step: Step, expected: list[str]) -> None:
    async def scenario() -> None:
        parts = a_client()
        parts.http.on("/v4/mm/cancel_orders_by_event", step)
        asked = example_json("cancel_orders_by_event.request.v4.json")
        command = CancelSportEvent(SportEventId(asked["event_id"]), (ref(1),))
        assert kinds(await parts.gateway.cancel_event(command)) == expected
        assert parts.http.asked[-1].body == asked

    run(scenario())
