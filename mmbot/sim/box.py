"""The whole box without sockets: one exchange, its traders, its stream and its routes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random

from mmbot.sim.control.actions import NEWS_LOGIT_MAX, Control
from mmbot.sim.control.routes import Steering
from mmbot.sim.core.exchange import Exchange
from mmbot.sim.core.ladders import ladder_of
from mmbot.sim.core.lifecycle import NS, Listing
from mmbot.sim.core.orders import Account, Fill
from mmbot.sim.core.prices import DataError
from mmbot.sim.faults.board import FaultBoard
from mmbot.sim.faults.mishaps import Mishaps, delays_ns
from mmbot.sim.faults.stream_faults import StreamFaults, World
from mmbot.sim.faults.switches import Switches
from mmbot.sim.games.generated import generated_games, habits_of
from mmbot.sim.games.odds_files import Game, load_games
from mmbot.sim.http.front import Front
from mmbot.sim.http.replies import Reply
from mmbot.sim.http.reporting import Reporting
from mmbot.sim.http.routes import Arrival, Routes
from mmbot.sim.http.sessions import Sessions
from mmbot.sim.http.shapes import Shapes
from mmbot.sim.latency import Latency
from mmbot.sim.market.fair import FairBoard
from mmbot.sim.market.feed import OddsFeed
from mmbot.sim.market.traders import Traders
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.speed import at_speed
from mmbot.sim.stream.catalog import ExchangeCatalog
from mmbot.sim.stream.hub import AppKey, Connection, StreamHub
from mmbot.sim.timeline.moves import Moves
from mmbot.sim.witness.record import Record
from mmbot.sim.witness.truth import Truth
from mmbot.sim.witness.witnesses import Witnesses

DATA = Path(__file__).parent.parent / "data"
MS = 1_000_000
APP_KEY = "a1b2c3d4e5f6a7b8c9d0"


class Box:
    """Build it with options and the time of its birth, then feed it requests and time."""

    def __init__(self, options: BoxOptions, started_ns: int) -> None:
        self.options = options = at_speed(options)
        self.started_ns = started_ns
        self.ws_host = "127.0.0.1"
        listing = Listing(self._games(), started_ns, options.start_after_s)
        if not listing.lines:
            raise DataError("odds data: no two-sided line in any game")
        self.fair = FairBoard(listing, options.drift, self._rng("drift"))
        self.record = Record(listing, self.fair, started_ns)
        self.truth = Truth()
        self.faults = FaultBoard(options.seed, self.truth.fault)
        self.switches = Switches()
        reporting = Reporting(options.session.reporting_lag_s, self.switches)
        self.latency = Latency(options.latency_profile, self._rng("latency"))
        self.witnesses = Witnesses(self.record, reporting, self.truth, self.faults)
        self.exchange = Exchange(
            listing,
            ladder_of(options.rules.ladder, DATA / "price_ladder.json"),
            options.rules,
            self.witnesses,
            self._rng("ids"),
            self.latency.activation_ns,
        )
        self.exchange.now_ns = started_ns
        self.exchange.wallet.told = self.truth.moved
        self.witnesses.bust_at = self._bust_at
        secret = self._rng("app").randbytes(10).hex()
        self.hub = StreamHub(
            AppKey(APP_KEY, secret),
            options.session,
            self._rng("sockets"),
            options.stream,
            ExchangeCatalog(self.exchange),
        )
        self.switches.silent = self.hub.silent
        self.sessions = Sessions(options.session, self._rng("tokens"))
        self.feed = OddsFeed(self.exchange, self.fair, options.feed, self._rng("feed"))
        traders = Traders(self.exchange, self.fair, options, self._rng)
        self.control = Control(
            self.exchange,
            self.fair,
            self.feed,
            self.record,
            traders,
            (self._rng("news"), self._rng("results")),
        )
        world = World(lambda: self.exchange.now_ns, self.exchange.schedule, self._names)
        self.stream_faults = StreamFaults(self.hub, self.faults, self.switches, world)
        self.shapes = Shapes(options.wire, self.switches)
        self.routes = Routes(self, reporting)
        self.maker = self.add_account("maker", options.access_key, options.secret_key)
        self._open_accounts()
        self.moves = Moves(self)
        self.steering = Steering(self)
        mishaps = Mishaps(self.routes, self.faults, self.switches, self.exchange.schedule)
        token = options.control_token
        self._door = Front(mishaps, self.steering, self.truth, self.sessions, token)
        self._start()

    def _games(self) -> tuple[Game, ...]:
        """Those of the odds files, or as many new ones priced in their manner."""
        data_dir, wanted = self.options.data_dir, self.options.events
        games = load_games(Path(data_dir) if data_dir else DATA / "odds")
        if not wanted.count:
            return games
        return generated_games(wanted, habits_of(games), self._rng("events"))

    def _rng(self, purpose: str) -> Random:
        return Random(f"{self.options.seed}:{purpose}")

    def add_account(
        self, name: str, access_key: str, secret_key: str, cash_usd: int | None = None
    ) -> Account:
        """One more account with API keys; without a sum it has the usual cash."""
        account = Account(
            user_id=self.exchange.new_id(),
            name=name,
            cash_cents=100 * (self.options.cash_usd if cash_usd is None else cash_usd),
            access_key=access_key,
            secret_key=secret_key,
        )
        self.exchange.open_account(account)
        self.sessions.know(account)
        self.record.watch(account)
        return account

    def _open_accounts(self) -> None:
        """The accounts of the scenario, beside the maker's."""
        names = {account.name for account in self.exchange.accounts.values()}
        for one in self.options.accounts:
            if not (one.name and one.access_key and one.secret_key):
                raise DataError("accounts: name, access_key and secret_key must not be empty")
            if one.name in names:
                raise DataError(f"accounts: the name {one.name} is used twice")
            names.add(one.name)
            if self.sessions.by_key(one.access_key) is not None:
                raise DataError(f"accounts: the access key of {one.name} is used twice")
            account = self.add_account(one.name, one.access_key, one.secret_key, one.cash_usd)
            self.sessions.suspend(account, one.suspended)
            if not one.wallet:
                self.sessions.take_wallet(account)

    def _bust_at(self, at_ns: int, fill: Fill) -> None:
        self.exchange.schedule(at_ns, partial(self.exchange.settlement.bust, fill))

    def _names(self, user_id: str) -> tuple[str, ...]:
        """By which a rule of faults may single out an account."""
        account = self.exchange.accounts.get(user_id)
        return ("",) if account is None else (account.name, account.access_key)

    def _start(self) -> None:
        now_ns = self.started_ns
        for account in self.exchange.accounts.values():
            self.truth.opened(account, now_ns)
        self.faults.add(self.options.faults, now_ns)
        self.feed.start(now_ns)
        self._drift(now_ns)
        self._health(now_ns)
        self._watch(now_ns)
        if self.options.takers.on:
            self.control.switch_takers(True, now_ns)
        for event in self.exchange.listing.events.values():
            self.exchange.calendar.follow_clock(event)
        if self.options.drift.news_per_h:
            self._await_news(now_ns, self._rng("news by itself"))
        self.moves.schedule(self.options.timeline, now_ns)

    # -- time -----------------------------------------------------------------------------

    def advance(self, now_ns: int) -> None:
        """Let everything happen that is due, then hand the messages to the sockets."""
        self.exchange.advance(now_ns)
        for message in self.exchange.take_outbox():
            self.hub.publish(message)

    def next_due_ns(self) -> int | None:
        return self.exchange.next_due_ns()

    def _drift(self, now_ns: int) -> None:
        self.fair.step(now_ns)
        self.record.fair_moved(now_ns)
        self.exchange.schedule(now_ns + self.options.drift.step_ms * MS, self._drift)

    def _await_news(self, now_ns: int, rng: Random) -> None:
        wait_s = rng.expovariate(self.options.drift.news_per_h / 3600)
        self.exchange.schedule(now_ns + int(wait_s * NS), partial(self._news, rng))

    def _news(self, rng: Random, now_ns: int) -> None:
        """News that nobody sent: a jump of some game, as large as the scenario says."""
        shift = rng.gauss(0.0, self.options.drift.news_sd_logit)
        shift = max(-NEWS_LOGIT_MAX, min(shift, NEWS_LOGIT_MAX))
        self.control.news({"shift_logit": shift}, now_ns, self.options.drift.news_logit)
        self._await_news(now_ns, rng)

    def _health(self, now_ns: int) -> None:
        self.hub.health(now_ns)
        every_ns = int(self.options.session.health_check_s * NS)
        self.exchange.schedule(now_ns + every_ns, self._health)

    def _watch(self, now_ns: int) -> None:
        self.hub.watch(now_ns)
        self.exchange.schedule(now_ns + NS, self._watch)

    # -- the outside ----------------------------------------------------------------------

    def arrive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, now_ns: int
    ) -> Arrival | Reply:
        """A request at the door: refused or answered at once, or let in."""
        self.advance(now_ns)
        found = self._door.arrive(method, path, headers, body, now_ns)
        self.advance(now_ns)
        return found

    def execute(self, arrival: Arrival, now_ns: int) -> Reply:
        self.advance(now_ns)
        reply = self._door.execute(arrival, now_ns)
        self.advance(now_ns)
        return reply

    def delays_ns(self, arrival: Arrival) -> tuple[int, int]:
        """From arrival to execution, and from execution to the answer."""
        before, after = self.latency.of_request(arrival.route)
        slow_before, slow_after = delays_ns(arrival)
        after += int(self.switches.reply_delay_s * NS)
        if arrival.operation in ("register", "pusher"):
            after += round(self.options.stream.registration_delay_s * NS)
        return before + slow_before, after + slow_after

    def change_rules(self, options: BoxOptions) -> None:
        """Other rules from now on; what is under way ends by the old ones."""
        self.options = options
        self.exchange.rules = options.rules
        self.sessions.use(options.session)
        self.shapes.use(options.wire)
        self.hub.use(options.stream, options.session)

    def http(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, now_ns: int
    ) -> Reply:
        """One request without latency, from its arrival to its answer."""
        found = self.arrive(method, path, headers, body, now_ns)
        return found if isinstance(found, Reply) else self.execute(found, now_ns)

    def connect(
        self, app_key: str, query: Mapping[str, str], now_ns: int, host: str = ""
    ) -> Connection:
        self.advance(now_ns)
        refused = self.stream_faults.refused(now_ns)
        if refused is not None:
            return refused
        connection = self.hub.connect(app_key, query, now_ns, host)
        self.stream_faults.connected(connection)
        return connection

    def receive(self, connection: Connection, text: str, now_ns: int) -> None:
        self.advance(now_ns)
        self.hub.receive(connection, text, now_ns)
