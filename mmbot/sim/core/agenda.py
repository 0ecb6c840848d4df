"""What is due when: appointments in order of time, and of their making when times are equal."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from mmbot.sim.core.activation import Waiting

Action = Callable[[int], object]


class Agenda:
    """Appointments in a heap; activations come in order by themselves and wait in a line."""

    def __init__(self, waiting: Waiting) -> None:
        self.heap: list[tuple[int, int, Action]] = []
        self._waiting = waiting
        self._count = 0

    def number(self) -> int:
        """The number of one more thing that is to be done; no two have the same."""
        self._count += 1
        return self._count

    def add(self, at_ns: int, action: Action) -> None:
        self._count += 1
        heapq.heappush(self.heap, (at_ns, self._count, action))

    def next_due_ns(self) -> int | None:
        heap, waiting = self.heap, self._waiting
        if not waiting:
            return heap[0][0] if heap else None
        return min(waiting[0][0], heap[0][0]) if heap else waiting[0][0]

    def activation_is_first(self) -> bool:
        """Whether the order that waits longest comes before every appointment."""
        if not self.heap:
            return True
        mine, first = self._waiting[0], self.heap[0]
        return mine[0] < first[0] or (mine[0] == first[0] and mine[1] < first[1])
