"""`mmbot run`: the live world around one daemon, from settings to exit code."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from mmbot import __version__
from mmbot.app.daemon import Daemon
from mmbot.app.journal_thread import JournalThread
from mmbot.app.measured import MeasuredHttp
from mmbot.app.quarantine import watchdog_ports
from mmbot.app.world import World
from mmbot.config import Settings, classify_host
from mmbot.domain.errors import FindOut, SetUpError, Stop, TryAgain
from mmbot.exchange.dialect import DIALECTS
from mmbot.exchange.http import HttpSettings, LiveHttp
from mmbot.exchange.ws import LiveWs, WsPort
from mmbot.ops.logs import configure
from mmbot.ops.metrics import Metrics
from mmbot.ops.notify import Notifier
from mmbot.runtime.clock import SystemClock
from mmbot.runtime.watchdog import Watchdog
from mmbot.sources.fetching import HttpRequest, http_requests
from mmbot.store.journal import Journal

RUN_ID_BYTES: Final = 6
GC_ALLOCATIONS_MIN: Final = 20_000  # net new objects before the collector looks: seconds, not ticks
GC_GENERATIONS: Final = 20
STATE_DIR_MODE: Final = 0o700
WHOAMI_TIMEOUT_S: Final = 5.0
HTTP_OK: Final = 200


def run(settings: Settings, *, armed: bool, websockets: WsPort | None = None) -> int:
    """Run until told to stop; 0 only when the exchange was seen empty of our orders.

    Other `websockets` than the real ones are for a bench that stamps what passes.
    Raises SetUpError (exit code 2) or Stop (1), each with one clear line.
    """
    host = classify_host(settings.exchange.base_url, settings.environment, armed=armed)
    make_state_dir(settings.state_dir)
    return on_best_loop(_live(settings, websockets or LiveWs(), must_be_box=host == "box"))


def on_best_loop(work: Coroutine[Any, Any, int]) -> int:
    """uvloop where it exists, else asyncio's own loop; both are tested."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if sys.platform != "win32":
        import uvloop  # noqa: PLC0415 - not to be had on Windows

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def make_state_dir(path: Path) -> None:
    """Raises SetUpError unless `path` is, or can be made, a folder of ours."""
    try:
        path.mkdir(mode=STATE_DIR_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise SetUpError(f"state_dir: {path}: cannot be made: {error.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise SetUpError(f"state_dir: {path}: cannot be written")


async def _live(settings: Settings, websockets: WsPort, *, must_be_box: bool) -> int:
    logger = configure(settings.credentials.revealed, settings.log_level)
    metrics = Metrics(__version__)
    notifier = Notifier.of(os.environ)
    async with _world(settings, websockets, logger, metrics) as world:
        daemon = Daemon(settings, world, metrics)
        bell = _listen_to_signals(daemon)
        watchdog = Watchdog(watchdog_ports(settings, logger))
        try:
            if must_be_box:
                await prove_box(settings.exchange.base_url, world.source_http)
            await _start(daemon, settings.exchange.base_url)
            _settle_memory()
            logger.info("Started", version=__version__, run=world.run, mode=settings.run_mode)
            with watchdog.watching(asyncio.get_running_loop()):
                await daemon.run(notifier)
        except asyncio.CancelledError:
            if bell.rings < 2:
                raise
            raise Stop(f"told twice to stop: left at once; {_open_words(daemon)}") from None
        except Stop as error:
            raise Stop(f"{error}; {_open_words(daemon)}") from error
        left = "" if settings.run_mode == "observe" else daemon.left_open()
    if left:
        raise Stop(f"stopped, but the exchange was not seen empty: {left}")
    logger.info("Stopped", flat=True)
    return 0


def _open_words(daemon: Daemon) -> str:
    return daemon.left_open() or "nothing of ours is open"


def _settle_memory() -> None:
    """What the start has made stays for good: the collector need not look at it again and again,
    and what an order leaves behind is freed without it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS_MIN, GC_GENERATIONS, GC_GENERATIONS)


async def _start(daemon: Daemon, base_url: str) -> None:
    """At the start there is nobody yet who would try again: that is the service manager's work."""
    try:
        await daemon.start()
    except (TryAgain, FindOut) as error:
        raise Stop(
            f"could not start: {error}; is [exchange] base_url = {base_url} right and running?"
        ) from None


async def prove_box(base_url: str, ask: HttpRequest) -> None:
    """A private address may be anything: only a box answers this (decision 15)."""
    parts = urlsplit(base_url)
    where = f"{parts.scheme}://{parts.netloc}"
    try:
        async with asyncio.timeout(WHOAMI_TIMEOUT_S):
            status, _, body = await ask("GET", f"{where}/_box/whoami", {}, b"")
    except (OSError, TimeoutError) as error:
        raise Stop(f"[exchange] base_url: {where} does not answer ({error})") from None
    if status != HTTP_OK or b'"box"' not in body:
        raise SetUpError(
            f"[exchange] base_url: {where} is no exchange in the box; a private address is "
            'allowed only for one (environment = "simulator")'
        )


@asynccontextmanager
async def _world(
    settings: Settings, websockets: WsPort, logger: Any, metrics: Metrics
) -> AsyncIterator[World]:
    """Sockets, journal and clock; closed in the opposite order."""
    journal = Journal.open(settings.state_dir / settings.ledger.file)
    writer = JournalThread(journal.append, asyncio.get_running_loop())
    clock = SystemClock()
    http = LiveHttp(
        HttpSettings(settings.exchange.base_url, settings.exchange.reply_timeout_s),
        DIALECTS[settings.exchange.dialect].routes.order_paths,
    )
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as sources:
            yield World(
                clock=clock,
                http=MeasuredHttp(http, metrics, clock),
                websockets=websockets,
                source_http=http_requests(sources),
                rng=random.Random(secrets.randbits(64)),
                run=secrets.token_hex(RUN_ID_BYTES),
                journal=journal,
                commit=writer,
                logger=logger,
                live=True,
            )
    finally:
        await http.close()
        writer.close()
        journal.close()


class Bell:
    """Counts the times a person or the service manager said stop."""

    def __init__(self, daemon: Daemon, main: asyncio.Task[Any] | None) -> None:
        self.rings = 0
        self._daemon = daemon
        self._main = main

    def ring(self) -> None:
        """The first stops in order; a second one does not wait for proof."""
        self.rings += 1
        if self.rings == 1:
            self._daemon.stop()
        elif self._main is not None:
            self._main.cancel()


def _listen_to_signals(daemon: Daemon) -> Bell:
    bell = Bell(daemon, asyncio.current_task())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, bell.ring)
    loop.add_signal_handler(signal.SIGUSR1, daemon.halt, "signal", "SIGUSR1")
    return bell
