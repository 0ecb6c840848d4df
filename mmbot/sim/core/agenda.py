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
        # for what waits in line: appointments have even numbers, so that no two are equal
        self.turn = 1

    def add(self, at_ns: int, action: Action) -> None:
        heapq.heappush(self.heap, (at_ns, self.turn + 1, action))
        self.turn += 2

    def next_due_ns(self) -> int | None:
        heap, waiting = self.heap, self._waiting
        if not waiting:
            return heap[0][0] if heap else None
        return min(waiting[0][0], heap[0][0]) if heap else waiting[0][0]
