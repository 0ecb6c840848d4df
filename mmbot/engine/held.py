"""Lines whose wishes wait for the request budget: asked again when it opens, not all the time."""

from __future__ import annotations

from typing import Final

from mmbot.domain.ids import LineId
from mmbot.engine.ports import Budget

AGAIN_MIN_NS: Final = 25_000_000  # others may wait before us, so it may open later than it says


class Held:
    """Each of them is looked at once a second anyway: a wish may change by the clock alone."""

    def __init__(self) -> None:
        self._lines: set[LineId] = set()
        self._due_ns = 0

    def take(self, budget: Budget, now_ns: int) -> set[LineId]:
        """Those to judge now: all of them once something may leave."""
        if not budget.placements:
            self._due_ns = now_ns + max(budget.opens_in_ns, AGAIN_MIN_NS)
            return set()
        taken, self._lines, self._due_ns = self._lines, set(), 0
        return taken

    def hold(self, line_id: LineId, now_ns: int) -> None:
        self._lines.add(line_id)
        self._due_ns = max(self._due_ns, now_ns + AGAIN_MIN_NS)

    @property
    def next_due_ns(self) -> int:
        """0 while nothing waits."""
        return self._due_ns if self._lines else 0
