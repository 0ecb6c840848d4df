"""A market that stands still around a real daemon: every gap in its quotes was made by itself."""

from __future__ import annotations

import asyncio
import json
import tempfile
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import structlog

from mmbot.app.daemon import Daemon
from mmbot.app.demo_config import DemoPlaces, to_toml, write_config
from mmbot.app.simulate_plan import FEED_EVERY_S
from mmbot.app.simulate_settings import BASE_URL
from mmbot.app.world import World
from mmbot.config import Settings, load
from mmbot.domain.entries import Entry
from mmbot.exchange.http import InMemoryHttp
from mmbot.exchange.ws import InMemoryWs
from mmbot.ops.metrics import Metrics
from mmbot.ops.notify import Notifier
from mmbot.runtime.clock import LoopClock
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.scenario import BoxOptions, with_table
from mmbot.sim.virtual.island import Island
from mmbot.sim.virtual.loop import EPOCH_NS, VirtualLoop, run_virtual
from mmbot.store import tables
from mmbot.store.journal import Journal, read_entries

STILL: Final[dict[str, Any]] = {
    "latency_profile": "loopback",
    "start_after_s": 86_400,
    "takers": {"on": False},
    "rival": {"on": False},
    "drift": {"sd_per_sqrt_s": 0.0, "step_ms": 5_000},
    "events": {"count": 4, "lines": 8},
    "feed": {"noise_sd": 0.0, "refresh_s": FEED_EVERY_S},
}
CONFIG_POLL_S: Final = 10.0
STARTED_S: Final = 40.0  # all is quoted by then
NS: Final = 1_000_000_000


@dataclass(slots=True)
class Still:
    """The box, and a daemon that quotes on it."""

    box: InMemoryBox
    settings: Settings
    loop: VirtualLoop
    daemon: Daemon = field(init=False)
    island: Island = field(init=False)  # on which it lives
    journal: Journal = field(init=False)
    lives: int = 0
    seen: dict[str, Any] = field(default_factory=dict)  # for the scenario to leave behind
    entries: list[Entry] = field(default_factory=list)  # of the journal, once all is over

    async def begin(self) -> None:
        """A daemon's life begins; returns when it has started."""
        journal = Journal.open(self.settings.state_dir / self.settings.ledger.file)
        self.journal, self.island = journal, self.loop.island(f"daemon {self.lives}")
        self.daemon = daemon = Daemon(self.settings, self._world(journal), Metrics("0"))
        self.lives += 1
        started = asyncio.Event()

        async def life() -> None:
            await daemon.start()
            started.set()
            assert await daemon.run(Notifier())

        self.island.start(life())
        await started.wait()

    async def kill(self, down_s: float) -> None:
        """kill -9, and so much later another process."""
        self.island.abandon()
        self.journal.close()
        await self.do("close_sockets")
        await self.wait(down_s)
        await self.begin()

    def _world(self, journal: Journal) -> World:
        def drop(*_: Any) -> Any:
            raise structlog.DropEvent

        def commit(entries: Sequence[Entry], done: Callable[[None], None], urgent: bool) -> None:
            journal.append(entries)
            self.loop.call_soon(done, None)

        async def source(method: str, url: str, headers: Any, body: bytes) -> Any:
            path = url.removeprefix("http://127.0.0.1:8460")
            return await self.box.http_request(method, path, headers, body)

        return World(
            clock=LoopClock(EPOCH_NS, self.loop),
            http=InMemoryHttp(self.box.http_request),
            websockets=InMemoryWs(self.box.ws_connect),
            source_http=source,
            rng=Random(7),
            run=f"{self.lives}123456789ab",
            journal=journal,
            commit=commit,
            logger=structlog.wrap_logger(None, processors=[drop]),
            live=False,
        )

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def do(self, action: str, **given: Any) -> None:
        """Steer the box."""
        body = json.dumps({"action": action, **given}).encode()
        status, _, answer = await self.box.http_request("POST", "/_box/do", {}, body)
        assert status == 200, answer

    @property
    def sockets(self) -> list[str]:
        """Ids of the streams that the box has open."""
        return list(self.box.box.hub.connections)

    @property
    def channels(self) -> list[int]:
        """How many channels each of them carries."""
        return [len(one.channels) for one in self.box.box.hub.connections.values()]

    def filled(self) -> dict[str, int]:
        """Cents by external id, as the box counts them."""
        rows = self.record()["orders"]
        return {row["external_id"]: row["filled_cents"] for row in rows if row["filled_cents"]}

    def booked(self) -> dict[str, object]:
        """The same as the daemon wrote it down."""
        rows = tables.orders(self.entries)
        found = {str(row["external_id"]): row["filled_cents"] for row in map(dict, rows)}
        return {ident: cents for ident, cents in found.items() if cents}

    def quoted(self) -> set[str]:
        """Strikes that have a near enough open order now, as the box sees it."""
        return {strike for strike, one in self._presence().items() if one.present}

    async def gap_s(self, change: Callable[[], Awaitable[None]]) -> float:
        """The longest time that a strike, quoted before the change, was not while it went on."""
        strikes, began_ns = self.quoted(), self.box.now_ns()
        before = {strike: self._present_ns(strike) for strike in strikes}
        await change()
        took_ns = self.box.now_ns() - began_ns
        gaps = (took_ns - self._present_ns(one) + before[one] for one in strikes)
        return max(gaps) / NS

    def _present_ns(self, strike_id: str) -> int:
        self.box.box.record.fair_moved(self.box.now_ns())  # counts up to now
        return int(self._presence()[strike_id].total_ns)

    def _presence(self) -> dict[str, Any]:
        record = self.box.box.record
        return dict(record.of(self.box.box.maker).presence)

    def record(self) -> dict[str, Any]:
        return dict(self.box.box.record.summary(self.box.box.maker, self.box.now_ns()))


