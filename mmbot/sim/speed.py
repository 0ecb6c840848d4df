"""The market lives N times faster: every duration of it shrinks, every rate grows.

What belongs to the exchange itself (tokens, rates, activation, health checks, latencies) keeps
its own time, so that a client meets the same contract at every speed.
"""

from __future__ import annotations

import dataclasses
import math

from mmbot.sim.market.options import (
    BurstOptions,
    Drift,
    EventOptions,
    FeedOptions,
    MakerOptions,
    RivalOptions,
    SniperOptions,
    TakerOptions,
)
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.timeline.entries import ListEvent, MoveStart, Step


def at_speed(options: BoxOptions) -> BoxOptions:
    """The same options at speed 1, with the speed in all that it changes."""
    speed = options.speed
    if speed == 1.0:
        return options
    return dataclasses.replace(
        options,
        speed=1.0,
        start_after_s=max(1, round(options.start_after_s / speed)),
        events=_events(options.events, speed),
        drift=_drift(options.drift, speed),
        feed=_feed(options.feed, speed),
        takers=_takers(options.takers, speed),
        snipers=_snipers(options.snipers, speed),
        bursts=_bursts(options.bursts, speed),
        rival=_rival(options.rival, speed),
        makers=tuple(_maker(maker, speed) for maker in options.makers),
        timeline=tuple(_step(step, speed) for step in options.timeline),
    )


def _ms(value: int, speed: float) -> int:
    return max(1, round(value / speed))


def _events(events: EventOptions, speed: float) -> EventOptions:
    early, late, evening = (slot / speed for slot in events.slots_s)
    return dataclasses.replace(events, slots_s=(early, late, evening))


def _drift(drift: Drift, speed: float) -> Drift:
    """A step is how finely we look, so it stays; what happens in it grows."""
    return dataclasses.replace(
        drift,
        sd_per_sqrt_s=drift.sd_per_sqrt_s * math.sqrt(speed),
        news_per_h=drift.news_per_h * speed,
    )


def _feed(feed: FeedOptions, speed: float) -> FeedOptions:
    return dataclasses.replace(
        feed,
        refresh_s=feed.refresh_s / speed,
        news_lag_ms=_ms(feed.news_lag_ms, speed),
        noise_memory_s=feed.noise_memory_s / speed,
    )


def _takers(takers: TakerOptions, speed: float) -> TakerOptions:
    return dataclasses.replace(
        takers,
        arrivals_per_s=takers.arrivals_per_s * speed,
        informed_every_ms=_ms(takers.informed_every_ms, speed),
        informed_notice_ms=_ms(takers.informed_notice_ms, speed),
    )


def _snipers(snipers: SniperOptions, speed: float) -> SniperOptions:
    return dataclasses.replace(
        snipers,
        latency_ms_min=_ms(snipers.latency_ms_min, speed),
        latency_ms_max=_ms(snipers.latency_ms_max, speed),
    )


def _bursts(bursts: BurstOptions, speed: float) -> BurstOptions:
    return dataclasses.replace(
        bursts,
        starts_per_h=bursts.starts_per_h * speed,
        follow_s=bursts.follow_s / speed,
    )


def _rival(rival: RivalOptions, speed: float) -> RivalOptions:
    return dataclasses.replace(
        rival,
        look_every_ms=_ms(rival.look_every_ms, speed),
        lag_ms=_ms(rival.lag_ms, speed),
        quote_life_s=rival.quote_life_s / speed,
        absence_s=rival.absence_s / speed,
    )


def _maker(maker: MakerOptions, speed: float) -> MakerOptions:
    return dataclasses.replace(
        maker,
        look_every_ms=_ms(maker.look_every_ms, speed),
        lag_ms=_ms(maker.lag_ms, speed),
    )


def _step(step: Step, speed: float) -> Step:
    when = step.when
    when = dataclasses.replace(when, at_s=when.at_s / speed, every_s=when.every_s / speed)
    action = step.action
    if isinstance(action, MoveStart):
        action = dataclasses.replace(action, by_s=action.by_s / speed)
    elif isinstance(action, ListEvent):
        action = dataclasses.replace(action, start_after_s=action.start_after_s / speed)
    return dataclasses.replace(step, when=when, action=action)
