"""Virtual days in processes of their own, whose hashes are fixed, so that a replay is exact."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from mmbot.app.simulate_day import DayReport

JOBS_MAX: Final = 16
HASH_SEED: Final = "0"  # sets of strings are ordered by it, so a replay needs the same
DAYS_PER_PROCESS: Final = 50
GC_ALLOCATIONS_MIN: Final = 20_000

T = TypeVar("T")


def in_processes(
    work: Callable[[T], DayReport], days: Sequence[T], jobs: int = 0
) -> Iterator[DayReport]:
    """One report per day, in order; 0 jobs means one per core."""
    jobs = min(cores(jobs), len(days))
    # Fresh processes now and then bound the memory; max_tasks_per_child would hang (gh-115634).
    for start in range(0, len(days), jobs * DAYS_PER_PROCESS):
        part = days[start : start + jobs * DAYS_PER_PROCESS]
        with processes(jobs) as pool:
            yield from pool.map(work, part)


def cores(jobs: int) -> int:
    """How many days at once."""
    return min(jobs or os.cpu_count() or 1, JOBS_MAX)


@contextmanager
def processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_rarely_collect)
    with _fixed_hashes(), pool:
        yield pool


def _rarely_collect() -> None:
    """What a process imports lives as long as it does, and a day makes few cycles."""
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS_MIN)


@contextmanager
def _fixed_hashes() -> Iterator[None]:
    """Processes started meanwhile hash strings alike."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = HASH_SEED
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before
