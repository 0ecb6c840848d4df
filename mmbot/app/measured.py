"""Measurements of the running process: requests as they are sent, and how late its loop is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mmbot.exchange.http import HttpPort, HttpReply
from mmbot.exchange.order_wire import Cleared
from mmbot.ops.metrics import Metrics
from mmbot.runtime.clock import NS_PER_S, Clock

LAG_EVERY_S: Final = 0.5
ID_CHARS_MIN: Final = 20  # a last path element this long is an id, and no label


class MeasuredHttp:
    def __init__(self, port: HttpPort, metrics: Metrics, clock: Clock) -> None:
        self._port = port
        self._metrics = metrics
        self._clock = clock

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        timeout_s: float,
        cleared: Cleared | None = None,
    ) -> HttpReply:
        status: int | None = None  # stays so when no answer comes
        began_ns = self._clock.monotonic_ns()
        try:
            reply = await self._port.request(method, path, headers, body, timeout_s, cleared)
            status = reply.status
            return reply
        finally:
            took_s = (self._clock.monotonic_ns() - began_ns) / NS_PER_S
            self._metrics.observe_request(route_of(path), status, took_s)


def route_of(path: str) -> str:
    """`/v4/mm/get_order/7d1f...?x=1` -> `get_order`."""
    parts = path.partition("?")[0].rstrip("/").split("/")
    return parts[-2] if len(parts) > 1 and len(parts[-1]) >= ID_CHARS_MIN else parts[-1]


async def measure_lag(clock: Clock, metrics: Metrics) -> None:
    """Service: how late the event loop runs a timer."""
    while True:
        before_ns = clock.monotonic_ns()
        await clock.sleep(LAG_EVERY_S)
        late_ns = clock.monotonic_ns() - before_ns - LAG_EVERY_S * NS_PER_S
        metrics.observe_loop_lag(late_ns / NS_PER_S)
