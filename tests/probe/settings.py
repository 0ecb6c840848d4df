"""Boxes with switches set at random, and what a probe must find of each."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from mmbot.probe.not_asked import V4_ONLY
from mmbot.probe.run import MEASUREMENTS
from mmbot.sim.faults.plan import Fault, FaultRule
from mmbot.sim.scenario import BoxOptions, with_table
from mmbot.sim.unknowns import Setting, settings

MEASURED: Final = frozenset(name for one in MEASUREMENTS for name in one.names)

# A market as quiet as a sandbox: small offers that stay a while, some lines without any, one
# market that is closed.
QUIET: Final[dict[str, Any]] = {
    "rival": {"on": False},
    "drift": {"sd_per_sqrt_s": 0.0006},
    "takers": {"arrivals_per_s": 1.0, "informed_every_ms": 60_000},
    "makers": [
        {"style": "skewed", "payout_usd": 14, "lines_share": 0.8, "half_spread": 0.1},
        # behind the first one: a side is not empty as soon as its best offer was taken
        {
            "style": "skewed",
            "name": "farther",
            "payout_usd": 14,
            "lines_share": 0.8,
            "half_spread": 0.2,
        },
    ],
    "timeline": [{"at_s": 0.5, "action": "suspend", "event": 2}],
}
DEFAULT_SHARE: Final = 0.5
VENUE_SHARE: Final = 0.25
# Values with which this client cannot place at all have tests of their own.
NOT_DRAWN: Final[dict[str, tuple[object, ...]]] = {
    "wire.prices": ("decimal",),
    "rules.activation.delay": ("never",),
}
# Of routes, fields and messages that the seed dialect does not have.
NO_SEED_ROUTE: Final = frozenset(
    {
        "rules.market_cancel_strike", "rules.market_id_form", "rules.mass_cancel_inactive",
        "rules.trade_prints", "session.channel_limit", "session.transactions_page_max",
        "stream.channel_count", "stream.channel_service", "stream.private_event",
        "stream.tournament_entry", "stream.user_data_key", "wire.empty_lists",
        "wire.item_fields", "wire.registration_path", "wire.strike_market_id",
        "wire.trade_id_field",
    }
)  # fmt: skip
NOISE: Final = (
    (Fault.FRAME_LOST, 0.1),
    (Fault.FRAME_COPIED, 0.1),
    (Fault.FRAME_SWAPPED, 0.1),
    (Fault.FRAME_LATE, 0.03),
    (Fault.SLOW, 0.05),
    (Fault.REPLY_RESET, 0.02),
    (Fault.REQUEST_RESET, 0.02),
    (Fault.ERROR_BEFORE, 0.02),
    (Fault.ERROR_AFTER, 0.02),
    (Fault.TOO_MANY, 0.02),
    (Fault.FALSE_ABSENCE, 0.02),
    (Fault.REPLY_HANGS, 0.01),
    (Fault.HTML_AFTER, 0.01),
    (Fault.EMPTY_DATA, 0.01),
)
NOISY_IN_VENUE: Final = frozenset(
    {
        "rules.first_pass_ms", "rules.first_pass_status", "rules.cancel_inactive",
        "rules.mass_cancel_inactive", "rules.self_match",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """One setting of the box: a seed, all switches by name, and the options they make."""

    seed: int
    values: dict[str, Any]
    options: BoxOptions
    dialect: str = "v4"


def draw(seed: int, dialect: str = "v4") -> Drawn:
    """`dialect` is the probe's: the exchange has its routes, if not all."""
    rng = Random(f"probe:{seed}")
    values: dict[str, Any] = {}
    for name, setting in sorted(settings().items()):
        refused: tuple[object, ...] = NOT_DRAWN.get(name, ())
        if name == "wire.paths":
            refused = tuple(one for one in setting.values if one not in {"all", dialect})
        allowed = [one for one in setting.values if one not in refused]
        value = rng.choice(allowed)
        values[name] = setting.default if rng.random() < DEFAULT_SHARE else value
        if name not in MEASURED:
            values[name] = setting.default
    table: dict[str, Any] = {"latency_profile": "loopback"}
    if rng.random() < VENUE_SHARE:
        table["latency_profile"] = "venue"
    if values["rules.activation.delay"] == "fixed":
        values["rules.activation.delay_ms"] = rng.choice((40, 150, 1_500))
    options = with_table(BoxOptions(seed=seed), QUIET)
    for name, value in values.items():
        options = with_table(options, Setting(name, (value,)).table(value))
    return Drawn(seed, values, with_table(options, table), dialect)


def disturbed(drawn: Drawn) -> Drawn:
    """The same exchange behind a bad line: what is told is lost, late, doubled and cut short."""
    rules = tuple(FaultRule(fault, rate) for fault, rate in NOISE)
    return dataclasses.replace(drawn, options=dataclasses.replace(drawn.options, faults=rules))


def on_loopback(drawn: Drawn) -> Drawn:
    """The same where the stream can be reached: without its host, the hosted service is meant."""
    shown = with_table(drawn.options, {"stream": {"ws_host_shown": True}})
    values = drawn.values | {"stream.ws_host_shown": True}
    return dataclasses.replace(drawn, values=values, options=shown)


def must_be_unknown_or_right(drawn: Drawn) -> frozenset[str]:
    """Settings that may stay unknown here, because nothing tells their values apart."""
    values, free = drawn.values, {"session.transactions_page", "rules.activation.delay_ms"}
    venue = drawn.options.latency_profile == "venue"
    if drawn.dialect == "seed":
        free |= V4_ONLY | NO_SEED_ROUTE
    if not values["session.reporting_lag_s"]:
        free.add("session.get_order_from")
    if venue or values["rules.activation.delay"] != "fixed":
        free |= NOISY_IN_VENUE
    if values["wire.selections"] != "nested" and values["wire.empty_side"] == "empty":
        free.add("wire.empty_side")  # a side that is not there has no level to show it
    return frozenset(free)


def truth(drawn: Drawn, name: str) -> Any:
    """What a client can see of a setting: an activation by profile is one of the others."""
    value = drawn.values.get(name)
    if name == "rules.activation.delay" and value == "profile":
        return "spread" if drawn.options.latency_profile == "venue" else "fixed"
    return value
