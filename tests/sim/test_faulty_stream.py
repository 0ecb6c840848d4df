"""The bad wire, stream side: each fault does what its name says."""

from __future__ import annotations

import asyncio

import pytest

from mmbot.sim.faults.faulty_ports import FaultyPorts
from mmbot.sim.faults.faulty_stream import InjectedClose
from mmbot.sim.faults.plan import Fault, FaultRule
from mmbot.sim.virtual.loop import VirtualLoop
from tests.sim.far_end import Exchange, frame, number, received, through


# faults: A9
def test_copied_frames_come_two_to_five_times_and_lose_nothing() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        got = await received(ports, far_end, "orders", 50, 0.05)
        counts = [got.count(n) for n in range(50)]
        assert set(counts) == {2, 3, 4, 5}

    through(story, FaultRule(Fault.FRAME_COPIED, 1.0))


# faults: A8
def test_a_swapped_frame_is_overtaken_by_the_next_one_only() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        got = await received(ports, far_end, "orders", 100, 0.01)
        assert sorted(got) == list(range(100))
        assert got != sorted(got)
        assert all(abs(place - n) <= 1 for place, n in enumerate(got))

    through(story, FaultRule(Fault.FRAME_SWAPPED, 0.2))


def test_a_swapped_frame_that_nothing_follows_comes_after_200_ms() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        stream = await ports.ws_connect("ws://box/app/key")
        far_end.streams[-1].frames.put_nowait(frame("orders", 7))
        assert number(await stream.recv()) == 7
        assert loop.time() == pytest.approx(0.2, abs=1e-3)

    through(story, FaultRule(Fault.FRAME_SWAPPED, 1.0))


def test_a_late_frame_holds_up_all_behind_it_and_keeps_the_order() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        assert await received(ports, far_end, "orders", 100, 0.01) == list(range(100))
        assert len(ports.injected) > 5

    through(story, FaultRule(Fault.FRAME_LATE, 0.2))


# faults: A16
def test_only_private_order_messages_are_lost_unless_told_otherwise() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        assert await received(ports, far_end, "orders", 20, 0.01) == []
        assert await received(ports, far_end, "market_selections", 20, 0.01) == list(range(20))
        assert await received(ports, far_end, "pusher:pong", 20, 0.01) == list(range(20))

    through(story, FaultRule(Fault.FRAME_LOST, 1.0))


# faults: E14
def test_a_disconnect_closes_both_ends_with_a_code() -> None:
    codes: set[int] = set()

    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        stream = await ports.ws_connect("ws://box/app/key")
        await stream.send("hello")
        with pytest.raises(ConnectionError) as closed:
            await stream.recv()
        assert isinstance(closed.value, InjectedClose)
        codes.add(closed.value.code)
        with pytest.raises(ConnectionError):
            await stream.send("anyone?")
        await asyncio.sleep(1)
        assert far_end.streams[0].closed
        assert far_end.streams[0].heard == ["hello"]

    for seed in range(12):
        through(story, FaultRule(Fault.DISCONNECT, 60.0), seed=seed)
    assert codes == {1006, 4100, 4200}


# faults: E1
def test_a_silent_connection_still_answers_pings() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        stream = await ports.ws_connect("ws://box/app/key")
        await asyncio.sleep(30)
        assert ports.injected
        for event, n in (("health_check", 1), ("orders", 2), ("pusher:pong", 3)):
            far_end.streams[0].frames.put_nowait(frame(event, n))
        assert number(await stream.recv()) == 3

    through(story, FaultRule(Fault.SILENCE, 60.0, delay_s=(100, 100)))


def test_a_connection_is_refused_as_often_as_planned() -> None:
    async def story(loop: VirtualLoop, far_end: Exchange, ports: FaultyPorts) -> None:
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                await ports.ws_connect("ws://box/app/key")
        await ports.ws_connect("ws://box/app/key")
        await asyncio.sleep(0.1)

    through(story, FaultRule(Fault.CONNECT_REFUSED, 1.0, times_max=2))
