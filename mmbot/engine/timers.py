"""Deadlines of the ledger, soonest first: a heap, so that nothing is ever scanned."""

from __future__ import annotations

import heapq
from typing import Final, Literal, NamedTuple

from mmbot.domain.depth import Depth

# Judged from outside and not enforced: a duty that is forgotten is worse than memory.
TIMERS_MAX: Final = 200_000

What = Literal[
    "answer", "cancel", "look", "sweep", "history", "recover", "audit", "reread", "settle",
    "missed", "reversal", "proof", "activation",
]  # fmt: skip


class Timer(NamedTuple):
    """`about` is an external id, or "" for a timer of the whole ledger."""

    due_ns: int
    seq: int
    what: What
    about: str


class Timers:
    """A timer is never withdrawn: who set it must recognise a stale one when it fires."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._seq = 0

    def at(self, due_ns: int, what: What, about: str = "") -> None:
        self._seq += 1
        heapq.heappush(self._heap, Timer(due_ns, self._seq, what, about))

    def pop_due(self, now_ns: int) -> Timer | None:
        if self._heap and self._heap[0].due_ns <= now_ns:
            return heapq.heappop(self._heap)
        return None

    @property
    def depth(self) -> Depth:
        return Depth(len(self._heap), TIMERS_MAX)

    @property
    def next_due_ns(self) -> int | None:
        return self._heap[0].due_ns if self._heap else None
