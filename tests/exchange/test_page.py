"""A page that is lost is asked for again; the pages around it are not."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from mmbot.domain.commands import ReadHistory, ReadOrder
from mmbot.domain.events import Event, HistoryRead, OrderSeen, ReadFailed
from mmbot.domain.ids import ExternalId, OrderId
from mmbot.exchange.http import HttpReply, ReplyLost
from mmbot.exchange.page import PAGE_TRIES_MAX
from tests.exchange.answers import SUBMIT, accepting
from tests.exchange.parts import (
    Asked,
    Parts,
    S,
    a_client,
    an_order,
    approved,
    refused,
    reply,
    run,
    wire_order,
)

HISTORY = "/v4/mm/get_order_history"
CUT = b'{"data": {"orders": [{"id"'


def alive(*steps: HttpReply | BaseException) -> tuple[Event, Parts]:
    """A read of what is alive, in three listings; each reply is one step."""

    async def scenario() -> tuple[Event, Parts]:
        parts = a_client()
        parts.http.on(HISTORY, *steps)
        from_ns = parts.clock.now_ns() - 3_600 * S
        read = ReadHistory(from_ns, ends_doubt=False, alive_only=True)
        (event,) = await parts.gateway.read_history(read)
        return event, parts

    return run(scenario())


def rows(*numbers: int) -> HttpReply:
    return reply({"data": {"orders": [wire_order(n) for n in numbers]}})


# faults: A5 D14
@pytest.mark.parametrize(
    "lost",
    [ReplyLost("no reply"), refused(502, "html"), refused(429, "rate_limit_reached"), reply(CUT)],
)
def test_one_lost_page_costs_one_more_request(lost: HttpReply | BaseException) -> None:
    event, parts = alive(rows(1), lost, rows(2), rows(3))
    assert isinstance(event, HistoryRead)
    assert len(event.reports) == 3
    assert parts.http.count(HISTORY) == 4


def test_a_page_that_is_lost_every_time_fails_the_read() -> None:
    event, parts = alive(ReplyLost("no reply"))
    assert isinstance(event, ReadFailed)
    assert parts.http.count(HISTORY) == PAGE_TRIES_MAX


def test_what_is_refused_is_not_asked_again() -> None:
    event, parts = alive(refused(400, "invalid_param"))
    assert isinstance(event, ReadFailed)
    assert parts.http.count(HISTORY) == 1


# faults: D10
def test_the_tries_keep_the_pace_of_the_route() -> None:
    _, parts = alive(ReplyLost("no reply"))
    times = [asked.at_ns for asked in parts.http.asked if asked.path == HISTORY]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= S


def test_a_read_is_given_up_sooner_than_a_placement() -> None:
    async def scenario() -> list[Asked]:
        parts = a_client()
        parts.http.on(SUBMIT, accepting)
        parts.http.on("/v4/mm/get_order/", reply({"data": wire_order(1)}))
        await parts.clock.sleep(2)
        await parts.gateway.place([approved(an_order(1))])
        await parts.gateway.read_order(ReadOrder(ExternalId("mm-0a-1"), OrderId("theirs-1")))
        return parts.http.asked

    waits = {asked.method: asked.timeout_s for asked in run(scenario()) if "mm/" in asked.path}
    assert waits["GET"] < waits["POST"] == 12.0


# faults: A2 A5 D7
@pytest.mark.parametrize(
    "lost",
    [ReplyLost("no reply"), refused(502, "html"), refused(429, "rate_limit_reached"), reply(CUT)],
)
def test_an_order_whose_read_is_lost_is_asked_for_again(lost: HttpReply | BaseException) -> None:
    async def scenario() -> tuple[list[Event], list[float]]:
        parts = a_client()
        seen = reply({"data": {"order": wire_order(1)}})
        parts.http.on("/v4/mm/get_order/", lost, seen)
        events = await parts.gateway.read_order(
            ReadOrder(ExternalId("mm-0a-1"), OrderId("theirs-1"))
        )
        return events, [one.timeout_s for one in parts.http.asked if "get_order" in one.path]

    (event,), waits_s = run(scenario())
    assert isinstance(event, OrderSeen)
    assert waits_s == [2.0, 5.0]


def test_what_rests_is_read_before_what_has_changed() -> None:
    async def scenario() -> list[bool]:
        parts = a_client()
        parts.http.on(HISTORY, rows())
        from_ns = parts.clock.now_ns() - 60 * S
        async with asyncio.TaskGroup() as group:
            for read in (
                ReadHistory(from_ns, changed_only=True),
                ReadHistory(from_ns, changed_only=True),
                ReadHistory(from_ns, alive_only=True),
            ):
                group.create_task(parts.gateway.read_history(read))
        return ["updated" in asked.query for asked in parts.http.asked if asked.path == HISTORY]

    # The first leaves at once; of those that wait, what rests goes first.
    assert run(scenario()) == [True, False, False, False, True]
