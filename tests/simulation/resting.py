"""Many orders of a former run that rest in the box, the ledger that knows them, and a daemon."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import structlog

from mmbot.app.daemon import Daemon
from mmbot.app.demo_config import DemoPlaces, write_config
from mmbot.app.world import World
from mmbot.app.writer import Done
from mmbot.config import load
from mmbot.domain.entries import Entry
from mmbot.domain.events import OrderSeen
from mmbot.domain.ids import ExternalId, MarketId, SportEventId, StrikeId
from mmbot.domain.order import Order
from mmbot.domain.price import Price
from mmbot.engine.ledger import Ledger
from mmbot.engine.manual import UNKNOWN_LINE
from mmbot.exchange import codec
from mmbot.exchange.http import InMemoryHttp
from mmbot.exchange.notices import Notices
from mmbot.exchange.ws import InMemoryWs
from mmbot.ops.metrics import Metrics
from mmbot.ops.notify import Notifier
from mmbot.runtime.clock import LoopClock
from mmbot.sim.memory import InMemoryBox
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.virtual.loop import EPOCH_NS, LoopLimits, VirtualLoop, run_virtual
from mmbot.store.journal import Journal

FORMER_RUN: Final = "aaaaaaaaaaaa"
BASE_URL: Final = "http://127.0.0.1:8460/partner"
AWAY_FROM_THE_MARKET: Final = Price(10_000)
BATCH: Final = 20
S: Final = 10**9
SILENT: Final = structlog.make_filtering_bound_logger(logging.CRITICAL)


@dataclass
class Account:
    """The maker's account, used by a plain client of the box."""

    box: InMemoryBox
    options: BoxOptions
    token: str = ""
    placed: list[OrderSeen] = field(default_factory=list)

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = b"" if body is None else msgspec.json.encode(body)
        status, _, answer = await self.box.http_request(method, path, headers, data)
        assert status == 200, f"{path}: {status} {answer[:200]!r}"
        return json.loads(answer)

    async def log_in(self) -> None:
        keys = {"access_key": self.options.access_key, "secret_key": self.options.secret_key}
        answer = await self.ask("POST", "/partner/auth/login", keys)
        self.token = answer["data"]["access_token"]

    async def rest(self, prefix: str, count: int) -> list[Order]:
        """Place so many on the first strikes of the lines in turn, far from the market."""
        lines = (await self.ask("GET", "/_box/state"))["lines"]
        orders = []
        for n in range(count):
            line = lines[n % len(lines)]
            orders.append(_an_order(f"{prefix}-{FORMER_RUN}-{n}", line, self.box.now_ns()))
        for at in range(0, count, BATCH):
            body = json.loads(codec.submit_body(orders[at : at + BATCH]))
            answer = await self.ask("POST", "/partner/v4/mm/submit_multiple_orders", body)
            assert not answer["data"]["failed_orders"], answer
            for row in answer["data"]["succeed_orders"]:
                report = codec.order_report(msgspec.json.encode(row), Notices(_unheard, _unheard))
                self.placed.append(OrderSeen(report, "reply", self.box.now_ns()))
            await asyncio.sleep(0.1)
        return orders


def _an_order(ident: str, line: Mapping[str, Any], now_ns: int) -> Order:
    return Order(
        external_id=ExternalId(ident),
        event_id=SportEventId(line["event_id"]),
        market_id=MarketId(line["market_id"]),
        line_id=UNKNOWN_LINE,
        strike_id=StrikeId(line["strikes"][0]["strike_id"]),
        side=0,
        price=AWAY_FROM_THE_MARKET,
        quantity_cents=100,
        order_strategy="ALO",
        owner="",
        intended_ns=now_ns,
    )


def _unheard(kind: str, detail: str) -> None:
    """Nobody listens."""


def journalled(orders: Sequence[Order], seen: Sequence[OrderSeen], prefix: str) -> list[Entry]:
    """What the former run wrote down of them."""
    ledger = Ledger(prefix)
    ledger.begin_run(FORMER_RUN, orders[0].intended_ns)
    for order in orders:
        ledger.intend(order)
    for one in seen:
        ledger.apply(one, one.received_ns)
    return list(ledger.drain().entries)


@dataclass
class Stay:
    """A daemon that ran for a while beside orders of a former run."""

    status: dict[str, Any]
    asked: list[tuple[float, str]]  # second and path of its requests, by the box's record

    def per_second_max(self, path: str) -> int:
        """The most requests of one route in any second that begins with one of them."""
        at = sorted(second for second, asked in self.asked if path in asked)
        return max((sum(one <= other < one + 1 for other in at) for one in at), default=0)

    def counts(self) -> Counter[str]:
        return Counter(path.split("?")[0].rsplit("/", 1)[-1] for _, path in self.asked)


def stay(folder: Path, count: int, known: int, run_s: float, mode: str = "observe") -> Stay:
    """`count` orders rest, the ledger knows `known` of them, and a daemon runs for `run_s`."""
    options = BoxOptions()

    async def play(loop: VirtualLoop) -> Stay:
        box = InMemoryBox(options, EPOCH_NS)
        account = Account(box, options)
        await account.ask("POST", "/_box/takers", {"on": False})
        await account.log_in()
        settings = load(
            write_config(DemoPlaces(BASE_URL, 9464, folder)),
            {"MMBOT_ACCESS_KEY": options.access_key, "MMBOT_SECRET_KEY": options.secret_key},
        ).model_copy(update={"run_mode": mode})
        prefix = settings.ledger.prefix
        orders = await account.rest(prefix, count)
        journal = Journal.open(settings.state_dir / settings.ledger.file)
        if known:
            journal.append(journalled(orders[:known], account.placed[:known], prefix))
        await asyncio.sleep(60)  # the former run is long dead
        before = int(str(box.box.truth.totals()["lines"]))

        def commit(entries: Sequence[Entry], done: Done, urgent: bool) -> None:
            journal.append(entries)
            loop.call_soon(done, None)

        world = World(
            clock=LoopClock(EPOCH_NS, loop),
            http=InMemoryHttp(box.http_request),
            websockets=InMemoryWs(box.ws_connect),
            source_http=_source(box),
            rng=Random(1),
            run="bbbbbbbbbbbb",
            journal=journal,
            commit=commit,
            logger=structlog.wrap_logger(structlog.PrintLogger(), wrapper_class=SILENT),
            live=False,
        )
        daemon = Daemon(settings, world, Metrics())
        await daemon.start()
        running = asyncio.ensure_future(daemon.run(Notifier()))
        await asyncio.sleep(run_s)
        status = daemon.status()
        daemon.stop()
        await running
        box.stop()
        journal.close()
        return Stay(status, _asked(box, before))

    return run_virtual(play, seed=1, limits=LoopLimits(horizon_s=run_s + 400))


def _source(box: InMemoryBox) -> Any:
    async def ask(
        method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        path = "/" + url.split("/", 3)[3]
        return await box.http_request(method, path, headers, body)

    return ask


def _asked(box: InMemoryBox, since: int) -> list[tuple[float, str]]:
    found = []
    while lines := box.box.truth.page(since, "maker", "request", 10_000)[0]:
        rows = [json.loads(line) for line in lines]
        since = rows[-1]["n"]
        found += [((row["at_ns"] - EPOCH_NS) / S, row["path"]) for row in rows]
    return found
