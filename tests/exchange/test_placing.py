"""Placing: one event per order, and none that says more than is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from mmbot.domain.events import (
    Event,
    OrderSeen,
    PlaceRefused,
)
from mmbot.domain.ids import ExternalId
from mmbot.exchange.http import HttpReply, NotSent, ReplyLost
from tests.exchange.answers import CANCEL, SUBMIT, accepting, ref
from tests.exchange.parts import (
    Asked,
    Parts,
    Step,
    a_client,
    an_order,
    approved,
    example,
    example_json,
    kinds,
    refused,
    reply,
    run,
    wire_order,
)


def placed(*steps: Step, orders: int = 3) -> tuple[list[Event], Parts]:
    async def scenario() -> tuple[list[Event], Parts]:
        parts = a_client()
        parts.http.on(SUBMIT, *steps)
        await parts.clock.sleep(1.1)
        wanted = [approved(an_order(n)) for n in range(1, orders + 1)]
        return await parts.gateway.place(wanted), parts

    return run(scenario())


def answer(succeeded: Sequence[Any] = (), failed: Sequence[Any] = ()) -> HttpReply:
    return reply({"data": {"succeed_orders": list(succeeded), "failed_orders": list(failed)}})


def failure(n: int, code: str, **more: Any) -> dict[str, Any]:
    request = {"external_id": f"mm-0a-{n}"}
    return {"index": n - 1, "error": code, "message": "no", "request": request, **more}


def test_accepted_orders_are_seen_in_the_reply() -> None:
    events, parts = placed(accepting)
    assert kinds(events) == ["OrderSeen"] * 3
    first = events[0]
    assert isinstance(first, OrderSeen)
    assert (first.report.order_id, first.report.external_id) == ("theirs-1", "mm-0a-1")
    assert (first.channel, first.synced_ns) == ("reply", None)
    (sent,) = (one for one in parts.http.asked if one.path == SUBMIT)
    assert sent.body["data"][0]["order_strategy"] == "ALO"


def test_the_answer_of_the_contract() -> None:
    body = example("submit_multiple_orders.response.v4.json")
    for old, new in ((b"000001", b"1"), (b"000004", b"2"), (b"000005", b"3")):
        body = body.replace(b"mm1-20261122-" + old, b"mm-0a-" + new)
    events, parts = placed(reply(body))
    assert kinds(events) == ["OrderSeen", "OrderSeen", "PlaceRefused"]
    refusal = events[2]
    assert isinstance(refusal, PlaceRefused)
    assert refusal.code == "invalid_strike_id"
    asked = example_json("submit_multiple_orders.request.v4.json")["data"][0]
    sent = parts.http.asked[-1].body["data"][0]
    assert {**sent, **asked, "order_strategy": "ALO"} == {**asked, "order_strategy": "ALO"}


def test_thirteen_of_twenty_and_seven_reasons() -> None:
    # faults: C1
    codes = ["invalid_price", "self_match", "insufficient_amount", "internal_error",
             "order_external_id_existed", "event_not_available", "a_word_of_tomorrow"]  # fmt: skip
    failed = [failure(14 + i, code) for i, code in enumerate(codes)]
    events, _ = placed(answer([wire_order(n) for n in range(1, 14)], failed), orders=20)
    assert kinds(events[:13]) == ["OrderSeen"] * 13
    assert kinds(events[13:]) == [
        "PlaceRefused", "PlaceRefused", "PlaceRefused", "PlaceLost",
        "PlaceLost", "PlaceRefused", "PlaceLost",
    ]  # fmt: skip
    refusal = events[13]
    assert isinstance(refusal, PlaceRefused)
    assert (refusal.external_id, refusal.code) == ("mm-0a-14", "invalid_price")


@pytest.mark.parametrize(
    "item",
    [
        {"index": 1, "error": "invalid_price"},
        {"error": "invalid_price", "request": {"external_id": "mm-0a-2"}},
        {"error": {"error_code": "invalid_price"}, "external_id": "mm-0a-2"},
    ],
)
def test_a_failed_item_is_found_by_id_or_by_index(item: dict[str, Any]) -> None:
    events, _ = placed(answer([wire_order(1), wire_order(3)], [item]))
    assert kinds(events) == ["OrderSeen", "PlaceRefused", "OrderSeen"]


def test_an_item_in_neither_list_is_lost() -> None:
    events, _ = placed(answer([wire_order(1)], [failure(2, "invalid_price")]))
    assert kinds(events) == ["OrderSeen", "PlaceRefused", "PlaceLost"]


@pytest.mark.parametrize(
    "broken",
    [
        {"order_id": "", "id": None},
        {"order_id": None},
        {"strike_id": None},
        {"price": None},
        {"open_quantity": None},
    ],
)
def test_a_success_that_cannot_be_read_is_lost_and_not_refused(broken: dict[str, Any]) -> None:
    events, _ = placed(answer([wire_order(1), wire_order(2, **broken), wire_order(3)]))
    assert kinds(events) == ["OrderSeen", "PlaceLost", "OrderSeen"]


def test_an_order_of_somebody_else_in_the_answer_proves_nothing() -> None:
    events, parts = placed(answer([wire_order(1), wire_order(9), wire_order(3)]))
    assert kinds(events) == ["OrderSeen", "PlaceLost", "OrderSeen"]
    assert parts.notices.counts["submit_item_of_nobody"] == 1


def test_success_and_failure_of_one_id_count_as_success() -> None:
    events, _ = placed(answer([wire_order(1)], [failure(1, "invalid_price")]), orders=1)
    assert kinds(events) == ["OrderSeen"]


@pytest.mark.parametrize(
    "step",
    [
        ReplyLost("no reply within 12 s"),  # faults: C2
        reply(b"<html>502</html>", 502),  # faults: A5
        reply(b"<html>504</html>", 504),
        reply(b'{"data": {"succeed_orders": [{"order', 200),
        reply({"data": {}}),
        reply({"data": None}),
        reply({}),
        reply(b""),
        refused(500, "internal_error"),  # faults: C3
        refused(500, "order_unable_to_place"),  # faults: A4
        refused(500, "order_balance_check_timeout"),
        refused(400, "order_external_id_existed"),  # faults: A3
        refused(400, "invalid_price"),  # of one order; nothing is known of the others
        refused(408, ""),
        reply(b"", 302),
    ],
)
def test_a_batch_without_a_clear_answer_is_lost_in_whole(step: Step) -> None:
    events, _ = placed(step)
    assert kinds(events) == ["PlaceLost"] * 3


@pytest.mark.parametrize(
    "step",
    [
        refused(400, "invalid_request"),
        refused(403, "err_order_placement_disabled"),  # faults: D13
        refused(403, ""),
        refused(403, "insufficient_amount"),
        refused(400, "order_limit_exceeded"),
    ],
)
def test_a_request_refused_as_a_whole_refuses_each(step: Step) -> None:
    events, _ = placed(step)
    assert kinds(events) == ["PlaceRefused"] * 3


@pytest.mark.parametrize(
    "step",
    [NotSent("no connection"), refused(429, "rate_limit_reached"), refused(401, "unauthorized"),
     refused(429, "too_many_delayed_requests")],
)  # fmt: skip
def test_what_never_asked_the_book_is_not_sent(step: Step) -> None:
    events, _ = placed(step)
    assert kinds(events) == ["PlaceNotSent"] * 3


@pytest.mark.parametrize("code", ["user_suspended", "a_wallet_word_of_tomorrow"])
def test_a_403_of_any_word_is_in_doubt_and_calls_a_person(code: str) -> None:
    events, parts = placed(refused(403, code))
    assert kinds(events) == ["PlaceLost"] * 3
    assert parts.alarms == ["refused_403"]


def test_a_403_without_a_word_calls_a_person_too() -> None:
    assert placed(refused(403, ""))[1].alarms == ["refused_403"]


@pytest.mark.parametrize("code", ["placement_ip_refused", "wallet_not_found"])
def test_an_item_that_only_a_person_can_mend_is_an_alarm(code: str) -> None:
    events, parts = placed(answer([wire_order(1), wire_order(3)], [failure(2, code)]))
    assert kinds(events) == ["OrderSeen", "PlaceRefused", "OrderSeen"]
    assert parts.alarms == [code]


def test_one_order_is_refused_by_name() -> None:
    events, _ = placed(refused(400, "invalid_price", "not on the ladder"), orders=1)
    assert events == [PlaceRefused(ExternalId("mm-0a-1"), "invalid_price", "not on the ladder")]


def test_more_than_twenty_are_split_and_each_chunk_stands_for_itself() -> None:
    # faults: C4
    events, parts = placed(accepting, ReplyLost("reset"), accepting, orders=45)
    sizes = [len(one.body["data"]) for one in parts.http.asked if one.path == SUBMIT]
    assert sizes == [20, 20, 5]
    assert kinds(events) == ["OrderSeen"] * 20 + ["PlaceLost"] * 20 + ["OrderSeen"] * 5


def test_an_id_twice_in_a_batch_leaves_once() -> None:
    # faults: C5
    async def scenario() -> None:
        parts = a_client()
        parts.http.on(SUBMIT, accepting)
        events = await parts.gateway.place([approved(an_order(1)), approved(an_order(1))])
        assert kinds(events) == ["OrderSeen"]
        assert len(parts.http.asked[-1].body["data"]) == 1

    run(scenario())


def test_a_token_that_expires_mid_batch_repeats_that_chunk_only() -> None:
    # faults: C8
    async def scenario() -> None:
        parts = a_client()

        def only_first_then_new_token(asked: Asked) -> HttpReply:
            if asked.token == "t1" and asked.body["data"][0]["external_id"] != "mm-0a-1":
                return refused(401, "unauthorized")
            return accepting(asked)

        parts.http.on(SUBMIT, only_first_then_new_token)
        await parts.session.token()
        await parts.clock.sleep(10)
        events = await parts.gateway.place([approved(an_order(n)) for n in range(1, 61)])
        assert kinds(events) == ["OrderSeen"] * 60
        sent = [one for one in parts.http.asked if one.path == SUBMIT]
        assert [(one.body["data"][0]["external_id"], one.token) for one in sent] == [
            ("mm-0a-1", "t1"), ("mm-0a-21", "t1"), ("mm-0a-21", "t2"), ("mm-0a-41", "t2"),
        ]  # fmt: skip
        assert parts.http.count("/auth/refresh") == 1

    run(scenario())


def test_trouble_with_the_token_is_not_doubt_about_the_order() -> None:
    async def scenario() -> None:
        parts = a_client()
        parts.http.on(SUBMIT, refused(401, "unauthorized"))
        parts.http.on("/auth/refresh", ReplyLost("reset"))
        await parts.session.token()
        await parts.clock.sleep(10)
        assert kinds(await parts.gateway.place([approved(an_order(1))])) == ["PlaceNotSent"]
        parts.http.on(CANCEL, refused(401, "unauthorized"))
        assert kinds(await parts.gateway.cancel([ref(1)])) == ["CancelRefused"]

    run(scenario())


def test_observe_mode_has_no_write_method() -> None:
    from mmbot.exchange.reads import ReadGateway

    writes = {"place", "cancel", "sweep", "cancel_event", "cancel_everything"}
    assert not writes & set(dir(ReadGateway))


def test_the_catch_all_with_words_about_the_ladder_is_a_refused_price() -> None:
    events, _ = placed(refused(400, "invalid_request", "violates the price Ladder"), orders=1)
    assert [one.code for one in events if isinstance(one, PlaceRefused)] == ["invalid_price"]
    events, _ = placed(refused(400, "invalid_request", "too small"), orders=1)
    assert [one.code for one in events if isinstance(one, PlaceRefused)] == ["invalid_request"]
