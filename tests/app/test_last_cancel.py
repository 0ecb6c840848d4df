"""When the daemon cannot go on, what rests is cancelled once more before the process ends."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from mmbot.app.daemon import Daemon
from mmbot.app.world import World
from mmbot.app.writer import Done
from mmbot.config import load
from mmbot.domain.entries import Entry
from mmbot.domain.errors import Stop
from mmbot.exchange.http import HttpSettings, LiveHttp
from mmbot.exchange.routes import V4
from mmbot.exchange.ws import LiveWs
from mmbot.ops.logs import configure
from mmbot.ops.metrics import Metrics
from mmbot.ops.notify import Notifier
from mmbot.runtime.clock import SystemClock
from mmbot.sources.fetching import http_requests
from mmbot.store.journal import Journal
from tests.app import stage

ORDERS = 10


class Writer:
    """Commits until it is broken by a bug of ours, which no retry repairs."""

    def __init__(self) -> None:
        self.broken = False

    def __call__(self, entries: Sequence[Entry], done: Done, urgent: bool) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(done, AssertionError("a bug") if self.broken else None)


@asynccontextmanager
async def a_world(bot: stage.Daemon, writer: Writer) -> AsyncIterator[World]:
    bot.state_dir.mkdir()
    http = LiveHttp(HttpSettings(bot.settings["exchange"]["base_url"], 5.0), V4.order_paths)
    journal = Journal.open(bot.state_dir / "ledger.sqlite3")
    try:
        async with aiohttp.ClientSession() as sources:
            yield World(
                clock=SystemClock(),
                http=http,
                websockets=LiveWs(),
                source_http=http_requests(sources),
                rng=random.Random(1),
                run="0123456789ab",
                journal=journal,
                commit=writer,
                logger=configure((), "error"),
                live=False,
            )
    finally:
        await http.close()
        journal.close()


async def run_until_broken(daemon: Daemon, exchange: stage.Box, writer: Writer) -> Stop | None:
    """Break the writer when orders rest; returns what the daemon ended with."""
    ended: Stop | None = None

    async def break_it() -> None:
        def resting() -> bool:
            return exchange.open_orders >= ORDERS

        await asyncio.to_thread(stage.until, resting, 20, "orders rest")
        writer.broken = True

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        breaking = group.create_task(break_it())
        try:
            await daemon.run(Notifier())
        except Stop as error:
            ended = error
        breaking.cancel()
    return ended


async def test_a_bug_of_ours_ends_the_process_but_leaves_nothing_resting(tmp_path: Path) -> None:
    writer = Writer()
    with stage.box() as exchange:
        bot = stage.Daemon(tmp_path, exchange.port)
        settings = load(bot.config, bot.environ)
        async with a_world(bot, writer) as world:
            daemon = Daemon(settings, world, Metrics())
            await daemon.start()
            ended = await run_until_broken(daemon, exchange, writer)
        assert "service journal failed" in str(ended)
        assert "orders of ours may be open" in daemon.left_open()
        stage.until(lambda: exchange.open_orders == 0, 3, "the last cancel emptied the book")
