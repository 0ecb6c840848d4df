"""A difference between our ledger and the exchange, as a read of the exchange found it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class DifferenceKind(StrEnum):
    UNKNOWN_ORDER = "unknown_order_of_ours"
    MISSING_ORDER = "missing_at_exchange"
    STATUS = "status_differs"
    FILLED_TOTAL = "filled_total_differs"
    FILL_UNKNOWN = "fill_unknown"  # a trade told of it, and no message had
    TWO_ORDERS = "two_orders_for_one_id"
    MANUAL_ORDER = "manual_order"  # not ours: counted in the exposure
    BALANCE = "balance_differs"  # these two have a case, which says more
    ROWS = "money_rows_differ"


class Repair(StrEnum):
    """What was done, always towards the exchange's truth."""

    ADOPTED = "adopted"
    COUNTED = "fill counted"
    ENDED = "ended here too"
    NOTED = "known now"
    REVIVED = "taken back as open, cancel sent"
    DOUBTED = "in doubt until two late reads show the same"
    ALARMED = "alarm, nothing changed"
    LEFT_ALONE = "counted and left alone"
    CASE = "case opened"


Cause = Literal["start", "reconnect", "audit"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Both sides in words, and what was done. `about` is the id of an order or a case."""

    kind: DifferenceKind
    about: str
    ours: str
    theirs: str
    repair: Repair
    cause: Cause


@dataclass(frozen=True, slots=True)
class DifferenceFound:
    """Journalled for people; what repaired it has entries of its own."""

    difference: Difference
    at_ns: int
