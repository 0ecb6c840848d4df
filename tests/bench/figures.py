"""From nanoseconds of single ticks to the table that is printed, and the verdict."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

RATIO_MIN: Final = 3.0
STACKS: Final = ("daemon", "published", "repaired")
LABELS: Final = {
    "daemon": "mmbot, durable intent first",
    "published": "vendor style, as published",
    "repaired": "vendor style, repaired",
}


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass(frozen=True, slots=True)
class Figures:
    """Microseconds. `p50_us` is the median of the rounds' medians; `p99_us` is over all ticks."""

    ticks: int
    p50_us: float
    p50_low_us: float  # p10 and p90 of the rounds' medians
    p50_high_us: float
    p99_us: float

    @classmethod
    def of(cls, rounds_ns: Sequence[Sequence[int]]) -> Figures:
        medians = [median(one) / 1000 for one in rounds_ns if one]
        every = [ns / 1000 for one in rounds_ns for ns in one]
        if not every:
            nothing = float("nan")
            return cls(0, nothing, nothing, nothing, nothing)
        return cls(
            len(every),
            round(median(medians), 1),
            round(quantile(medians, 0.1), 1),
            round(quantile(medians, 0.9), 1),
            round(quantile(every, 0.99), 1),
        )

    def as_json(self) -> dict[str, float]:
        return {
            "ticks": self.ticks,
            "p50_us": self.p50_us,
            "p50_p10_us": self.p50_low_us,
            "p50_p90_us": self.p50_high_us,
            "p99_us": self.p99_us,
        }


@dataclass(frozen=True, slots=True)
class Section:
    """One way of asking (one at a time, or with load), one figure per stack and kind."""

    title: str
    placed: dict[str, Figures]
    cancelled: dict[str, Figures]

    @property
    def ratio(self) -> float:
        return ratio(self.placed["published"].p50_us, self.placed["daemon"].p50_us)

    def as_json(self) -> dict[str, Any]:
        return {
            "order": {name: one.as_json() for name, one in self.placed.items()},
            "cancel": {name: one.as_json() for name, one in self.cancelled.items()},
            "ratio_p50": {name: self._ratio(name) for name in STACKS[1:]},
        }

    def _ratio(self, name: str) -> float:
        return round(ratio(self.placed[name].p50_us, self.placed["daemon"].p50_us), 2)

    def table(self) -> Iterator[str]:
        yield self.title
        for what, figures in (("order", self.placed), ("cancel", self.cancelled)):
            yield (
                f"  {'tick to ' + what:<29}{'p50 us':>9}{'(p10..p90 of rounds)':>22}"
                f"{'p99 us':>10}{'p50 ratio':>11}{'p99 ratio':>11}"
            )
            ours = figures["daemon"]
            for name in STACKS:
                one = figures[name]
                spread = f"({one.p50_low_us:,.0f}..{one.p50_high_us:,.0f})"
                yield (
                    f"  {LABELS[name]:<29}{one.p50_us:>9,.0f}{spread:>22}{one.p99_us:>10,.0f}"
                    f"{ratio(one.p50_us, ours.p50_us):>11.2f}"
                    f"{ratio(one.p99_us, ours.p99_us):>11.2f}"
                )


def ratio(theirs: float, ours: float) -> float:
    return theirs / ours if ours else float("nan")


def machine() -> str:
    """Processor, cores, kernel and Python of this run, in one line."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        rows = info.read_text(encoding="utf-8", errors="replace").splitlines()
        names = [row.partition(":")[2].strip() for row in rows if row.startswith("model name")]
        cpu = names[0] if names else cpu
    return (
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def file_system_of(path: Path) -> str:
    """The kind of file system below `path` (tmpfs would make a durable write mean nothing)."""
    mounts = Path("/proc/mounts")
    if not mounts.is_file():
        return "unknown"
    best, kind = "", "unknown"
    place = str(path.resolve())
    for row in mounts.read_text(encoding="utf-8").splitlines():
        _, where, what, *_ = row.split(" ")
        inside = place == where or place.startswith(where.rstrip("/") + "/")
        if inside and len(where) >= len(best):
            best, kind = where, what
    return kind
