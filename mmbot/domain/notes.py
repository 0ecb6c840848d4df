"""What the journal keeps for the story of an order: the ledger is rebuilt without it.

Notes ride with a later commit, and nothing waits for them (app/writer.py). Two are more than a
story: after a restart the absence of an order of which `IdExists` tells is still not believed,
and a person's order of which `ManualSeen` tells still counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mmbot.domain.evidence import Evidence
from mmbot.domain.ids import ExternalId, MarketId, OrderId, SportEventId, StrikeId
from mmbot.domain.motive import Verdict
from mmbot.domain.order import OrderReport
from mmbot.domain.price import Price

Request = Literal["place", "cancel", "sweep", "mass cancel"]


@dataclass(frozen=True, slots=True)
class RequestSent:
    """One attempt on the wire; `number` counts those of a run. A batch names all its orders.

    A sweep names its strike, a mass cancel nothing: it concerns every order.
    """

    number: int
    what: Request
    external_ids: tuple[ExternalId, ...]
    at_ns: int
    strike_id: StrikeId | None = None


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """How that attempt ended: HTTP `status` (0: no answer) and the exchange's `code`.

    `outcomes` are words per order, in the order of the attempt's `external_ids`, or one word for
    all of them.
    """

    number: int
    status: int
    code: str
    outcomes: tuple[str, ...]
    at_ns: int


@dataclass(frozen=True, slots=True)
class ResendDecided:
    """The same id is to go out again, and passed the gate again."""

    external_id: ExternalId
    verdict: Verdict | None
    at_ns: int


@dataclass(frozen=True, slots=True)
class IdExists:
    """The exchange said that the id of an order in doubt exists: something landed."""

    external_id: ExternalId
    evidence: Evidence
    at_ns: int


NO_MARKET: Final = MarketId(0)


@dataclass(frozen=True, slots=True)
class ManualSeen:
    """An order on the account that is not ours, when it came and whenever it changed."""

    order_id: OrderId
    external_id: ExternalId | None
    event_id: SportEventId
    strike_id: StrikeId
    price: Price
    quantity_cents: int
    filled_cents: int
    open_cents: int
    status: str
    evidence: Evidence
    at_ns: int
    winning_status: str = ""
    market_id: MarketId = NO_MARKET  # written before it was kept

    @property
    def report(self) -> OrderReport:
        """What the exchange had said, as far as the exposure needs it."""
        return OrderReport(
            order_id=self.order_id,
            external_id=self.external_id,
            event_id=self.event_id,
            market_id=self.market_id,
            strike_id=self.strike_id,
            price=self.price,
            quantity_cents=self.quantity_cents,
            filled_cents=self.filled_cents,
            open_cents=self.open_cents,
            status=self.status,
            winning_status=self.winning_status,
        )

    @classmethod
    def of(cls, report: OrderReport, evidence: Evidence, at_ns: int) -> ManualSeen:
        return cls(
            report.order_id,
            report.external_id,
            report.event_id,
            report.strike_id,
            report.price,
            report.quantity_cents,
            report.filled_cents,
            report.open_cents,
            report.status,
            evidence,
            at_ns,
            report.winning_status,
            report.market_id,
        )


Note = RequestSent | RequestAnswered | ResendDecided | ManualSeen
STORY: Final = (RequestSent, RequestAnswered, ResendDecided)
