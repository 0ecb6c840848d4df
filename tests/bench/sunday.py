"""`sunday` at ten times speed on real sockets: does the box stay the same size for half an hour?

The box runs as its own process. Beside it one client listens to every game on the stream and
places and cancels a batch of orders every two seconds, as a small maker would.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import aiohttp

from mmbot.sim.scenario import DEMO_ACCESS_KEY, DEMO_SECRET_KEY

ROOT: Final = Path(__file__).parents[2]
READY_MAX_S: Final = 30.0
CALL_TIMEOUT_S: Final = 60.0
SAMPLE_S: Final = 5.0
ORDERS_EVERY_S: Final = 2.0
BATCH_ORDERS: Final = 10
CANCELS_MAX: Final = 20
AGAIN: Final = (409, 425)  # refusals of a cancel that hold for a few seconds
RENEW_S: Final = 300.0
# the first minutes fill books, caches and the diary's rings, which all have a largest size
WARM_UP_S: Final = 300.0
JUDGED_FROM_S: Final = 480.0
GROWTH_MAX_SHARE: Final = 0.05
PAGE_KIB: Final = os.sysconf("SC_PAGE_SIZE") // 1024
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    at_s: float
    rss_mib: float
    cpu_s: float


@dataclass(slots=True)
class Seen:
    """What the client saw: a box that does nothing is flat as well."""

    frames: int = 0
    orders: int = 0
    refused: int = 0
    reconnects: int = 0
    failed_calls: int = 0  # a machine that stood still for a while is not the box's fault
    state: dict[str, Any] = field(default_factory=dict)


def sample(pid: int, started: float) -> Sample:
    """Memory and processor time of a process, from /proc."""
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / TICKS_PER_S
    return Sample(time.monotonic() - started, resident * PAGE_KIB / 1024, cpu_s)


def growth(samples: Sequence[Sample]) -> tuple[float, float]:
    """MiB per hour after the warm-up (least squares), and the share that the rest grew by."""
    warm = [one for one in samples if one.at_s >= WARM_UP_S]
    if len(warm) < 2:
        return 0.0, 0.0
    slope, _ = statistics.linear_regression(
        [one.at_s for one in warm], [one.rss_mib for one in warm]
    )
    span_s = warm[-1].at_s - warm[0].at_s
    return slope * 3600, slope * span_s / warm[0].rss_mib


def stood_still_s(samples: Sequence[Sample]) -> float:
    """How long the machine, or whoever paused us, kept everything from running."""
    gaps = (later.at_s - one.at_s for one, later in pairwise(samples))
    return sum(gap - SAMPLE_S for gap in gaps if gap > 2 * SAMPLE_S)


class Client:
    """Listens to everything and keeps a few orders in the books."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, seen: Seen) -> None:
        self._session = session
        self._base_url = base_url
        self._box_url = base_url.removesuffix("/partner")
        self._seen = seen
        self._token = ""
        self._number = 0
        self._strikes: list[str] = []
        self._resting: list[dict[str, str]] = []

    async def _call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        url = self._base_url + path
        async with self._session.request(method, url, json=body, headers=headers) as reply:
            return reply.status, await reply.json(content_type=None)

    async def log_in(self) -> None:
        keys = {"access_key": DEMO_ACCESS_KEY, "secret_key": DEMO_SECRET_KEY}
        status, answer = await self._call("POST", "/auth/login", keys)
        if status == 200:
            self._token = answer["data"]["access_token"]

    async def listen(self) -> None:
        """Read every frame; connect again when the box closes the socket."""
        while True:
            async with self._session.ws_connect(await self._stream_url()) as socket:
                await self._subscribe(socket)
                async for frame in socket:
                    self._seen.frames += 1
                    if '"pusher:ping"' in str(frame.data):
                        await socket.send_str('{"event":"pusher:pong","data":{}}')
            self._seen.reconnects += 1

    async def _stream_url(self) -> str:
        _, config = await self._call("GET", "/websocket/connection-config")
        return f"{self._box_url}/app/{config['key']}?protocol=7"

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        hello = json.loads((await socket.receive()).data)
        _, state = await self._state()
        events = [str(event["event_id"]) for event in state["events"]]
        self._strikes = [
            strike["strike_id"] for line in state["lines"] for strike in line["strikes"]
        ]
        wish = {
            "socket_id": json.loads(hello["data"])["socket_id"],
            "subscriptions": [{"type": "event", "ids": events}],
        }
        _, answer = await self._call("POST", "/v4/mm/websocket", wish)
        await _say(socket, "pusher:signin", answer["data"]["authenticated"])
        for channel in answer["data"]["authorized_channel"]:
            data = {"channel": channel["channel_name"], "auth": channel["auth"]}
            await _say(socket, "pusher:subscribe", data)

    async def _state(self) -> tuple[int, Any]:
        async with self._session.get(f"{self._box_url}/_box/state") as reply:
            return reply.status, await reply.json()

    async def trade(self) -> None:
        """A batch at far prices every two seconds; each order is cancelled until it is gone."""
        renewed = time.monotonic()
        while True:
            if time.monotonic() - renewed > RENEW_S:
                await self.log_in()
                renewed = time.monotonic()
            self._resting += await self._place()
            await asyncio.sleep(ORDERS_EVERY_S)
            # in play an order can only be cancelled some seconds after it was placed
            await self._cancel(self._resting[:CANCELS_MAX])

    async def _cancel(self, orders: list[dict[str, str]]) -> None:
        """What is refused for now comes up again, behind the others."""
        if not orders:
            return
        body = {"data": orders}
        status, answer = await self._call("POST", "/v4/mm/cancel_multiple_orders", body)
        if status == 200:
            del self._resting[: len(orders)]
            rows = zip(orders, answer["data"], strict=True)
            self._resting += [one for one, row in rows if row.get("statusCode") in AGAIN]

    async def again(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it for ever, whatever becomes of a call or a socket."""
        while True:
            try:
                await work()
            except (TimeoutError, aiohttp.ClientError):
                self._seen.failed_calls += 1
                await asyncio.sleep(ORDERS_EVERY_S)

    async def _place(self) -> list[dict[str, str]]:
        rows = []
        for _ in range(BATCH_ORDERS if self._strikes else 0):
            self._number += 1
            rows.append(
                {
                    "external_id": f"sunday-{os.getpid()}-{self._number}",
                    "strike_id": self._strikes[self._number * 37 % len(self._strikes)],
                    "price": 900,
                    "quantity": 5.0,
                }
            )
        if not rows:
            return []
        status, answer = await self._call("POST", "/v4/mm/submit_multiple_orders", {"data": rows})
        data = answer.get("data", {}) if status == 200 else {}
        orders = data.get("succeed_orders") or []
        self._seen.orders += len(orders)
        self._seen.refused += len(rows) - len(orders)
        return [
            {"order_id": str(one["order_id"]), "external_id": one["external_id"]} for one in orders
        ]

    async def finish(self) -> None:
        _, self._seen.state = await self._state()


async def _say(socket: aiohttp.ClientWebSocketResponse, event: str, data: object) -> None:
    await socket.send_str(json.dumps({"event": event, "data": data}))


async def watch(pid: int, base_url: str, minutes: float) -> tuple[list[Sample], Seen]:
    samples: list[Sample] = []
    seen = Seen()
    started = time.monotonic()
    timeout = aiohttp.ClientTimeout(total=CALL_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        client = Client(session, base_url, seen)
        await client.log_in()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(client.again(work)) for work in (client.listen, client.trade)
            ]
            while time.monotonic() - started < minutes * 60:
                samples.append(sample(pid, started))
                await asyncio.sleep(min(SAMPLE_S, minutes * 6))
            samples.append(sample(pid, started))
            for task in tasks:
                task.cancel()
        await client.finish()
    return samples, seen


def run(minutes: float, speed: float, seed: int) -> dict[str, Any]:
    command = [
        sys.executable, "-m", "mmbot.sim", "--port", "0", "--scenario", "sunday",
        "--speed", f"{speed:g}", "--seed", str(seed), "--latency", "loopback",
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as box:
        try:
            assert box.stdout is not None
            ready = json.loads(box.stdout.readline() or "{}")
            if not ready:
                raise SystemExit("sunday: the box did not start")
            samples, seen = asyncio.run(watch(box.pid, str(ready["base_url"]), minutes))
        finally:
            box.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                box.wait(READY_MAX_S)
            box.kill()
    return _report(samples, seen, speed)


def _report(samples: list[Sample], seen: Seen, speed: float) -> dict[str, Any]:
    mib_per_h, share = growth(samples)
    cpu_s = samples[-1].cpu_s - samples[0].cpu_s
    wall_s = samples[-1].at_s - samples[0].at_s
    trades = seen.state.get("trades", [])
    fills = int(str(trades[0].get("fill_id", "0")).rpartition("-")[2]) if trades else 0
    failures = []
    if wall_s >= JUDGED_FROM_S and share > GROWTH_MAX_SHARE:
        failures.append(f"memory grew by {share:.1%} after the warm-up")
    if not seen.frames or not seen.orders:
        failures.append("the client saw no frame or placed no order")
    return {
        "minutes": round(wall_s / 60, 2),
        "stood_still_s": round(stood_still_s(samples), 1),
        "speed": speed,
        "latency_profile": "loopback",
        "rss_mib": [round(one.rss_mib, 1) for one in samples],
        "rss_mib_per_h": round(mib_per_h, 1),
        "rss_growth_share": round(share, 4),
        "judged": wall_s >= JUDGED_FROM_S,
        "cpu_s_per_wall_s": round(cpu_s / wall_s, 3),
        "cpu_s_per_simulated_s": round(cpu_s / wall_s / speed, 4),
        "frames": seen.frames,
        "orders": seen.orders,
        "orders_refused": seen.refused,
        "fills": fills,
        "reconnects": seen.reconnects,
        "failed_calls": seen.failed_calls,
        "failures": failures,
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.sunday", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    report = run(given.minutes, given.speed, given.seed)
    if given.json:
        print(json.dumps(report))
        return 1 if report["failures"] else 0
    curve = report["rss_mib"]
    step = max(1, len(curve) // 24)
    print(f"sunday at {report['speed']:g}x for {report['minutes']:g} min, profile loopback")
    print("RSS MiB:", " ".join(f"{one:.0f}" for one in curve[::step]))
    verdict = (
        f"after {WARM_UP_S / 60:g} min {report['rss_growth_share']:+.1%} "
        f"({report['rss_mib_per_h']:+.1f} MiB/h)"
        if report["judged"]
        else f"too short to judge memory (from {JUDGED_FROM_S / 60:g} min on)"
    )
    print(
        f"{verdict}; CPU {report['cpu_s_per_wall_s']:.2f} s per second, "
        f"{report['cpu_s_per_simulated_s']:.4f} s per simulated second"
    )
    print(
        f"stream frames {report['frames']:,}, orders {report['orders']:,} "
        f"(+{report['orders_refused']:,} refused), reconnects {report['reconnects']}, "
        f"failed calls {report['failed_calls']}, stood still {report['stood_still_s']:g} s"
    )
    for failure in report["failures"]:
        print(f"FAILED: {failure}")
    return 1 if report["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
