"""What happened, for people and dashboards: frozen records that may not object."""

from __future__ import annotations

from dataclasses import dataclass

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
    | PlacementRefused
    | Alarm
    | ModeChanged
    | StrategyFailed
)
