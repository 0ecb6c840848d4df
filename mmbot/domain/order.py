"""The life of an order: every legal transition is in `TABLE`, and nowhere else.

States and steps are those of ARCHITECTURE.md, "The life of an order". A cell holds the state
after the step and what else must happen; the ledger only looks things up here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from mmbot.domain.catalog import Side
from mmbot.domain.evidence import OUTSIDE, Kind
from mmbot.domain.ids import ExternalId, LineId, MarketId, OrderId, SportEventId, StrikeId
from mmbot.domain.price import Price
from mmbot.domain.quote import OrderStrategy


class State(StrEnum):
    INTENDED = "INTENDED"  # durable, perhaps sent, no answer yet
    IN_DOUBT = "IN_DOUBT"  # an answer was lost: counted in full until there is evidence
    OPEN = "OPEN"
    CANCELLING = "CANCELLING"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    CLOSED = "CLOSED"  # ended by the venue


TERMINAL: Final = frozenset({State.FILLED, State.CANCELLED, State.REJECTED, State.CLOSED})


class Step(StrEnum):
    SEEN_ALIVE = "seen alive"
    REJECTED = "rejected"
    LOST_REPLY = "lost reply"  # or a restart while the reply was outstanding
    TRUSTED_ABSENT = "trusted absent"
    NOT_SENT = "not sent"
    PART_FILL = "part fill"
    FILLED_UP = "filled up"
    CANCEL_WANTED = "cancel wanted"
    CANCEL_CONFIRMED = "cancel confirmed"
    CANCEL_REFUSED = "cancel refused"
    ENDED_BY_VENUE = "ended by venue"


class Then(StrEnum):
    """What a cell asks for besides the new state."""

    NOTHING = "nothing"
    IGNORE = "ignore"
    MARK = "mark"  # remember that a cancel is wanted; send it when there is an order id
    SWEEP_OR_WAIT = "sweep or wait"
    RETRY = "retry"  # repeat the cancel
    RETRY_REREAD = "retry, re-read"
    REREAD = "re-read"  # a read decides, the message alone proves nothing
    COUNT = "count+"  # the fill counts, alarm, sport event to CANCEL_ONLY
    ALARM = "alarm"  # journal it, alarm, keep the state
    DASH = "dash"  # ours: assertion; theirs: alarm and sport event to CANCEL_ONLY


@dataclass(frozen=True, slots=True)
class Cell:
    state: State
    then: Then = Then.NOTHING


def _row(state: State, *cells: State | Then | Cell) -> dict[tuple[State, Step], Cell]:
    row = {}
    for step, cell in zip(Step, cells, strict=True):
        match cell:
            case Cell():
                row[state, step] = cell
            case Then():
                row[state, step] = Cell(state, cell)
            case State():
                row[state, step] = Cell(cell)
    return row


def _table() -> dict[tuple[State, Step], Cell]:
    s, t = State, Then
    stay = t.NOTHING
    rows = (
        # seen alive, rejected, lost reply, trusted absent, not sent, part fill, filled up,
        # cancel wanted, cancel confirmed, cancel refused, ended by venue
        _row(s.INTENDED, s.OPEN, s.REJECTED, s.IN_DOUBT, t.IGNORE, s.REJECTED, s.OPEN, s.FILLED,
             t.MARK, s.CANCELLED, t.DASH, s.CLOSED),
        _row(s.IN_DOUBT, s.OPEN, s.REJECTED, stay, s.REJECTED, stay, s.OPEN, s.FILLED,
             t.SWEEP_OR_WAIT, s.CANCELLED, stay, s.CLOSED),
        _row(s.OPEN, stay, t.ALARM, stay, s.IN_DOUBT, t.DASH, stay, s.FILLED,
             s.CANCELLING, s.CANCELLED, t.DASH, s.CLOSED),
        _row(s.CANCELLING, stay, t.ALARM, t.RETRY, s.IN_DOUBT, t.DASH, stay, s.FILLED,
             stay, s.CANCELLED, t.RETRY_REREAD, s.CLOSED),
    )  # fmt: skip
    table = {key: cell for row in rows for key, cell in row.items()}
    for end in TERMINAL:
        table |= _row(end, t.REREAD, t.IGNORE, t.IGNORE, t.IGNORE, t.DASH, t.COUNT, t.COUNT,
                      t.IGNORE, t.IGNORE, t.IGNORE, t.IGNORE)  # fmt: skip
    return table


TABLE: Final[Mapping[tuple[State, Step], Cell]] = MappingProxyType(_table())

# What may prove each step. Our own clock proves that no answer came, and nothing else: no step
# that ends an order or a doubt takes less than the exchange's word. `NOT_SENT` ends an order of
# which the exchange never heard, so our own wire is the only witness; in doubt it moves nothing.
PROVEN_BY: Final[Mapping[Step, frozenset[Kind]]] = MappingProxyType(
    {
        Step.SEEN_ALIVE: OUTSIDE,
        Step.REJECTED: frozenset({Kind.REPLY}),  # of a resend it says nothing of the first attempt
        Step.LOST_REPLY: frozenset({Kind.SILENCE, Kind.SAME_ID, Kind.TIMER, Kind.RESTART}),
        Step.TRUSTED_ABSENT: frozenset({Kind.READ}),
        Step.NOT_SENT: frozenset({Kind.UNSENT}),
        Step.PART_FILL: OUTSIDE,
        Step.FILLED_UP: OUTSIDE,
        Step.CANCEL_WANTED: frozenset({Kind.DECISION}),
        Step.CANCEL_CONFIRMED: OUTSIDE,
        Step.CANCEL_REFUSED: frozenset({Kind.CANCEL_ITEM, Kind.UNSENT}),
        Step.ENDED_BY_VENUE: OUTSIDE,
    }
)


@dataclass(frozen=True, slots=True)
class Order:
    """The ledger's knowledge of one intent. Quantities are cents of our own stake."""

    external_id: ExternalId
    event_id: SportEventId
    market_id: MarketId
    line_id: LineId
    strike_id: StrikeId
    side: Side
    price: Price
    quantity_cents: int
    order_strategy: OrderStrategy
    owner: str  # the strategy that wished it; "" when adopted
    intended_ns: int
    state: State = State.INTENDED
    order_id: OrderId | None = None
    filled_cents: int = 0
    cancel_wanted: bool = False

    @property
    def terminal(self) -> bool:
        return self.state in TERMINAL

    @property
    def remaining_cents(self) -> int:
        """What may still fill: 0 once terminal."""
        return 0 if self.state in TERMINAL else max(0, self.quantity_cents - self.filled_cents)


ALIVE_STATUSES: Final = frozenset({"inactive", "open"})
VENUE_ENDS: Final = frozenset({"invalid", "wiped", "void", "manually_settled"})


@dataclass(frozen=True, slots=True)
class OrderReport:
    """What the exchange says of an order, in our units; `filled_cents` is cumulative."""

    order_id: OrderId
    external_id: ExternalId | None
    event_id: SportEventId
    market_id: MarketId
    strike_id: StrikeId
    price: Price
    quantity_cents: int
    filled_cents: int
    open_cents: int
    status: str
    matching_status: str = ""
    winning_status: str = ""
    created_ns: int | None = None

    @property
    def alive(self) -> bool:
        """Decision 3: a partly filled, cancelled order keeps status `open`."""
        return self.open_cents > 0 and self.status in ALIVE_STATUSES
