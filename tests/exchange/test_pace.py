"""429s: cancels first, slower, one route alone where it is one route, and back again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mmbot.domain.commands import ReadOrder
from mmbot.domain.ids import ExternalId, OrderId
from mmbot.exchange.http import HttpReply
from tests.exchange.answers import CANCEL, SUBMIT, accepting, ref
from tests.exchange.parts import (
    Parts,
    S,
    a_client,
    an_order,
    approved,
    kinds,
    refused,
    reply,
    run,
    wire_order,
)


def paced(code: str, act: Callable[[Parts], Any]) -> float:
    """Seconds until `act` gets through after a 429 with `code` on placing."""

    async def scenario() -> float:
        parts = a_client()
        parts.http.on(SUBMIT, refused(429, code), accepting)
        parts.http.on("/v4/mm/get_order/", reply({"data": wire_order(1)}))
        await parts.clock.sleep(2)
        await parts.gateway.place([approved(an_order(1))])
        before_ns = parts.clock.now_ns()
        await act(parts)
        return (parts.clock.now_ns() - before_ns) / S

    return run(scenario())


async def place(parts: Parts) -> None:
    await parts.gateway.place([approved(an_order(2))])


async def look(parts: Parts) -> None:
    await parts.gateway.read_order(ReadOrder(ExternalId("mm-0a-1"), OrderId("theirs-1")))


@pytest.mark.parametrize(
    ("code", "act", "within_s"),
    [
        ("rate_limit_reached", place, 1),
        ("rate_limit_reached", look, 1),
        ("too_many_delayed_requests", place, 1),
        ("too_many_delayed_requests", look, 0),
    ],
)
def test_a_429_slows_everything_and_a_full_queue_its_own_route(
    code: str, act: Callable[[Parts], Any], within_s: float
) -> None:
    # faults: D7 D8
    assert paced(code, act) == pytest.approx(within_s, abs=0.01)


def test_cancels_go_out_first_while_the_exchange_says_429() -> None:
    # faults: D7
    async def scenario() -> None:
        parts = a_client()
        parts.http.on(SUBMIT, HttpReply(429, {"retry-after": "20"}, b"{}"))
        parts.http.on(CANCEL, reply({"data": {"success": True}}))
        await parts.clock.sleep(2)
        await parts.gateway.place([approved(an_order(1))])
        start_ns = parts.clock.now_ns()
        assert kinds(await parts.gateway.cancel([ref(1)])) == ["CancelAcknowledged"]
        assert parts.clock.now_ns() - start_ns < S

    run(scenario())


def test_repeated_429s_double_the_pause_and_it_recovers() -> None:
    # faults: D7
    async def scenario() -> None:
        parts = a_client()
        parts.http.on(SUBMIT, refused(429, "rate_limit_reached"))
        end_ns = parts.clock.now_ns() + 300 * S
        while parts.clock.now_ns() < end_ns:
            await parts.gateway.place([approved(an_order(1))])
        assert parts.http.count(SUBMIT) < 20
        parts.http.on(SUBMIT, accepting)
        assert kinds(await parts.gateway.place([approved(an_order(1))])) == ["OrderSeen"]

    run(scenario())
