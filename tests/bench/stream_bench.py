"""`mmbot bench --what stream`: what the daemon's market data costs, and a flood of it.

python -m tests.bench.stream_bench --minutes 1 --json
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from mmbot.domain.errors import Stop
from tests.bench.claim import Claim
from tests.bench.figures import machine
from tests.bench.flood_end import FloodPlan
from tests.bench.flood_listing import Flood
from tests.bench.processes import DAEMON, Cast, Scene, pause, scene
from tests.bench.stream_frames import frame_claims, growth_claims

PER_S: Final = 5_000.0
RATE_SHARE_MIN: Final = 0.999  # of the frames that were due
LAG_P99_MS_MAX: Final = 50.0
MEMORY_MIB_MAX: Final = 120.0
MEMORY_GROWTH_MIB_MAX: Final = 5.0
MEMORY_SETTLED: Final = 0.1  # of the flood, before memory is expected to stand still
LINES_MANY: Final = 10_000
WARM_UP_S: Final = 12.0  # until the reads of the start are over
VENDOR_S: Final = 10.0
VENDOR_FORMS: Final = ("published", "repaired")
LOOK_S: Final = 1.0
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FloodRate:
    seconds: float
    per_s: float = PER_S
    warm_up_s: float = WARM_UP_S


@dataclass(slots=True)
class Watched:
    """Memory of a process, looked at each second by a thread; processor time at both ends."""

    pid: int
    rss_mib: list[float] = field(default_factory=list)
    cpu_share: float = 0.0

    def during(self, work: threading.Thread) -> None:
        cpu_s, began_s = _cpu_s(self.pid), time.monotonic()
        work.start()
        while work.is_alive():
            self.rss_mib.append(_rss_mib(self.pid))
            work.join(LOOK_S)
        self.cpu_share = (_cpu_s(self.pid) - cpu_s) / (time.monotonic() - began_s)

    @property
    def growth_mib(self) -> float:
        """From when the flood had filled what there is to fill, to the end."""
        return self.rss_mib[-1] - self.rss_mib[int(len(self.rss_mib) * MEMORY_SETTLED)]


def flood_claims(folder: Path, flood: Flood, rate: FloodRate) -> list[Claim]:
    """The whole daemon on one core, the far end on another."""
    seconds, per_s = rate.seconds, rate.per_s
    with scene(folder, forms=(), cast=_cast(flood)) as stage:
        _pour(stage, FloodPlan(DAEMON, rate.warm_up_s, per_s))
        watched, answers = Watched(stage.children[DAEMON].pid), list[dict[str, Any]]()
        plan = FloodPlan(DAEMON, seconds, per_s)
        watched.during(threading.Thread(target=lambda: answers.append(_pour(stage, plan))))
        pause(LOOK_S)
        stage.check_alive()
        if not answers:
            raise Stop(f"bench: the flood broke off (see {stage.log('stand-in')})")
        lags = json.loads((stage.state_dir / "lags.json").read_text(encoding="utf-8"))
    (sent,) = answers
    due = seconds * per_s
    how = (
        f"{lags['frames']:,} frames of {due:,.0f} in {seconds:g} s; the sender was at most "
        f"{sent['late_ms_max']:.1f} ms late and used {sent['cpu_share']:.0%} of a core"
    )
    lag = f"p50 {lags['p50_ms']}, p99.9 {lags['p99.9_ms']}, max {lags['max_ms']} ms, to a decision"
    room = f"{flood.channels} channels, {flood.strikes:,} strikes, at the most"
    memory = f"{watched.rss_mib[0]:.1f} at the start, {watched.rss_mib[-1]:.1f} at the end"
    got = lags["frames"] / max(seconds, sent["seconds"])
    return [
        Claim("flood", got, "frames/s", per_s * RATE_SHARE_MIN, True, how),
        Claim("lag p99", lags["p99_ms"], "ms", LAG_P99_MS_MAX, False, lag),
        Claim("core", watched.cpu_share * 100, "%", 100.0, False, "processor time of the daemon"),
        Claim("memory", max(watched.rss_mib), "MiB", MEMORY_MIB_MAX, False, room),
        Claim("growth", watched.growth_mib, "MiB", MEMORY_GROWTH_MIB_MAX, False, memory),
    ]


def capacities(folder: Path) -> dict[str, float]:
    """Frames a second that each vendor-style stack takes when it is sent more; in the same run."""
    found = {}
    for form in (DAEMON, *VENDOR_FORMS):
        where = folder / form
        where.mkdir()
        ours = form == DAEMON
        with scene(where, () if ours else (form,), daemon=ours, cast=_cast(Flood())) as stage:
            plan = FloodPlan(form, VENDOR_S, paced=False)
            _pour(stage, FloodPlan(form, VENDOR_S, paced=False))  # fills what buffers there are
            sent = _pour(stage, plan)
            found[form] = sent["frames"] / sent["seconds"]
    return found


def _cast(flood: Flood) -> Cast:
    size = (str(flood.channels), str(flood.strikes))
    return Cast("tests.bench.flood_end", "tests.bench.flood_daemon", size)


def _pour(stage: Scene, plan: FloodPlan) -> dict[str, Any]:
    answer: dict[str, Any] = stage.ask("/_bench/flood", asdict(plan), wait_max_s=plan.seconds + 60)
    return answer


def main(minutes: float, seed: int, *, as_json: bool) -> int:
    """Measure, print, and give the exit code: 0 when every claim holds."""
    now_ns = time.time_ns()
    claims = frame_claims(seed, now_ns) + growth_claims(seed, now_ns, LINES_MANY)
    folder = Path(tempfile.mkdtemp(prefix="mmbot-flood-"))
    claims += flood_claims(folder, Flood(), FloodRate(minutes * 60))
    missing = [name for name in ("pysher", "requests") if find_spec(name) is None]
    taken = {} if missing else capacities(folder)
    failures = [one.name for one in claims if not one.kept]
    if as_json:
        told = {
            "machine": machine(),
            "seed": seed,
            "minutes": minutes,
            "claims": [asdict(one) | {"kept": one.kept} for one in claims],
            "frames_per_s_at_most": {name: round(value) for name, value in taken.items()},
            "not_compared": missing,
            "failures": failures,
        }
        print(json.dumps(told))
    else:
        print(f"machine: {machine()}")
        for one in claims:
            print(one.line)
        for name, value in taken.items():
            ratio = taken[DAEMON] / value
            print(f"as fast as it takes them: {name} {value:,.0f} frames/s ({ratio:.1f}x)")
        if missing:
            print(f"NOT COMPARED: {' and '.join(missing)} not installed; make bench does it")
    if failures:
        print(f"failed: {', '.join(failures)} (logs: {folder})", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return 1 if failures else 0


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / MIB


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stream_bench", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of flood")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    options = _options(sys.argv[1:])
    raise SystemExit(main(options.minutes, options.seed, as_json=options.json))
