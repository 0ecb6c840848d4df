"""When each line is looked at again by the clock: staleness has no event of its own."""

from __future__ import annotations

import heapq
from typing import Final

from mmbot.domain.ids import LineId

MS_NS: Final = 1_000_000
AGAIN_NS: Final = 1_000 * MS_NS
# A turn costs more than a line: a few that would be due soon are looked at with one that is.
SLACK_NS: Final = 250 * MS_NS
TOGETHER_MAX: Final = 16
TURN_MAX: Final = 200  # a tick may come meanwhile: it waits for 2 ms and not for every line


class Rounds:
    """A heap in which each line stands at most once."""

    def __init__(self) -> None:
        self._due: list[tuple[int, LineId]] = []
        self._waiting: set[LineId] = set()

    def looked(self, line_id: LineId, now_ns: int) -> None:
        """Again after a second, unless it waits already."""
        if line_id not in self._waiting:
            self._waiting.add(line_id)
            heapq.heappush(self._due, (now_ns + AGAIN_NS, line_id))

    def pop_due(self, now_ns: int) -> list[LineId]:
        """The lines that are due, as many as a turn may take; with them, while they are few, those
        that are nearly so. What stays due makes the next turn come at once."""
        due = self._due
        if not due or due[0][0] > now_ns:
            return []
        found: list[LineId] = []
        while due and len(found) < TURN_MAX:
            if due[0][0] > now_ns + (SLACK_NS if len(found) < TOGETHER_MAX else 0):
                break
            found.append(heapq.heappop(due)[1])
        self._waiting.difference_update(found)
        return found

    @property
    def next_due_ns(self) -> int | None:
        return self._due[0][0] if self._due else None
