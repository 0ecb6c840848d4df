"""`mmbot simulate`: seeds in, one line per seed out, and the line that replays a failure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from mmbot.app.simulate_day import DayReport, run_day
from mmbot.app.simulate_plan import Scenario, draw, read_scenario
from mmbot.app.simulate_pool import in_processes
from mmbot.domain.errors import SetUpError

FINDINGS_SHOWN_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class Output:
    """How to tell it. `log_dir` also takes the daemon's log of each day, at level debug."""

    as_json: bool = False
    log_dir: Path | None = None


def run_seeds(
    seeds: Sequence[int], *, scenario: Path | None = None, out: Output = Output(), jobs: int = 0
) -> int:
    """Run every seed and print its line; 0 when no invariant was broken, else 1.

    Raises SetUpError for a scenario or a folder that cannot be used.
    """
    rules = read_scenario(scenario)
    if out.log_dir is not None:
        make_folder(out.log_dir)
    failed = 0
    for report in reports(seeds, rules, jobs, "debug" if out.log_dir else "info"):
        if out.log_dir is not None:
            (out.log_dir / f"seed-{report.seed}.jsonl").write_text(report.log, encoding="utf-8")
        print(json.dumps(report.as_json()) if out.as_json else line(report), flush=True)
        if not report.good:
            failed += 1
            if not out.as_json:
                print(story(report, scenario), flush=True)
    if not out.as_json and len(seeds) > 1:
        print(f"{len(seeds)} seeds, {failed} with findings")
    return 1 if failed else 0


def make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetUpError(f"{path}: cannot be made: {error.strerror}") from None


def reports(
    seeds: Sequence[int], scenario: Scenario, jobs: int = 0, log_level: str = "info"
) -> Iterator[DayReport]:
    """One report per seed, in order. Each day runs in a process whose hashes are fixed."""
    yield from in_processes(partial(run_seed, scenario=scenario, log_level=log_level), seeds, jobs)


def run_seed(seed: int, scenario: Scenario, log_level: str = "info") -> DayReport:
    """One day in this process; exact only where PYTHONHASHSEED is fixed."""
    return run_day(draw(seed, scenario), log_level=log_level)


def line(report: DayReport) -> str:
    """One seed on one line."""
    faults = ", ".join(f"{name} {count}" for name, count in report.faults.items())
    count = len(report.findings)
    verdict = "ok" if report.good else f"{count} finding{'s' if count > 1 else ''}"
    return (
        f"seed {report.seed}  {report.latency}  {report.virtual_s:.0f} s  "
        f"{report.orders} orders  {report.fills} fills  {report.crashes} crashes  "
        f"{sum(report.faults.values())} faults ({faults or 'none'})  "
        f"digest {report.digest or '-'}  {report.cpu_s:.1f} s cpu  {verdict}"
    )


def story(report: DayReport, scenario: Path | None) -> str:
    """The findings of one seed, and how to see them again."""
    shown = [f"    {finding}" for finding in report.findings[:FINDINGS_SHOWN_MAX]]
    if more := len(report.findings) - FINDINGS_SHOWN_MAX:
        shown += [f"    and {more} more"] if more > 0 else []
    with_scenario = f" --scenario {scenario}" if scenario is not None else ""
    shown.append(f"    replay: mmbot simulate --seeds {report.seed}{with_scenario}")
    return "\n".join(shown)
