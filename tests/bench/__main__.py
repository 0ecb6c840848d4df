"""The bench itself: stacks take turns in short bursts, and every turn sees the same ticks."""

from __future__ import annotations

import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mmbot.domain.errors import SetUpError, Stop
from mmbot.store.journal import export_orders
from tests.bench.figures import RATIO_MIN, STACKS, Figures, Section, file_system_of, machine
from tests.bench.processes import (
    DAEMON,
    Scene,
    pause,
    require_vendor_packages,
    scene,
    stop_daemon,
)

TICKS_MAX: Final = 18  # an order and a cancel each: within the exchange's requests per second
REST_S: Final = 1.05  # no stack is asked for a second burst within the same sliding second
WARM_UP_ROUNDS: Final = 2
WARM_UP_TRIES_MAX: Final = 10
LOAD_FRAMES_PER_S: Final = 200.0
LOAD_TICKS: Final = 10
LOAD_EVERY: Final = 10
MEMORY_FILE_SYSTEMS: Final = frozenset({"tmpfs", "ramfs", "devtmpfs"})


@dataclass(frozen=True, slots=True)
class Options:
    seed: int = 1
    rounds: int = 25
    ticks: int = 15
    load_rounds: int = 10
    as_json: bool = False

    def check(self) -> None:
        if self.rounds < 1 or self.load_rounds < 0 or not 1 <= self.ticks <= TICKS_MAX:
            raise SetUpError(f"bench: rounds from 1, load rounds from 0, ticks 1..{TICKS_MAX}")


@dataclass(slots=True)
class Taken:
    """What one section's rounds gave, by stack."""

    placed: dict[str, list[list[int]]] = field(default_factory=lambda: {s: [] for s in STACKS})
    cancelled: dict[str, list[list[int]]] = field(default_factory=lambda: {s: [] for s in STACKS})
    missed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STACKS, 0))
    unasked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STACKS, 0))
    decisions: int = 0
    decisions_alike: int = 0

    def add(self, answers: dict[str, dict[str, Any]]) -> None:
        for name, answer in answers.items():
            self.placed[name].append(answer["place_ns"])
            self.cancelled[name].append(answer["cancel_ns"])
            self.missed[name] += answer["missed"]
            self.unasked[name] += answer["unasked"]
        self.decisions += 1
        first, *others = (sorted(answer["orders"]) for answer in answers.values())
        self.decisions_alike += all(one == first for one in others)

    def section(self, title: str) -> Section:
        return Section(
            title,
            {name: Figures.of(rounds) for name, rounds in self.placed.items()},
            {name: Figures.of(rounds) for name, rounds in self.cancelled.items()},
        )


def main(options: Options) -> int:
    """Run, print, and say with the exit code whether the claim holds (0) or not (1)."""
    options.check()
    require_vendor_packages()
    folder = Path(tempfile.mkdtemp(prefix="mmbot-bench-", dir=_real_disk()))
    report = _run(options, folder)
    failures = report["failures"]
    for line in report.pop("lines"):
        print(line)
    for failure in failures:
        print(f"FAILED: {failure} (logs: {folder})")
    if not failures:
        shutil.rmtree(folder)
    if options.as_json:
        print(json.dumps(report))
    return 1 if failures else 0


def _real_disk() -> str | None:
    """Where the ledger goes: the usual place, unless that is memory, whose syncs are free."""
    usual = Path(tempfile.gettempdir())
    return None if file_system_of(usual) not in MEMORY_FILE_SYSTEMS else str(Path.cwd())


def _run(options: Options, folder: Path) -> dict[str, Any]:
    """REST over TLS as the venue speaks it, then plain: what a connection costs is the claim's
    first half, and what remains without that cost is shown beside it."""
    single, load, plain = Taken(), Taken(), Taken()
    runs = []
    for secure in (True, False):
        where = folder / ("tls" if secure else "plain")
        where.mkdir()
        with scene(where, secure=secure) as stage:
            _warm_up(stage, options)
            before = _commits(stage)
            plan = {"ticks": options.ticks, "polls": stage.cores.server is not None}
            _rounds(stage, options.seed, options.rounds, plan, single if secure else plain)
            if secure:
                busy = {"ticks": LOAD_TICKS, "frames_per_s": LOAD_FRAMES_PER_S, "every": LOAD_EVERY}
                _rounds(stage, options.seed + 1, options.load_rounds, busy, load)
            commits = _commits(stage) - before
            stage.check_alive()
            seen = set(stage.ask(f"/_bench/orders?customer={DAEMON}"))
            exit_code = stop_daemon(stage)
        rows = export_orders(stage.state_dir / "ledger.sqlite3")
        found = seen & {row["external_id"] for row in rows}
        runs.append((commits, len(seen), len(found), exit_code))
    facts = {
        "commits": sum(run[0] for run in runs),
        "orders": sum(run[1] for run in runs),
        "orders_in_ledger": sum(run[2] for run in runs),
        "daemon_exit_code": max(run[3] for run in runs),
        "ledger_file_system": file_system_of(folder),
        "pinned": stage.cores.client is not None,
    }
    return _report(options, {"tls": single, "load": load, "plain": plain}, facts)


