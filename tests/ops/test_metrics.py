"""What the numbers say after facts and measurements, as a scraper sees it."""

from __future__ import annotations

import itertools
import math
import shutil
import subprocess
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mmbot.domain.depth import Depth
from mmbot.domain.facts import (
    Alarm,
    FillCounted,
    ModeChanged,
    OrderIntended,
    OrderMoved,
    PlacementRefused,
    StrategyFailed,
)
from mmbot.domain.ids import ExternalId, LineId, MarketId, SportEventId, StrikeId
from mmbot.domain.order import Order, State
from mmbot.domain.price import Price
from mmbot.ops.metrics import LABEL_VALUES_MAX, Levels, Metrics

LEVELS = Levels(
    mode="ENABLED",
    orders_open=52,
    orders_in_doubt=1,
    worst_case_cents=123_456,
    worst_case_limit_cents=800_000,
    pnl_cents=-250,
    requests_last_second=9,
    requests_per_second_max=45,
    book_age_s=0.5,
)
EXTERNAL_ID = ExternalId("mm-1-1")
STRIKE_ID = StrikeId("a" * 32)
LINE_ID = LineId("1/66/2.5")


def an_order(state: State) -> Order:
    return Order(
        external_id=EXTERNAL_ID,
        event_id=SportEventId(1),
        market_id=MarketId(66),
        line_id=LINE_ID,
        strike_id=STRIKE_ID,
        side=0,
        price=Price(110),
        quantity_cents=5_000,
        order_strategy="ALO",
        owner="consensus",
        intended_ns=1,
        state=state,
    )


def scraped(metrics: Metrics) -> dict[str, float]:
    """`name` or `name{value,value}` -> number."""
    samples: dict[str, float] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            values = ",".join(sample.labels.values())
            samples[f"{sample.name}{{{values}}}" if values else sample.name] = sample.value
    return samples


def test_the_life_of_an_order_is_counted_once() -> None:
    metrics = Metrics()
    metrics.observe_fact(OrderIntended(an_order(State.INTENDED)))
    steps = (State.INTENDED, State.IN_DOUBT, State.OPEN, State.CANCELLING, State.CANCELLED)
    for before, after in itertools.pairwise(steps):
        metrics.observe_fact(OrderMoved(an_order(after), before, "a test"))
    metrics.observe_fact(OrderMoved(an_order(State.OPEN), State.OPEN, "nothing new"))
    found = scraped(metrics)
    assert found["mmbot_orders_intended_total"] == 1
    assert found["mmbot_orders_doubted_total"] == 1
    assert found["mmbot_orders_placed_total"] == 1
    assert found["mmbot_orders_cancelled_total"] == 1
    assert found["mmbot_orders_rejected_total"] == 0


def test_an_order_filled_before_its_reply_counts_as_placed() -> None:
    metrics = Metrics()
    metrics.observe_fact(OrderMoved(an_order(State.FILLED), State.INTENDED, "a message"))
    metrics.observe_fact(FillCounted(EXTERNAL_ID, LINE_ID, STRIKE_ID, 110, 5_000))
    found = scraped(metrics)
    assert found["mmbot_orders_placed_total"] == 1
    assert (found["mmbot_fills_total"], found["mmbot_fills_usd_total"]) == (1, 50)


def test_refusals_failures_alarms_and_modes_carry_their_name() -> None:
    metrics = Metrics()
    metrics.observe_fact(PlacementRefused("consensus", STRIKE_ID, "data_is_fresh", "31 s"))
    metrics.observe_fact(StrategyFailed("consensus", LINE_ID, "ZeroDivisionError"))
    metrics.observe_fact(Alarm("second_daemon", "run 00ff"))
    metrics.observe_fact(ModeChanged("", "ENABLED", "CANCEL_ONLY", "blind"))
    metrics.observe_restart("feed")
    found = scraped(metrics)
    assert found["mmbot_risk_refusals_total{data_is_fresh}"] == 1
    assert found["mmbot_strategy_errors_total{consensus}"] == 1
    assert found["mmbot_alarms_total{second_daemon}"] == 1
    assert found["mmbot_mode_changes_total{CANCEL_ONLY}"] == 1
    assert found["mmbot_restarts_total{feed}"] == 1


