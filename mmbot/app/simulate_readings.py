"""`mmbot simulate --readings`: the daemon under each reading of the venue, one line each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from mmbot.app.simulate import FINDINGS_SHOWN_MAX, Output, make_folder
from mmbot.app.simulate_day import DayReport
from mmbot.app.simulate_pool import in_processes
from mmbot.app.simulate_reading import Reading, run_reading


def run_readings(chosen: Sequence[Reading], *, out: Output, jobs: int = 0) -> int:
    """Run a day under each and print its line; 0 when no invariant was broken, else 1."""
    if out.log_dir is not None:
        make_folder(out.log_dir)
    level = "debug" if out.log_dir else "info"
    failed = 0
    reports = in_processes(partial(run_reading, log_level=level), chosen, jobs)
    for one, report in zip(chosen, reports, strict=True):
        if out.log_dir is not None:
            name = str(one).translate({ord(sign): "-" for sign in ":= "})
            (out.log_dir / f"{name}.jsonl").write_text(report.log, encoding="utf-8")
        told = {"reading": one.name, "value": one.value} | report.as_json()
        print(json.dumps(told) if out.as_json else reading_line(one, report), flush=True)
        failed += not report.good
    if not out.as_json and len(chosen) > 1:
        print(f"{len(chosen)} readings, {failed} with findings")
    return 1 if failed else 0


def reading_line(one: Reading, report: DayReport) -> str:
    """One reading on one line; below it what is wrong, and how to see it again."""
    count = len(report.findings)
    verdict = f"ok, quiet: {one.quiet}" if one.quiet else "ok"
    if count:
        verdict = f"{count} finding{'s' if count > 1 else ''}"
    line = f"{_figures(one, report)}  {verdict}"
    if not count:
        return line
    shown = [f"    {finding}" for finding in report.findings[:FINDINGS_SHOWN_MAX]]
    if count > FINDINGS_SHOWN_MAX:
        shown.append(f"    and {count - FINDINGS_SHOWN_MAX} more")
    return "\n".join([line, *shown, f"    replay: mmbot simulate --reading '{one}'"])


def _figures(one: Reading, report: DayReport) -> str:
    return (
        f"{one!s:<42}  {report.orders:>4} orders  {report.fills:>3} fills  "
        f"{report.virtual_s:>4.0f} s  {report.cpu_s:>4.1f} s cpu"
    )
