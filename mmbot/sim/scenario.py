"""What a box is told at birth: options with their defaults, readable from a TOML file."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from mmbot.sim.faults.plan import FaultRule
from mmbot.sim.market.options import BurstOptions, EventOptions, MakerOptions, SniperOptions
from mmbot.sim.market.options import Drift as Drift
from mmbot.sim.market.options import FeedOptions as FeedOptions
from mmbot.sim.market.options import RivalOptions as RivalOptions
from mmbot.sim.market.options import TakerOptions as TakerOptions
from mmbot.sim.rules import HttpLimits as HttpLimits
from mmbot.sim.rules import Rules as Rules
from mmbot.sim.rules import SessionRules as SessionRules
from mmbot.sim.rules import WireRules as WireRules
from mmbot.sim.stream.rules import StreamRules as StreamRules
from mmbot.sim.tables import Between
from mmbot.sim.tables import ScenarioError as ScenarioError
from mmbot.sim.tables import overlay as overlay
from mmbot.sim.timeline.entries import Step, read_timeline

SCENARIOS: Final = Path(__file__).parent.parent / "data" / "scenarios"
ABOUT_PROFILE: Final = frozenset({"probe", "unknown"})
DEMO_ACCESS_KEY = "demo-access-key-0123456789abcdef"
DEMO_SECRET_KEY = "demo-secret-key-fedcba9876543210"


@dataclass(frozen=True, slots=True)
class AccountOptions:
    """One more account of the box, beside the maker's."""

    name: str
    access_key: str
    secret_key: str = field(repr=False)
    cash_usd: int = 100_000
    suspended: bool = False
    wallet: bool = True


@dataclass(frozen=True, slots=True)
class BoxOptions:
    """Everything a box is told; the same options and times give the same exchange."""

    seed: int = 7
    port: Annotated[int, Between(0, 65_535)] = 0
    host: str = "127.0.0.1"
    access_key: str = DEMO_ACCESS_KEY
    secret_key: str = field(default=DEMO_SECRET_KEY, repr=False)
    cash_usd: int = 100_000
    data_dir: str = ""
    record_file: str = ""
    truth_file: str = ""
    # asked for in the header X-Box-Token by everything that steers; empty: not asked for
    control_token: str = field(default="", repr=False)
    scenario: str = ""  # as it was asked for; messages about mistakes name it
    latency_profile: Literal["loopback", "venue"] = "loopback"
    start_after_s: int = 7200
    # the market lives so many times faster; what the exchange itself takes stays as it is
    speed: Annotated[float, Between(0.01, 1000)] = 1.0
    rules: Rules = field(default_factory=Rules)
    session: SessionRules = field(default_factory=SessionRules)
    wire: WireRules = field(default_factory=WireRules)
    stream: StreamRules = field(default_factory=StreamRules)
    http: HttpLimits = field(default_factory=HttpLimits)
    accounts: tuple[AccountOptions, ...] = ()
    events: EventOptions = field(default_factory=EventOptions)
    drift: Drift = field(default_factory=Drift)
    feed: FeedOptions = field(default_factory=FeedOptions)
    takers: TakerOptions = field(default_factory=TakerOptions)
    snipers: SniperOptions = field(default_factory=SniperOptions)
    bursts: BurstOptions = field(default_factory=BurstOptions)
    rival: RivalOptions = field(default_factory=RivalOptions)
    makers: tuple[MakerOptions, ...] = ()
    timeline: tuple[Step, ...] = ()
    faults: tuple[FaultRule, ...] = ()


def load_scenario(path: Path, base: BoxOptions) -> BoxOptions:
    """Read a shipped scenario by name, or a TOML file, over the defaults.

    A scenario runs with the latencies of the venue unless it says otherwise.
    """
    found = find_scenario(path)
    try:
        table = {"latency_profile": "venue"} | read_table(found) | {"scenario": str(path)}
        table.pop("day", None)  # the days of `mmbot simulate`; checked there
        return with_table(base, table)
    except ScenarioError as error:
        raise ScenarioError(f"scenario {path}: {error}") from error


def load_profile(path: Path, base: BoxOptions) -> BoxOptions:
    """The exchange that was measured, over the options: `mmbot probe` writes such a file.

    What it says of itself, and of what stayed unknown, is no option.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        measured = {name: one for name, one in table.items() if name not in ABOUT_PROFILE}
        return with_table(base, measured)
    except OSError as error:
        raise ScenarioError(f"profile {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ScenarioError) as error:
        raise ScenarioError(f"profile {path}: {error}") from error


def with_table(base: BoxOptions, table: Mapping[str, Any]) -> BoxOptions:
    """Options with the values of a whole scenario table in them, timeline and faults too."""
    rest = dict(table)
    lists: dict[str, Any] = {}
    if "timeline" in rest:
        lists["timeline"] = read_timeline(rest.pop("timeline"))
    return dataclasses.replace(overlay(base, rest), **lists)


def read_table(path: Path) -> dict[str, Any]:
    """The TOML of a scenario file, not yet understood."""
    try:
        return tomllib.loads(find_scenario(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(str(error.strerror)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(str(error)) from error


def find_scenario(path: Path) -> Path:
    """The file that is meant: a shipped one when it is named without folder and ending."""
    shipped = SCENARIOS / f"{path}.toml"
    if path.suffix == "" and path.parent == Path() and not path.is_file():
        if not shipped.is_file():
            known = ", ".join(name for name, _ in shipped_scenarios())
            raise ScenarioError(f"scenario {path}: neither a file nor one of {known}")
        return shipped
    return path


def shipped_scenarios() -> list[tuple[str, str]]:
    """Names and first comment lines of the scenarios that come with the box."""
    return [(path.stem, _title(path)) for path in sorted(SCENARIOS.glob("*.toml"))]


def _title(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ").strip()
