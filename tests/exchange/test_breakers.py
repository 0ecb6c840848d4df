"""Who rests after a no or a silence, and what wakes him."""

# faults: D7 D8

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mmbot.domain.commands import ReadOrder
from mmbot.domain.ids import ExternalId, OrderId
from mmbot.exchange.breakers import Breakers
from mmbot.exchange.http import HttpPort, HttpReply, ReplyLost, Unreachable
from mmbot.exchange.refusals import Refusal
from tests.exchange.answers import CANCEL, SUBMIT, accepting, ref
from tests.exchange.parts import (
    Asked,
    Parts,
    S,
    Step,
    a_client,
    an_order,
    approved,
    kinds,
    refused,
    reply,
    run,
    wire_order,
)

ORDER = "/v4/mm/get_order/"
TOO_MANY = refused(429, "rate_limit_reached")
FULL = refused(429, "too_many_delayed_requests")
DONE = reply({"data": {"success": True}})
SEEN = reply({"data": wire_order(1)})


async def ready() -> Parts:
    """A client with a token, a second after its start."""
    parts = a_client()
    parts.http.on(CANCEL, DONE)
    parts.http.on(SUBMIT, accepting)
    parts.http.on(ORDER, SEEN)
    await parts.session.token()
    await parts.clock.sleep(2)
    return parts


async def place(parts: Parts) -> str:
    return kinds(await parts.gateway.place([approved(an_order(1))]))[0]


async def look(parts: Parts) -> str:
    order = ReadOrder(ExternalId("mm-0a-1"), OrderId("theirs-1"))
    return kinds(list(await parts.gateway.read_order(order)))[0]


@dataclass(slots=True)
class FarAway:
    """The same server; its answers take a while."""

    server: HttpPort

    async def request(self, *asked: Any) -> HttpReply:
        await asyncio.sleep(0.2)
        return await self.server.request(*asked)


def left_s(parts: Parts, path: str, since_ns: int) -> list[float]:
    """When the requests of a path left, in seconds since then."""
    found = [one.at_ns for one in parts.http.asked if one.path.startswith(path)]
    return [round((at_ns - since_ns) / S, 2) for at_ns in found if at_ns >= since_ns]


@pytest.mark.parametrize("step", [FULL, TOO_MANY])
def test_a_429_without_a_word_about_time_doubles_the_wait(step: HttpReply) -> None:
    async def scenario() -> None:
        parts = await ready()
        parts.http.on(SUBMIT, step)
        since_ns = parts.clock.now_ns()
        for _ in range(8):
            await place(parts)
        gaps = [0, 1, 3, 7, 15, 31, 63, 123]
        assert left_s(parts, SUBMIT, since_ns) == pytest.approx(gaps, abs=0.1)

    run(scenario())


def test_what_was_under_way_when_the_429_came_does_not_double_it() -> None:
    async def scenario() -> None:
        parts = await ready()
        parts.http.on(SUBMIT, TOO_MANY)
        parts.rest._http = FarAway(parts.http)
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(place(parts))
        assert parts.http.count(SUBMIT) == 20
        since_ns = parts.clock.now_ns()
        parts.http.on(SUBMIT, accepting)
        await place(parts)
        assert left_s(parts, SUBMIT, since_ns)[-1] == pytest.approx(1.2, abs=0.1)

    run(scenario())


def test_the_exchanges_own_word_is_kept_and_not_trusted_twice() -> None:
    async def scenario() -> None:
        parts = await ready()
        parts.http.on(SUBMIT, HttpReply(429, {"retry-after": "0.5"}, b"{}"))
        since_ns = parts.clock.now_ns()
        for _ in range(4):
            await place(parts)
        assert left_s(parts, SUBMIT, since_ns) == pytest.approx([0, 0.5, 2.5, 6.5], abs=0.1)

    run(scenario())


def test_a_cancel_that_gets_through_ends_a_pause_that_we_guessed() -> None:
    async def scenario(headers: dict[str, str]) -> float:
        parts = await ready()
        parts.http.on(SUBMIT, *[HttpReply(429, headers, b"{}")] * 5, accepting)
        for _ in range(5):
            await place(parts)
        since_ns = parts.clock.now_ns()
        async with asyncio.TaskGroup() as group:
            placed = group.create_task(place(parts))
            await parts.clock.sleep(1)
            await parts.gateway.cancel([ref(1)])
        assert placed.result() == "OrderSeen"
        return left_s(parts, SUBMIT, since_ns)[-1]

    assert run(scenario({})) < 1.1
    assert run(scenario({"retry-after": "20"})) > 18  # but not one that we were asked for


def test_slow_cancels_do_not_double_the_pause_that_they_meet() -> None:
    async def scenario() -> None:
        parts = await ready()
        parts.http.on(SUBMIT, TOO_MANY)
        parts.http.on(CANCEL, TOO_MANY)
        await place(parts)
        for _ in range(60):
            await parts.gateway.cancel([ref(1)])
            await parts.clock.sleep(0.3)
        parts.http.on(SUBMIT, accepting)
        since_ns = parts.clock.now_ns()
        assert await place(parts) == "OrderSeen"
        assert left_s(parts, SUBMIT, since_ns)[-1] <= 1.1

    run(scenario())


