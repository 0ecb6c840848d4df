"""What was asked of the demo, and what came out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final

from mmbot.domain.errors import SetUpError
from mmbot.exchange.dialect import DIALECTS
from mmbot.sim.scenario import BoxOptions, ScenarioError, find_scenario, load_scenario

MEASURED_FROM_S: Final = 10.0  # the box measures presence from here on
DURATION_MIN_S: Final = 15.0
KILLS_MAX: Final = 20
KILL_NOT_BEFORE_S: Final = 5.0
KILL_NOT_IN_LAST_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`duration_s` None: until somebody presses q."""

    duration_s: float | None = None
    seed: int = 7
    latency: str = ""  # loopback or venue; empty: as the scenario says, or else loopback
    scenario: Path | None = None  # a file, or the name of a shipped one
    data: Path | None = None
    kills: int = 0
    state_dir: Path | None = None
    dialect: str = "v4"  # that the daemon speaks; the box speaks all of them

    def checked(self) -> DemoOptions:
        """The same options, complete; raises SetUpError with one line per problem."""
        problems = list(self._problems())
        if problems:
            raise SetUpError("\n".join(problems))
        if self.scenario is None:
            return replace(self, latency=self.latency or "loopback")
        usual = load_scenario(self.scenario, BoxOptions()).latency_profile
        found = find_scenario(self.scenario)
        return replace(self, scenario=found, latency=self.latency or usual)

    def _problems(self) -> list[str]:
        found = []
        if self.duration_s is not None and not DURATION_MIN_S <= self.duration_s <= 86_400:
            found.append(
                f"--duration: {self.duration_s:g} is not between {DURATION_MIN_S:g} s and a day "
                f"(presence is measured from second {MEASURED_FROM_S:g})"
            )
        if self.seed < 0:
            found.append(f"--seed: {self.seed} is below 0")
        if self.latency not in {"", "loopback", "venue"}:
            found.append(f"--latency: {self.latency!r} is neither loopback nor venue")
        if self.dialect not in DIALECTS:
            found.append(f"--dialect: {self.dialect!r} is none of {', '.join(DIALECTS)}")
        if not 0 <= self.kills <= KILLS_MAX:
            found.append(f"--kills: {self.kills} is not between 0 and {KILLS_MAX}")
        if self.kills and self.duration_s is None:
            found.append("--kills needs --duration (in the live view press k instead)")
        if self.scenario is not None:
            found += _scenario_problems(self.scenario)
        if self.data is not None and not self.data.is_dir():
            found.append(f"--data: {self.data} is not a folder")
        if self.state_dir is not None and any(self.state_dir.glob("*.sqlite3")):
            found.append(f"--state-dir: {self.state_dir} holds the ledger of another run")
        return found

    def kill_moments_s(self) -> list[float]:
        """Seconds after the start at which the daemon is killed; the seed decides."""
        if self.duration_s is None:
            return []
        last_s = self.duration_s - KILL_NOT_IN_LAST_S
        draw = Random(f"kills {self.seed}")
        return sorted(draw.uniform(KILL_NOT_BEFORE_S, last_s) for _ in range(self.kills))


def _scenario_problems(scenario: Path) -> list[str]:
    if scenario.suffix and not scenario.is_file():
        return [f"--scenario: {scenario} is not a file"]
    try:
        load_scenario(scenario, BoxOptions())
    except ScenarioError as error:
        return [f"--scenario: {error}"]
    return []
