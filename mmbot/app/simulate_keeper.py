"""The service manager of a virtual day: it starts the daemon, and starts it again when it dies.

Each life is an island: a crash runs nothing of it again, and the journal is closed from outside,
as the kernel closes the files of a killed process.
"""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from mmbot import __version__
from mmbot.app.daemon import Daemon
from mmbot.app.simulate_disk import Disk
from mmbot.app.simulate_plan import RUN_ID_BITS
from mmbot.app.world import World
from mmbot.config import Settings
from mmbot.domain.depth import Depth
from mmbot.domain.errors import MmbotError, SetUpError
from mmbot.domain.facts import Alarm
from mmbot.exchange.http import InMemoryHttp, RawHttp
from mmbot.exchange.ws import InMemoryWs, RawConnection
from mmbot.ops.logs import LEVELS, Redactor
from mmbot.ops.metrics import Metrics
from mmbot.ops.notify import Notifier
from mmbot.runtime.clock import LoopClock
from mmbot.runtime.supervisor import ServiceFailed
from mmbot.sim.virtual.island import Island
from mmbot.sim.virtual.loop import VirtualLoop
from mmbot.store.journal import Journal, export_orders
from mmbot.store.latch import HaltLatch

RESTART_AFTER_S: Final = 1.0  # as in deploy/: RestartSec
FAILED_STARTS_MAX: Final = 5  # as in deploy/: StartLimitBurst; then a person must start it
PERSON_LOOKS_S: Final = 60.0  # the first start of an installation has one in front of it
LOG_CHARS_MAX: Final = 4_000_000


