"""The sentinel's numbers, in a registry of its own."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.exposition import generate_latest


@dataclass(frozen=True, slots=True)
class SentinelLevels:
    """How things stand; ages in seconds."""

    armed: bool  # a daemon's lease is watched, and it has not run out
    tripped: bool
    latched: bool
    verified: bool
    trips: int
    lease_age_s: float
    exchange_age_s: float
    resting: int | None


class SentinelMetrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._armed = self._gauge("mmbot_sentinel_armed", "1 while a daemon's lease is watched.")
        self._tripped = self._gauge("mmbot_sentinel_tripped", "1 since a lease ran out.")
        self._latched = self._gauge("mmbot_sentinel_latched", "1 when it has latched the halt.")
        self._verified = self._gauge("mmbot_sentinel_verified", "1 when proven empty since then.")
        self._trips = self._gauge("mmbot_sentinel_trips", "Leases that ran out since the start.")
        self._lease_age = self._gauge(
            "mmbot_sentinel_lease_age_seconds", "Since the daemon's lease last changed."
        )
        self._exchange_age = self._gauge(
            "mmbot_sentinel_exchange_age_seconds", "Since the exchange was last heard."
        )
        self._resting = self._gauge(
            "mmbot_sentinel_orders_resting", "Orders found alive by the last look; NaN: none yet."
        )

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def text(self, levels: SentinelLevels) -> bytes:
        for gauge, value in (
            (self._armed, levels.armed),
            (self._tripped, levels.tripped),
            (self._latched, levels.latched),
            (self._verified, levels.verified),
            (self._trips, levels.trips),
            (self._lease_age, levels.lease_age_s),
            (self._exchange_age, levels.exchange_age_s),
            (self._resting, float("nan") if levels.resting is None else levels.resting),
        ):
            gauge.set(value)
        return generate_latest(self.registry)
