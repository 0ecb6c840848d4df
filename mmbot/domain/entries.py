"""What the journal keeps. Replaying the entries in order rebuilds the ledger, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.domain.fill import Transaction
from mmbot.domain.ids import ExternalId
from mmbot.domain.order import Order, State, Step


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A new run id, journalled before its first use."""

    run: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class PlaceIntended:
    """Durable before the request leaves. Also used, with `adopted`, for an order found."""

    order: Order
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class OrderStepped:
    """One cell of the table was walked. `evidence` says who proved it, for people.

    Snapshot after the step: state, order id, filled total, cancel mark.
    """

    external_id: ExternalId
    step: Step
    state: State
    filled_cents: int
    order_id: str
    cancel_wanted: bool
    evidence: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class SettlementSeen:
    """`winning_status` of a filled order: profit | loss | push | draw | no_result ..."""

    external_id: ExternalId
    winning_status: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class TransactionBooked:
    row: Transaction
    at_ns: int


@dataclass(frozen=True, slots=True)
class OperatorNoted:
    word: str
    who: str
    reason: str
    at_ns: int


Entry = (
    RunStarted | PlaceIntended | OrderStepped | SettlementSeen | TransactionBooked | OperatorNoted
)
