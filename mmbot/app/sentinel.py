"""The sentinel: watches the daemon's lease, and flattens the account when it runs out.

    waiting --a lease is seen--> armed --it runs out--> tripped --a person resumes--> armed
                                   ^                       |
                                   +--the daemon left in order, and comes again

Tripped, it latches the halt, cancels and reads until the account is proven empty, and goes on with
both until the arrival bound after the last heartbeat: a placement that the daemon had sent may
still be on its way. What it decides it decides in `look` and `work`; nothing else is in here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from structlog.typing import FilteringBoundLogger

from mmbot.app.flattening import Flattening
from mmbot.app.sentinel_sight import Sight
from mmbot.runtime.clock import NS_PER_S, Clock
from mmbot.runtime.watched import Watched
from mmbot.sentinel_config import SentinelSettings
from mmbot.store.lease import Lease

LOOK_S: Final = 0.25
BEAT_NS: Final = NS_PER_S
ROUND_S: Final = 0.25  # until verified; the rate budget of 3/s paces the requests
CALM_ROUND_S: Final = 5.0  # verified: what still arrives is found within this
REACH_MAX_NS: Final = 20 * NS_PER_S  # a sentinel that does not hear the exchange guards nobody


@dataclass(slots=True)
class Trip:
    """What has happened since the lease ran out; times are the sentinel's own, monotonic."""

    reason: str
    at_ns: int
    work: Flattening
    latched_ns: int | None = None
    verified_ns: int | None = None
    done: bool = False  # verified, and the arrival bound has passed


class Sentinel:
    """`look` each quarter of a second, `work` beside it; both never raise but by our own fault."""

    def __init__(
        self,
        settings: SentinelSettings,
        sight: Sight,
        flattening: Callable[[], Flattening],
        heard_ns: Callable[[], int],
        clock: Clock,
        logger: FilteringBoundLogger,
        arrival_bound_ns: int,
    ) -> None:
        """`heard_ns`: when this process last heard the exchange, by `clock.now_ns`."""
        self._settings = settings
        self._sight = sight
        self._flattening = flattening
        self._heard_ns = heard_ns
        self._clock = clock
        self._logger = logger
        self._bound_ns = arrival_bound_ns
        self._own = Lease(f"sentinel-{os.getpid()}", os.getpid(), 0)
        self._beat_ns = 0
        self._watched = Watched(clock.monotonic_ns())
        self._free_ns = clock.monotonic_ns()  # of the last beat by a daemon that was not halted
        self.lease: Lease | None = None  # as last read
        self.trip: Trip | None = None
        self.trips = 0

    # --- looking -----------------------------------------------------------------------------

    async def watch(self) -> None:
        """Service."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Read the lease, show our own, and trip, latch or arm again."""
        lease = await self._sight.lease(self._beat())
        now_ns = self._clock.monotonic_ns()
        if lease is not None:
            self.lease = lease
            before_ns = self._watched.silent_ns(now_ns)
            self._watched.saw((lease.run, lease.beat), now_ns)
            if self._watched.silent_ns(now_ns) < before_ns and not lease.halted:
                self._free_ns = now_ns
        if self.trip is None and (reason := self.lapsed(now_ns)):
            self._begin(reason, now_ns)
        trip = self.trip
        if trip is None:
            return
        if trip.latched_ns is None:
            await self._latch(trip)
        elif self._resumed(trip):
            self._logger.warning("SentinelArmed", reason="a person resumed the daemon")
            self.trip = None

    def lapsed(self, now_ns: int) -> str:
        """Why the daemon is not in charge of its orders any more; "" while it is."""
        lease, settings = self.lease, self._settings
        if lease is None or lease.ended:
            return ""  # never there, or gone in order: nothing of it rests
        if self._watched.silent_ns(now_ns) > settings.lease_s * NS_PER_S:
            return f"no heartbeat for more than {settings.lease_s:g} s"
        if lease.deaf_s > settings.deaf_after_s and self.reach_ns < REACH_MAX_NS:
            return f"the daemon has not heard the exchange for {lease.deaf_s:.1f} s, and we do"
        return ""

    @property
    def lease_age_ns(self) -> int:
        return self._watched.silent_ns(self._clock.monotonic_ns())

    @property
    def reach_ns(self) -> int:
        """How long ago this process heard the exchange."""
        return self._clock.now_ns() - self._heard_ns()

    def _beat(self) -> Lease:
        """Ours is renewed while we could act: without the exchange we guard nobody."""
        now_ns, tripped = self._clock.monotonic_ns(), self.trip is not None
        due = now_ns - self._beat_ns >= BEAT_NS or tripped != self._own.halted
        if due and self.reach_ns < REACH_MAX_NS:
            self._beat_ns = now_ns
            self._own = replace(
                self._own,
                beat=self._own.beat + 1,
                wall_ns=self._clock.now_ns(),
                monotonic_ns=now_ns,
                deaf_s=round(self.reach_ns / NS_PER_S, 3),
                halted=tripped,
            )
        return self._own

    def _begin(self, reason: str, now_ns: int) -> None:
        self.trips += 1
        self.trip = Trip(reason, now_ns, self._flattening())
        told: dict[str, Any] = {"run": self.lease.run, "pid": self.lease.pid} if self.lease else {}
        self._logger.critical("SentinelTripped", reason=reason, **told)

    async def _latch(self, trip: Trip) -> None:
        if await self._sight.halt(trip.reason):
            trip.latched_ns = self._clock.monotonic_ns()
            self._logger.critical("HaltLatched", after_s=self._since_s(trip))

    def _resumed(self, trip: Trip) -> bool:
        """It was halted, and beats again without a halt: only a person can have done that."""
        lease = self.lease
        assert trip.latched_ns is not None
        freed = self._free_ns > trip.latched_ns and not self._sight.latched()
        return freed and lease is not None and not lease.halted

    # --- working -----------------------------------------------------------------------------

    async def work(self) -> None:
        """Service: flatten while tripped."""
        while True:
            trip = self.trip
            if trip is None or trip.done:
                await self._clock.sleep(LOOK_S)
                continue
            await self.round(trip)
            await self._clock.sleep(ROUND_S if trip.verified_ns is None else CALM_ROUND_S)

    async def round(self, trip: Trip) -> None:
        """Cancel and look once, and say what came of it when that is news."""
        work, failed = trip.work, trip.work.failure
        await work.round()
        if work.failure and work.failure != failed:
            self._logger.error("SentinelRound", reason=work.failure)
        if not work.verified:
            if trip.verified_ns is not None:
                self._logger.critical("SentinelFoundMore", resting=work.resting)
            trip.verified_ns = None
            return
        now_ns = self._clock.monotonic_ns()
        if trip.verified_ns is None:
            trip.verified_ns = now_ns
            self._logger.critical("SentinelVerified", after_s=self._since_s(trip))
        if now_ns - self._free_ns > self._bound_ns:
            trip.done = True
            self._logger.critical("SentinelDone", after_s=self._since_s(trip))

    def _since_s(self, trip: Trip) -> float:
        return round((self._clock.monotonic_ns() - trip.at_ns) / NS_PER_S, 3)
