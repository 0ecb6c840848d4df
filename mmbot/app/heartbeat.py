"""The daemon's side of the sentinel: its own lease, and whether a sentinel is there.

The lease is renewed by the engine's turns and by nothing else. A timer would go on beating while
the engine stands still.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from structlog.typing import FilteringBoundLogger

from mmbot.app.world import World
from mmbot.config import Settings
from mmbot.domain.events import SentinelSeen
from mmbot.runtime.clock import NS_PER_S, Clock
from mmbot.runtime.watched import Watched
from mmbot.sentinel_config import FILE, SentinelSettings
from mmbot.store.lease import Lease, LeaseFile, daemon_lease, lease_of, sentinel_lease

BEAT_NS: Final = NS_PER_S  # the engine turns at least every 2 s
LOOK_S: Final = 0.5
ASKS_WITHIN_S: Final = 3.0
UNSEEN: Final = "no sentinel has been seen yet"


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a beat says of the daemon: when it last heard the exchange, and whether it is halted."""

    heard_ns: int
    halted: bool


class Heart:
    """`turned` after each turn of the engine; `end` when it has left and nothing rests."""

    def __init__(
        self,
        file: LeaseFile | None,
        run: str,
        clock: Clock,
        pulse: Callable[[], Pulse],
        logger: FilteringBoundLogger,
    ) -> None:
        """`file` is None where nobody watches: then nothing is left behind."""
        self._file = file
        self._clock = clock
        self._pulse = pulse
        self._logger = logger
        self._beat_ns = clock.monotonic_ns() - BEAT_NS
        self._began_ns = clock.now_ns()
        self._failing = False
        self.lease = Lease(run, os.getpid(), 0)

    def turned(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._beat_ns >= BEAT_NS and not self.lease.ended:
            self._beat_ns = now_ns
            self._renew(ended=False)

    def end(self) -> None:
        """Never raises; no turn takes it back."""
        self._renew(ended=True)

    def _renew(self, *, ended: bool) -> None:
        pulse, wall_ns = self._pulse(), self._clock.now_ns()
        deaf_ns = wall_ns - max(pulse.heard_ns, self._began_ns)
        self.lease = replace(
            self.lease,
            beat=self.lease.beat + 1,
            wall_ns=wall_ns,
            monotonic_ns=self._clock.monotonic_ns(),
            deaf_s=round(deaf_ns / NS_PER_S, 3),
            halted=pulse.halted,
            ended=ended,
        )
        if self._file is None:
            return
        try:
            self._file.renew(self.lease)
            self._failing = False
        except (
            OSError
        ) as error:  # a sentinel that reads the file will flatten us, and that is right
            if not self._failing:
                self._logger.error("LeaseNotRenewed", reason=str(error))
            self._failing = True


class Guard:
    """Where a sentinel is required: tells when it is at work and when it is not.

    By file, or by asking for our lease over HTTP with its own in the query: whoever looks is there.
    """

    def __init__(
        self,
        settings: SentinelSettings,
        state_dir: Path,
        clock: Clock,
        tell: Callable[[SentinelSeen], None],
    ) -> None:
        self._settings = settings
        self._file = sentinel_lease(state_dir)
        self._clock = clock
        self._tell = tell
        self._watched = Watched(clock.monotonic_ns())
        self._tripped = False  # it is flattening us, or has, and nobody has resumed since
        self._asked = 0  # how often, over HTTP
        self._told: SentinelSeen | None = None

    def asked(self, query: Mapping[str, str]) -> None:
        """By the query of `GET /heartbeat?sentinel=LEASE`."""
        lease = lease_of(query.get("sentinel", ""))
        self._asked += lease is not None
        if self._settings.watch != FILE:
            self._saw(lease)

    async def asks_once_more(self) -> None:
        """Wait for its next question, a moment at most, where it asks at all."""
        asked, waited_s = self._asked, 0.0
        while asked and self._asked == asked and waited_s < ASKS_WITHIN_S:
            await self._clock.sleep(LOOK_S)
            waited_s += LOOK_S

    async def run(self) -> None:
        """Service."""
        while True:
            self.look()
            await self._clock.sleep(LOOK_S)

    def look(self) -> None:
        if not self._settings.required:
            return
        if self._settings.watch == FILE:
            self._saw(self._file.read())
        seen = self._seen()
        if seen != self._told:
            self._told = seen
            self._tell(seen)

    def _saw(self, lease: Lease | None) -> None:
        if lease is not None and not lease.ended:
            self._tripped = lease.halted
            self._watched.saw((lease.run, lease.beat), self._clock.monotonic_ns())

    def _seen(self) -> SentinelSeen:
        watched = self._watched
        if not watched.lived:
            return SentinelSeen(False, UNSEEN)
        lease_s = self._settings.lease_s
        if watched.silent_ns(self._clock.monotonic_ns()) > lease_s * NS_PER_S:
            return SentinelSeen(False, f"the sentinel has been silent for more than {lease_s:g} s")
        if self._tripped:
            return SentinelSeen(False, "the sentinel has tripped")
        return SentinelSeen(True)


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the daemon shows of its own life, and what it sees of the sentinel's."""

    heart: Heart
    guard: Guard

    async def leave(self) -> None:
        """Nothing of ours rests, and nobody needs to look after it: told before we go."""
        self.heart.end()
        await self.guard.asks_once_more()

    @classmethod
    def of(
        cls,
        settings: Settings,
        world: World,
        pulse: Callable[[], Pulse],
        tell: Callable[[SentinelSeen], None],
    ) -> Vitals:
        folder = settings.state_dir
        file = daemon_lease(folder) if world.live or world.watched else None
        return cls(
            Heart(file, world.run, world.clock, pulse, world.logger),
            Guard(settings.sentinel, folder, world.clock, tell),
        )
