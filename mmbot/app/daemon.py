"""The whole process on one screen: how it starts, what runs in it, how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Final, Literal

from mmbot.app import strategies, wiring
from mmbot.app.departure import LastLook
from mmbot.app.dispatch import Dispatcher
from mmbot.app.halt_desk import HaltDesk
from mmbot.app.heartbeat import Pulse, Vitals
from mmbot.app.last_cancel import LastCancel
from mmbot.app.loop import EngineLoop, Pumps
from mmbot.app.measured import measure_lag
from mmbot.app.observers import Observers
from mmbot.app.office import Office
from mmbot.app.queues import Queues
from mmbot.app.status import Sources, status
from mmbot.app.world import World
from mmbot.app.worth import worth_of
from mmbot.app.writer import Done, JournalWriter
from mmbot.config import Settings
from mmbot.domain.entries import Entry
from mmbot.domain.errors import FindOut, MmbotError, Stop, TryAgain
from mmbot.domain.events import OperatorSaid
from mmbot.domain.facts import Alarm, Fact
from mmbot.engine.go_live import PERHAPS
from mmbot.engine.ledger import Ledger
from mmbot.engine.risk import CHECK_NAMES
from mmbot.engine.spot_audit import CHANNEL_MUTE
from mmbot.exchange.logins import LoginPaced
from mmbot.exchange.notices import Notices
from mmbot.ops.metrics import Metrics
from mmbot.ops.notify import Notifier
from mmbot.runtime.clock import NS_PER_S
from mmbot.runtime.inbox import Inbox
from mmbot.runtime.supervisor import (
    Restart,
    Service,
    ServiceEnded,
    ServiceStarted,
    Supervisor,
    SupervisorEvent,
)
from mmbot.sources.polling import PolledSource
from mmbot.store.latch import HaltLatch

STOP_WAIT_MAX_S: Final = 100.0  # a doubt ends at the arrival bound of 72 s, then it is swept
STOP_LOOK_S: Final = 0.1
START_AGAIN_S: Final = 2.0
LISTING_WAIT_MAX_S: Final = 2.0
FIRST_START_TRIES_MAX: Final = 5
JOURNAL_WAIT_MAX_S: Final = 10.0
OBSERVE_AFTER_S: Final = 0.002
Word = Literal["halt", "resume", "pause", "stop"]


class Daemon:
    """One run. `start` may raise SetUpError or Stop and has then begun nothing."""

    def __init__(self, settings: Settings, world: World, metrics: Metrics) -> None:
        self._settings = settings
        self._world = world
        self._metrics = metrics
        self._notices = Notices(self._odd, self._odd)
        self._notifier = Notifier()
        self._enabled = strategies.require(settings)
        self._latch = HaltLatch(settings.state_dir)
        self._client = client = wiring.client(settings, world, self._notices)
        self._ledger = Ledger(settings.ledger.prefix, portfolio=wiring.portfolio(settings))
        self._inbox = Inbox(world.clock)
        tell, clock, slots = self._inbox.put, world.clock, self._enabled.slots
        engine = wiring.engine(settings, world, self._ledger, slots, tell)
        self.engine = self._engine = engine
        look = LastLook(self._engine.drop_reason, clock)
        self._dispatcher = Dispatcher(client.reads, client.writes, tell, look)
        self._dispatcher.ticks.observe = metrics.observe_tick_to_intent
        wait_max_s = settings.ledger.journal_wait_max_s
        self._writer = JournalWriter(
            self._commit, self._dispatcher.departure, tell, clock, wait_max_s
        )
        client.rest.attempts.keep = self._writer.note
        self.queues = Queues(
            self._inbox, client.limiter, self._writer, self._dispatcher, self._ledger
        )
        self._observers = Observers(world.logger, metrics)
        pumps = Pumps(
            self._inbox,
            client.limiter,
            self._dispatcher,
            self._writer,
            self._observed,
            lambda: self._latch.latched,
        )
        self._loop = EngineLoop(self._engine, pumps, clock)
        wishes = self._engine.parts.wishes
        self._feed = wiring.feed(
            settings, world, client, lambda: worth_of(self._ledger, wishes, client.listing)
        )
        self._seeder = wiring.seeder(settings, client, self._feed)
        self._listed = asyncio.Event()
        self._laddered = False
        self._supervisor = Supervisor(clock, world.rng, self._supervised)
        modes = self._engine.parts.modes
        self._desk = HaltDesk(self._latch, tell, lambda: modes.halted, self._page)
        self._vitals = Vitals.of(settings, world, self._pulse, tell)
        self._office = Office(self._sources(), metrics, self._desk, self.stop, self._vitals)

    def _sources(self) -> Sources:
        return Sources(
            engine=self._engine,
            dispatcher=self._dispatcher,
            limiter=self._client.limiter,
            clock=self._world.clock,
            started_ns=self._world.clock.now_ns(),
            run_mode=self._settings.run_mode,
            worst_case_limit_cents=self._settings.risk.total_loss_max_cents,
            requests_per_second_max=self._client.limiter.per_second_max,
            health_ns=lambda: self._feed.health_ns,
            counts=lambda: self._observers.counts,
            queues=self.queues,
            drift=self._notices.drift.rows,
        )

    # --- start: there is no other than recovery ------------------------------------------------

    async def start(self) -> None:
        """Replay, log in, ask what rests; a first start loads ladder and listing before that.

        Where orders may be open they come first, and the listing beside them: a service loads it.
        A ledger that knows of none alive may have been put back from a backup.
        """
        clock = self._world.clock
        self._latch.prepare()
        if self._world.live:
            await self._office.prove_free(self._settings.admin)
        memory = self._world.journal.recall()
        for ids in memory.spent:
            self._ledger.spent(ids)
        self._ledger.rebuild(memory.entries)
        self._ledger.begin_run(self._world.run, clock.now_ns(), CHECK_NAMES)
        await self._patiently(self._client.session.token)
        if not self._ledger.orders() and not self._latch.latched:
            await self._patiently(self._list)
        self._vitals.guard.look()  # nothing is placed before a sentinel that is required was seen
        if self._latch.latched:
            why = self._latch.reason or "halted before or during this start"
            self._inbox.put(OperatorSaid("halt", "latch", why))
        self._ledger.exchange_ahead(self._client.session.clock_offset_ns)
        self._dispatcher.commands(self._ledger.start(clock.now_ns()))

    async def _patiently(self, step: Callable[[], Awaitable[object]]) -> None:
        """One step of the start, again and again while that may help.

        A first start that cannot log in fails at once, with one line for the person. With orders
        in the ledger it goes on trying: they may be open, and a service manager soon gives up on
        what ends again and again.
        """
        for tries in count(1):
            try:
                await step()
                return
            except (TryAgain, FindOut) as error:
                patient = self._client.session.usable_until_ns and tries < FIRST_START_TRIES_MAX
                if not (patient or self._ledger.orders() or isinstance(error, LoginPaced)):
                    raise
                wait_s = max(START_AGAIN_S, getattr(error, "retry_after_s", 0.0))
                told = {"reason": str(error), "wait_s": round(wait_s, 1)}
                self._world.logger.warning("StartDelayed", **told)
                if await self._supervisor.asked_to_stop(wait_s):
                    raise Stop("stopped while starting: orders of ours may be open") from None

    async def _list(self) -> None:
        """Ladder and seeding: what there is to quote."""
        if not self._laddered:
            self._inbox.put(await self._client.reads.load_ladder())
            self._laddered = True
        for event in (await self._seeder.seed_once()).events:
            self._inbox.put(event)
        self._listed.set()

    async def _keep_listed(self) -> None:
        while not self._listed.is_set():
            try:
                await self._list()
            except (TryAgain, FindOut) as error:  # a stop needs no listing: wind-down goes on
                self._world.logger.warning("ListingDelayed", reason=str(error))
                await self._world.clock.sleep(START_AGAIN_S)
        await self._seeder.run(self._inbox.put)

    async def _stream(self) -> None:
        """What to watch is known in a moment, and a connection without it would be given up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LISTING_WAIT_MAX_S):
                await self._listed.wait()
        await self._feed.run(self._inbox.put, self._loop.turn_now)

    # --- run ----------------------------------------------------------------------------------

    async def run(self, notifier: Notifier) -> bool:
        """Until `stop()`; True when the exchange has been seen empty of our orders."""
        self._notifier = notifier
        inner = strategies.services(self._enabled, self._inbox.put, self._world.clock)
        try:
            await self._supervisor.run(self._services(), inner, self._wind_down)
        except MmbotError:
            await self._last_cancel()
            raise
        return self._engine.flat

    def stop(self) -> None:
        self._supervisor.stop()

    def halt(self, who: str, reason: str) -> None:
        """Halt and latch; at any time since `start` was called."""
        self._desk.halt(who, reason)

    def left_open(self) -> str:
        """What a person has to know after the end; "" when all is proven and written down."""
        if not self._writer.idle:
            return "the ledger could not be written to the end, so orders of ours may be open"
        if self._engine.flat:
            return ""
        live, doubts = len(self._ledger.live()), self._ledger.in_doubt_count
        if not live:
            return "no order of ours is known to be open"
        return f"{live} orders of ours may be open ({doubts} of them in doubt)"

    def say(self, word: Word, who: str, reason: str = "") -> None:
        """A person's word, as through the admin side, but without the latch."""
        self._inbox.put(OperatorSaid(word, who, reason))

    def status(self) -> dict[str, Any]:
        """What `/status` shows."""
        return status(self._office.sources)

    def _services(self) -> list[Service]:
        client, put, clock = self._client, self._inbox.put, self._world.clock
        services = [
            Service("engine", self._loop.run, critical=True),
            Service("journal", self._writer.run, critical=True),
            Service("dispatch", self._dispatcher.run, critical=True),
            Service("session", lambda: client.session.run(put)),
            Service("stream", self._stream),
            Service("connection config", self._feed.poll_config),
            Service("seeding", self._keep_listed),
            Service("service manager", self._tell_manager, Restart.NEVER),
        ]
        for source in wiring.sources(self._settings, self._world, lambda: client.listing.catalog):
            services.append(self._source_service(source))
        if self._world.live:  # a virtual loop is never late
            services.append(Service("loop lag", lambda: measure_lag(clock, self._metrics)))
            services.append(Service("admin", lambda: self._office.serve(self._settings.admin)))
        if self._world.live or self._world.watched:
            services.append(Service("sentinel", self._vitals.guard.run))
            services.append(Service("halt file", lambda: self._desk.watch(clock)))
        return services

    def _source_service(self, source: PolledSource) -> Service:
        return Service(f"source {source.name}", lambda: source.run(self._inbox.put))

    async def _wind_down(self) -> None:
        """Stop is wanting nothing: the normal path cancels, a read proves it."""
        self._notifier.stopping("cancelling what rests")
        self._inbox.put(OperatorSaid("stop", "shutdown"))
        if self._client.writes is None:
            return await self._vitals.leave()
        waited_s = 0.0
        modes = self._engine.parts.modes  # flat before, it has still to hear of the stop
        while not (modes.stopping and self._engine.flat) and waited_s < STOP_WAIT_MAX_S:
            await self._world.clock.sleep(STOP_LOOK_S)
            waited_s += STOP_LOOK_S
        waited_s = 0.0
        while not self._writer.idle and waited_s < JOURNAL_WAIT_MAX_S:
            await self._world.clock.sleep(STOP_LOOK_S)
            waited_s += STOP_LOOK_S
        if self._engine.flat:
            await self._vitals.leave()

    async def _last_cancel(self) -> None:
        """We cannot go on: what rests is cancelled without engine and journal."""
        client = self._client
        if client.writes is None:
            return
        account = self._settings.halt_scope == "account" and self._latch.latched
        world = self._world
        ports = client.reads, client.writes, self._ledger, world.clock
        last = LastCancel(*ports, account, self._supervised, world.rng)
        world.logger.warning("LastCancel", orders=self._ledger.live_count, account=account)
        if not await last.run():
            self._page("not proven flat", f"ended, but {self.left_open() or 'orders may be open'}")

    def _commit(self, entries: Sequence[Entry], done: Done, urgent: bool) -> None:
        began_ns = self._world.clock.monotonic_ns()

        def ended(error: BaseException | None) -> None:
            done(error)  # first: placements wait for it
            took_ns = self._world.clock.monotonic_ns() - began_ns
            self._metrics.observe_commit(took_ns / NS_PER_S)

        self._world.commit(entries, ended, urgent)

    async def _tell_manager(self) -> None:
        told = f"quoting, run {self._world.run}"
        await self._notifier.keep_telling(self._world.clock, lambda: self._ledger.recovered, told)

    def _observed(self, facts: tuple[Fact, ...], now_ns: int) -> None:
        self._vitals.heart.turned()
        if not facts:
            return
        # Orders wait for their commit, and its thread for us: telling waits until they have left.
        asyncio.get_running_loop().call_later(OBSERVE_AFTER_S, self._observers, facts, now_ns)
        alarms = {fact.what for fact in facts if isinstance(fact, Alarm)}
        if alarms & {"the stream missed something", CHANNEL_MUTE}:
            self._feed.renew()
        if PERHAPS in alarms:
            self._client.listing.want_reseed()
        if why := ", ".join(alarms & {"second daemon", "cash loss", "edge loss"}):
            try:
                # A restart by the service manager must not fight on.
                self._latch.latch(why)
            except OSError as error:
                self._page("halt not latched", f"a restart would quote: {error}")

    def _pulse(self) -> Pulse:
        heard_ns = max(self._client.session.time.heard_ns, self._feed.health_ns)
        return Pulse(heard_ns, bool(self._engine.parts.modes.halted))

    # --- telling -----------------------------------------------------------------------------

    def _supervised(self, event: SupervisorEvent) -> None:
        match event:
            case ServiceStarted(name, attempt) if attempt > 1:
                self._metrics.observe_restart(name)
                self._world.logger.info("ServiceRestarted", name=name, attempt=attempt)
            case ServiceStarted() | ServiceEnded():
                self._world.logger.debug(type(event).__name__, name=event.name)
            case _:
                self._world.logger.warning(type(event).__name__, detail=event)

    def _page(self, what: str, detail: str) -> None:
        """A person is called; who brings the call is not our business."""
        self._observers((Alarm(what, detail, page=True),), self._world.clock.now_ns())

    def _odd(self, kind: str, detail: str) -> None:
        self._world.logger.warning("WireNotice", kind=kind, detail=detail)
