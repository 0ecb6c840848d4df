"""The queue between "accepted" and "open": first in, first out, except for in-play delays."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random

from mmbot.sim.core.orders import INSUFFICIENT, Order
from mmbot.sim.rules import ActivationRules

MS = 1_000_000
Delay = Callable[[], int]
Waiting = deque[tuple[int, int, Order]]


class ActivationQueue:
    """Orders that wait, by the time at which they are due."""

    def __init__(self, rules: ActivationRules, profile_ns: Delay, rng: Random) -> None:
        self.stopped = rules.delay == "never"
        self.failures_left = 0
        self._rules = rules
        self._delay_ns = profile_ns if rules.delay == "profile" else self._drawn_ns
        self._rng = rng
        self._tail_ns = 0
        # time, turn and order, the next one first
        self.waiting: Waiting = deque()
        self._held: list[Order] = []

    def put(self, order: Order, now_ns: int, turn: int, *, slow: bool = False) -> None:
        """Confirmations come in the order of submission: nobody overtakes."""
        due_ns = now_ns + (self._rules.slow_ms * MS if slow else self._delay_ns())
        self._tail_ns = due_ns if due_ns > self._tail_ns else self._tail_ns
        self.waiting.append((self._tail_ns, turn, order))

    def hold(self, order: Order) -> None:
        """Keep an order that came due while nothing is activated."""
        self._held.append(order)

    def held(self) -> list[Order]:
        """Take all that was kept, in the order in which it came."""
        held, self._held = self._held, []
        return held

    def failure(self) -> str:
        """Why this activation fails although nothing is wrong with the order, or nothing."""
        rules = self._rules
        if self.failures_left > 0:
            self.failures_left -= 1
        elif rules.failure == "none" or self._rng.random() >= rules.failing_share:
            return ""
        return "max_stake_exceeded" if rules.failure == "cap" else INSUFFICIENT

    def _drawn_ns(self) -> int:
        rules = self._rules
        if rules.delay != "spread":
            return rules.delay_ms * MS
        low, high = rules.delay_ms, rules.delay_ms_max
        return int((low + (high - low) * self._rng.random() ** 3) * MS)
