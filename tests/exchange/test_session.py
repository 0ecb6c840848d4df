"""The session: few log-ins, early refreshes, no storms, nothing secret shown."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

from mmbot.domain.errors import SetUpError, TryAgain
from mmbot.domain.events import Event, SessionStateChanged
from mmbot.exchange.http import NotSent, ReplyLost
from mmbot.exchange.logins import LoginRefused
from mmbot.exchange.tokens import Tokens, until_ns
from tests.exchange.parts import (
    EPOCH_NS,
    SECRETS,
    Asked,
    Parts,
    S,
    a_client,
    example,
    play,
    refused,
    reply,
    run,
    tokens,
)
from tests.exchange.session_stage import gaps_s


@pytest.mark.parametrize(
    ("given", "life_s", "sure"),
    [
        (Decimal(EPOCH_NS // S + 600), 600, True),  # seconds, milli, micro, nano
        (Decimal(EPOCH_NS // 10**6 + 600_000), 600, True),
        (Decimal(EPOCH_NS // 1000 + 600_000_000), 600, True),
        (Decimal(EPOCH_NS + 600 * S), 600, True),
        (Decimal(600), 600, True),  # relative
        (Decimal(30), 30, True),
        (Decimal(EPOCH_NS // S + 86_400), 1200, True),  # clamped
        (Decimal(EPOCH_NS // S - 5), 60, False),  # in the past
        (None, 60, False),
        (Decimal(0), 60, False),
        (Decimal("NaN"), 60, False),
        (Decimal(10**8), 60, False),
    ],
)
def test_an_expiry_of_unknown_unit(given: Decimal | None, life_s: int, sure: bool) -> None:
    # faults: D1
    end_ns, is_sure = until_ns(given, EPOCH_NS, 1200)
    assert (round((end_ns - EPOCH_NS) / S), is_sure) == (life_s, sure)


def test_one_log_in_serves_all_who_wait() -> None:
    async def scenario() -> None:
        parts = a_client()
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(parts.session.token()) for _ in range(10)]
        assert {task.result() for task in asked} == {"t1"}
        assert parts.http.count("/auth/login") == 1

    run(scenario())


def test_the_answer_of_the_contract_is_understood_and_a_bare_one_too() -> None:
    async def scenario() -> None:
        parts = a_client()
        body = json.loads(example("auth_login.response.json"))
        for form in (body, body["data"]):
            parts = a_client()
            parts.http.on("/auth/login", reply(form))
            assert await parts.session.token() == body["data"]["access_token"]
        parts.http.on("/auth/refresh", reply(example("auth_refresh.response.json")))
        await parts.clock.sleep(10)
        fresh = await parts.session.renewed(body["data"]["access_token"])
        assert fresh == json.loads(example("auth_refresh.response.json"))["data"]["access_token"]
        assert parts.http.asked[-1].body == {"refresh_token": body["data"]["refresh_token"]}

    run(scenario())


@pytest.mark.parametrize(
    ("life_s", "first_refresh_s"), [(600, 360), (1200, 480), (60, 35), (30, 5)]
)
def test_the_service_refreshes_well_before_the_end(life_s: float, first_refresh_s: float) -> None:
    # faults: D1
    async def scenario() -> None:
        parts, events = a_client(), list[Event]()
        parts.http.on("/auth/login", tokens(life_s=life_s))
        parts.http.on("/auth/refresh", tokens("t2", life_s, refresh=None))
        await play(parts.clock.sleep(life_s + 1), parts.session.run(events.append))
        refreshes = [one for one in parts.http.asked if one.path == "/auth/refresh"]
        age_s = (refreshes[0].at_ns - EPOCH_NS) / S - 1
        assert first_refresh_s * 0.85 <= age_s <= first_refresh_s
        assert parts.http.count("/auth/login") == 1
        assert all(isinstance(event, SessionStateChanged) for event in events)
        assert events[-1] == SessionStateChanged(parts.session.usable_until_ns)
        assert len(events) == 1 + len(refreshes)

    run(scenario())


def test_a_restart_reuses_the_session(tmp_path: Path) -> None:
    # faults: J2
    async def scenario() -> None:
        for _ in range(20):
            parts = a_client(tmp_path / "session.json")
            assert await parts.session.token() == "t1"
            if parts.http.asked:
                parts.http.asked.clear()
                logins = parts.session.logins
        assert logins == 1
        assert (tmp_path / "session.json").stat().st_mode & 0o777 == 0o600

    run(scenario())


def test_crashes_during_log_in_do_not_storm(tmp_path: Path) -> None:
    # faults: J2
    async def scenario() -> None:
        logins = 0
        for _ in range(10):
            parts = a_client(tmp_path / "session.json")
            parts.http.on("/auth/login", ReplyLost("reset"))
            with pytest.raises((TryAgain, ReplyLost)):
                await parts.session.token()
            logins += parts.http.count("/auth/login")
        assert logins == 1

    run(scenario())


def test_tokens_of_another_account_are_not_used(tmp_path: Path) -> None:
    async def scenario() -> None:
        file = tmp_path / "session.json"
        await a_client(file).session.token()
        saved = json.loads(file.read_text())
        file.write_text(json.dumps(saved | {"owner": "somebody else"}))
        parts = a_client(file)
        await parts.session.token()
        assert parts.http.count("/auth/login") == 1
        file.write_text("not json")
        assert await a_client(file).session.token() == "t1"

    run(scenario())


def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    async def scenario() -> None:
        parts = a_client(tmp_path / "absent" / "session.json")
        with pytest.raises(SetUpError, match="session cannot be kept"):
            await parts.session.token()

    run(scenario())


def test_refresh_fails_for_three_minutes_and_the_end_is_told_in_time() -> None:
    # faults: D2
    async def scenario() -> None:
        parts, events = a_client(), list[Event]()
        parts.http.on("/auth/login", tokens(life_s=240), refused(500, "internal_error"))
        parts.http.on("/auth/refresh", refused(500, "internal_error"))
        service = parts.session.run(events.append)

        async def recovery() -> None:
            await parts.clock.sleep(320)
            parts.http.on("/auth/refresh", tokens("t2", refresh=None))
            await parts.clock.sleep(30)

        await play(recovery(), service)
        first = events[0]
        assert isinstance(first, SessionStateChanged)
        assert first.usable_until_ns == pytest.approx(EPOCH_NS + 241 * S, abs=S)
        assert len(events) == 2
        assert await parts.session.token() == "t2"
        attempts = parts.http.count("/auth/refresh")
        assert 5 <= attempts <= 30
        assert parts.http.count("/auth/login") <= 3  # one at first, then 2 min apart
        assert "session_renewal_failed" in parts.alarms

    run(scenario())


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_dead_refresh_token_leads_to_one_log_in(status: int) -> None:
    # faults: D3
    async def scenario() -> None:
        parts = a_client()
        await parts.session.token()
        await parts.clock.sleep(130)
        parts.http.on("/auth/refresh", refused(status, "unauthorized"))
        parts.http.on("/auth/login", tokens("t3"))
        assert await parts.session.renewed("t1") == "t3"
        assert parts.http.count("/auth/login") == 2

    run(scenario())


def test_when_the_log_in_fails_too_it_is_tried_again_at_its_pace() -> None:
    # faults: D3
    async def scenario() -> None:
        parts, events = a_client(), list[Event]()
        parts.http.on("/auth/login", tokens(life_s=600), refused(401, "unauthorized"))
        parts.http.on("/auth/refresh", refused(401, "unauthorized"))
        await play(parts.clock.sleep(1200), parts.session.run(events.append))
        gaps = gaps_s(parts, "/auth/login")
        assert len(gaps) >= 3
        assert min(gaps) >= 120
        assert "login_refused" in parts.alarms
        assert len(events) == 1  # the old end stands: it warned everybody already

    run(scenario())


def test_a_401_on_every_call_does_not_storm() -> None:
    # faults: D4
    async def scenario() -> None:
        parts = a_client()
        parts.http.on("/v4/mm/get_balance", refused(401, "unauthorized"))
        parts.http.on("/auth/refresh", lambda asked: tokens(f"n{asked.at_ns}", refresh=None))
        for _ in range(120):
            await parts.gateway.read_balance()
            await parts.clock.sleep(0.5)
        assert parts.http.count("/auth/login") == 1
        assert parts.http.count("/auth/refresh") <= 6

    run(scenario())


@pytest.mark.parametrize("status", [400, 401, 403])
def test_wrong_keys_are_one_clear_line_and_may_be_corrected_at_once(
    status: int, tmp_path: Path
) -> None:
    async def scenario() -> None:
        parts = a_client(tmp_path / "session.json")
        parts.http.on("/auth/login", refused(status, "unauthorized", "bad key"))
        with pytest.raises(LoginRefused, match="check the access key") as caught:
            await parts.session.token()
        assert not any(secret in str(caught.value) for secret in SECRETS)
        assert await a_client(tmp_path / "session.json").session.token() == "t1"

    run(scenario())


def test_a_host_that_cannot_be_reached_is_no_wrong_key() -> None:
    async def scenario() -> None:
        parts = a_client()
        parts.http.on("/auth/login", NotSent("no connection"), tokens())
        with pytest.raises(TryAgain):
            await parts.session.token()
        await parts.clock.sleep(5)
        assert await parts.session.token() == "t1"  # nothing was burned: no need to wait long

    run(scenario())


def test_the_clock_of_the_exchange_is_read_from_its_date() -> None:
    async def scenario() -> None:
        parts = a_client()
        for date, offset_s in (
            ("Sun, 22 Nov 2026 15:00:00 GMT", 0),
            ("Sun, 22 Nov 2026 15:05:00 GMT", 300),
            ("Sun, 22 Nov 2026 14:50:00 GMT", -600),
            ("no date", -600),
        ):
            parts.session.time.note(reply({}, date=date), parts.clock.now_ns())
            assert abs(parts.session.clock_offset_ns / S - offset_s) <= 1

    run(scenario())


def test_a_slow_reply_tells_an_old_time_and_counts_only_until_a_quick_one_came() -> None:
    async def scenario() -> None:
        parts = a_client()
        at_three, sent_ns = "Sun, 22 Nov 2026 15:00:00 GMT", parts.clock.now_ns()
        await parts.clock.sleep(8)  # so long it was under way, or half of that
        parts.session.time.note(reply({}, date=at_three), sent_ns)
        assert parts.session.clock_offset_ns < -5 * S  # the only word there is
        quick_ns = parts.clock.now_ns()
        parts.session.time.note(reply({}, date="Sun, 22 Nov 2026 15:00:08 GMT"), quick_ns)
        assert parts.session.clock_offset_ns == 0
        parts.session.time.note(reply({}, date=at_three), sent_ns)
        assert parts.session.clock_offset_ns == 0

    run(scenario())


def test_a_clock_ten_minutes_off_does_not_shorten_the_token() -> None:
    async def scenario() -> None:
        parts = a_client()
        expires = EPOCH_NS // S - 600 + 601
        answer = {"data": {"access_token": "t1", "access_expire_time": expires}}
        parts.http.on("/auth/login", reply(answer, date="Sun, 22 Nov 2026 14:50:01 GMT"))
        await parts.session.token()
        left_s = (parts.session.usable_until_ns - parts.clock.now_ns()) / S
        assert left_s == pytest.approx(600, abs=2)

    run(scenario())


def test_no_text_shows_a_token() -> None:  # faults: H17
    async def scenario() -> Parts:
        parts = a_client()
        await parts.session.token()
        return parts

    parts = run(scenario())
    shown = f"{Tokens('aaa', 1, 2, 'bbb')!r} {parts.session._settings!r} {parts.http.asked[0].path}"
    assert not any(secret in shown for secret in ("aaa", "bbb", *SECRETS))


def test_the_token_in_use_is_the_newest_one() -> None:  # faults: D6
    async def scenario() -> None:
        parts = a_client()
        used: list[str] = []

        def note(asked: Asked) -> object:
            used.append(asked.token)
            return reply({"data": {"balance": 1, "matched_order_balance": 0}})

        parts.http.on("/v4/mm/get_balance", note)  # type: ignore[arg-type]  # noted, then answered
        await parts.gateway.read_balance()
        await parts.clock.sleep(10)
        await parts.session.renewed("t1")
        await parts.gateway.read_balance()
        assert used == ["t1", "t2"]

    run(scenario())
