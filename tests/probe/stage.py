"""A probe beside a box, on the virtual clock or over sockets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Any

from mmbot.exchange.http import HttpSettings, InMemoryHttp, LiveHttp
from mmbot.exchange.tokens import Credentials
from mmbot.exchange.ws import InMemoryWs, LiveWs
from mmbot.probe.allowance import Limits
from mmbot.probe.run import Outcome, Probe, ProbePorts
from mmbot.runtime.clock import LoopClock, SystemClock
from mmbot.sim.box import Box
from mmbot.sim.http.server import serve
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.virtual.loop import EPOCH_NS, LoopLimits, VirtualLoop, run_virtual

BASE_URL = "http://127.0.0.1:1/partner"
READY_TIMEOUT_S = 10.0


@dataclass(slots=True)
class Seen:
    """What a run left behind: its outcome and the box that it asked."""

    outcome: Outcome
    box: Box


def keys_of(options: BoxOptions) -> Credentials:
    return Credentials(options.access_key, options.secret_key)


def probed(
    options: BoxOptions, limits: Limits | None = None, seed: int = 1, dialect: str = "v4"
) -> Seen:
    """One run on the virtual clock."""
    seen: list[Seen] = []

    async def play(loop: VirtualLoop) -> None:
        box = InMemoryBox(options, EPOCH_NS)
        ports = ProbePorts(
            InMemoryHttp(box.http_request),
            InMemoryWs(box.ws_connect),
            LoopClock(EPOCH_NS, loop),
            Random(seed).random,
        )
        probe = Probe(BASE_URL, keys_of(options), ports, limits or Limits(), dialect)
        seen.append(Seen(await probe.run(), box.box))
        box.stop()

    run_virtual(play, seed=seed, limits=LoopLimits(horizon_s=1_200.0))
    return seen[0]


async def probed_live(options: BoxOptions, seed: int = 1) -> Outcome:
    """One run over loopback sockets against a box that serves in this process."""
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    outcome: list[Any] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(options, port.set_result, stop))
        async with asyncio.timeout(READY_TIMEOUT_S):
            base_url = f"http://127.0.0.1:{await port}/partner"
        http = LiveHttp(HttpSettings(base_url), frozenset())
        try:
            ports = ProbePorts(http, LiveWs(), SystemClock(), Random(seed).random)
            probe = Probe(base_url, keys_of(options), ports, Limits())
            outcome.append(await probe.run())
        finally:
            await http.close()
            stop.set()
    found: Outcome = outcome[0]
    return found
