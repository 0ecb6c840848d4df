"""What results have cost since the day began, in a named time zone: the cash loss of the day.

Counted from the journal alone: each change is dated by its entry, so that a replay counts the same
and a restart, midnight or a change of the clocks forgets nothing. Stakes without a result are no
loss yet, and payments of the account's owner are none at all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

DAY_NS: Final = 86_400_000_000_000
DayOf = Callable[[int], int]  # our ns -> a number that grows with each day


def utc_day(at_ns: int) -> int:
    return at_ns // DAY_NS


class DayLoss:
    """Its rules are set before a replay. A clock set back does not bring a day back."""

    def __init__(self, day_of: DayOf = utc_day, allowed_cents: int = sys.maxsize) -> None:
        self.day_of = day_of
        self.allowed_cents = allowed_cents
        self._day = 0
        self._began_cents = 0  # of all results, when the day began
        self._now_cents = 0

    def look(self, realised_cents: int, at_ns: int) -> None:
        """After a change, or at any time; `realised_cents`: what all results have made."""
        day = self.day_of(at_ns)
        if day > self._day:
            self._day, self._began_cents = day, self._now_cents
        self._now_cents = realised_cents

    @property
    def cents(self) -> int:
        """The loss of the day; 0 for a profit."""
        return max(0, self._began_cents - self._now_cents)

    @property
    def exceeded(self) -> bool:
        return self.cents >= self.allowed_cents

    def resumed(self) -> None:
        """A person has seen that it is exceeded and goes on: it counts anew from here."""
        if self.exceeded:
            self._began_cents = self._now_cents
