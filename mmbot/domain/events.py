"""Everything that may enter the engine. One door: `engine.handle(batch, now_ns, budget)`.

Adapters make these; the engine alone interprets them. `synced_ns` is the exchange's own
`last_synced_at` of a read (None when it gave none): only reads that carry it prove absence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mmbot.domain.book import Book
from mmbot.domain.catalog import Catalog, SportEvent
from mmbot.domain.fill import Trade, Transaction
from mmbot.domain.ids import ExternalId, MarketId, SportEventId, StrikeId
from mmbot.domain.order import OrderReport
from mmbot.domain.price import Ladder

Channel = Literal["reply", "stream", "read"]


# --- market ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CatalogSeeded:
    """A complete seeding; books of lines that it does not list are gone."""

    catalog: Catalog


@dataclass(frozen=True, slots=True)
class SportEventsListed:
    """All sport events, without their markets, as asked for when the stream was back.

    `whole`: it was not away again since.
    """

    events: tuple[SportEvent, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class LadderLoaded:
    ladder: Ladder


@dataclass(frozen=True, slots=True)
class SportEventChanged:
    event: SportEvent


@dataclass(frozen=True, slots=True)
class SportEventUnlisted:
    event_id: SportEventId


@dataclass(frozen=True, slots=True)
class MarketStatusChanged:
    """A market, or only one strike of it, changed status; `deleted` for op `d`."""

    event_id: SportEventId
    market_id: MarketId
    strike_id: StrikeId | None
    status: str
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class BookUpdated:
    """`asked_ns`: of a read, when its request left by our clock; 0 for an image of the stream."""

    book: Book
    asked_ns: int = 0


@dataclass(frozen=True, slots=True)
class FairUpdated:
    """A source's fair probability of one strike (the other strike follows)."""

    strike_id: StrikeId
    prob: float
    sd_logit: float
    source: str
    source_ns: int
    received_ns: int


@dataclass(frozen=True, slots=True)
class FixtureTold:
    """A feed's own start of a sport event, where it is not that of the listing."""

    event_id: SportEventId
    source: str
    start_ns: int


@dataclass(frozen=True, slots=True)
class SourceStateChanged:
    source: str
    healthy: bool
    detail: str = ""


# --- our orders -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """The exchange showed an order: in a reply, a private message, or a read.

    `route` names the request of a reply; `sequence` is the number of a message, `exchange_ns`
    the Date of an answer, where it has one.
    """

    report: OrderReport
    channel: Channel
    received_ns: int
    synced_ns: int | None = None
    route: str = ""
    sequence: int | None = None
    exchange_ns: int | None = None


@dataclass(frozen=True, slots=True)
class PlaceRefused:
    """A named refusal. `external_id_existed` arrives as PlaceLost: it means go and look."""

    external_id: ExternalId
    code: str
    message: str
    exchange_ns: int | None = None


@dataclass(frozen=True, slots=True)
class PlaceLost:
    """Sent, and the outcome is unknown."""

    external_id: ExternalId
    reason: str


@dataclass(frozen=True, slots=True)
class PlaceNotSent:
    """Nothing was asked of the book (dropped by us, 401, 429, connect error)."""

    external_id: ExternalId
    reason: str


@dataclass(frozen=True, slots=True)
class CancelAcknowledged:
    """A bare success, a 404 or `already_*`: not yet evidence, read the order."""

    external_id: ExternalId
    reason: str


@dataclass(frozen=True, slots=True)
class CancelRefused:
    """409, 425, `opened_retry`, fill in progress: try again after `retry_after_ns`."""

    external_id: ExternalId
    code: str
    retry_after_ns: int
    unsent: bool = False  # our own wire said so: the book was not asked


@dataclass(frozen=True, slots=True)
class CancelLost:
    external_id: ExternalId
    reason: str


@dataclass(frozen=True, slots=True)
class OrderNotFound:
    """`get_order` answered 404 for an id that we hold."""

    external_id: ExternalId
    synced_ns: int | None
    received_ns: int


@dataclass(frozen=True, slots=True)
class HistoryRead:
    """A complete paged read of orders created since `from_ns` (exchange time).

    `date_ns` is the Date header of its first page; `synced_ns` the oldest `last_synced_at`, or
    where its window ends if that was before: what happened later it does not show.
    With `alive_only` it lists only what may still trade: such a read proves no absence,
    nor does one with `changed_only`: what changed since `from_ns`, whenever it was created.
    """

    from_ns: int
    reports: tuple[OrderReport, ...]
    synced_ns: int | None
    date_ns: int
    received_ns: int
    alive_only: bool = False
    changed_only: bool = False


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """A read asked for by a command could not be made; `what` is the command's class name."""

    what: str
    reason: str


