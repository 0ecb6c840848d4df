"""The session when clocks are wrong and the exchange says 429, or 401 before its time."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from mmbot.domain.errors import TryAgain
from mmbot.domain.events import Event
from mmbot.runtime.limiter import Priority
from tests.exchange.answers import CANCEL, ref
from tests.exchange.parts import (
    Parts,
    S,
    a_client,
    kinds,
    play,
    refused,
    reply,
    run,
    tokens,
)
from tests.exchange.session_stage import (
    DONE,
    LOGIN,
    REFRESH,
    Hanging,
    SetClock,
    counting,
    gaps_s,
    unheard,
)


async def cancelled(parts: Parts) -> tuple[list[str], float]:
    """What came of one cancel, and after how many seconds."""
    began_ns = parts.clock.monotonic_ns()
    events = await parts.gateway.cancel([ref(1)])
    return kinds(events), (parts.clock.monotonic_ns() - began_ns) / S


# --- renewals ---------------------------------------------------------------------------------


def test_when_to_refresh_is_drawn_once_for_each_token() -> None:
    async def scenario() -> None:
        draws: list[float] = []

        def draw() -> float:
            draws.append(len(draws) % 2)  # none, all, none, all
            return draws[-1]

        parts = a_client(draw=draw)
        parts.http.on(REFRESH, counting())
        await play(parts.clock.sleep(1_800), parts.session.run(unheard))
        assert gaps_s(parts, REFRESH) == pytest.approx([340, 360, 340, 360], abs=1)
        assert len(draws) == 1 + parts.http.count(REFRESH)

    run(scenario())


def test_a_short_lived_token_is_no_reason_to_log_in_when_one_refresh_fails() -> None:
    # faults: D1
    async def scenario() -> None:
        parts = a_client()
        parts.http.on(LOGIN, tokens(life_s=60))
        fails = itertools.cycle([refused(500, "internal_error"), tokens("t", 60, refresh=None)])
        parts.http.on(REFRESH, lambda _: next(fails))
        await play(parts.clock.sleep(3_600), parts.session.run(unheard))
        assert parts.session.logins == 1

    run(scenario())


def test_a_renewal_waits_for_no_429_and_no_queue() -> None:
    # faults: D7
    async def scenario() -> None:
        parts = a_client()
        parts.http.on(LOGIN, tokens(life_s=60))
        parts.http.on(REFRESH, counting(life_s=60))
        await parts.session.token()
        left_s: list[float] = []

        async def go_on_saying_no() -> None:
            while True:
                parts.limiter.pause(parts.clock.monotonic_ns() + 60 * S)
                left_s.append((parts.session.usable_until_ns - parts.clock.now_ns()) / S)
                await parts.clock.sleep(1)

        async def many_cancels() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(500):
                    group.create_task(parts.limiter.acquire(Priority.CANCEL, "cancel_order"))

        async def watch() -> None:
            await parts.clock.sleep(200)
            assert parts.limiter.waiting > 100

        await play(watch(), parts.session.run(unheard), go_on_saying_no(), many_cancels())
        assert min(left_s) > 20

    run(scenario())


def test_a_request_leaves_with_the_token_of_that_moment() -> None:
    # faults: D6 D7
    async def scenario() -> None:
        parts = a_client()
        parts.http.on(CANCEL, DONE)
        parts.http.on("/v4/mm/get_balance", reply({"data": {"balance": 1}}))
        await parts.session.token()
        parts.limiter.pause(parts.clock.monotonic_ns() + 60 * S)
        async with asyncio.TaskGroup() as group:
            group.create_task(parts.gateway.read_balance())
            await parts.clock.sleep(30)
            await parts.session.renewed("t1")
        assert [one.token for one in parts.http.asked if "balance" in one.path] == ["t2"]

    run(scenario())


# --- wrong clocks -----------------------------------------------------------------------------


def test_a_cancel_waits_for_no_renewal_when_only_our_clock_doubts_the_token() -> None:
    async def scenario() -> None:
        clock = SetClock()
        parts = a_client(clock=clock)
        parts.http.on(CANCEL, DONE)
        await parts.session.token()
        parts.session._http = Hanging()
        clock.set_by_ns = 3_600 * S

        async def act() -> None:
            for _ in range(30):
                await parts.clock.sleep(1)
                said, within_s = await cancelled(parts)
                assert said == ["CancelAcknowledged"]
                assert within_s < 0.1

        await play(act(), parts.session.run(unheard))
        assert {one.token for one in parts.http.asked if one.path == CANCEL} == {"t1"}

    run(scenario())


def test_what_is_not_urgent_uses_a_doubted_token_while_no_other_is_to_be_had() -> None:
    async def scenario() -> None:
        clock = SetClock()
        parts = a_client(clock=clock)
        parts.http.on(LOGIN, tokens(), refused(500, "internal_error"))
        parts.http.on(REFRESH, refused(500, "internal_error"))
        await parts.session.token()
        clock.set_by_ns = 3_600 * S
        assert [await parts.session.token() for _ in range(3)] == ["t1"] * 3
        parts.session.refused("t1")  # now both say so
        with pytest.raises(TryAgain):
            await parts.session.token()
        with pytest.raises(TryAgain):
            await parts.session.token(urgent=True)

    run(scenario())


def test_one_route_that_always_says_401_holds_up_no_other() -> None:
    # faults: D4
    async def scenario() -> None:
        parts = a_client()
        parts.http.on(CANCEL, DONE)
        parts.http.on(REFRESH, counting())
        parts.http.on("/v4/mm/get_balance", refused(401, "unauthorized"))
        for _ in range(300):
            await parts.gateway.read_balance()
            said, within_s = await cancelled(parts)
            assert said == ["CancelAcknowledged"]
            assert within_s < 0.1
        assert parts.session.logins == 1
        assert parts.session.refreshes < 20

    run(scenario())


def test_a_clock_that_is_set_forward_is_noticed_and_the_end_told_anew() -> None:
    async def scenario() -> None:
        clock, events = SetClock(), list[Event]()
        parts = a_client(clock=clock)
        parts.http.on(REFRESH, counting())

        async def setting() -> None:
            await parts.clock.sleep(60)
            clock.set_by_ns = 3_600 * S
            await parts.clock.sleep(11)

        await play(setting(), parts.session.run(events.append))
        assert len(events) == 2
        assert parts.session.usable_until_ns > clock.now_ns() + 500 * S

    run(scenario())


def test_a_token_of_a_clock_that_was_set_back_is_renewed_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        file, clock = tmp_path / "session.json", SetClock()
        clock.set_by_ns = 3_600 * S
        parts = a_client(file, clock=clock)
        await parts.session.token()
        restarted = a_client(file)
        restarted.http.on(REFRESH, counting())
        await play(parts.clock.sleep(5), restarted.session.run(unheard))
        assert (restarted.http.count(REFRESH), restarted.session.logins) == (1, 0)

    run(scenario())


def test_a_refresh_token_is_tried_however_old_our_clock_believes_it_to_be(tmp_path: Path) -> None:
    async def scenario() -> None:
        file, clock = tmp_path / "session.json", SetClock()
        await a_client(file).session.token()
        clock.set_by_ns = 30 * 86_400 * S
        restarted = a_client(file, clock=clock)
        assert await restarted.session.token() == "t2"
        assert (restarted.session.logins, restarted.session.refreshes) == (0, 1)

    run(scenario())


def test_a_token_that_is_refused_while_the_refresh_is_down_leads_to_one_log_in() -> None:
    # faults: D2 D4
    async def scenario() -> None:
        parts = a_client()
        await parts.session.token()
        await parts.clock.sleep(130)
        parts.http.on("/v4/mm/get_balance", refused(401, "unauthorized"))
        parts.http.on("/auth/refresh", refused(500, "internal_error"))
        parts.http.on("/auth/login", tokens("t3"))
        await parts.gateway.read_balance()
        assert parts.http.count("/auth/login") == 1  # one refusal may be a mistake
        for _ in range(60):
            await parts.clock.sleep(1)
            await parts.gateway.read_balance()
        assert parts.http.count("/auth/login") == 2
        assert await parts.session.token() == "t3"

    run(scenario())
