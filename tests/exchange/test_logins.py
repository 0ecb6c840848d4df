"""Each log-in burns one of 20 sessions: never two within two minutes, whatever happens."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from mmbot.domain.errors import TryAgain
from mmbot.exchange.http import HttpReply, ReplyLost
from mmbot.exchange.logins import SessionsExhausted
from mmbot.runtime.limiter import Priority
from tests.exchange.parts import (
    S,
    a_client,
    play,
    refused,
    run,
    tokens,
)
from tests.exchange.session_stage import (
    LOGIN,
    REFRESH,
    Hanging,
    SetClock,
    gaps_s,
    unheard,
    why_not,
)


def test_the_pace_of_log_ins_counts_from_the_end_of_the_last() -> None:
    # faults: D3
    async def scenario() -> None:
        parts = a_client()
        came_s: list[tuple[float, float]] = []

        class Slow:
            """An exchange that reads a request at any time until its answer."""

            async def request(self, method: str, path: str, *rest: object) -> HttpReply:
                began_s = asyncio.get_running_loop().time()
                await asyncio.sleep(15)
                came_s.append((began_s, asyncio.get_running_loop().time()))
                raise ReplyLost("no reply within 15 s")

        parts.session._http = Slow()
        await play(parts.clock.sleep(1_000), parts.session.run(unheard))
        gaps = [after[0] - before[1] for before, after in itertools.pairwise(came_s)]
        assert len(gaps) >= 5
        assert min(gaps) >= 120

    run(scenario())


def test_a_log_in_counts_from_when_it_leaves_and_not_from_its_place_in_the_queue(
    tmp_path: Path,
) -> None:
    # faults: D7 J2
    async def scenario() -> None:
        file = tmp_path / "session.json"
        parts = a_client(file)
        parts.http.on(LOGIN, ReplyLost("reset"))
        await parts.clock.sleep(1)
        for _ in range(40):
            await parts.limiter.acquire(Priority.CANCEL, "cancel_order")
        with pytest.raises(ReplyLost):
            await parts.session.token()
        (left,) = parts.http.asked
        restarted = a_client(file)
        restarted.http.on(LOGIN, tokens())
        await restarted.clock.sleep((left.at_ns - restarted.clock.now_ns()) / S + 119.9)
        with pytest.raises(TryAgain):
            await restarted.session.token()

    run(scenario())


def test_a_clock_that_is_set_forward_brings_no_two_log_ins_together() -> None:
    async def scenario() -> None:
        clock = SetClock()
        parts = a_client(clock=clock)
        parts.http.on(LOGIN, refused(500, "internal_error"))

        async def setting() -> None:
            while True:
                await parts.clock.sleep(7)
                clock.set_by_ns += 3_600 * S

        await play(parts.clock.sleep(1_000), parts.session.run(unheard), setting())
        left_s = [one.at_ns / S for one in parts.http.asked]
        assert 5 <= len(left_s) <= 9

    run(scenario())


@pytest.mark.parametrize("set_by_s", [0, 3_600, -3_600])
def test_restarts_bring_no_two_log_ins_together_however_the_clock_is_set(
    tmp_path: Path, set_by_s: int
) -> None:
    # faults: D3
    async def scenario() -> None:
        left_s: list[float] = []
        for restart in range(20):
            clock = SetClock(restart * set_by_s * S)
            parts = a_client(tmp_path / "session.json", clock=clock)
            parts.http.on(LOGIN, refused(500, "internal_error"))
            await play(clock.sleep(50), parts.session.run(unheard))
            left_s += [one.at_ns / S - restart * set_by_s for one in parts.http.asked]
        gaps = [after - before for before, after in itertools.pairwise(left_s)]
        assert min(gaps) >= 120
        assert max(gaps) <= 180  # nor is one that is needed kept back

    run(scenario())


@pytest.mark.parametrize(("set_by_s", "waits"), [(0, True), (-30, False), (110, False)])
def test_after_a_start_of_the_machine_only_its_clock_is_left(
    tmp_path: Path, set_by_s: int, waits: bool
) -> None:
    async def scenario() -> None:
        file, began = tmp_path / "session.json", SetClock()
        await began.sleep(1_000)
        before = a_client(file, clock=began)
        before.http.on(LOGIN, ReplyLost("reset"))
        with pytest.raises(ReplyLost):
            await before.session.token()
        anew = SetClock(set_by_s * S, machine_began_ns=began.monotonic_ns())
        await anew.sleep(20)
        after = a_client(file, clock=anew)
        after.http.on(LOGIN, tokens())
        if waits:
            assert "in 100 s" in await why_not(after.session.token())
        else:
            assert await after.session.token() == "t1"

    run(scenario())


def test_too_many_sessions_is_an_alarm_of_its_own_and_waits_ever_longer() -> None:
    # faults: D5
    async def scenario() -> None:
        parts = a_client()
        parts.http.on("/auth/login", refused(403, "session_num_exceed"))
        with pytest.raises(SessionsExhausted):
            await parts.session.token()
        assert parts.alarms == ["session_num_exceed"]
        await play(parts.clock.sleep(3_600), parts.session.run(unheard))
        assert gaps_s(parts, "/auth/login") == pytest.approx([120, 240, 480, *[600] * 4], abs=11)
        parts.http.on("/auth/login", tokens())
        await parts.clock.sleep(600)
        assert await parts.session.token() == "t1"

    run(scenario())


def test_who_asked_for_a_log_in_may_go_and_the_token_comes_all_the_same() -> None:
    # faults: D3 E6
    async def scenario() -> None:
        parts = a_client()
        logins = 0

        class Slow:
            async def request(self, method: str, path: str, *rest: object) -> HttpReply:
                nonlocal logins
                if path == REFRESH:
                    return refused(401, "unauthorized")
                logins += 1
                await asyncio.sleep(3 * (logins - 1))
                return tokens(f"t{logins}")

        parts.session._http = Slow()

        async def a_link_that_falls() -> None:
            await parts.clock.sleep(130)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await parts.session.renewed("t1")
            await parts.clock.sleep(3)
            assert (await parts.session.token(), logins) == ("t2", 2)

        await play(a_link_that_falls(), parts.session.run(unheard))

    run(scenario())


def test_who_waits_for_a_renewal_is_told_when_the_service_ends() -> None:
    async def scenario() -> None:
        parts = a_client()
        parts.session._http = Hanging()
        async with asyncio.TaskGroup() as group:
            service = group.create_task(parts.session.run(unheard))
            await parts.clock.sleep(2)
            waiting = group.create_task(why_not(parts.session.token()))
            await parts.clock.sleep(2)
            service.cancel()
        assert "ends" in waiting.result()

    run(scenario())
