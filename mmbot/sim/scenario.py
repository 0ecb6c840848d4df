"""What a box is told at birth: options with their defaults, readable from a TOML file."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

DEMO_ACCESS_KEY = "demo-access-key-0123456789abcdef"
DEMO_SECRET_KEY = "demo-secret-key-fedcba9876543210"


class ScenarioError(Exception):
    """The scenario cannot be used; the text says what and where."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How this exchange decides what the contract leaves open."""

    alo_crossing: Literal["reject", "invalid", "canceled"] = "invalid"
    alo_disabled: bool = False
    cancel_inactive: Literal["conflict", "allow"] = "conflict"
    first_pass_ms: int = 20
    fill_or_kill_ms: int = 2000
    quantity_min_cents: int = 100
    quantity_max_usd: int = 100_000_000
    resting_cash_multiple_max: int = 10
    delayed_cash_multiple: int = 50
    fee_bps: int = 200
    book_coalesce_ms: int = 50
    book_levels_max: int = 10
    batch_orders_max: int = 20


@dataclass(frozen=True, slots=True)
class SessionRules:
    """Tokens, sessions and rate of one account."""

    access_life_s: int = 600
    refresh_life_s: int = 259_200
    sessions_max: int = 20
    requests_per_second_max: int = 50
    retry_after: bool = True
    channel_limit: int = 400
    health_check_s: float = 5.0
    activity_timeout_s: int = 120
    pong_timeout_s: int = 30
    reporting_lag_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Drift:
    """The box's own fair value: a martingale in logit, one common factor per event."""

    # .13 logit over 12 h, as measured, times the square root of a speed-up of 40
    sd_per_sqrt_s: float = 0.004
    own_share: float = 0.25
    step_ms: int = 250
    news_logit: float = 0.35


@dataclass(frozen=True, slots=True)
class FeedOptions:
    refresh_s: float = 1.0
    news_lag_ms: int = 500
    noise_sd: float = 0.008
    noise_memory_s: float = 30.0


@dataclass(frozen=True, slots=True)
class TakerOptions:
    on: bool = True
    arrivals_per_s: float = 8.0
    payout_median_usd: float = 50.0
    payout_sigma: float = 0.7
    payout_max_usd: float = 400.0
    tolerance_logit: float = 0.08
    bias_logit: float = 0.02
    informed_every_ms: int = 700
    informed_edge: float = 0.003
    informed_notice_ms: int = 1000


@dataclass(frozen=True, slots=True)
class RivalOptions:
    on: bool = True
    lines_share: float = 0.85
    half_spread_min: float = 0.05
    half_spread_max: float = 0.09
    payout_min_usd: float = 80.0
    payout_max_usd: float = 160.0
    look_every_ms: int = 400
    lag_ms: int = 1000
    requote_logit: float = 0.02
    quote_life_s: float = 12.0
    absence_share: float = 0.04
    absence_s: float = 8.0


@dataclass(frozen=True, slots=True)
class BoxOptions:
    """Everything a box is told; the same options and times give the same exchange."""

    seed: int = 7
    port: int = 0
    host: str = "127.0.0.1"
    access_key: str = DEMO_ACCESS_KEY
    secret_key: str = field(default=DEMO_SECRET_KEY, repr=False)
    cash_usd: int = 100_000
    data_dir: str = ""
    record_file: str = ""
    latency_profile: Literal["loopback", "venue"] = "loopback"
    start_after_s: int = 7200
    rules: Rules = Rules()
    session: SessionRules = SessionRules()
    drift: Drift = Drift()
    feed: FeedOptions = FeedOptions()
    takers: TakerOptions = TakerOptions()
    rival: RivalOptions = RivalOptions()


def load_scenario(path: Path, base: BoxOptions) -> BoxOptions:
    """Read a TOML file over the defaults; an unknown key is an error."""
    try:
        return overlay(base, read_table(path))
    except ScenarioError as error:
        raise ScenarioError(f"scenario {path}: {error}") from error


def read_table(path: Path) -> dict[str, Any]:
    """The TOML of a scenario file, not yet understood."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(str(error.strerror)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(str(error)) from error


def overlay(base: T, table: dict[str, Any]) -> T:
    """`base`, any dataclass of options, with the values of a table in it."""
    return _overlay(base, table, "")


def _overlay(base: T, table: dict[str, Any], where: str) -> T:
    hints = get_type_hints(type(base))
    changes: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{where}{key}"
        if key not in hints:
            raise ScenarioError(f"unknown key {name}")
        current = getattr(base, key)
        if dataclasses.is_dataclass(current) and not isinstance(current, type):
            if not isinstance(value, dict):
                raise ScenarioError(f"{name} must be a table")
            changes[key] = _overlay(current, value, f"{name}.")
        else:
            changes[key] = _checked(name, value, hints[key])
    return dataclasses.replace(base, **changes)  # type: ignore[type-var]  # T is a dataclass here


def _checked(name: str, value: object, kind: object) -> object:
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ScenarioError(f"{name} must be one of {', '.join(map(str, get_args(kind)))}")
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wrong_bool = isinstance(value, bool) and kind is not bool
    if wrong_bool or not isinstance(value, kind if isinstance(kind, type) else object):
        wanted = kind.__name__ if isinstance(kind, type) else str(kind)
        raise ScenarioError(f"{name} must be {wanted}, not {value!r}")
    return value