def test_levels_are_in_dollars_shares_and_seconds() -> None:
    metrics = Metrics()
    metrics.observe_levels(LEVELS)
    found = scraped(metrics)
    assert found["mmbot_orders_open"] == 52
    assert found["mmbot_worst_case_usd"] == 1234.56
    assert found["mmbot_pnl_usd"] == -2.5
    assert found["mmbot_rate_budget_used"] == 0.2
    assert found["mmbot_book_age_seconds"] == 0.5
    assert math.isnan(found["mmbot_fair_age_seconds"])


def test_queues_show_what_waits_and_what_may() -> None:
    metrics = Metrics()
    metrics.observe_queues({"inbox": Depth(3, 50_000), "reads": Depth(0, 256)})
    found = scraped(metrics)
    assert found["mmbot_queue_waiting{inbox}"] == 3
    assert found["mmbot_queue_limit{inbox}"] == 50_000
    assert found["mmbot_queue_waiting{reads}"] == 0


# faults: E4 E15
def test_lags_and_mute_channels_are_shown() -> None:
    metrics = Metrics()
    metrics.observe_freshness({"inbox": 0.25, "stream": 3.5}, mute_events=2)
    found = scraped(metrics)
    assert found["mmbot_lag_seconds{inbox}"] == 0.25
    assert found["mmbot_lag_seconds{stream}"] == 3.5
    assert found["mmbot_mute_events"] == 2


def test_exactly_one_mode_is_on() -> None:
    metrics = Metrics()
    metrics.observe_levels(LEVELS)
    metrics.observe_levels(replace(LEVELS, mode="HALTED"))
    modes = {name: on for name, on in scraped(metrics).items() if name.startswith("mmbot_mode{")}
    assert modes["mmbot_mode{HALTED}"] == 1
    assert sum(modes.values()) == 1


def test_a_lost_reply_is_a_status_of_its_own() -> None:
    metrics = Metrics()
    metrics.observe_request("submit_multiple_orders", 200, 0.02)
    metrics.observe_request("submit_multiple_orders", None, 12.0)
    found = scraped(metrics)
    assert found["mmbot_requests_total{submit_multiple_orders,200}"] == 1
    assert found["mmbot_requests_total{submit_multiple_orders,lost}"] == 1
    assert found["mmbot_request_seconds_count{submit_multiple_orders}"] == 2


def test_endless_label_values_do_not_fill_the_memory() -> None:
    metrics = Metrics()
    for number in range(LABEL_VALUES_MAX + 50):
        metrics.observe_request(f"get_order/{number}", 200, 0.01)
    found = scraped(metrics)
    assert found["mmbot_requests_total{other,200}"] == 50


def test_two_daemons_in_one_process_do_not_share_numbers() -> None:
    first, second = Metrics(), Metrics()
    first.observe_restart("feed")
    assert "mmbot_restarts_total{feed}" not in scraped(second)


def test_every_metric_has_a_help_text_and_promtool_is_content() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    metrics = Metrics("0.1.0")
    metrics.observe_levels(LEVELS)
    metrics.observe_request("login", 200, 0.1)
    metrics.observe_stream("private", True)
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=metrics.text(), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_drift_is_counted_by_kind_and_place_and_each_scrape_adds_what_is_new() -> None:
    metrics = Metrics()
    row = {"what": "unknown field", "place": "get_balance", "field": "a", "count": 2}
    for rows in ([], [row], [row, {**row, "field": "b", "count": 3}]):
        metrics.observe_drift(rows)
    text = metrics.text().decode()
    assert 'mmbot_contract_drift_total{place="get_balance",what="unknown field"} 5.0' in text
    assert text.count("mmbot_contract_drift_total{") == 1
