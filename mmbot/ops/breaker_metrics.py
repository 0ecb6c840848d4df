"""The breakers' numbers: whom each holds now, how often it tripped, what the day has lost."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge

from mmbot.domain.entries import Breaker

ARMED: Final = "armed"


class BreakerMetrics:
    """Set once per scrape, from the rows that `/status` shows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._told: Counts[Breaker] = Counts()
        self._trips = Counter(
            "mmbot_breaker_trips",
            "Times a breaker pulled, by breaker.",
            ["breaker"],
            registry=registry,
        )
        self._held = Gauge(
            "mmbot_breaker_held",
            "Scopes that a breaker holds: sport events, or everything as one; 0 while it is armed.",
            ["breaker"],
            registry=registry,
        )
        self._lost = Gauge(
            "mmbot_breaker_lost_usd", "What today has lost of it.", ["breaker"], registry=registry
        )
        self._allowed = Gauge(
            "mmbot_breaker_allowed_usd",
            "At which loss its next step comes.",
            ["breaker"],
            registry=registry,
        )
        for breaker in get_args(Breaker):  # a rate needs the series before the first trip
            self._trips.labels(breaker)

    def observe(self, rows: Iterable[Mapping[str, Any]], trips: Mapping[Breaker, int]) -> None:
        """Rows with `breaker`, `state` and, where money is lost, `lost_cents` and `allowed_cents`;
        `trips` since the start.
        """
        held: Counts[str] = Counts()
        for row in rows:
            held[row["breaker"]] += row["state"] != ARMED
            if "lost_cents" in row:
                self._lost.labels(row["breaker"]).set(row["lost_cents"] / 100)
                self._allowed.labels(row["breaker"]).set(row["allowed_cents"] / 100)
        for breaker, scopes in held.items():
            self._held.labels(breaker).set(scopes)
        for tripped, times in trips.items():
            self._trips.labels(tripped).inc(times - self._told[tripped])
        self._told = Counts(trips)
