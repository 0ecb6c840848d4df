"""`mmbot doctor --contract`: what the exchange answers now, held against the contract's examples.

Nothing is written: each read of the daemon is asked once, and the stream is listened to for a
while. The session is the daemon's (decision 10), so that a look burns no log-in.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import msgspec

from mmbot.app import wiring
from mmbot.app.compose import make_state_dir, prove_box
from mmbot.app.wiring import Client
from mmbot.app.world import Reach
from mmbot.config import Settings, classify_host
from mmbot.domain.catalog import Catalog
from mmbot.domain.errors import FindOut, SetUpError, Stop, TryAgain
from mmbot.exchange import codec, wire
from mmbot.exchange.amounts import NS_PER_S
from mmbot.exchange.contract import contract
from mmbot.exchange.dialect import DIALECTS
from mmbot.exchange.drift import DriftLog, Finding, What
from mmbot.exchange.feed import Feed
from mmbot.exchange.http import HttpSettings, LiveHttp
from mmbot.exchange.listing import Wish, wish_of
from mmbot.exchange.notices import Notices
from mmbot.exchange.routes import CHANGES_WINDOW_MAX_S, Route
from mmbot.exchange.shapes import objects_in
from mmbot.exchange.stream import PLACES, Kind
from mmbot.exchange.ws import LiveWs
from mmbot.runtime.clock import SystemClock
from mmbot.runtime.limiter import Priority
from mmbot.sources.fetching import http_requests

PAUSE_S: Final = 0.3  # a daemon may use the rest of the account's budget meanwhile
EVENTS_MAX: Final = 5
ROWS_MAX: Final = 100
MARGIN_S: Final = 60
STREAM: Final = tuple(PLACES[kind] for kind in (Kind.HEALTH, Kind.BOOK, Kind.ORDER))

Query = dict[str, str | int]


@dataclass(slots=True)
class Comparison:
    """`failed` says what could not be asked, by place; `not_shown` what no answer held."""

    log: DriftLog
    asked: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        return not self.failed and not self.log.seen

    @property
    def not_shown(self) -> list[str]:
        """Objects of the contract at the places that were asked, of which none came."""
        return [
            f"{place} {shape.path}".rstrip()
            for place in self.asked
            for shape in objects_in(contract()[place])
            if shape not in self.log.shown
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "same": self.same,
            "asked": self.asked,
            "differences": self.log.rows(),
            "failed": self.failed,
            "not_shown": self.not_shown,
        }


async def compare(settings: Settings, listen_s: float, *, armed: bool) -> Comparison:
    """Ask the exchange of `settings`; raises SetUpError where it may not be talked to."""
    base_url = settings.exchange.base_url
    if classify_host(base_url, settings.environment, armed=armed) == "box":
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as asking:
            await prove_box(base_url, http_requests(asking))
    make_state_dir(settings.state_dir)
    routes = DIALECTS[settings.exchange.dialect].routes
    http = LiveHttp(HttpSettings(base_url, settings.exchange.reply_timeout_s), routes.order_paths)
    try:
        reach = Reach(SystemClock(), http, LiveWs(), random.Random(secrets.randbits(64)))
        return await look(settings, reach, listen_s)
    finally:
        await http.close()


async def look(settings: Settings, reach: Reach, listen_s: float) -> Comparison:
    """The same through given ports. Raises Stop without a session, SetUpError for wrong keys."""
    told: dict[str, str] = {}
    notices = Notices(first=told.__setitem__)
    client = wiring.client(settings.model_copy(update={"run_mode": "observe"}), reach, notices)
    found = Comparison(notices.drift)
    try:
        await client.session.token()
    except (TryAgain, FindOut) as error:
        raise Stop(f"no session with {settings.exchange.base_url}: {error}") from None
    wish = await _Questions(client, found).ask()
    if listen_s:
        await _listen(wiring.feed(settings, reach, client, dict), wish, listen_s)
        found.asked += (client.rest.routes.register.name, *STREAM)
        health = PLACES[Kind.HEALTH]
        if contract()[health] not in found.log.shown:
            found.log.note(Finding(What.SILENT_CHANNEL, health))
            if reason := told.get("stream_ended"):
                found.failed["stream"] = reason
    return found


async def _listen(feed: Feed, wish: Wish, listen_s: float) -> None:
    feed.watch(wish)
    with suppress(TimeoutError):
        async with asyncio.timeout(listen_s):
            await feed.run(lambda event: None)


class _Questions:
    """Each read once; answers are judged where they arrive (exchange/judged.py)."""

    def __init__(self, client: Client, found: Comparison) -> None:
        self._rest = client.rest
        self._found = found

    async def ask(self) -> Wish:
        """The events that were asked about, for the stream."""
        routes = self._rest.routes
        await self._ask(routes.connection_config)
        await self._ask(routes.balance)
        await self._ask(routes.ladder)
        await self._ask(routes.tournaments, {"has_active_events": "true"})
        listed = await self._ask(routes.sport_events)
        wish = _wish(listed)
        if wish.event_ids:
            await self._ask(routes.markets, {"event_ids": ",".join(map(str, wish.event_ids))})
        until_s = self._rest.session.exchange_now_ns() // NS_PER_S
        since_s = until_s - CHANGES_WINDOW_MAX_S + MARGIN_S
        rows: Query = {"from": since_s, "to": until_s, "limit": ROWS_MAX}
        history = await self._ask(routes.history, rows)
        for order_id in list(_values(history, "order_id"))[:1]:
            await self._ask(routes.order, item=order_id)
        for route in (routes.transactions, routes.trades):
            if route is not None:
                await self._ask(route, rows)
        return wish

    async def _ask(self, route: Route, query: Query | None = None, item: str = "") -> Any:
        """The decoded body; None when there is none."""
        self._found.asked.append(route.name)
        await self._rest.clock.sleep(PAUSE_S)
        try:
            answer = await self._rest.call(route, Priority.AUDIT, query, item=item)
        except SetUpError:
            raise
        except (TryAgain, FindOut) as error:
            self._found.failed[route.name] = str(error)
            return None
        if answer.refusal is not None:
            self._found.failed[route.name] = f"{answer.reply.status} {answer.refusal.text}"
            return None
        try:
            return msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            return None  # judged already


def _wish(listed: Any) -> Wish:
    """The first events of a listing that can be read."""
    rows = listed.get("data", {}) if isinstance(listed, dict) else {}
    rows = rows.get("sport_events") if isinstance(rows, dict) else None
    events = []
    for row in rows if isinstance(rows, list) else []:
        with suppress(ValueError):
            seen = wire.decode(msgspec.json.encode(row), wire.SportEvent)
            events.append(codec.sport_event(seen))
    return wish_of(Catalog.of(events[:EVENTS_MAX], ()))


def _values(body: Any, name: str) -> Iterator[str]:
    """Every id of that name, however the answer is nested today."""
    if isinstance(body, dict):
        for key, value in body.items():
            if key == name and isinstance(value, (int, str)):
                yield str(value)
            else:
                yield from _values(value, name)
    elif isinstance(body, list):
        for value in body:
            yield from _values(value, name)