def test_nothing_new_is_worth_an_intent_while_placing_rests() -> None:
    async def scenario() -> None:
        parts = await ready()
        assert parts.limiter.placements_now() == 25
        parts.http.on(SUBMIT, FULL, accepting)
        await place(parts)
        assert parts.limiter.placements_now() == 0
        assert await look(parts) == "OrderSeen"
        await parts.clock.sleep(1.2)
        assert parts.limiter.placements_now() == 25

    run(scenario())


@pytest.mark.parametrize(
    "step",
    [
        ReplyLost("reset"),
        Unreachable("nobody there"),
        HttpReply(502, {}, b"<html>"),
        refused(503, "reporting_not_available"),
    ],
)
def test_a_route_that_fails_again_and_again_rests_ever_longer(step: Step) -> None:
    async def scenario() -> None:
        parts = await ready()
        parts.http.on(ORDER, step)
        since_ns = parts.clock.now_ns()
        while len(left := left_s(parts, ORDER, since_ns)) < 10:
            await look(parts)
        gaps = [0, 0, 0, 0, 0, 1, 3, 7, 15, 23]
        assert left[:10] == pytest.approx(gaps, abs=0.05)
        assert parts.notices.counts["route_rests"] == len(left) - 4

    run(scenario())


@pytest.mark.parametrize(
    "step", [refused(500, "order_unable_to_place"), refused(404, "data_not_found")]
)
def test_an_answer_about_an_order_is_no_failure_of_its_route(step: Step) -> None:
    async def scenario() -> None:
        parts = await ready()
        parts.http.on(ORDER, step)
        since_ns = parts.clock.now_ns()
        for _ in range(8):
            await look(parts)
        assert max(left_s(parts, ORDER, since_ns)) == 0

    run(scenario())


def failing_until(parts: Parts, at_ns: int, then: Step) -> Callable[[Asked], HttpReply]:
    def answer(asked: Asked) -> HttpReply:
        if parts.clock.now_ns() < at_ns:
            return HttpReply(502, {}, b"<html>")
        return then if isinstance(then, HttpReply) else accepting(asked)

    return answer


def test_a_route_that_works_again_wakes_the_others_that_rest() -> None:
    # faults: D16
    async def scenario() -> None:
        parts = await ready()
        back_ns = parts.clock.now_ns() + 27 * S
        parts.http.on(SUBMIT, failing_until(parts, back_ns, accepting))
        parts.http.on(ORDER, failing_until(parts, back_ns, SEEN))
        worked_s: dict[str, float] = {}

        async def until_it_works(name: str, act: Callable[[Parts], Awaitable[str]]) -> None:
            while await act(parts) != "OrderSeen":
                pass
            worked_s[name] = (parts.clock.now_ns() - back_ns) / S

        async with asyncio.TaskGroup() as group:
            group.create_task(until_it_works("look", look))
            await parts.clock.sleep(6)
            group.create_task(until_it_works("place", place))
        assert min(worked_s.values()) < 8
        assert max(worked_s.values()) - min(worked_s.values()) < 0.1

    run(scenario())


def test_a_full_queue_is_not_woken_by_others() -> None:
    async def scenario() -> None:
        parts = await ready()
        parts.http.on(ORDER, *[HttpReply(502, {}, b"")] * 5, SEEN)
        parts.http.on(SUBMIT, HttpReply(429, {"retry-after": "9"}, FULL.body), accepting)
        for _ in range(5):
            await look(parts)
        await place(parts)
        since_ns = parts.clock.now_ns()
        assert await look(parts) == "OrderSeen"
        assert await place(parts) == "OrderSeen"
        assert left_s(parts, SUBMIT, since_ns)[-1] == pytest.approx(9, abs=0.1)

    run(scenario())


def test_only_what_left_during_the_rest_tells_of_its_end() -> None:
    async def scenario() -> None:
        parts = await ready()
        breakers = Breakers(parts.limiter, parts.clock, parts.notices)
        now_ns, route = parts.clock.monotonic_ns(), "submit_multiple_orders"
        for code in ("too_many_delayed_requests", "rate_limit_reached"):
            breakers.throttled(route, Refusal(429, code, ""), None, now_ns)
            breakers.answered(route, None, now_ns - 1)  # an answer that was slower than the no
            assert parts.limiter.placements_now() == 0
            breakers.answered(route, None, now_ns + 1)
            assert parts.limiter.placements_now() == 25

    run(scenario())


def test_cancels_never_rest() -> None:
    async def scenario() -> None:
        parts = await ready()
        parts.http.on(CANCEL, ReplyLost("reset"))
        since_ns = parts.clock.now_ns()
        for _ in range(30):
            await parts.gateway.cancel([ref(1)])
        parts.http.on(CANCEL, FULL)
        for _ in range(5):
            await parts.gateway.cancel([ref(1)])
        assert max(left_s(parts, CANCEL, since_ns)) == 0

    run(scenario())


def test_a_query_route_that_fails_is_asked_once_a_second_as_ever() -> None:
    async def scenario() -> None:
        parts = await ready()
        parts.http.on("/v4/mm/get_balance", HttpReply(502, {}, b""))
        since_ns = parts.clock.now_ns()
        for _ in range(20):
            await parts.gateway.read_balance()
        left = left_s(parts, "/v4/mm/get_balance", since_ns)
        assert left[-1] == pytest.approx(1.05 * (len(left) - 1), abs=0.1)

    run(scenario())
