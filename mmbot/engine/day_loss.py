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
        self._began_cents = 0  # made in all, when the day began
        self._now_cents = 0

    @property
    def began_cents(self) -> int:
        return self._began_cents

    def look(self, made_cents: int, at_ns: int) -> bool:
        """After a change, or at any time; `made_cents`: in all. True when a day has begun."""
        day = self.day_of(at_ns)
        began = day > self._day
        if began:
            self._day, self._began_cents = day, self._now_cents
        self._now_cents = made_cents
        return began

    def recall(self, began_cents: int, made_cents: int, at_ns: int) -> None:
        """How it stood then, in a former process."""
        self._day = max(self._day, self.day_of(at_ns))
        self._began_cents, self._now_cents = began_cents, made_cents

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
            self.start_over()

    def start_over(self) -> None:
        self._began_cents = self._now_cents