def _warm_up(stage: Scene, options: Options) -> None:
    """Until every stack answers; then some whole rounds that are not counted."""
    for name in STACKS:
        for attempt in range(WARM_UP_TRIES_MAX):
            asked = {"customer": name, "seed": attempt, "ticks": 1}
            if not stage.ask("/_bench/burst", asked)["missed"]:
                break
            stage.check_alive()
            pause(REST_S)
        else:
            raise Stop(f"bench: {name} does not answer a tick (see {stage.log(name)})")
    pause(REST_S)
    _rounds(stage, -options.seed - 1, WARM_UP_ROUNDS, {"ticks": options.ticks}, Taken())


def _rounds(stage: Scene, seed: int, rounds: int, plan: dict[str, Any], taken: Taken) -> None:
    """In each round every stack gets the same burst, in an order that chance decides."""
    rng = random.Random(seed)
    rested_s = dict.fromkeys(STACKS, time.monotonic() + REST_S)  # after the section before
    for number in range(rounds):
        asked = {**plan, "seed": seed * 100_003 + number}
        answers = {}
        for name in rng.sample(STACKS, len(STACKS)):
            pause(max(0.0, rested_s[name] - time.monotonic()))
            answers[name] = stage.ask("/_bench/burst", {**asked, "customer": name})
            rested_s[name] = time.monotonic() + REST_S
        taken.add(answers)


def _commits(stage: Scene) -> int:
    text = stage.fetch_text("/metrics", stage.admin_port)
    found = re.search(r"^mmbot_journal_commit_seconds_count (\S+)$", text, re.MULTILINE)
    return int(float(found[1])) if found else 0


def _report(options: Options, taken: dict[str, Taken], facts: dict[str, Any]) -> dict[str, Any]:
    sections = {
        "tls": taken["tls"].section("REST over TLS, one tick at a time, 5 ms apart"),
        "plain": taken["plain"].section("REST over plain HTTP, one tick at a time, 5 ms apart"),
    }
    if options.load_rounds:
        sections["load"] = taken["load"].section("over TLS, 200 frames/s, one in ten trades")
    failures = failures_of(sections["tls"], tuple(taken.values()), facts)
    decisions = sum(one.decisions for one in taken.values())
    alike = sum(one.decisions_alike for one in taken.values())
    lines = [
        f"machine: {machine()}",
        "pinned: stand-in on one core, stacks on another" if facts["pinned"] else "not pinned",
        "profile: loopback",
        *(line for section in sections.values() for line in section.table()),
        f"the daemon also made {facts['commits'] or facts['orders_in_ledger']} durable "
        f"{'commits' if facts['commits'] else 'intents'} (SQLite WAL, synchronous FULL, "
        f"{facts['ledger_file_system']}); {facts['orders_in_ledger']} of its {facts['orders']} "
        "orders are in its ledger; the vendor-style stacks wrote nothing down",
        f"bursts with the same orders by all three: {alike} of {decisions}",
        f"claim: tick to order at least {RATIO_MIN:g}x faster than as published: "
        f"{sections['tls'].ratio:.2f}x (over plain HTTP: {sections['plain'].ratio:.2f}x)",
    ]
    return {
        "seed": options.seed,
        "rounds": options.rounds,
        "ticks": options.ticks,
        "latency_profile": "loopback",
        "machine": machine(),
        "one_at_a_time": sections["tls"].as_json(),
        "one_at_a_time_plain": sections["plain"].as_json(),
        "load": sections["load"].as_json() if options.load_rounds else None,
        "missed": {name: sum(one.missed[name] for one in taken.values()) for name in STACKS},
        "unasked": {name: sum(one.unasked[name] for one in taken.values()) for name in STACKS},
        "bursts": decisions,
        "bursts_alike": alike,
        **facts,
        "claim_ratio_min": RATIO_MIN,
        "claim_ratio": round(sections["tls"].ratio, 2),
        "plain_ratio": round(sections["plain"].ratio, 2),
        "failures": failures,
        "lines": lines,
    }


def failures_of(section: Section, taken: Sequence[Taken], facts: dict[str, Any]) -> list[str]:
    found = []
    if not section.ratio >= RATIO_MIN:
        found.append(f"the daemon is {section.ratio:.2f}x faster, not {RATIO_MIN:g}x")
    for one in taken:
        if one.missed[DAEMON]:
            found.append(f"the daemon missed {one.missed[DAEMON]} ticks")
        if one.decisions_alike != one.decisions:
            found.append(f"{one.decisions - one.decisions_alike} bursts got different orders")
    if facts["orders_in_ledger"] != facts["orders"]:
        found.append("an order at the exchange is not in the ledger")
    if facts["daemon_exit_code"] != 0:
        found.append(f"the daemon ended with exit code {facts['daemon_exit_code']}")
    return found


if __name__ == "__main__":
    sys.exit(main(Options()))
