"""Named latency profiles: how long the venue takes to answer and to activate."""

from __future__ import annotations

from random import Random

MS = 1_000_000
LOOPBACK_ACTIVATION_MS = 5
# Observed in the vendor's sandbox under parallel load (contract, section 3).
SUBMIT_S = (0.8, 6.6)
CANCEL_S = (0.7, 6.0)
ACTIVATION_S = (0.15, 10.0)
READ_S = (0.02, 0.15)


class Latency:
    """Draws delays; `loopback` adds none to requests."""

    def __init__(self, profile: str, rng: Random) -> None:
        self.profile = profile
        self._rng = rng

    def activation_ns(self) -> int:
        if self.profile == "loopback":
            return LOOPBACK_ACTIVATION_MS * MS
        return self._skewed_ns(ACTIVATION_S)

    def of_request(self, path: str) -> tuple[int, int]:
        """Nanoseconds from arrival to execution, and from execution to the answer."""
        if self.profile == "loopback" or path.startswith("/_"):
            return 0, 0
        if "submit_" in path:
            total = self._skewed_ns(SUBMIT_S)
        elif "cancel_" in path:
            total = self._skewed_ns(CANCEL_S)
        else:
            total = self._skewed_ns(READ_S)
        before = int(total * self._rng.uniform(0.1, 0.9))
        return before, total - before

    def _skewed_ns(self, bounds: tuple[float, float]) -> int:
        """Mostly near the short end, sometimes far out."""
        low, high = bounds
        share = self._rng.random() ** 3
        return int((low + (high - low) * share) * 1000) * MS
