"""The far end of a wire, for tests of the wire itself: executes what arrives, sends frames."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from mmbot.sim.faults.faulty_ports import FaultyPorts, Reply
from mmbot.sim.faults.plan import FaultPlan, FaultRule
from mmbot.sim.virtual.loop import VirtualLoop, run_virtual

PLACE = "/partner/v4/mm/submit_order"
BODY = b'{"external_id":"mm-1","strike_id":"a"}'


class Exchange:
    """The far end of the wire: executes what arrives, sends what it is told to."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.executed: list[tuple[float, bytes]] = []
        self.afterwards: list[float] = []  # what the exchange does by itself later
        self.streams: list[Stream] = []

    async def http(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        await asyncio.sleep(0.01)
        self.loop.call_later(1.0, self.afterwards.append, self.loop.time())
        self.executed.append((self.loop.time(), body))
        return 200, {"Date": "Sun, 22 Nov 2026 15:00:00 GMT"}, b'{"data": {"success": true}}'

    async def ws(self, url: str) -> Stream:
        self.loop.call_later(1.0, self.afterwards.append, -1.0)
        self.streams.append(Stream(self))
        return self.streams[-1]


class Stream:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.frames: asyncio.Queue[str] = asyncio.Queue()
        self.heard: list[str] = []
        self.closed = False

    async def recv(self) -> str:
        return await self.frames.get()

    async def send(self, text: str) -> None:
        self.heard.append(text)
        self.exchange.loop.call_later(1.0, self.exchange.afterwards.append, -2.0)

    async def close(self) -> None:
        self.closed = True


Story = Callable[[VirtualLoop, Exchange, FaultyPorts], Awaitable[None]]


def through(story: Story, *rules: FaultRule, seed: int = 1, until_s: float = 1e9) -> None:
    """Tell a story over a wire with these rules."""

    async def main(loop: VirtualLoop) -> None:
        far_end = Exchange(loop)
        plan = FaultPlan(seed, rules, until_s)
        async with FaultyPorts(far_end.http, far_end.ws, plan, loop.now_ns) as ports:
            await story(loop, far_end, ports)

    run_virtual(main, seed=seed)


async def place(ports: FaultyPorts, timeout_s: float = 12.0) -> Reply:
    async with asyncio.timeout(timeout_s):
        return await ports.http_request("POST", PLACE, {}, BODY)


def frame(event: str, n: int) -> str:
    return json.dumps({"event": event, "data": json.dumps({"n": n})})


def number(text: str) -> int:
    return int(json.loads(json.loads(text)["data"])["n"])


async def received(
    ports: FaultyPorts, far_end: Exchange, event: str, count: int, every_s: float
) -> list[int]:
    stream = await ports.ws_connect("ws://box/app/key")
    got: list[int] = []

    async def read() -> None:
        while True:
            got.append(number(await stream.recv()))

    async with asyncio.TaskGroup() as group:
        reader = group.create_task(read())
        for n in range(count):
            far_end.streams[-1].frames.put_nowait(frame(event, n))
            await asyncio.sleep(every_s)
        await asyncio.sleep(5)
        reader.cancel()
    return got
