"""The client against the exchange in the box, over real sockets: two readings of one contract."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from mmbot.domain.catalog import Line
from mmbot.domain.commands import CancelRef, ReadHistory, ReadOrder
from mmbot.domain.events import (
    BookUpdated,
    CancelRefused,
    Event,
    HistoryRead,
    OrderSeen,
    StreamStateChanged,
)
from mmbot.domain.ids import ExternalId, OrderId
from mmbot.domain.order import Order
from mmbot.domain.price import Price
from mmbot.exchange.catalog import CatalogSeeder, CatalogSettings, Seeding
from mmbot.exchange.feed import Feed, FeedSettings
from mmbot.exchange.gateway import Gateway
from mmbot.exchange.http import HttpSettings, LiveHttp
from mmbot.exchange.link import LinkPorts
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from mmbot.exchange.rest import Rest, RestPorts
from mmbot.exchange.routes import V4
from mmbot.exchange.session import Session, SessionPorts, SessionSettings
from mmbot.exchange.tokens import Credentials
from mmbot.exchange.ws import LiveWs
from mmbot.runtime.clock import SystemClock
from mmbot.runtime.limiter import Limiter
from tests.exchange.parts import S, an_order, approved, play, unheard

KEYS = ("an-access-key", "a-secret-key")
WAIT_MAX_S = 20.0


@dataclass(slots=True)
class Trader:
    gateway: Gateway
    seeder: CatalogSeeder
    feed: Feed
    notices: Notices
    session: Session
    events: list[Event] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, event: Event) -> None:
        self.events.append(event)
        self.heard.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for the stream to have said enough."""
        async with asyncio.timeout(WAIT_MAX_S):
            while not true():
                self.heard.clear()
                await self.heard.wait()

    def opened(self) -> set[str]:
        return {
            event.report.external_id or ""
            for event in self.events
            if isinstance(event, OrderSeen) and event.report.status == "open"
        }


@asynccontextmanager
async def a_box() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmbot.sim", "--seed", "7",
        "--access-key", KEYS[0], "--secret-key", KEYS[1],
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())["base_url"]
    finally:
        process.terminate()
        await process.wait()


async def trading(scenario: Callable[[Trader, Seeding], Awaitable[None]]) -> None:
    async with a_box() as base_url:
        clock, notices, listing = SystemClock(), Notices(), Listing()
        limiter = Limiter(clock)
        http = LiveHttp(HttpSettings(base_url), frozenset({V4.submit.path, V4.cancel.path}))
        session = Session(
            SessionSettings(base_url, Credentials(*KEYS)),
            SessionPorts(http, limiter, clock, notices, V4, random.random),
        )
        rest = Rest(RestPorts(http, session, limiter, clock, notices, V4))
        gateway = Gateway(rest, listing)
        feed = Feed(LinkPorts(rest, LiveWs(), listing, notices), FeedSettings(), random.random)
        seeder = CatalogSeeder(gateway, listing, CatalogSettings(), feed.watch)
        trader = Trader(gateway, seeder, feed, notices, session)

        async def act() -> None:
            await scenario(trader, await seeder.seed_once())

        try:
            await play(act(), feed.run(trader.hear, unheard), session.run(trader.hear))
        finally:
            await http.close()


def orders_on(line: Line) -> list[Order]:
    """Two orders far from the market and one that is too small."""
    here = replace(
        an_order(),
        event_id=line.event_id,
        market_id=line.market_id,
        strike_id=line.strikes[0].strike_id,
    )
    return [
        replace(here, external_id=ExternalId(f"mm-0a-{n}"), price=Price(price), quantity_cents=q)
        for n, price, q in ((1, 10_000, 1_000), (2, 7_500, 1_000), (3, 101, 1))
    ]


def names(events: Sequence[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


async def cancelled_at_last(gateway: Gateway, refs: list[CancelRef]) -> list[Event]:
    """An order in its first matching pass refuses a cancel and says when to come back."""
    async with asyncio.timeout(WAIT_MAX_S):
        while True:
            events = await gateway.cancel(refs)
            refused = [event for event in events if isinstance(event, CancelRefused)]
            if not refused:
                return events
            await gateway.rest.clock.sleep(max(one.retry_after_ns for one in refused) / S)


async def test_seed_subscribe_place_cancel_and_read() -> None:
    async def scenario(trader: Trader, seeding: Seeding) -> None:
        gateway = trader.gateway
        assert len(seeding.catalog.lines) >= 13
        await trader.until(lambda: any(isinstance(e, StreamStateChanged) for e in trader.events))
        await trader.until(lambda: any(isinstance(e, BookUpdated) for e in trader.events))
        wanted = orders_on(next(iter(seeding.catalog.lines.values())))
        assert wanted[0].price in (await gateway.load_ladder()).ladder

        placed = await gateway.place([approved(one) for one in wanted])
        assert names(placed) == ["OrderSeen", "OrderSeen", "PlaceRefused"]
        again = await gateway.place([approved(wanted[0])])
        assert names(again) == ["PlaceLost"]  # it existed: go and look
        await trader.until(lambda: trader.opened() >= {"mm-0a-1", "mm-0a-2"})

        refs = [
            CancelRef(one.external_id, event.report.order_id)
            for one, event in zip(wanted, placed, strict=True)
            if isinstance(event, OrderSeen)
        ]
        stranger = CancelRef(ExternalId("mm-0a-9"), OrderId("00000000-0000-0000-0000-000000000000"))
        cancelled = await cancelled_at_last(gateway, [*refs, stranger])
        assert names(cancelled) == ["OrderSeen", "OrderSeen", "CancelAcknowledged"]
        assert not any(e.report.alive for e in cancelled if isinstance(e, OrderSeen))

        (read,) = await gateway.read_order(ReadOrder(refs[0].external_id, refs[0].order_id))
        assert isinstance(read, OrderSeen)
        assert read.report.open_cents == 0
        hour_ago_ns = trader.session.exchange_now_ns() - 3600 * S
        (history,) = await gateway.read_history(ReadHistory(hour_ago_ns))
        assert isinstance(history, HistoryRead)
        assert {report.external_id for report in history.reports} == {"mm-0a-1", "mm-0a-2"}
        assert history.synced_ns is not None
        assert names(await gateway.read_balance()) == ["BalanceSeen"]
        assert names(await gateway.read_transactions(hour_ago_ns)) == ["TransactionsRead"]
        assert await gateway.cancel_everything() == []
        assert {k for k in trader.notices.counts if not k.startswith("refused:")} == set()

    await trading(scenario)
