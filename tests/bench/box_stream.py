"""200 stream clients on one box while its market lives: does everybody hear everything, in time?

    python -m tests.bench.box_stream --clients 200 --seconds 30 --json

Every client does the whole handshake over real sockets and subscribes to every event.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any, Final

import aiohttp
import uvloop

from mmbot.sim.scenario import DEMO_ACCESS_KEY, DEMO_SECRET_KEY

READY_TIMEOUT_S: Final = 30.0
REGISTRATIONS_PER_S: Final = 40  # the account may make 50 requests per second
LATE_MS_MAX: Final = 1000.0
ORDERS_PER_BATCH: Final = 20
STRIKE_ID: Final = re.compile(r'"strike_id": "([0-9a-f]{32})"')
_STAMP: Final = re.compile(r'timestamp\\?":(\d{19})')


@dataclass(slots=True)
class Ear:
    """One client and what it heard between the two marks."""

    frames: int = 0
    late_ms: list[float] = field(default_factory=list)
    closed: int | None = None

    def hear(self, text: str) -> None:
        found = _STAMP.search(text)
        if found is None:
            return
        self.frames += 1
        self.late_ms.append((time.time_ns() - int(found[1])) / 1e6)


@dataclass(frozen=True, slots=True)
class Outcome:
    clients: int
    seconds: float
    frames: int
    frames_per_s: float
    frames_each_min: int
    frames_each_max: int
    late_ms_p50: float
    late_ms_p99: float
    clients_lost: int
    box_cpu_share: float
    box_rss_mb: float

    @property
    def held(self) -> bool:
        return (
            self.clients_lost == 0
            and self.frames_each_min > 0
            and self.late_ms_p99 <= (LATE_MS_MAX)
        )


@dataclass(frozen=True, slots=True)
class Plan:
    clients: int
    seconds: float
    orders_per_s: int
    seed: int


class Crowd:
    """All clients of one account."""

    def __init__(self, session: aiohttp.ClientSession, base: str, wanted: int) -> None:
        self._session = session
        self._base = base
        self._wanted = wanted
        self.ears: list[Ear] = []
        self.listening = False
        self.all_here = asyncio.Event()

    async def call(self, method: str, path: str, body: object = None) -> Any:
        async with self._session.request(method, self._base + path, json=body) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def log_in(self) -> tuple[str, list[str]]:
        """The address of the stream, and the ids of all events."""
        keys = {"access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}
        token = (await self.call("POST", "/auth/login", keys))["data"]["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        config = await self.call("GET", "/websocket/connection-config")
        events = await self.call("GET", "/mm/get_sport_events")
        url = f"ws://{config['ws_host']}/app/{config['key']}?protocol=7&client=bench&version=1.0"
        return url, [str(one["event_id"]) for one in events["data"]["sport_events"]]

    async def listen(self, url: str, events: list[str], at_s: float) -> None:
        """One client from its connection to the end."""
        await asyncio.sleep(at_s)
        ear = Ear()
        async with self._session.ws_connect(url) as stream:
            hello = json.loads((await stream.receive_json())["data"])
            wish = [{"type": "event", "ids": events}]
            body = {"socket_id": hello["socket_id"], "subscriptions": wish}
            answer = await self.call("POST", "/v4/mm/websocket", body)
            await stream.send_json(
                {"event": "pusher:signin", "data": answer["data"]["authenticated"]}
            )
            for one in answer["data"]["authorized_channel"]:
                data = {"channel": one["channel_name"], "auth": one["auth"]}
                await stream.send_json({"event": "pusher:subscribe", "data": data})
            self.ears.append(ear)
            if len(self.ears) >= self._wanted:
                self.all_here.set()
            async for frame in stream:
                if self.listening and frame.type is aiohttp.WSMsgType.TEXT:
                    ear.hear(frame.data)
            ear.closed = stream.close_code

    async def trade(self, event_id: str, orders_per_s: int) -> None:
        """A maker of the same account: everybody hears of each of its orders, twice."""
        if not orders_per_s:
            return
        answer = await self.call("GET", f"/v4/mm/get_markets?event_id={event_id}")
        strikes = list(dict.fromkeys(STRIKE_ID.findall(json.dumps(answer))))
        run_id = time.time_ns()
        for n in count():
            orders = [
                {
                    "external_id": f"b{run_id}-{n}-{i}",
                    "strike_id": strikes[i % len(strikes)],
                    "price": 900 + 20 * (i % 5),
                    "quantity": 5.0,
                }
                for i in range(min(orders_per_s, ORDERS_PER_BATCH))
            ]
            await self.call("POST", "/v4/mm/submit_multiple_orders", {"data": orders})
            await asyncio.sleep(len(orders) / orders_per_s)
            if n % 5 == 4:
                body = {"event_id": int(event_id)}
                await self.call("POST", "/v4/mm/cancel_orders_by_event", body)


async def run(plan: Plan) -> Outcome:
    """Start a box as a process of its own, listen for a while, and count."""
    clients = plan.clients
    box = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "mmbot.sim", "--port", "0", "--seed", str(plan.seed)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert box.stdout is not None
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            ready = json.loads(await box.stdout.readline())
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            crowd = Crowd(session, ready["base_url"], clients)
            return await _measured(crowd, plan, box.pid)
    finally:
        box.terminate()
        await box.wait()


async def _measured(crowd: Crowd, plan: Plan, pid: int) -> Outcome:
    clients, seconds, orders_per_s = plan.clients, plan.seconds, plan.orders_per_s
    url, events = await crowd.log_in()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(crowd.listen(url, events, 1 + n / REGISTRATIONS_PER_S))
            for n in range(clients)
        ]
        async with asyncio.timeout(READY_TIMEOUT_S + clients / REGISTRATIONS_PER_S):
            await crowd.all_here.wait()
        tasks.append(group.create_task(crowd.trade(events[0], orders_per_s)))
        await asyncio.sleep(1)
        cpu, began = _cpu_s(pid), time.monotonic()
        crowd.listening = True
        await asyncio.sleep(seconds)
        crowd.listening = False
        lasted, used = time.monotonic() - began, _cpu_s(pid) - cpu
        lost = sum(ear.closed is not None for ear in crowd.ears)
        rss = _rss_mb(pid)
        for task in tasks:
            task.cancel()
    late = sorted(ms for ear in crowd.ears for ms in ear.late_ms)
    counts = [ear.frames for ear in crowd.ears]
    return Outcome(
        clients=clients,
        seconds=round(lasted, 1),
        frames=sum(counts),
        frames_per_s=round(sum(counts) / lasted, 1),
        frames_each_min=min(counts),
        frames_each_max=max(counts),
        late_ms_p50=round(statistics.median(late), 1) if late else 0.0,
        late_ms_p99=round(late[int(len(late) * 0.99)], 1) if late else 0.0,
        clients_lost=lost,
        box_cpu_share=round(used / lasted, 2),
        box_rss_mb=rss,
    )


def _cpu_s(pid: int) -> float:
    """Processor time of a process; nothing where the system has no /proc."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
    except OSError:
        return 0.0
    return round(pages * resource.getpagesize() / 1e6, 1)


def main(argv: list[str] | None = None) -> int:
    """0 when every client stayed, heard something, and in time."""
    parser = argparse.ArgumentParser(prog="box_stream", description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--orders-per-s", type=int, default=20, help="of a maker, beside")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    plan = Plan(given.clients, given.seconds, given.orders_per_s, given.seed)
    outcome = uvloop.run(run(plan))  # the crowd should not be what is slow
    if given.json:
        print(json.dumps(asdict(outcome) | {"held": outcome.held}))
    else:
        print(
            f"{outcome.clients} stream clients for {outcome.seconds} s: "
            f"{outcome.frames_per_s:.0f} frames/s, each heard {outcome.frames_each_min} to "
            f"{outcome.frames_each_max}; late p50 {outcome.late_ms_p50} ms, "
            f"p99 {outcome.late_ms_p99} ms; {outcome.clients_lost} lost; "
            f"box {outcome.box_cpu_share:.0%} of a core, {outcome.box_rss_mb} MB"
        )
        if not outcome.held:
            print(f"not held: nobody lost, p99 <= {LATE_MS_MAX} ms", file=sys.stderr)
    return 0 if outcome.held else 1


if __name__ == "__main__":
    sys.exit(main())
