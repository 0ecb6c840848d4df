"""`mmbot simulate --shrink SEED`: the fewest moments and strikes of a seed that still fail.

Delta debugging (Zeller): halves are taken out, then quarters and so on, as long as what is left
fails by the same invariant. A strike that is left out moves no other draw (sim/faults/dice.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Final

from mmbot.app.simulate import Asked, Days, reports, run_seed, story
from mmbot.app.simulate_pool import cores, processes
from mmbot.app.simulate_report import DayReport

RUNS_MAX: Final = 400

Fails = Callable[[Sequence[Sequence[str]]], int | None]


def run_shrink(seed: int, asked: Asked, *, jobs: int = 0) -> int:
    """Print the shortest list that fails; 0 when one was found, 1 when the seed does not fail."""
    first = next(iter(reports([seed], Days.of(asked), 1)))
    if first.good:
        print(f"seed {seed} holds every invariant: there is nothing to shrink")
        return 1
    broken = invariant(first.findings[0])
    parts = [*first.moments, *dict.fromkeys(first.struck)]
    print(f"seed {seed}: {broken} fails with {len(parts)} moments and strikes", flush=True)
    with processes(cores(jobs)) as pool:
        runs = _Runs(seed, asked, broken, pool, cores(jobs))
        # Whole rules first: most of them have nothing to do with it.
        whole = [*first.moments, *dict.fromkeys(one.partition(".")[0] for one in first.struck)]
        needed = set(shortest(whole, runs.first_failing))
        struck = (runs.last_failing or first).struck
        parts = [one for one in first.moments if one in needed]
        parts += [one for one in dict.fromkeys(struck) if one.partition(".")[0] in needed]
        left = shortest(parts, runs.first_failing)
    report = runs.last_failing or first
    if runs.made >= RUNS_MAX:
        print(f"stopped after {RUNS_MAX} runs")
    print(f"{len(left)} of them are left after {runs.made} runs: {' '.join(left) or 'none'}")
    print(story(report, dataclasses.replace(asked, only=" ".join(left) or NOTHING)))
    return 0


NOTHING: Final = "-"  # names no moment and no strike


class _Runs:
    """Plays the seed with some of its parts; a list of parts fails when the invariant does."""

    def __init__(self, seed: int, asked: Asked, broken: str, pool: Executor, at_once: int) -> None:
        self.made = 0
        self.last_failing: DayReport | None = None
        self._seed = seed
        self._days = Days.of(asked)
        self._broken = broken
        self._pool = pool
        self._at_once = at_once

    def first_failing(self, lists: Sequence[Sequence[str]]) -> int | None:
        """The first of these lists that fails, by its place."""
        for start in range(0, len(lists), self._at_once):
            part = lists[start : start + self._at_once]
            if self.made + len(part) > RUNS_MAX:
                return None
            self.made += len(part)
            only = (frozenset(one) | {NOTHING} for one in part)
            wanted = [dataclasses.replace(self._days, only=one) for one in only]
            found = list(self._pool.map(partial(_play, self._seed), wanted))
            for number, report in enumerate(found, start):
                if self._broken in map(invariant, report.findings):
                    self.last_failing = report
                    return number
        return None


def invariant(finding: str) -> str:
    """Which one is broken: `I1` of `midway I1: ...`."""
    return finding.partition(":")[0].split()[-1]


def _play(seed: int, days: Days) -> DayReport:
    return run_seed(seed, days)


def shortest(parts: Sequence[str], first_failing: Fails) -> list[str]:
    """A list that fails, and of which no single part can be left out (or the runs are used up)."""
    left = list(parts)
    if first_failing([[]]) is not None:
        return []
    pieces = 2
    while len(left) > 1:
        size = -(-len(left) // pieces)
        chunks = [left[at : at + size] for at in range(0, len(left), size)]
        rests = [[one for one in left if one not in set(chunk)] for chunk in chunks]
        tried = chunks + (rests if len(chunks) > 2 else [])
        number = first_failing(tried)
        if number is not None:
            left = tried[number]
            pieces = 2 if number < len(chunks) else max(pieces - 1, 2)
        elif size == 1:
            break
        else:
            pieces = min(len(left), pieces * 2)
    return left
