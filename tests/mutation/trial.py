"""A copy of the tree in which one thing is broken, and the days that must notice."""

from __future__ import annotations

import compileall
import contextlib
import json
import os
import py_compile
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mmbot.app.simulate_pool import HASH_SEED
from mmbot.domain.errors import Stop
from tests.mutation.breaks import Break

ROOT: Final = Path(__file__).resolve().parents[2]
COPIED: Final = ("mmbot", "strategies", "config")
WORKER: Final = str(Path(__file__).with_name("worker.py"))
DAY_MAX_S: Final = 600.0  # a break may make it spin
FIRST_SEEDS: Final = range(1, 7)  # with a short list, what is asked for strikes in every seed
WORDS_MAX: Final = 160
_INVARIANT: Final = re.compile(r"\bI[1-7]\b")


@dataclass(frozen=True, slots=True)
class Day:
    """What one seed said. `broke` is how the program itself fell over, if it did."""

    faults: str
    seed: int
    findings: tuple[str, ...] = ()
    broke: str = ""

    @property
    def good(self) -> bool:
        return not (self.findings or self.broke)

    @property
    def first(self) -> str:
        return (self.broke or next(iter(self.findings), ""))[:WORDS_MAX]


@dataclass(frozen=True, slots=True)
class Caught:
    day: Day | None  # None: it survived
    days: int  # that were run
    said: str = ""

    @property
    def invariant(self) -> str:
        found = _INVARIANT.search(self.said)
        return found[0] if found else "-"


@dataclass(frozen=True, slots=True)
class Copy:
    """The tree in a folder of its own."""

    folder: Path
    running: set[subprocess.Popen[str]] = field(default_factory=set)

    def make(self) -> None:
        leave_out = shutil.ignore_patterns("__pycache__")
        for name in COPIED:
            shutil.copytree(ROOT / name, self.folder / name, ignore=leave_out)
        # A break may leave a file's size and second of writing alike: only its text tells.
        by_text = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(self.folder / "mmbot", quiet=1, invalidation_mode=by_text)

    @contextlib.contextmanager
    def broken(self, *breaks: Break) -> Iterator[None]:
        """With these breaks in it; as it was afterwards. Raises StaleBreak."""
        texts = {path: path.read_text(encoding="utf-8") for path in map(self._path, breaks)}
        try:
            for one in breaks:
                one.apply(self.folder)
            yield
        finally:
            for path, text in texts.items():
                path.write_text(text, encoding="utf-8")

    def _path(self, one: Break) -> Path:
        return self.folder / one.file

    def days(self, faults: str, seeds: range) -> Iterator[Day]:
        """One seed after the other; who stops listening ends them. Raises Stop."""
        process = self._begin(faults, seeds)
        self.running.add(process)
        try:
            for seed in seeds:
                day = _day(faults, seed, process)
                yield day
                if day.broke:
                    return
        finally:
            _end(process)
            self.running.discard(process)

    def stop(self) -> None:
        """End what runs, from another thread."""
        for process in tuple(self.running):
            _kill(process)

    def _begin(self, faults: str, seeds: range) -> subprocess.Popen[str]:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("MMBOT_")}
        environ |= {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        environ["PYTHONHASHSEED"] = HASH_SEED  # as the days of `mmbot simulate`
        return subprocess.Popen(
            [sys.executable, "-P", WORKER, faults, str(seeds[0]), str(seeds[-1])],
            cwd=self.folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C comes to us alone, and we end it
        )


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[str]) -> None:
    _kill(process)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _day(faults: str, seed: int, process: subprocess.Popen[str]) -> Day:
    assert process.stdout is not None
    late = threading.Timer(DAY_MAX_S, _kill, (process,))
    late.start()
    try:
        for line in process.stdout:
            if line.startswith("{"):
                report = json.loads(line)
                if report.get("seed") == seed:
                    return Day(faults, seed, tuple(report["findings"]))
    finally:
        late.cancel()
    return Day(faults, seed, broke=_last_words(process))


def _last_words(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    said = (line.strip(" |+-") for line in process.stderr.read().splitlines())
    last = [line for line in said if line][-1:] or ["no word"]
    if process.wait() == 2:
        raise Stop(f"the broken copy cannot even begin: {last[0]}")
    return last[0] if process.returncode >= 0 else f"no end within {DAY_MAX_S:g} s"


class Trials:
    """Runs each break's days until one notices; it must hold every invariant without the break."""

    def __init__(self, seeds: range) -> None:
        self._seeds = seeds
        self._whole: dict[tuple[str, int], Day] = {}

    @property
    def unsound(self) -> list[Day]:
        """Days that fail with nothing broken: they have proven nothing."""
        return [day for day in self._whole.values() if not day.good]

    def run(self, copy: Copy, one: Break, beside: Break | None) -> Caught:
        """A break of the witness is noticed by what it leaves out of a break beside it."""
        ran = 0
        of_daemon = one if beside is None else beside
        for faults, seeds in self._lists(of_daemon):
            left = seeds
            while left:
                with copy.broken(of_daemon):
                    day = next((day for day in copy.days(faults, left) if not day.good), None)
                ran += (left[-1] if day is None else day.seed) - left[0] + 1
                if day is None:
                    break
                left = range(day.seed + 1, seeds.stop)
                caught = self._noticed(copy, one, beside, day)
                if caught:
                    return Caught(day, ran, caught[:WORDS_MAX])
        return Caught(None, ran)

    def _lists(self, one: Break) -> Sequence[tuple[str, range]]:
        first = [(one.faults, FIRST_SEEDS)] if one.faults else []
        return [*first, ("all", self._seeds)]

    def _noticed(self, copy: Copy, one: Break, beside: Break | None, day: Day) -> str:
        """What the break did to this day; empty when it is not known to have done anything."""
        alone = range(day.seed, day.seed + 1)
        key = (day.faults, day.seed)
        if key not in self._whole:
            (self._whole[key],) = copy.days(day.faults, alone)
        if not self._whole[key].good:
            return ""
        if beside is None:
            return day.first
        with copy.broken(beside, one):
            (less,) = copy.days(day.faults, alone)
        missing = sorted(set(day.findings) - set(less.findings))
        return f"no longer said: {missing[0]}" if missing else ""
