"""What the journal keeps. Replaying the entries in order rebuilds the ledger, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from mmbot.domain.case import Case
from mmbot.domain.difference import DifferenceFound
from mmbot.domain.evidence import Evidence
from mmbot.domain.fill import Transaction
from mmbot.domain.ids import ExternalId, LineId, SportEventId
from mmbot.domain.motive import Motive, Verdict
from mmbot.domain.notes import IdExists, ManualSeen, RequestAnswered, RequestSent, ResendDecided
from mmbot.domain.order import Order, State, Step


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A new run id, journalled before its first use; `checks` are those of its risk gate."""

    run: str
    at_ns: int
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceIntended:
    """Durable before the request leaves. Also used, with `adopted`, for an order found.

    `motive` and `verdict`: the view that made the strategy want it, and why the gate agreed.
    """

    order: Order
    adopted: bool = False
    motive: Motive | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class OrderStepped:
    """One cell of the table was walked; `evidence` is what proved it.

    Snapshot after the step: state, order id, filled total, cancel mark.
    """

    external_id: ExternalId
    step: Step
    state: State
    filled_cents: int
    order_id: str
    cancel_wanted: bool
    evidence: Evidence
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
class FillDisputed:
    """The exchange showed `cents` less filled than we count; 0 when that is over, and we do.

    Until money decides, the stake counts as filled and what it wins does not.
    """

    external_id: ExternalId
    cents: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class FillReversed:
    """Fills taken back by the exchange: the only entry that lowers a filled total.

    `state` and `filled_cents` are those after it. Two proofs: `evidence` is the read that shows
    the lower total, `rows` the money rows that gave `reversed_cents` back (none where the
    exchange shows no rows: then the balance did).
    """

    external_id: ExternalId
    state: State
    filled_cents: int
    reversed_cents: int
    rows: tuple[str, ...]
    evidence: Evidence
    at_ns: int


@dataclass(frozen=True, slots=True)
class BalanceNoted:
    """The exchange's balance: where the account began, or the PnL where no row can be booked."""

    balance_cents: int
    pnl_cents: int
    why: Literal["opening", "instead of rows", "rows again"]
    at_ns: int


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """Our money and the exchange's differ, and have for a while."""

    case: Case
    at_ns: int


@dataclass(frozen=True, slots=True)
class CaseClosed:
    """The difference has ended; `evidence` says what showed it."""

    case_id: str
    evidence: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class OperatorNoted:
    word: str
    who: str
    reason: str
    at_ns: int


Breaker = Literal["fill burst", "price jump", "reject loop"]


@dataclass(frozen=True, slots=True)
class BreakerTripped:
    """A sport event is pulled for so long, and why; None: everything is."""

    event_id: SportEventId | None
    breaker: Breaker
    why: str
    length_ns: int
    at_ns: int

    @property
    def until_ns(self) -> int:
        return self.at_ns + self.length_ns


class Mark(NamedTuple):
    """The fair probability of side 0 of a line, in parts per million."""

    line_id: LineId
    prob_ppm: int


@dataclass(frozen=True, slots=True)
class EdgeNoted:
    """What fills were worth by fair values beyond what they cost: of all, when the day began, and
    the largest loss of the day; `marks` of the lines that waited for a result. The last one
    stands for all before it."""

    made_cents: int
    began_cents: int
    worst_cents: int
    marks: tuple[Mark, ...]
    at_ns: int


Entry = (
    RunStarted | PlaceIntended | OrderStepped | SettlementSeen | TransactionBooked | OperatorNoted
    | FillDisputed | FillReversed | BalanceNoted | CaseOpened | CaseClosed | BreakerTripped
    | EdgeNoted | RequestSent | RequestAnswered | ResendDecided | IdExists | ManualSeen
    | DifferenceFound
)  # fmt: skip
