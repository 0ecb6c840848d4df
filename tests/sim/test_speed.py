"""The market N times faster: its durations shrink, the exchange's own stay."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mmbot.sim.market.options import BurstOptions, EventOptions, MakerOptions, SniperOptions
from mmbot.sim.scenario import BoxOptions, load_scenario
from mmbot.sim.speed import at_speed
from mmbot.sim.timeline.entries import read_timeline
from tests.sim.builders import Client, a_box


def test_the_exchange_keeps_its_own_time() -> None:
    options = BoxOptions(speed=10.0)
    fast = at_speed(options)
    for name in ("rules", "session", "stream", "wire", "latency_profile", "faults", "cash_usd"):
        assert getattr(fast, name) == getattr(options, name)


def test_every_duration_of_the_market_shrinks_and_every_rate_grows() -> None:
    rows = [{"at_s": 100, "every_s": 10, "times": 2, "action": "news"}]
    rows.append({"at_s": 50, "action": "move_start", "event": 1, "by_s": 600})
    options = BoxOptions(
        speed=10.0,
        events=EventOptions(count=3),
        snipers=SniperOptions(on=True),
        bursts=BurstOptions(on=True),
        makers=(MakerOptions("ladder"),),
        timeline=read_timeline(rows),
    )
    fast = at_speed(options)
    assert fast.start_after_s == 720
    assert fast.events.slots_s == (0.0, 1080.0, 2160.0)
    assert fast.takers.arrivals_per_s == 80.0
    assert fast.takers.informed_every_ms == 70
    assert fast.bursts.starts_per_h == 600.0
    assert fast.snipers.latency_ms_max == 25
    assert fast.rival.quote_life_s == pytest.approx(1.2)
    assert fast.makers[0].look_every_ms == 100
    assert fast.feed.refresh_s == pytest.approx(0.1)
    # variance adds up: ten times the time in a second is the square root of ten in size
    assert fast.drift.sd_per_sqrt_s == pytest.approx(options.drift.sd_per_sqrt_s * 10**0.5)
    assert [step.when.at_s for step in fast.timeline] == [10.0, 5.0]
    assert fast.timeline[0].when.every_s == 1.0
    assert at_speed(fast) == fast


def test_a_fast_market_trades_as_much_in_a_tenth_of_the_time() -> None:
    calm = load_scenario(Path("quiet"), BoxOptions())
    fills = []
    for speed, seconds in ((1.0, 1200), (10.0, 120)):
        box = a_box()
        box = type(box)(dataclasses.replace(calm, speed=speed), box.started_ns)
        Client(box).wait(seconds)
        fills.append(box.exchange.fills_count)
    assert min(fills) > 40
    assert max(fills) < 1.7 * min(fills)
