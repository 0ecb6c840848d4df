"""A copy of the tree in which one thing is broken, and the days that must notice."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbot.domain.errors import Stop
from tests.mutation.breaks import Break

ROOT: Final = Path(__file__).resolve().parents[2]
COPIED: Final = ("mmbot", "strategies", "config")
SEED_MAX_S: Final = 600.0  # of one seed; a break may make it spin
WORDS_MAX: Final = 160


@dataclass(frozen=True, slots=True)
class Day:
    """What one seed said. `broke` is how the program itself fell over, if it did."""

    seed: int
    findings: tuple[str, ...] = ()
    broke: str = ""

    @property
    def first(self) -> str:
        return (self.broke or next(iter(self.findings), ""))[:WORDS_MAX]


@dataclass(frozen=True, slots=True)
class Caught:
    seed: int | None  # None: it survived
    seeds: int  # that were run
    said: str = ""


class Copy:
    """The tree without what was built from it; `broken` puts it right again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in COPIED:
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )

    def fresh(self, breaks: Sequence[Break]) -> None:
        """As it was, and then with these breaks in it; raises StaleBreak."""
        for one in breaks:
            shutil.copyfile(ROOT / one.file, self._folder / one.file)
        for one in breaks:
            one.apply(self._folder)

    def restore(self, breaks: Sequence[Break]) -> None:
        for one in breaks:
            shutil.copyfile(ROOT / one.file, self._folder / one.file)

    def days(self, seeds: Sequence[int], jobs: int) -> Iterator[Day]:
        """Each seed's findings, a few at a time, so that the first finding ends the trial."""
        for start in range(0, len(seeds), jobs):
            yield from self._run(seeds[start : start + jobs])

    def _run(self, seeds: Sequence[int]) -> Iterator[Day]:
        running = [(seed, self._begin(seed)) for seed in seeds]
        try:
            for seed, process in running:
                yield _day(seed, process)
        finally:
            for _, process in running:
                _end(process)

    def _begin(self, seed: int) -> subprocess.Popen[str]:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("MMBOT_")}
        # A break may leave a file's size and second of writing alike: never trust old bytecode.
        environ |= {"PYTHONPATH": str(self._folder), "PYTHONDONTWRITEBYTECODE": "1"}
        command = ("simulate", "--seeds", str(seed), "--faults", "all", "--json", "--jobs", "1")
        return subprocess.Popen(
            [sys.executable, "-m", "mmbot", *command],
            cwd=self._folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a day has a process of its own below that one
        )


def _end(process: subprocess.Popen[str]) -> None:
    """It and what it started; else the day below would hold the pipes until its own end."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _day(seed: int, process: subprocess.Popen[str]) -> Day:
    try:
        out, err = process.communicate(timeout=SEED_MAX_S)
    except subprocess.TimeoutExpired:
        return Day(seed, broke=f"no end within {SEED_MAX_S:g} s")
    last = err.strip().splitlines()[-1:] or ["no word"]
    if process.returncode == 2:
        raise Stop(f"the broken copy cannot even begin: {last[0]}")
    for line in out.splitlines():
        if line.startswith("{"):
            report = json.loads(line)
            if report.get("seed") == seed:
                return Day(seed, tuple(report["findings"]))
    return Day(seed, broke=last[0])


def trial(copy: Copy, one: Break, beside: Break | None, seeds: Sequence[int], jobs: int) -> Caught:
    """Run the days until one notices. A break of the witness is noticed by what it leaves out."""
    if beside is None:
        return _daemon_trial(copy, one, seeds, jobs)
    ran = 0
    for seed in seeds:
        copy.fresh((beside,))
        (whole,) = copy.days([seed], 1)
        ran += 1
        if not whole.findings:
            continue
        copy.restore((beside,))
        copy.fresh(_apart(one, beside))
        (less,) = copy.days([seed], 1)
        copy.restore((one, beside))
        if less.findings != whole.findings:
            missing = sorted(set(whole.findings) - set(less.findings))
            return Caught(seed, ran, f"no longer said: {(missing or [less.first])[0]}"[:WORDS_MAX])
    copy.restore((one, beside))
    return Caught(None, ran)


def _daemon_trial(copy: Copy, one: Break, seeds: Sequence[int], jobs: int) -> Caught:
    copy.fresh((one,))
    ran = 0
    try:
        for day in copy.days(seeds, jobs):
            ran += 1
            if day.findings or day.broke:
                return Caught(day.seed, ran, day.first)
    finally:
        copy.restore((one,))
    return Caught(None, ran)


def _apart(one: Break, beside: Break) -> tuple[Break, Break]:
    assert one.file != beside.file, f"{one.name}: both breaks are in {one.file}"
    return one, beside
