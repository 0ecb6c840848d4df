"""What happened, for people and dashboards: frozen records that may not object."""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.domain.difference import Cause, Difference
from mmbot.domain.ids import ExternalId, LineId, SportEventId, StrikeId
from mmbot.domain.order import Order, State


@dataclass(frozen=True, slots=True)
class OrderIntended:
    order: Order


@dataclass(frozen=True, slots=True)
class OrderMoved:
    """An order changed state; `order` is as it is now."""

    order: Order
    before: State
    evidence: str


@dataclass(frozen=True, slots=True)
class FillCounted:
    external_id: ExternalId
    line_id: LineId
    strike_id: StrikeId
    price: int
    stake_cents: int


@dataclass(frozen=True, slots=True)
class FillTakenBack:
    """The exchange undid fills of an order; `stake_cents` is what they had staked."""

    external_id: ExternalId
    line_id: LineId
    strike_id: StrikeId
    price: int
    stake_cents: int


@dataclass(frozen=True, slots=True)
class PlacementRefused:
    """The risk gate said no."""

    owner: str
    strike_id: StrikeId
    check: str
    detail: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """A person should look. `event_id` None means the whole account."""

    what: str
    detail: str
    event_id: SportEventId | None = None
    page: bool = False  # a person is called, whatever the hour


@dataclass(frozen=True, slots=True)
class DifferenceRepaired:
    """A read of the exchange and the ledger differed."""

    difference: Difference


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Everything that we hold was held against the exchange; `orders` were live when it began."""

    cause: Cause
    orders: int
    differences: int
    took_ns: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class ModeChanged:
    """`scope` is "" for the whole daemon, else a sport event id."""

    scope: str
    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class StrategyFailed:
    owner: str
    line_id: LineId
    error: str


Fact = (
    OrderIntended
    | OrderMoved
    | FillCounted
    | FillTakenBack
    | PlacementRefused
    | Alarm
    | DifferenceRepaired
    | Reconciled
    | ModeChanged
    | StrategyFailed
)
