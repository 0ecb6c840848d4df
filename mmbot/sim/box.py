"""The whole box without sockets: one exchange, its traders, its stream and its routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from mmbot.sim.control import Control
from mmbot.sim.core import Exchange
from mmbot.sim.fair import FairBoard
from mmbot.sim.feed import OddsFeed
from mmbot.sim.latency import Latency
from mmbot.sim.lifecycle import NS, Listing, SportEvent
from mmbot.sim.odds_files import load_games
from mmbot.sim.orders import Account, Fill, Order
from mmbot.sim.prices import DataError, load_ladder
from mmbot.sim.record import Record
from mmbot.sim.replies import Reply
from mmbot.sim.reporting import Reporting
from mmbot.sim.rival import Rival
from mmbot.sim.routes import Arrival, Routes
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.sessions import Sessions
from mmbot.sim.stream import AppKey, Connection, StreamHub
from mmbot.sim.switches import Switches
from mmbot.sim.takers import Takers

DATA = Path(__file__).parent.parent / "data"
MS = 1_000_000
APP_KEY = "a1b2c3d4e5f6a7b8c9d0"


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The record and the reporting copy hear of the same changes."""

    record: Record
    reporting: Reporting

    def order_changed(self, order: Order, what: str, now_ns: int) -> None:
        if not order.account.internal:
            self.reporting.changed(order, now_ns)
            self.record.order_changed(order, what, now_ns)

    def filled(self, fill: Fill) -> None:
        self.reporting.filled(fill)
        self.record.filled(fill)


class Box:
    """Build it with options and the time of its birth, then feed it requests and time."""

    def __init__(self, options: BoxOptions, started_ns: int) -> None:
        self.options = options
        self.started_ns = started_ns
        self.ws_host = "127.0.0.1"
        games = load_games(Path(options.data_dir) if options.data_dir else DATA / "odds")
        listing = Listing(games, started_ns, options.start_after_s)
        if not listing.lines:
            raise DataError("odds data: no two-sided line in any game")
        self.fair = FairBoard(listing, options.drift, self._rng("drift"))
        self.record = Record(listing, self.fair, started_ns)
        reporting = Reporting(options.session.reporting_lag_s)
        self.latency = Latency(options.latency_profile, self._rng("latency"))
        self.exchange = Exchange(
            listing,
            load_ladder(DATA / "price_ladder.json"),
            options.rules,
            Witnesses(self.record, reporting),
            self._rng("ids"),
            self.latency.activation_ns,
        )
        self.exchange.now_ns = started_ns
        secret = self._rng("app").randbytes(10).hex()
        self.hub = StreamHub(AppKey(APP_KEY, secret), options.session, self._rng("sockets"))
        self.switches = Switches(silent=self.hub.silent)
        self.sessions = Sessions(options.session, self._rng("tokens"))
        self.feed = OddsFeed(self.exchange, self.fair, options.feed, self._rng("feed"))
        traders = (
            Takers(self.exchange, self.fair, options.takers, self._rng("takers")),
            Rival(self.exchange, self.fair, options.rival, self._rng("rival")),
        )
        self.control = Control(
            self.exchange,
            self.fair,
            self.feed,
            self.record,
            traders,
            (self._rng("news"), self._rng("results")),
        )
        self.routes = Routes(self, reporting)
        self.maker = self.add_account("maker", options.access_key, options.secret_key)
        self._start()

    def _rng(self, purpose: str) -> Random:
        return Random(f"{self.options.seed}:{purpose}")

    def add_account(self, name: str, access_key: str, secret_key: str) -> Account:
        """One more account with API keys and the usual cash."""
        account = Account(
            user_id=self.exchange.new_id(),
            name=name,
            cash_cents=self.options.cash_usd * 100,
            access_key=access_key,
            secret_key=secret_key,
        )
        self.exchange.open_account(account)
        self.sessions.know(account)
        self.record.watch(account)
        return account

    def _start(self) -> None:
        now_ns = self.started_ns
        self.feed.start(now_ns)
        self._drift(now_ns)
        self._health(now_ns)
        if self.options.takers.on:
            self.control.switch_takers(True, now_ns)
        for event in self.exchange.listing.events.values():
            self.exchange.schedule(event.start_ns, partial(self._go_live, event))

    # -- time -----------------------------------------------------------------------------

    def advance(self, now_ns: int) -> None:
        """Let everything happen that is due, then hand the messages to the sockets."""
        self.exchange.advance(now_ns)
        outbox = self.exchange.outbox
        if outbox:
            self.exchange.outbox = []
            for message in outbox:
                self.hub.publish(message)

    def next_due_ns(self) -> int | None:
        return self.exchange.next_due_ns()

    def _drift(self, now_ns: int) -> None:
        self.fair.step(now_ns)
        self.record.fair_moved(now_ns)
        self.exchange.schedule(now_ns + self.options.drift.step_ms * MS, self._drift)

    def _health(self, now_ns: int) -> None:
        self.hub.tick(now_ns)
        every_ns = int(self.options.session.health_check_s * NS)
        self.exchange.schedule(now_ns + every_ns, self._health)

    def _go_live(self, event: SportEvent, now_ns: int) -> None:
        """The start has come: everything that rests on the event is wiped."""
        if event.status != "not_started":
            return
        self.exchange.change_event(event, "live", now_ns)

    # -- the outside ----------------------------------------------------------------------

    def arrive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, now_ns: int
    ) -> Arrival | Reply:
        """A request at the door: refused or answered at once, or let in."""
        self.advance(now_ns)
        found = self.routes.arrive(method, path, headers, body, now_ns)
        self.advance(now_ns)
        return found

    def execute(self, arrival: Arrival, now_ns: int) -> Reply:
        self.advance(now_ns)
        reply = self.routes.execute(arrival, now_ns)
        self.advance(now_ns)
        return reply

    def http(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, now_ns: int
    ) -> Reply:
        """One request without latency, from its arrival to its answer."""
        found = self.arrive(method, path, headers, body, now_ns)
        return found if isinstance(found, Reply) else self.execute(found, now_ns)

    def connect(self, app_key: str, query: Mapping[str, str], now_ns: int) -> Connection:
        self.advance(now_ns)
        return self.hub.connect(app_key, query, now_ns)

    def receive(self, connection: Connection, text: str, now_ns: int) -> None:
        self.advance(now_ns)
        self.hub.receive(connection, text, now_ns)