# --- money ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BalanceSeen:
    """Cash per decision: min(balance, balance - matched); None when the read was unusable.

    `balance_cents` is the exchange's own figure, which its money rows must end in; `asked_ns`
    is when the request left: what happened later need not be in it. `credit_cents`: the exposure
    credit, which is for people to see: it can fall at any time, so no limit ever counts on it.
    """

    cash_cents: int | None
    received_ns: int
    balance_cents: int | None = None
    asked_ns: int = 0
    credit_cents: int | None = None


@dataclass(frozen=True, slots=True)
class TransactionsRead:
    """A complete paged read of money rows created since `from_ns`, asked for at `asked_ns`.

    Without `by_rows` some or all of them cannot be booked: the balance is the evidence then.
    """

    rows: tuple[Transaction, ...]
    from_ns: int
    received_ns: int
    asked_ns: int = 0
    by_rows: bool = True


@dataclass(frozen=True, slots=True)
class TradesRead:
    """A complete paged read of our fills since `from_ns`, asked for at `asked_ns` (our clock)."""

    rows: tuple[Trade, ...]
    from_ns: int
    asked_ns: int


# --- connection, journal, operator ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StreamStateChanged:
    """Which channels are live now. Private down = blind: all wishes are withdrawn.

    `live_since_ns`: of that connection, which may have lived beside another before (0 = long).
    """

    private: bool
    public: bool
    connection: str
    reason: str = ""
    live_since_ns: int = 0


@dataclass(frozen=True, slots=True)
class SessionStateChanged:
    """`usable_until_ns` = our clock's time at which the access token dies (0 = none)."""

    usable_until_ns: int


@dataclass(frozen=True, slots=True)
class JournalStateChanged:
    healthy: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SentinelSeen:
    """Whether the process that flattens us when we cannot is at work, where one is required."""

    watching: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LoopStalled:
    """Our own loop stood still: unsent placements are dropped, books are stale."""

    gap_ns: int


@dataclass(frozen=True, slots=True)
class Lagged:
    """What came last had waited for so long, in our inbox or on its way from the exchange."""

    where: Literal["inbox", "stream"]
    lag_ns: int


@dataclass(frozen=True, slots=True)
class OperatorSaid:
    """`halt` latches; `resume` lifts halt and pause; `pause` withdraws; `stop` ends the run."""

    word: Literal["halt", "resume", "pause", "stop"]
    who: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StrategyQuarantined:
    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class WishesChanged:
    """A strategy in coroutine form said anew what it wants on these strikes."""

    owner: str
    strike_ids: tuple[StrikeId, ...]


Event = (
    CatalogSeeded | LadderLoaded | SportEventChanged | SportEventUnlisted | SportEventsListed
    | MarketStatusChanged | BookUpdated | FairUpdated | FixtureTold | SourceStateChanged
    | OrderSeen | PlaceRefused | PlaceLost | PlaceNotSent
    | CancelAcknowledged | CancelRefused | CancelLost | OrderNotFound | HistoryRead | ReadFailed
    | BalanceSeen | TransactionsRead | TradesRead
    | StreamStateChanged | SessionStateChanged | JournalStateChanged | LoopStalled | Lagged
    | OperatorSaid | StrategyQuarantined | WishesChanged | SentinelSeen
)  # fmt: skip
