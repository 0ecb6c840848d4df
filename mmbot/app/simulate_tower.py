"""The other process of a virtual day, a sentinel with keys and a wire of its own, and the person
who resumes what it has halted."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from pydantic import SecretStr

from mmbot.app.sentinel_process import Post
from mmbot.app.simulate_halts import Halts
from mmbot.app.simulate_keeper import Logbook
from mmbot.app.world import Reach
from mmbot.config import Settings
from mmbot.exchange.http import InMemoryHttp
from mmbot.exchange.ws import InMemoryWs
from mmbot.runtime.clock import LoopClock
from mmbot.sim.faults.faulty_ports import FaultyPorts
from mmbot.sim.faults.plan import FaultPlan
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.virtual.island import Island
from mmbot.sim.virtual.loop import EPOCH_NS, VirtualLoop
from mmbot.sim.witness.lapses import Lapses

PROVEN_MAX_S: Final = 40.0  # then a person looks whether it was proven or not
RESUMES_S: Final = (3.0, 20.0)
LOOKS_S: Final = 1.0
BORN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Sights:
    """What a tower stands beside."""

    box: InMemoryBox
    halts: Halts
    lapses: Lapses
    rng: Random


class Tower:
    """A sentinel is at work, and another one when it dies."""

    def __init__(self, settings: Settings, sights: Sights, loop: VirtualLoop) -> None:
        self.findings: list[str] = []
        self.log = ""  # of all its lives
        self._settings = settings
        self._sights = sights
        self._loop = loop
        self._away_s = BORN_S
        self._relieved = False
        self._island: Island | None = None
        self._latched, self._proven = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Until it is relieved."""
        box = self._sights.box
        settings = await self._with_keys_of_its_own()
        wire = FaultyPorts(box.http_request, box.ws_connect, FaultPlan(0, (), 0.0), box.now_ns)
        wire.taps.append(self._sights.lapses.guard)
        async with wire, asyncio.TaskGroup() as group:
            person = group.create_task(self._person(), name="person")
            while not self._relieved:
                await self._life(settings, wire)
                self._sights.lapses.guard_gone(box.now_ns())
                away_s, self._away_s = self._away_s, BORN_S
                await asyncio.sleep(away_s)
            person.cancel()

    def die(self, away_s: float) -> None:
        """As by kill -9; another one begins after so long."""
        self._away_s = away_s
        if self._island is not None:
            self._island.abandon()

    def relieve(self) -> None:
        """Its day is over; nobody watches any more."""
        self._relieved = True
        self.die(0.0)

    # --- one life ----------------------------------------------------------------------------

    async def _life(self, settings: Settings, wire: FaultyPorts) -> None:
        clock = LoopClock(EPOCH_NS, self._loop)
        log = Logbook(clock, settings.credentials.revealed, self._told)
        http, ws = InMemoryHttp(wire.http_request), InMemoryWs(wire.ws_connect)
        reach = Reach(clock, http, ws, Random(self._sights.rng.getrandbits(64)))
        post = Post(settings, reach, wire.http_request, log.logger("info"))
        island = self._island = self._loop.island("sentinel")
        island.start(post.guard())
        try:
            outcome = await island.outcome()
        finally:
            self._island = None
            island.abandon()
        if outcome is not False:
            self.findings.append(f"I7: the sentinel ended by itself: {outcome}")

    async def _with_keys_of_its_own(self) -> Settings:
        """Another pair of the same account, as its owner makes one in the browser."""
        key = self._settings.credentials.access_key.get_secret_value()
        token = (await self._ask("/_box/web_token", {"access_key": key}))["web_token"]
        made = await self._ask("/partner/auth/keys", {}, f"Bearer {token}")
        pair = {name: SecretStr(made[name]) for name in ("access_key", "secret_key")}
        credentials = self._settings.credentials.model_copy(update=pair)
        return self._settings.model_copy(update={"credentials": credentials})

    async def _ask(self, path: str, asked: dict[str, Any], bearer: str = "") -> dict[str, Any]:
        headers = {"Authorization": bearer} if bearer else {}
        body = json.dumps(asked).encode()
        _, _, answer = await self._sights.box.http_request("POST", path, headers, body)
        told: dict[str, Any] = json.loads(answer)
        found: dict[str, Any] = told.get("data", told)
        return found

    def _told(self, line: str) -> None:
        """A line of the sentinel's log, as it writes it."""
        sights, now_ns, said = self._sights, self._sights.box.now_ns(), json.loads(line)
        sights.halts.watch.told(line)
        self.log += line
        match said["event"]:
            case "SentinelStarted":
                sights.lapses.guard_at_work(now_ns)
            case "SentinelTripped":
                sights.lapses.tripped(said["reason"], now_ns)
                sights.halts.watch.disturbed(now_ns)
                self._proven.clear()
            case "HaltLatched":
                sights.halts.latched()
                self._latched.set()
            case "SentinelVerified":
                sights.lapses.proven(now_ns)
                self._proven.set()
            case _:
                pass

    # --- the person ----------------------------------------------------------------------------

    async def _person(self) -> None:
        """Looks a while after each trip, and resumes a daemon that stands halted."""
        while True:
            await self._latched.wait()
            self._latched.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(PROVEN_MAX_S):
                    await self._proven.wait()
            await asyncio.sleep(self._sights.rng.uniform(*RESUMES_S))
            keeper = self._sights.halts.keeper
            while keeper.latched:
                if keeper.halted:
                    self._sights.halts.resume()
                await asyncio.sleep(LOOKS_S)
