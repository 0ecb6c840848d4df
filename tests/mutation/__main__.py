"""`make mutation`: break the program on purpose, and see that the seeds notice each break."""

from __future__ import annotations

import argparse
import json
import queue
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mmbot.domain.errors import MmbotError, SetUpError
from tests.mutation.breaks import Break, StaleBreak
from tests.mutation.catalogue import BREAKS, BY_NAME, EQUIVALENT, TO_CATCH
from tests.mutation.trial import ROOT, Caught, Copy, Trials

SEEDS: Final = "1..40"
SEEDS_MAX: Final = 10_000
JOBS_MAX: Final = 16


def main(argv: Sequence[str]) -> int:
    """0 all caught, 1 something survived, 2 wrong use or a break whose text is gone."""
    given = _arguments(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the copy goes, the days end
    try:
        chosen = _chosen(given.only)
        stale = _stale(chosen)
        if stale:
            raise SetUpError("\n".join(stale))
        if given.list or given.check:
            return _list(chosen)
        seeds = _seeds(given.seeds)
        survivors = _try(chosen, seeds, given)
    except MmbotError as error:
        print(f"mutation: {error}", file=sys.stderr)
        return 2 if isinstance(error, SetUpError) else 1
    except KeyboardInterrupt:
        return 130
    return 1 if survivors else 0


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    seeds = "A..B of --faults all, after a few of the faults that a break names"
    parser.add_argument("--seeds", default=SEEDS, help=seeds)
    parser.add_argument("--only", action="append", default=[], help="breaks with this in the name")
    parser.add_argument("--jobs", type=int, default=2, help="breaks at once")
    parser.add_argument("--json", action="store_true", help="one object per break")
    parser.add_argument("--list", action="store_true", help="the breaks, and nothing is run")
    parser.add_argument("--check", action="store_true", help="only that each text is in its file")
    return parser.parse_args(argv)


def _chosen(words: Sequence[str]) -> list[Break]:
    found = [one for one in TO_CATCH if not words or any(word in one.name for word in words)]
    if not found:
        raise SetUpError(f"--only: no break has {' or '.join(words)} in its name (--list)")
    return found


def _seeds(text: str) -> range:
    match = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", text)
    if match is None:
        raise SetUpError(f"--seeds {text!r}: write one number or A..B")
    first, last = int(match[1]), int(match[2] or match[1])
    if not first <= last < first + SEEDS_MAX:
        raise SetUpError(f"--seeds {text}: from 1 to {SEEDS_MAX} seeds, the smaller number first")
    return range(first, last + 1)


def _stale(chosen: Sequence[Break]) -> list[str]:
    """Breaks whose text is no longer in its file; those beside them, too."""
    found = []
    for one in {o.name: o for c in chosen for o in (c, *_beside(c))}.values():
        try:
            one.applied(ROOT / one.file)
        except StaleBreak as error:
            found.append(str(error))
    return found


def _beside(one: Break) -> tuple[Break, ...]:
    return (BY_NAME[one.beside],) if one.beside else ()


def _list(chosen: Sequence[Break]) -> int:
    for one in chosen:
        print(f"{one.name}\n    {one.file}: {one.why}")
    for one in EQUIVALENT:
        print(f"{one.name}\n    {one.file}: equivalent: {one.equivalent}")
    print(f"{len(BREAKS)} breaks, {len(EQUIVALENT)} of them equivalent; each is in its file once")
    return 0


@dataclass(frozen=True, slots=True)
class _Tried:
    one: Break
    caught: Caught
    took_s: float


def _try(chosen: Sequence[Break], seeds: range, given: argparse.Namespace) -> list[str]:
    """Try each and tell of it; the names of those that survived."""
    survivors, trials = [], Trials(seeds)
    for tried in _tried(chosen, trials, min(given.jobs, JOBS_MAX, len(chosen))):
        _tell(tried, as_json=given.json)
        if tried.caught.day is None:
            survivors.append(tried.one.name)
    for one in EQUIVALENT:
        print(f"equivalent  {one.name} ({one.file}): {one.equivalent}", file=sys.stderr)
    for day in trials.unsound:
        told = f"--seeds {day.seed} --faults {day.faults} fails with nothing broken: {day.first}"
        print(f"mutation: {told}", file=sys.stderr)
    counts = f"{len(chosen) + len(EQUIVALENT)} breaks, {len(survivors)} survivors"
    print(f"{counts}, {len(EQUIVALENT)} equivalent", file=sys.stderr if given.json else sys.stdout)
    return survivors


def _tried(chosen: Sequence[Break], trials: Trials, jobs: int) -> Iterator[_Tried]:
    """As they are tried, so many at once, each in a copy of the tree that nobody else uses."""
    with tempfile.TemporaryDirectory(prefix="mmbot-mutation-") as folder:
        copies = [Copy(Path(folder) / str(number)) for number in range(jobs)]
        free: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        for copy in copies:
            copy.make()
            free.put(copy)

        def try_one(one: Break) -> _Tried:
            began_s, copy = time.monotonic(), free.get()
            try:
                caught = trials.run(copy, one, BY_NAME[one.beside] if one.beside else None)
            finally:
                free.put(copy)
            return _Tried(one, caught, time.monotonic() - began_s)

        with ThreadPoolExecutor(jobs) as pool:
            under_way: list[Future[_Tried]] = [pool.submit(try_one, one) for one in chosen]
            try:
                for trial in under_way:
                    yield trial.result()
            finally:  # after a failure or Ctrl-C the days end at once
                pool.shutdown(wait=False, cancel_futures=True)
                for copy in copies:
                    copy.stop()


def _tell(tried: _Tried, *, as_json: bool) -> None:
    one, caught, day = tried.one, tried.caught, tried.caught.day
    where = "" if day is None else f"--seeds {day.seed} --faults {day.faults}"
    if as_json:
        told = {"break": one.name, "file": one.file, "caught": day is not None, "by": where}
        told |= {"invariant": caught.invariant, "said": caught.said, "days": caught.days}
        print(json.dumps(told | {"took_s": round(tried.took_s, 1)}), flush=True)
    elif day is None:
        print(f"SURVIVED  {one.name} ({one.file}; {caught.days} days, {tried.took_s:.0f} s)")
    else:
        by = f"{caught.invariant} at {where}, {tried.took_s:.0f} s"
        print(f"caught  {one.name} ({one.file}): {by}: {caught.said}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
