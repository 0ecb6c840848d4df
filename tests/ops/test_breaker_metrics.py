"""What a scraper sees of the breakers."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from mmbot.domain.ids import SportEventId
from mmbot.engine.cool_offs import COOL_OFF_NS, CoolOffs
from mmbot.engine.outbox import Outbox
from mmbot.ops.breaker_metrics import BreakerMetrics
from tests.builders import NOW

ARMED = {"breaker": "fill burst", "state": "armed"}
EDGE = {"breaker": "edge loss", "state": "reducing", "lost_cents": 31_050, "allowed_cents": 50_000}


def scraped(registry: CollectorRegistry) -> dict[str, float]:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        f"{one.name}{{{one.labels['breaker']}}}": one.value
        for family in families
        for one in family.samples
        if not one.name.endswith("_created")
    }


def test_whom_each_breaker_holds_and_what_the_day_has_lost() -> None:
    registry = CollectorRegistry()
    metrics = BreakerMetrics(registry)
    pulled = [{"breaker": "fill burst", "state": "cooling off", "event": n} for n in (1, None)]
    metrics.observe([*pulled, EDGE], {})
    found = scraped(registry)
    assert found["mmbot_breaker_held{fill burst}"] == 2
    assert found["mmbot_breaker_held{edge loss}"] == 1
    assert found["mmbot_breaker_lost_usd{edge loss}"] == 310.5
    assert found["mmbot_breaker_allowed_usd{edge loss}"] == 500.0
    metrics.observe([ARMED, EDGE | {"state": "armed"}], {})
    found = scraped(registry)
    assert found["mmbot_breaker_held{fill burst}"] == found["mmbot_breaker_held{edge loss}"] == 0


def test_each_trip_counts_once_however_often_it_is_scraped() -> None:
    registry = CollectorRegistry()
    metrics, cool_offs = BreakerMetrics(registry), CoolOffs(Outbox())
    assert scraped(registry)["mmbot_breaker_trips_total{price jump}"] == 0
    cool_offs.trip("price jump", SportEventId(7), "9 points", NOW)
    cool_offs.trip("price jump", SportEventId(7), "it cools off already", NOW + 1)
    for _ in range(2):
        metrics.observe([], cool_offs.trips)
    assert scraped(registry)["mmbot_breaker_trips_total{price jump}"] == 1
    cool_offs.trip("price jump", SportEventId(7), "again", NOW + COOL_OFF_NS)
    metrics.observe([], cool_offs.trips)
    assert scraped(registry)["mmbot_breaker_trips_total{price jump}"] == 2
