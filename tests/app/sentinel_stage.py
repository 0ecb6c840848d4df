"""A real sentinel beside the exchange in the box on the virtual clock; its daemon is a file."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

import structlog

from mmbot.app.demo_config import DemoPlaces, write_config
from mmbot.app.sentinel import Trip
from mmbot.app.sentinel_process import Post
from mmbot.app.world import Reach
from mmbot.config import load
from mmbot.exchange.http import InMemoryHttp
from mmbot.exchange.ws import InMemoryWs
from mmbot.runtime.clock import LoopClock
from mmbot.runtime.supervisor import Service
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.scenario import BoxOptions, with_table
from mmbot.sim.virtual.loop import EPOCH_NS, VirtualLoop, run_virtual
from mmbot.store.latch import HaltLatch
from mmbot.store.lease import Lease, daemon_lease

STILL: Final[dict[str, Any]] = {
    "latency_profile": "loopback",
    "start_after_s": 86_400,
    "takers": {"on": False},
    "rival": {"on": False},
    "drift": {"sd_per_sqrt_s": 0.0, "step_ms": 5_000},
    "events": {"count": 2, "lines": 4},
}
NS: Final = 1_000_000_000


class Stage:
    """Steers the box and plays the daemon."""

    def __init__(self, box: InMemoryBox, folder: Path) -> None:
        self.box = box
        self.folder = folder
        self.latch = HaltLatch(folder)
        self.latch.prepare()
        self.beating = Lease("run", 1, 0)
        self.logged: list[str] = []
        self.said: list[Any] = []
        self.asked: list[tuple[int, str]] = []  # when, and the last word of its path
        self.blocked = False  # the sentinel's way to the exchange is cut
        self.no_mass_cancel = False
        self.post: Post

    async def http(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        self.asked.append((self.box.now_ns(), path.partition("?")[0].rsplit("/", 1)[1]))
        if self.blocked:
            raise ConnectionRefusedError("cut")
        if self.no_mass_cancel and "cancel_all" in path:
            return 404, {}, b"404 page not found"
        return await self.box.http_request(method, path, headers, body)

    async def do(self, action: str, **given: Any) -> None:
        body = json.dumps({"action": action, **given}).encode()
        status, _, answer = await self.box.http_request("POST", "/_box/do", {}, body)
        assert status == 200, answer

    async def faults(self, *rules: Mapping[str, Any]) -> None:
        said = json.dumps(rules).encode()
        status, _, answer = await self.box.http_request("POST", "/_box/faults", {}, said)
        assert status == 200, answer

    async def place(self, orders: int = 1) -> None:
        for _ in range(orders):
            await self.do("place", event=1, line=1, side=0, price=200, usd=2, account="maker")

    async def beats(self, seconds: float, **changed: Any) -> None:
        """The daemon's engine turns for so long."""
        for _ in range(round(seconds)):
            beat = self.beating.beat + 1
            self.beating = replace(self.beating, beat=beat, **changed)
            daemon_lease(self.folder).renew(self.beating)
            await asyncio.sleep(1)

    @property
    def resting(self) -> int:
        found = self.box.box.record.summary(self.box.box.maker, self.box.now_ns())
        return len([one for one in dict[str, Any](found)["orders"] if one["open_cents"]])

    def tripped(self) -> bool:
        return self.post.sentinel.trip is not None

    @property
    def trip(self) -> Trip:
        trip = self.post.sentinel.trip
        assert trip is not None
        return trip

    def count(self, word: str) -> int:
        return sum(word in path for _, path in self.asked)

    def note(self, logger: object, method: str, event: Any) -> Any:
        self.logged.append(event["event"])
        self.said.append(event)
        raise structlog.DropEvent


async def _run(service: Service) -> None:
    await service.run()


def sentinel(
    scenario: Callable[[Stage], Awaitable[None]], scope: str = "account", dialect: str = "v4",
    **box: Any,
) -> None:  # fmt: skip
    """Play the scenario beside a sentinel that has just begun."""

    async def play(loop: VirtualLoop) -> None:
        with tempfile.TemporaryDirectory(prefix="mmbot-sentinel-") as name:
            folder = Path(name)
            options = with_table(BoxOptions(seed=7), STILL | box)
            stage = Stage(InMemoryBox(options, EPOCH_NS), folder)
            places = DemoPlaces("http://127.0.0.1:1/partner", 1, folder)
            keys = {"MMBOT_ACCESS_KEY": options.access_key, "MMBOT_SECRET_KEY": options.secret_key}
            settings = load(write_config(places, dialect), keys)
            settings = settings.model_copy(update={"halt_scope": scope})
            http, ws = InMemoryHttp(stage.http), InMemoryWs(stage.box.ws_connect)
            reach = Reach(LoopClock(EPOCH_NS, loop), http, ws, Random(7))
            logger = structlog.wrap_logger(None, processors=[stage.note])
            stage.post = Post(settings, reach, stage.http, logger)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(_run(one)) for one in stage.post.services()]
                await scenario(stage)
                for task in tasks:
                    task.cancel()
            stage.box.stop()

    run_virtual(play, seed=7)