def still(
    scenario: Callable[[Still], Awaitable[None]],
    dialect: str = "v4",
    config: Mapping[str, Mapping[str, Any]] | None = None,
    **box: Any,
) -> Still:
    """Play the scenario from 40 s after the daemon's start.

    Tables of `config` come on top of the daemon's own, tables of `box` on top of the box's.
    """

    async def play(loop: VirtualLoop) -> Still:
        options = with_table(BoxOptions(seed=7), STILL | box)
        with tempfile.TemporaryDirectory(prefix="mmbot-still-") as folder:
            settings = _settings(options, Path(folder), dialect, config or {})
            return await _play(loop, scenario, options, settings)

    return run_virtual(play, seed=7)


async def _play(
    loop: VirtualLoop,
    scenario: Callable[[Still], Awaitable[None]],
    options: BoxOptions,
    settings: Settings,
) -> Still:
    box = InMemoryBox(options, EPOCH_NS)
    found = Still(box, settings, loop)
    try:
        await found.begin()
        await asyncio.sleep(STARTED_S)
        await scenario(found)
        found.daemon.stop()
        assert await found.island.ended()
    finally:
        found.island.abandon()
        box.stop()
        found.journal.close()
    found.entries = list(read_entries(settings.state_dir / settings.ledger.file))
    return found


def _settings(
    options: BoxOptions, folder: Path, dialect: str, config: Mapping[str, Mapping[str, Any]]
) -> Settings:
    path = write_config(DemoPlaces(BASE_URL, 9464, folder), dialect)
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    for name, changed in config.items():
        table[name] |= changed
    path.write_text(to_toml(table), encoding="utf-8")
    keys = {"MMBOT_ACCESS_KEY": options.access_key, "MMBOT_SECRET_KEY": options.secret_key}
    settings = load(path, keys)
    stream = settings.stream.model_copy(update={"config_poll_s": CONFIG_POLL_S})
    sources = tuple(one.model_copy(update={"poll_s": FEED_EVERY_S}) for one in settings.sources)
    return settings.model_copy(update={"stream": stream, "sources": sources})
