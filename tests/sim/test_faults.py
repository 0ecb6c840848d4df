"""The bad wire: each fault does what its name says, and a seed replays."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

from mmbot.sim.faults.dice import Dice
from mmbot.sim.faults.faulty_ports import FaultyPorts
from mmbot.sim.faults.plan import (
    FRAME_FAULTS,
    HTTP_FAULTS,
    Fault,
    FaultPlan,
    FaultRule,
    external_ids,
    frame_kind,
    route_kind,
)
from mmbot.sim.virtual.loop import VirtualLoop
from tests.sim.far_end import BODY, PLACE, Exchange, frame, place, received, through


# faults: A1 A2 A5
@pytest.mark.parametrize(
    ("fault", "error", "executions"),
    [
        (Fault.REPLY_RESET, ConnectionResetError, 1),
        (Fault.REPLY_HANGS, TimeoutError, 1),
        (Fault.REQUEST_RESET, ConnectionResetError, 0),
        (Fault.REQUEST_HANGS, TimeoutError, 0),
        (Fault.LANDS_LATE, ConnectionResetError, 1),
    ],
)
def test_a_lost_answer_says_nothing_about_the_order(
    fault: Fault, error: type[Exception], executions: int
) -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        with pytest.raises(error):
            await place(ports)
        await asyncio.sleep(60)
        assert len(far_end.executed) == executions
        assert [entry.fault for entry in ports.injected] == [fault]
        assert "mm-1" in str(ports.injected[0])

    through(story, FaultRule(fault, 1.0))


# faults: A4 A5 A11 D7 D13 D14
@pytest.mark.parametrize(
    ("fault", "path", "status", "word", "executed"),
    [
        (Fault.ERROR_BEFORE, PLACE, 500, "order_", False),
        (Fault.ERROR_AFTER, PLACE, 500, "order_", True),
        (Fault.HTML_BEFORE, PLACE, 502, "<html>", False),
        (Fault.HTML_AFTER, PLACE, 504, "<html>", True),
        (Fault.EMPTY_DATA, PLACE, 200, '{"data": {}}', True),
        (Fault.TOO_MANY, PLACE, 429, "rate_limit_reached", False),
        (Fault.UNAUTHORIZED, PLACE, 401, "unauthorized", False),
        (Fault.MAINTENANCE, PLACE, 403, "err_order_placement_disabled", False),
        (Fault.NO_REPORTS, "/v4/mm/get_order_history?limit=1", 503, "reporting_not", False),
        (Fault.FALSE_ABSENCE, "/v4/mm/get_order/abc", 404, "data_not_found", False),
    ],
)
def test_an_answer_that_did_not_come_from_the_book(
    fault: Fault, path: str, status: int, word: str, executed: bool
) -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        seen = await ports.http_request("POST", path, {}, BODY)
        assert (seen[0], "Date" in seen[1]) == (status, True)
        assert word in seen[2].decode()
        assert bool(far_end.executed) is executed

    through(story, FaultRule(fault, 1.0))


def test_a_truncated_body_is_not_json() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        status, _, body = await place(ports)
        assert status == 200
        with pytest.raises(ValueError):
            json.loads(body)

    through(story, FaultRule(Fault.TRUNCATED, 1.0))


def test_a_slow_request_is_late_at_both_ends() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        await place(ports)
        assert 0 < far_end.executed[0][0] < 3 < loop.time() < 3.1

    through(story, FaultRule(Fault.SLOW, 1.0, delay_s=(3.0, 3.0)))


def test_a_request_that_has_left_is_executed_though_its_caller_gave_up() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        with contextlib.suppress(TimeoutError):
            await place(ports, timeout_s=0.001)
        await asyncio.sleep(1)
        assert len(far_end.executed) == 1
        assert ports.last_placement_ns is not None

    through(story)


# faults: H1
@pytest.mark.parametrize(("fault", "executions"), [(Fault.CRASH_BEFORE, 0), (Fault.CRASH_AFTER, 1)])
def test_a_crash_at_the_wire_kills_the_client_and_resets_its_connections(
    fault: Fault, executions: int
) -> None:
    lived_on: list[str] = []

    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        async def client() -> None:
            await ports.ws_connect("ws://box/app/key")
            try:
                await place(ports)
            finally:
                if not loop.is_closed() and loop.is_running():
                    lived_on.append("finally")

        island = loop.island("daemon")
        island.start(client())
        assert await island.ended() is False
        await asyncio.sleep(30)
        assert len(far_end.executed) == executions
        assert far_end.streams[0].closed
        second = loop.island("daemon again")
        second.start(client())  # the fault has had its one time
        assert await second.ended() is True

    through(story, FaultRule(fault, 1.0, times_max=1))
    assert lived_on == ["finally"]  # of the second life only


def test_a_client_that_died_in_this_step_reaches_no_port() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        island = loop.island("daemon")

        async def client() -> None:
            island.abandon()
            await place(ports)

        island.start(client())
        await asyncio.sleep(30)
        assert ports.requests_sent == 0

    through(story)


def test_what_the_exchange_does_later_does_not_die_with_the_client() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        async def client() -> None:
            stream = await ports.ws_connect("ws://box/app/key")
            await stream.send("hello")
            await place(ports)
            await loop.create_future()

        island = loop.island("daemon")
        island.start(client())
        await asyncio.sleep(0.5)
        island.abandon()
        await asyncio.sleep(2)
        assert len(far_end.afterwards) == 3

    through(story)


def test_every_run_ends_calm() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        with contextlib.suppress(OSError):
            await place(ports)
        await asyncio.sleep(10)
        before = len(ports.injected)
        for _ in range(50):
            assert (await place(ports))[0] == 200
        stream = await ports.ws_connect("ws://box/app/key")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(600):
                await stream.recv()
        assert len(ports.injected) == before == 1

    rules = (FaultRule(fault, 1.0) for fault in Fault if not fault.startswith("crash"))
    through(story, *rules, until_s=10.0)


def test_rules_have_their_own_window_place_and_number() -> None:
    rule = FaultRule(
        Fault.ERROR_BEFORE, 1.0, on=frozenset({"cancel"}), start_s=5, until_s=9, times_max=2
    )
    dice = Dice(FaultPlan(1, (rule,)))
    assert dice.request("cancel", 4.9, False) is None
    assert dice.request("place", 6, False) is None
    assert dice.request("cancel", 6, False) is not None
    assert dice.request("cancel", 9, False) is None
    assert dice.request("cancel", 8, False) is not None
    assert dice.request("cancel", 8, False) is None  # that was the third


def test_a_seed_replays_to_the_nanosecond_and_another_differs() -> None:
    logs: list[list[str]] = []

    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        for _ in range(100):
            with contextlib.suppress(OSError, TimeoutError):
                await place(ports)
        with contextlib.suppress(ConnectionError):
            await received(ports, far_end, "orders", 50, 0.05)
        logs.append([str(entry) for entry in ports.injected])

    for seed in (3, 3, 4):
        rules = (FaultRule(fault, 0.1) for fault in (*HTTP_FAULTS, *FRAME_FAULTS))
        through(story, *(r for r in rules if not r.fault.startswith("crash")), seed=seed)
    assert logs[0] == logs[1] != logs[2]
    assert len(logs[0]) > 20


def test_routes_and_frames_are_told_apart() -> None:
    kinds = {
        "/partner/v4/mm/submit_multiple_orders": "place",
        "/partner/v4/mm/cancel_orders_by_market": "cancel",
        "/partner/auth/refresh": "auth",
        "/partner/v4/mm/get_order/7d1f": "order",
        "/partner/v4/mm/get_order_history?from=1": "report",
        "/partner/v4/mm/get_transactions": "report",
        "/partner/v4/mm/get_balance": "read",
        "/partner/websocket/connection-config": "stream",
        "/partner/v4/mm/websocket": "stream",
        "/_feed/odds": "feed",
        "/_box/record?account=a": "control",
    }
    assert {path: route_kind(path) for path in kinds} == kinds
    assert frame_kind('{"data":"{\\"event\\":\\"orders\\"}","event":"tournament_31"}') == "general"
    assert frame_kind(frame("market_selections", 1)) == "books"
    shared = '{"data":"{\\"change_type\\":\\"market_selections\\"}","event":"tournament_31"}'
    assert frame_kind(shared) == "books"
    assert frame_kind("nonsense") == "general"
    assert external_ids(b'{"data":[{"external_id":"a"},{"external_id":"b"}]}') == ["a", "b"]
