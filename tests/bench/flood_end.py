"""The far end of a flood: the stand-in with many lines, and frames that leave by the clock.

`python -m tests.bench.flood_end CHANNELS STRIKES` prints its port. `POST /_bench/flood` with a
`FloodPlan` answers when the flood is over. Frame n is due n periods after the first, whatever
became of the ones before, so lateness is never forgiven; each is made before the flood begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.bench import listing, wire
from tests.bench.flood_listing import Flood, frames, markets
from tests.bench.standin import Connection, StandIn, keep_healthy, listen

BEGINS: Final = "flood_begins"
ENDS: Final = "flood_ends"
LEAD_NS: Final = 200_000_000
TICK_S: Final = 0.001
BACKLOG_BYTES_MAX: Final = 256 * 1024 * 1024  # of a receiver that does not keep up
PAUSE_BYTES: Final = 1024 * 1024  # unpaced: no more than this waits to be written


@dataclass(frozen=True, slots=True)
class FloodPlan:
    customer: str
    seconds: float
    per_s: float = 5_000.0
    seed: int = 7
    paced: bool = True  # else as fast as the receiver takes them


@dataclass(frozen=True, slots=True)
class Sent:
    """What the far end did: how far behind its own timetable it wrote, at the most."""

    frames: int
    seconds: float
    late_ms_max: float
    cpu_share: float
    gave_up: bool


class FloodEnd(StandIn):
    """Every line of the flood, one channel for each event."""

    def __init__(self, flood: Flood) -> None:
        super().__init__()
        self.flood = flood
        self.floods: asyncio.Queue[tuple[Connection, FloodPlan]] = asyncio.Queue()

    def answer(self, connection: Connection, request: wire.Request, read_ns: int) -> None:
        if request.path == "/_bench/flood":
            self.floods.put_nowait((connection, FloodPlan(**json.loads(request.body))))
        else:
            super().answer(connection, request, read_ns)

    def _registered(self) -> dict[str, Any]:
        return listing.registration_body(self.flood.events)

    def _sport_events(self, start: str) -> dict[str, Any]:
        return listing.sport_events_body(start, self.flood.events)

    def _markets(self, customer: object, query: dict[str, list[str]]) -> dict[str, Any]:
        asked = iter(int(ident) for ident in query["event_ids"][0].split(","))
        return markets(self.flood, asked, time.time_ns())

    def _subscribed(self, connection: Connection, channel: str) -> None:
        super()._subscribed(connection, channel)
        last = f"{listing.EVENT_CHANNELS}{self.flood.events[-1]}"
        if channel == last and connection.customer is not None:
            connection.customer.stream = connection

    def ring(self, seed: int) -> list[bytes]:
        """Every image of every line as it goes over the wire."""
        lines = (n for _ in range(self.flood.images) for n in range(self.flood.lines))
        return [wire.frame(text) for text in frames(self.flood, lines, seed, time.time_ns())]


async def pour(stream: Connection, ring: list[bytes], plan: FloodPlan) -> Sent:
    """Write the frames when they are due."""
    transport = stream.transport
    began_ns = time.monotonic_ns() + LEAD_NS
    period_ns = 1e9 / plan.per_s
    stream.send(_word(BEGINS, {"at_ns": began_ns, "period_ns": period_ns}))
    total = round(plan.seconds * plan.per_s)
    sent, late_ns, cpu_s, gave_up = 0, 0.0, time.process_time(), False
    while sent < total and not gave_up:
        await asyncio.sleep(TICK_S)
        now_ns = time.monotonic_ns()
        if plan.paced:
            due = min(total, int((now_ns - began_ns) / period_ns) + 1)
            late_ns = max(late_ns, now_ns - began_ns - sent * period_ns)
        else:
            due = sent + max(0, PAUSE_BYTES - transport.get_write_buffer_size()) // len(ring[0])
            if now_ns - began_ns > plan.seconds * 1e9:
                break
        if due > sent:
            stream.write(b"".join(ring[n % len(ring)] for n in range(sent, due)))
            sent = due
        gave_up = transport.get_write_buffer_size() > BACKLOG_BYTES_MAX
    stream.send(_word(ENDS, {}))
    seconds = (time.monotonic_ns() - began_ns) / 1e9
    share = (time.process_time() - cpu_s) / seconds
    return Sent(sent, round(seconds, 2), round(late_ns / 1e6, 2), round(share, 3), gave_up)


def _word(event: str, data: dict[str, float]) -> bytes:
    return json.dumps({"event": event, "channel": "", "data": data}).encode()


async def _serve(flood: Flood) -> None:
    exchange = FloodEnd(flood)
    ring = exchange.ring(seed=7)
    print(*await listen(exchange, [None]), flush=True)
    async with asyncio.TaskGroup() as group:
        group.create_task(keep_healthy(exchange), name="health checks")
        while True:
            connection, plan = await exchange.floods.get()
            stream = exchange.customers[plan.customer].stream
            assert stream is not None, f"{plan.customer} is not connected"
            connection.reply(asdict(await pour(stream, ring, plan)))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(Flood(*map(int, sys.argv[1:]))))
