"""From settings to the parts of the engine and the client of the exchange."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mmbot.app.ask import Asker, TimedAsker
from mmbot.app.first_contact import quantity_min_cents
from mmbot.app.world import Reach, World
from mmbot.config import OddsApiSource, Settings, SourceSettings
from mmbot.domain.catalog import Catalog
from mmbot.domain.events import Event
from mmbot.engine.breakers import Breakers
from mmbot.engine.core import Engine
from mmbot.engine.housekeeping import Housekeeping
from mmbot.engine.ledger import Ledger
from mmbot.engine.limits import LimitBook
from mmbot.engine.modes import Modes
from mmbot.engine.parts import Parts
from mmbot.engine.placing import Placing, Rights
from mmbot.engine.ports import Slot
from mmbot.engine.risk import Gate
from mmbot.engine.state import MarketState
from mmbot.engine.wishes import Wishes
from mmbot.exchange.catalog import CatalogSeeder, CatalogSettings
from mmbot.exchange.channels import Topic, Worth
from mmbot.exchange.contract import contract
from mmbot.exchange.dialect import DIALECTS
from mmbot.exchange.drift import Shield
from mmbot.exchange.feed import Feed, FeedSettings
from mmbot.exchange.gateway import Gateway
from mmbot.exchange.judged import JudgedHttp
from mmbot.exchange.lane import LaneSettings
from mmbot.exchange.link import LinkPorts, LinkSettings
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from mmbot.exchange.reads import ReadGateway
from mmbot.exchange.rest import Rest, RestPorts, RestSettings
from mmbot.exchange.session import Session, SessionPorts, SessionSettings
from mmbot.exchange.tokens import Credentials
from mmbot.pricing.portfolio import Portfolio
from mmbot.runtime.limiter import Limiter, Rates
from mmbot.sources import odds_api, static
from mmbot.sources.fairs import SourceRules
from mmbot.sources.feed import Feed as OddsFeed
from mmbot.sources.fetching import Document, FileFetch, HttpFetch
from mmbot.sources.polling import PolledSource, PollRules, SourcePorts

TOKEN_FILE = "session.json"
BACKOFF_POLLS = 10  # a feed that comes back is noticed within this many of its periods


@dataclass(frozen=True, slots=True)
class Client:
    """The exchange as the daemon uses it; `gateway` has no write methods in observe mode."""

    session: Session
    rest: Rest
    listing: Listing
    limiter: Limiter
    notices: Notices
    reads: ReadGateway
    writes: Gateway | None


def client(
    settings: Settings,
    world: Reach,
    notices: Notices,
    budget: Rates | None = None,
    token_file: str = TOKEN_FILE,
) -> Client:
    """`budget` and `token_file`: of a second process on the account, which has its own session."""
    secrets = settings.credentials
    routes = DIALECTS[settings.exchange.dialect].routes
    limiter = Limiter(world.clock, budget or rates(settings))
    http = JudgedHttp(world.http, Shield(contract(), notices.drift), routes)
    session = Session(
        SessionSettings(
            settings.exchange.base_url,
            Credentials(
                secrets.access_key.get_secret_value(), secrets.secret_key.get_secret_value()
            ),
            settings.state_dir / token_file,
            settings.session.refresh_every_s,
        ),
        SessionPorts(http, limiter, world.clock, notices, routes, world.rng.random),
    )
    rest = Rest(
        RestPorts(http, session, limiter, world.clock, notices, routes),
        RestSettings(settings.exchange.reply_timeout_s),
    )
    listing = Listing()
    live = settings.run_mode == "live"
    writes = Gateway(rest, listing) if live else None
    reads = writes or ReadGateway(rest, listing)
    return Client(session, rest, listing, limiter, notices, reads, writes)


def rates(settings: Settings) -> Rates:
    exchange = settings.exchange
    return Rates.of_share(exchange.requests_per_second_max, exchange.account_share)


def feed(
    settings: Settings, world: Reach, client: Client, worth: Callable[[], Mapping[Topic, Worth]]
) -> Feed:
    stream, dialect = settings.stream, DIALECTS[settings.exchange.dialect]
    link = LinkSettings(stream.health_timeout_s, stream.reconnect_after_s)
    return Feed(
        LinkPorts(client.rest, world.websockets, client.listing, client.notices, dialect),
        FeedSettings(config_poll_s=stream.config_poll_s, lane=LaneSettings(link=link)),
        world.rng.random,
        worth,
    )


def seeder(settings: Settings, client: Client, feed: Feed) -> CatalogSeeder:
    wanted = CatalogSettings(
        tournament_ids=frozenset(settings.seeding.tournaments), reseed_s=settings.seeding.compare_s
    )
    return CatalogSeeder(client.reads, client.listing, wanted, feed.watch)


def engine(
    settings: Settings,
    world: World,
    ledger: Ledger,
    slots: list[Slot],
    tell: Callable[[Event], None],
) -> Engine:
    now_ns = world.clock.now_ns()
    state, modes = MarketState(), Modes(now_ns)
    house = Housekeeping()
    asker = TimedAsker(world.clock, tell) if world.live else Asker()
    wishes = Wishes(slots, asker, state, ledger, now_ns)
    rights = Rights(writable=settings.run_mode == "live")
    ledger.line_of = state.line_with
    settings.breakers.rule(ledger.accounting.day, ledger.edge)
    placing = Placing(Gate(limits(settings)), ledger, state, modes, house, wishes, rights)
    whole = settings.halt_scope == "account"
    breakers = Breakers(settings.breakers.limits(), ledger.cool_offs)
    return Engine(Parts(ledger, state, modes, wishes, placing, house, breakers, whole))


def portfolio(settings: Settings) -> Portfolio:
    fee_ppm = math.ceil(settings.exchange.fee_net_winnings * 1_000_000)
    return Portfolio(fee_ppm, limits(settings).account.simultaneous_events_max)


def limits(settings: Settings) -> LimitBook:
    return settings.risk.book(quantity_min_cents(settings))


def sources(settings: Settings, world: World, catalog: Callable[[], Catalog]) -> list[PolledSource]:
    ports = SourcePorts(catalog, world.clock.now_ns, world.clock.sleep)
    return [_source(wanted, settings, world, ports) for wanted in settings.sources]


def _source(
    wanted: SourceSettings, settings: Settings, world: World, ports: SourcePorts
) -> PolledSource:
    if isinstance(wanted, OddsApiSource):
        key = settings.credentials.odds_api_key
        fetch = HttpFetch(world.source_http, wanted.url, key.get_secret_value() if key else "")

        def parse_odds(document: Document, now_ns: int) -> OddsFeed:
            return odds_api.parse(document.body, now_ns)

        return PolledSource(
            wanted.name,
            (fetch, parse_odds),
            ports,
            PollRules(wanted.poll_s, backoff_max_s=BACKOFF_POLLS * wanted.poll_s),
            SourceRules(),
        )

    def parse_static(document: Document, now_ns: int) -> OddsFeed:
        return static.parse(document, now_ns, static.StaticRules())

    return PolledSource(
        wanted.name,
        (FileFetch(wanted.file), parse_static),
        ports,
        PollRules(wanted.poll_s, restate=True),
        SourceRules(),
    )
