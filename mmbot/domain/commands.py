"""What the engine asks the outer world to do (placements are in `engine/ports.py`).

Every answer comes back as an event; a command without an answer is repeated by the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.domain.ids import ExternalId, MarketId, OrderId, SportEventId, StrikeId

BATCH_ORDERS_MAX = 20
MARKET_EVENTS_MAX = 50


@dataclass(frozen=True, slots=True)
class CancelRef:
    external_id: ExternalId
    order_id: OrderId


@dataclass(frozen=True, slots=True)
class CancelOrders:
    """At most 20. Never waits for the journal."""

    refs: tuple[CancelRef, ...]


@dataclass(frozen=True, slots=True)
class SweepStrike:
    """Cancel by market and strike: for an order in doubt whose order id is unknown."""

    event_id: SportEventId
    market_id: MarketId
    strike_id: StrikeId


@dataclass(frozen=True, slots=True)
class CancelSportEvent:
    """All orders of the account on one sport event; `refs`: those of ours that it stands for."""

    event_id: SportEventId
    refs: tuple[CancelRef, ...]


@dataclass(frozen=True, slots=True)
class CancelEverything:
    """The whole account: halt with `halt_scope = account` only. `refs` as above."""

    refs: tuple[CancelRef, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadOrder:
    external_id: ExternalId
    order_id: OrderId
    ends_doubt: bool = False


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """All orders created since `from_ns` (exchange time); answered by one HistoryRead.

    `alive_only` asks by status and matching status for what may still trade: a few pages
    instead of the whole past. It shows what rests; it proves no absence. `changed_only` asks
    for what changed since `from_ns` instead, whenever it was created.
    """

    from_ns: int
    ends_doubt: bool = False
    alive_only: bool = False
    changed_only: bool = False


@dataclass(frozen=True, slots=True)
class ReadMarkets:
    """Book images over REST for these sport events (after a gap)."""

    event_ids: tuple[SportEventId, ...]


@dataclass(frozen=True, slots=True)
class ReadBalance:
    pass


@dataclass(frozen=True, slots=True)
class ReadTransactions:
    from_ns: int


@dataclass(frozen=True, slots=True)
class ReadTrades:
    """Fills since `from_ns`, exchange time; answered by one TradesRead where the route exists."""

    from_ns: int


@dataclass(frozen=True, slots=True)
class ReloadLadder:
    """After an `invalid_price`."""


Command = (
    CancelOrders | SweepStrike | CancelSportEvent | CancelEverything
    | ReadOrder | ReadHistory | ReadMarkets | ReadBalance | ReadTransactions | ReadTrades
    | ReloadLadder
)  # fmt: skip
