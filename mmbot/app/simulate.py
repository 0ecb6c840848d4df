"""`mmbot simulate`: seeds in, one line per seed out, and the line that replays a failure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from mmbot.app.simulate_day import DayReport, run_day
from mmbot.app.simulate_faults import ALL, parse_faults
from mmbot.app.simulate_plan import Scenario, draw, read_scenario
from mmbot.app.simulate_pool import in_processes
from mmbot.app.simulate_report import Total, line
from mmbot.domain.errors import SetUpError
from mmbot.exchange.dialect import DIALECTS

FINDINGS_SHOWN_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class Output:
    """How to tell it. `log_dir` also takes the daemon's log of each day, at level debug."""

    as_json: bool = False
    log_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days: what a person wrote, so that it can be written again."""

    scenario: Path | None = None
    faults: str = "all"
    only: str = ""
    dialect: str = "v4"

    def words(self) -> str:
        """The options that ask for the same days."""
        dialect = None if self.dialect == "v4" else self.dialect
        given = (
            (" --scenario", self.scenario),
            (" --faults", self.faults),
            (" --dialect", dialect),
        )
        shown = "".join(f"{name} {value}" for name, value in given if value is not None)
        return shown + (f" --only '{self.only}'" if self.only else "")


@dataclass(frozen=True, slots=True)
class Days:
    """The same, understood."""

    scenario: Scenario
    ids: tuple[str, ...] = ALL
    only: frozenset[str] | None = None
    dialect: str = "v4"

    @classmethod
    def of(cls, asked: Asked) -> Days:
        """Raises SetUpError."""
        only = frozenset(asked.only.replace(",", " ").split()) if asked.only else None
        if asked.dialect not in DIALECTS:
            raise SetUpError(f"--dialect: {asked.dialect!r} is none of {', '.join(DIALECTS)}")
        scenario = read_scenario(asked.scenario)
        return cls(scenario, parse_faults(asked.faults), only, asked.dialect)


def run_seeds(
    seeds: Sequence[int], asked: Asked = Asked(), *, out: Output = Output(), jobs: int = 0
) -> int:
    """Run every seed and print its line; 0 when no invariant was broken, else 1.

    Raises SetUpError for a scenario or a folder that cannot be used.
    """
    days = Days.of(asked)
    if out.log_dir is not None:
        make_folder(out.log_dir)
    total = Total(days.ids if days.scenario.faults is None else ())
    for report in reports(seeds, days, jobs, "debug" if out.log_dir else "info"):
        if out.log_dir is not None:
            (out.log_dir / f"seed-{report.seed}.jsonl").write_text(report.log, encoding="utf-8")
        print(json.dumps(report.as_json()) if out.as_json else line(report), flush=True)
        total.add(report)
        if not report.good and not out.as_json:
            print(story(report, asked), flush=True)
    if out.as_json:
        print(json.dumps(total.as_json()))
    elif len(seeds) > 1:
        print(total.text())
    return 0 if total.good else 1


def make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetUpError(f"{path}: cannot be made: {error.strerror}") from None


def reports(
    seeds: Sequence[int], days: Days, jobs: int = 0, log_level: str = "info"
) -> Iterator[DayReport]:
    """One report per seed, in order. Each day runs in a process whose hashes are fixed."""
    yield from in_processes(partial(run_seed, days=days, log_level=log_level), seeds, jobs)


def run_seed(seed: int, days: Days, log_level: str = "info") -> DayReport:
    """One day in this process; exact only where PYTHONHASHSEED is fixed."""
    plan = draw(seed, days.scenario, days.ids, days.only)
    return run_day(dataclasses.replace(plan, dialect=days.dialect), log_level=log_level)


def story(report: DayReport, asked: Asked) -> str:
    """The findings of one seed, and how to see them again."""
    shown = [f"    {finding}" for finding in report.findings[:FINDINGS_SHOWN_MAX]]
    if more := len(report.findings) - FINDINGS_SHOWN_MAX:
        shown += [f"    and {more} more"] if more > 0 else []
    shown.append(f"    replay: mmbot simulate --seeds {report.seed}{asked.words()}")
    return "\n".join(shown)
