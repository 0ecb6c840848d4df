"""`mmbot sentinel`: the live world around one sentinel. Its own keys, session and share of 3/s."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import aiohttp
from structlog.typing import FilteringBoundLogger

from mmbot.app import wiring
from mmbot.app.compose import make_state_dir, on_best_loop, prove_box
from mmbot.app.flattening import Flattening, Scope
from mmbot.app.sentinel import REACH_MAX_NS, Sentinel
from mmbot.app.sentinel_sight import FileSight, HttpSight, Sight
from mmbot.app.world import Reach
from mmbot.config import Settings, classify_host
from mmbot.domain.errors import FindOut, MmbotError, SetUpError, TryAgain
from mmbot.engine.ledger import ARRIVAL_BOUND_NS
from mmbot.exchange.dialect import DIALECTS
from mmbot.exchange.gateway import Gateway
from mmbot.exchange.http import HttpSettings, LiveHttp
from mmbot.exchange.notices import Notices
from mmbot.exchange.ws import LiveWs
from mmbot.ops import admin
from mmbot.ops.logs import configure
from mmbot.ops.metrics import CONTENT_TYPE
from mmbot.ops.sentinel_metrics import SentinelLevels, SentinelMetrics
from mmbot.runtime.clock import NS_PER_S, Clock, SystemClock
from mmbot.runtime.limiter import Priority, Rates
from mmbot.runtime.supervisor import (
    RestartPolicy,
    Service,
    ServiceFailed,
    Supervisor,
    SupervisorEvent,
)
from mmbot.sentinel_config import FILE
from mmbot.sources.fetching import HttpRequest, http_requests

TOKEN_FILE: Final = "sentinel-session.json"
REPLY_TIMEOUT_MAX_S: Final = 7.0  # a cancel may take 6 s; a lost answer costs nothing but time
REACH_EVERY_S: Final = 5.0
# Whatever goes wrong, it goes on: a second later at most, and for ever.
POLICY: Final = RestartPolicy(delay_min_s=0.1, delay_max_s=1.0, failures_max=10**9)


def run(settings: Settings, *, armed: bool) -> int:
    """Watch until told to stop. Raises SetUpError (exit code 2) with one clear line."""
    if settings.run_mode == "observe":
        raise SetUpError("run_mode: a daemon that only observes has nothing to guard")
    host = classify_host(settings.exchange.base_url, settings.environment, armed=armed)
    make_state_dir(settings.state_dir)
    return on_best_loop(_live(settings, must_be_box=host == "box"))


def budget(settings: Settings) -> Rates:
    """The share that every daemon on this account leaves to the sentinel."""
    share = wiring.rates(settings).sentinel_reserve
    return Rates(share, share // 3, share // 3, sentinel_reserve=0)


async def _live(settings: Settings, *, must_be_box: bool) -> int:
    logger = configure(settings.credentials.revealed, settings.log_level)
    clock = SystemClock()
    timeout_s = min(settings.exchange.reply_timeout_s, REPLY_TIMEOUT_MAX_S)
    patient = settings.exchange.model_copy(update={"reply_timeout_s": timeout_s})
    settings = settings.model_copy(update={"exchange": patient})
    routes = DIALECTS[settings.exchange.dialect].routes
    http = LiveHttp(HttpSettings(settings.exchange.base_url, timeout_s), routes.order_paths)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as others:
            ask = http_requests(others)
            if must_be_box:
                await prove_box(settings.exchange.base_url, ask)
            reach = Reach(clock, http, LiveWs(), random.Random(secrets.randbits(64)))
            await Post(settings, reach, ask, logger).keep()
    finally:
        await http.close()
    logger.info("SentinelStopped")
    return 0


class Post:
    """One sentinel at its post: `keep` until a signal ends it."""

    def __init__(
        self, settings: Settings, reach: Reach, ask: HttpRequest, logger: FilteringBoundLogger
    ) -> None:
        notices = Notices(self._odd, self._odd)
        client = wiring.client(settings, reach, notices, budget(settings), TOKEN_FILE)
        assert client.writes is not None
        self._settings = settings
        self._client = client
        self._clock: Clock = reach.clock
        self._logger = logger
        self._supervisor = Supervisor(reach.clock, reach.rng, self._supervised, POLICY)
        self._metrics = SentinelMetrics()
        gateway: Gateway = client.writes
        ours = settings.ledger.prefix if settings.halt_scope == "ours" else ""
        watch = settings.sentinel.watch
        sight: Sight = FileSight(settings.state_dir) if watch == FILE else HttpSight(watch, ask)
        self.sentinel = Sentinel(
            settings.sentinel,
            sight,
            lambda: Flattening(gateway, Scope(ours)),
            lambda: client.session.time.heard_ns,
            reach.clock,
            logger,
            ARRIVAL_BOUND_NS,
        )

    async def keep(self) -> None:
        sentinel, listens = self._settings.sentinel, asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            listens.add_signal_handler(number, self._supervisor.stop)
        await admin.prove_free(sentinel.host, sentinel.port)
        await self.guard([Service("admin", self._serve)])

    async def guard(self, beside: Sequence[Service] = ()) -> None:
        """Until told to stop; also where there are no signals and no sockets."""
        try:
            await self._client.session.token()
        except (TryAgain, FindOut) as error:  # whoever guards goes on trying
            self._logger.warning("StartDelayed", reason=str(error))
        watch = self._settings.sentinel.watch
        self._logger.info("SentinelStarted", pid=os.getpid(), watch=watch)
        await self._supervisor.run([*self.services(), *beside])

    def services(self) -> list[Service]:
        """All that guards."""
        return [
            Service("watch", self.sentinel.watch),
            Service("work", self.sentinel.work),
            Service("session", lambda: self._client.session.run(lambda _: None)),
            Service("reach", self._reach),
        ]

    async def _reach(self) -> None:
        """A connection and a token that work, before they are needed."""
        rest = self._client.rest
        while True:
            if self.sentinel.reach_ns > REACH_EVERY_S * NS_PER_S:
                try:
                    await rest.call(rest.routes.connection_config, Priority.AUDIT)
                except MmbotError as error:
                    self._logger.warning("NotReached", reason=str(error))
            await self._clock.sleep(REACH_EVERY_S / 2)

    async def _serve(self) -> None:
        views = admin.Views(
            lambda: asdict(self.levels()),
            lambda: self._metrics.text(self.levels()),
            CONTENT_TYPE,
            health=self._sick,
        )
        where = self._settings.sentinel
        async with admin.serve(admin.build_app(views, {}), where.host, where.port):
            await asyncio.Event().wait()

    def _sick(self) -> str | None:
        late_s = self.sentinel.reach_ns / NS_PER_S
        late = self.sentinel.reach_ns > REACH_MAX_NS
        return f"the exchange was not heard for {late_s:.0f} s" if late else None

    def levels(self) -> SentinelLevels:
        sentinel, trip = self.sentinel, self.sentinel.trip
        return SentinelLevels(
            armed=trip is None and sentinel.lease is not None and not sentinel.lease.ended,
            tripped=trip is not None,
            latched=trip is not None and trip.latched_ns is not None,
            verified=trip is not None and trip.verified_ns is not None,
            trips=sentinel.trips,
            lease_age_s=round(sentinel.lease_age_ns / NS_PER_S, 3),
            exchange_age_s=round(sentinel.reach_ns / NS_PER_S, 3),
            resting=None if trip is None else trip.work.resting,
        )

    def _supervised(self, event: SupervisorEvent) -> None:
        if isinstance(event, ServiceFailed):
            self._logger.error("ServiceFailed", name=event.name, reason=repr(event.error))

    def _odd(self, kind: str, detail: str) -> Any:
        self._logger.warning("WireNotice", kind=kind, detail=detail)
