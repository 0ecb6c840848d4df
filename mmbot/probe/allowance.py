"""What one run may cost: money at risk, requests and time, kept by code and not by intention."""

from __future__ import annotations

from dataclasses import dataclass

from mmbot.domain.errors import MmbotError
from mmbot.runtime.clock import NS_PER_S, Clock


class AllowanceSpent(MmbotError):
    """The run may not do this any more; nothing was asked."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The last requests and seconds are kept for taking back what rests."""

    at_risk_cents_max: int = 2_000
    requests_max: int = 300
    duration_s_max: float = 900.0
    requests_kept: int = 40
    duration_s_kept: float = 120.0


class Allowance:
    """`closing` opens what was kept for the end; money is never opened."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.limits = limits
        self.requests = 0
        self.at_risk_cents_top = 0
        self.closing = False
        self._clock = clock
        self._began_ns = clock.monotonic_ns()

    @property
    def elapsed_s(self) -> float:
        return (self._clock.monotonic_ns() - self._began_ns) / NS_PER_S

    @property
    def requests_left(self) -> int:
        kept = 0 if self.closing else self.limits.requests_kept
        return max(0, self.limits.requests_max - kept - self.requests)

    def request(self) -> None:
        """Count one request, or raise AllowanceSpent."""
        if not self.requests_left:
            most = self.limits.requests_max
            raise AllowanceSpent(f"{self.requests} requests of {most} are used")
        self.time()
        self.requests += 1

    def time(self) -> None:
        limits = self.limits
        kept_s = 0.0 if self.closing else limits.duration_s_kept
        if self.elapsed_s >= limits.duration_s_max - kept_s:
            raise AllowanceSpent(f"{self.elapsed_s:.0f} s of {limits.duration_s_max:.0f} are over")

    def risk(self, at_risk_cents: int) -> None:
        """Everything that would be filled or may still fill, with the next order in it."""
        if at_risk_cents > self.limits.at_risk_cents_max:
            raise AllowanceSpent(
                f"${at_risk_cents / 100:.2f} would be at risk, "
                f"${self.limits.at_risk_cents_max / 100:.2f} may be"
            )
        self.at_risk_cents_top = max(self.at_risk_cents_top, at_risk_cents)