class Logbook:
    """The daemon's log in memory, and what in it is a finding by itself."""

    def __init__(
        self, clock: LoopClock, secrets: Sequence[str], hear: Callable[[str], None]
    ) -> None:
        """`hear` is told every line as it was written."""
        self.errors: list[str] = []
        self.alarms: Counter[str] = Counter()
        self._clock = clock
        self._out = _Overheard(hear)
        self._redactor = Redactor(secrets)

    @property
    def text(self) -> str:
        return self._out.getvalue()

    def logger(self, level: str) -> FilteringBoundLogger:
        logger: FilteringBoundLogger = structlog.wrap_logger(
            structlog.WriteLogger(self._out),
            processors=[
                self._watch,
                structlog.processors.add_log_level,
                self._redactor,
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        )
        return logger

    def _watch(self, logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        if self._out.tell() > LOG_CHARS_MAX:
            raise structlog.DropEvent
        event["s"] = round(self._clock.monotonic_ns() / 1e9, 6)
        detail = event.get("detail")
        if isinstance(detail, ServiceFailed) and not isinstance(detail.error, MmbotError):
            self.errors.append(f"service {detail.name} failed: {_told(detail.error)}")
        if event.get("event") == Alarm.__name__:
            self.alarms[str(event.get("what"))] += 1
        return event


class _Overheard(io.StringIO):
    def __init__(self, hear: Callable[[str], None]) -> None:
        super().__init__()
        self._hear = hear

    def write(self, text: str, /) -> int:
        self._hear(text)
        return super().write(text)


@dataclass(slots=True)
class Lives:
    """How the daemon's lives began and ended."""

    started: int = 0
    killed: int = 0
    failed_starts: int = 0
    flat: bool | None = None  # what the last life said when it ended in order
    findings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ports:
    """The two ports of a client."""

    http: RawHttp
    websockets: Callable[[str], Awaitable[RawConnection]]


class Keeper:
    """`run` until the daemon has ended in order; `daemon` is the one that runs now."""

    def __init__(
        self,
        ports: Ports,
        settings: Settings,
        clock: LoopClock,
        log: Logbook,
        rng: Random,
        disk: Disk,
    ) -> None:
        """Made inside a running VirtualLoop; `clock` is where the daemon takes the time from."""
        self.settings = settings  # of the next life
        self.stays_down_s = 0.0  # after the present life
        self.watched = False  # not on every day: it turns the loop six times a second
        self.frozen = False  # the present life stands still
        self.lives = Lives()
        self.daemon: Daemon | None = None
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self._clock = clock
        self._ports = ports
        self._log = log
        self._rng = rng
        self._disk = disk
        self._ledger_file = settings.state_dir / settings.ledger.file
        self._island: Island | None = None
        self._latch = HaltLatch(settings.state_dir)
        self._closing = False
        self._failed_in_a_row = 0
        self._why = ""  # the last start failed
        self.over = False

    async def run(self) -> None:
        while not self._closing and not await self._live():
            down_s, self.stays_down_s = self.stays_down_s, 0.0
            await asyncio.sleep(down_s + RESTART_AFTER_S + 2.0 * self._rng.random())
            if self._failed_in_a_row >= FAILED_STARTS_MAX:
                self._failed_in_a_row = 0
                if export_orders(self._ledger_file):
                    told = f"I7: {FAILED_STARTS_MAX} starts failed, with orders at stake: "
                    self.lives.findings.append(told + self._why)
                    break
                await asyncio.sleep(PERSON_LOOKS_S)
        self.over = True

    def give_up(self) -> None:
        """End the present life, and begin no other."""
        self._closing = True
        self.kill()

    def kill(self) -> bool:
        """kill -9; False when nothing ran."""
        if self._island is None:
            return False
        self._island.abandon()
        return True

    def freeze(self) -> bool:
        """SIGSTOP; False when nothing ran."""
        self.frozen = self._island is not None
        if self._island is not None:
            self._island.freeze()
        return self.frozen

    def thaw(self) -> None:
        """SIGCONT; of a process that died meanwhile nothing is left."""
        if self.frozen and self._island is not None:
            self._island.thaw()
        self.frozen = False

    @property
    def latched(self) -> bool:
        return self._latch.latched

    @property
    def halted(self) -> bool:
        """A daemon runs, and knows that it is."""
        return not self.frozen and self.status().get("mode") == "HALTED"

    def halt(self, channel: str = "") -> None:
        """The latch is set even while no daemon runs; by the channel `file` nothing else is."""
        self._latch.prepare()
        self._latch.latch()
        if self.daemon is not None and channel != "file":
            self.daemon.say("halt", channel or "simulate")

    def resume(self) -> None:
        self._latch.release()
        if self.daemon is not None:
            self.daemon.say("resume", "simulate")

    def status(self) -> dict[str, Any]:
        """Of the present daemon; empty while none runs."""
        return {} if self.daemon is None else self.daemon.status()

    def queues(self) -> Mapping[str, Depth]:
        """Of the present daemon; empty while none runs."""
        return {} if self.daemon is None else self.daemon.queues()

    # --- one life ----------------------------------------------------------------------------

    async def _live(self) -> bool:
        """True when the daemon must not be started again."""
        self.lives.started += 1
        journal = Journal.open(self._ledger_file)
        island = self._loop.island(f"daemon {self.lives.started}")
        self._island = island
        island.start(self._life(self._world(journal, island)))
        try:
            outcome = await island.outcome()
        finally:
            running, self.daemon, self._island = self.daemon is not None, None, None
            self.frozen = False
            journal.close()
        if outcome is True:
            return True
        if outcome is False:
            self.lives.killed += 1
            return False
        return self._failed(outcome, running)

    def _failed(self, error: BaseException | bool, running: bool) -> bool:
        """A start may fail while the wire is bad; what runs must go on running (I7)."""
        told = _told(error)
        if running or not isinstance(error, MmbotError):
            self.lives.findings.append(f"I7: the daemon ended by itself: {told}")
        elif isinstance(error, SetUpError):
            self.lives.findings.append(f"I7: a bad wire was taken for a wrong set-up: {told}")
        else:
            self.lives.failed_starts += 1
            self._failed_in_a_row += 1
            self._why = told
        return isinstance(error, SetUpError)  # exit code 2: the service manager gives up

    async def _life(self, world: World) -> None:
        daemon = Daemon(self.settings, world, Metrics(__version__))
        await daemon.start()
        self.daemon = daemon
        self.lives.flat = await daemon.run(Notifier())

    def _world(self, journal: Journal, island: Island) -> World:
        return World(
            clock=self._clock,
            http=InMemoryHttp(self._ports.http),
            websockets=InMemoryWs(self._ports.websockets),
            source_http=self._source,
            rng=Random(self._rng.getrandbits(64)),
            run=f"{self._rng.getrandbits(RUN_ID_BITS):012x}",
            journal=journal,
            commit=self._disk.port(journal, island),
            logger=self._log.logger(self.settings.log_level),
            live=False,
            watched=self.watched,
        )

    async def _source(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return await self._ports.http(method, parts.path + query, headers, body)


def _told(error: BaseException | bool) -> str:
    """One line, with the place of an error that is nobody's word."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_told(inner) for inner in error.exceptions)
    if not isinstance(error, BaseException) or isinstance(error, MmbotError):
        return str(error)
    trace, where = error.__traceback__, "?"
    while trace is not None:
        where = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} {error} at {where}"
