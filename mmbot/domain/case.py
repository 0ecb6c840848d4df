"""A case: our money and the exchange's differ, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CaseKind(StrEnum):
    MARKET = "market"  # our fills and their results against the rows of the market
    CASH = "cash"  # the sum of the rows against the balance
    REVERSAL = "reversal"  # a read shows fewer fills, and no money came back


@dataclass(frozen=True, slots=True)
class Case:
    """`case_id` is `kind` and `about`: one thing has one case at a time.

    Cents are signed as in the exchange's rows; `rows` are the ids of the youngest of them.
    """

    case_id: str
    kind: CaseKind
    about: str
    ours_cents: int
    theirs_cents: int
    detail: str
    rows: tuple[str, ...] = ()

    @property
    def difference_cents(self) -> int:
        return self.theirs_cents - self.ours_cents
