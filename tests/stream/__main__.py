"""`make stream-check`: the daemon behind a bad network, judged by the exchange's own record.

    python -m tests.stream                       all of it, three runs at a time
    python -m tests.stream --scenario FILE       one, also one that was never seen
    python -m tests.stream --scenario quiet --cable      on a link that is pulled; needs root

Exit code 0: every claim held; 1: one did not, or a run broke off; 2: wrong use.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from mmbot.domain.errors import MmbotError, SetUpError
from mmbot.sim.scenario import BoxOptions, ScenarioError, load_scenario
from tests.crash.__main__ import interruptible
from tests.stream.cable import Cable, missing
from tests.stream.cable_run import CableRun
from tests.stream.claims import STALE, claims
from tests.stream.run import Plan, Seen, StreamRun

JOBS: Final = 3  # a run waits more than it computes
FULL_S: Final = 1_800.0  # how long each scenario goes on with FULL=1
ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Part:
    """One run of the whole check; the blind one is there to show that the check can fail."""

    name: str
    arguments: tuple[str, ...]
    blind: bool = False

    def held(self, code: int, told: Mapping[str, Any]) -> bool:
        if not self.blind:
            return code == 0
        return code == 1 and not told.get("claims", {}).get(STALE, {"held": True})["held"]


PARTS: Final = (  # the longest first
    *(Part(name, ("--scenario", name)) for name in ("chaos", "token_storm")),
    Part("cable", ("--scenario", "quiet", "--cable")),
    *(Part(name, ("--scenario", name)) for name in ("maintenance", "cluster_move")),
    Part("a daemon that detects nothing", ("--scenario", "quiet", "--blind"), blind=True),
)


def main(argv: Sequence[str]) -> int:
    given = _arguments(argv)
    try:
        if given.scenario is None:
            return _all(given)
        return _one(given, _plan(given))
    except MmbotError as error:
        print(f"stream: {error}", file=sys.stderr)
        return 2 if isinstance(error, SetUpError) else 1
    except KeyboardInterrupt:
        return 130


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make stream-check", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="troubles, their moments, the market")
    parser.add_argument("--scenario", type=Path, help="a name or a file; else the four")
    parser.add_argument("--data", type=Path, help="a folder with other odds of the same form")
    parser.add_argument("--jobs", type=int, default=JOBS, help="scenarios at a time")
    parser.add_argument("--blind", action="store_true", help="a daemon that detects nothing")
    parser.add_argument("--cable", action="store_true", help="a real link is pulled; needs root")
    parser.add_argument("--json", action="store_true", help="the last line is one object")
    return parser.parse_args(argv)


def _plan(given: argparse.Namespace) -> Plan:
    if given.seed < 0:
        raise SetUpError(f"--seed: {given.seed} is below 0")
    if given.data is not None and not given.data.is_dir():
        raise SetUpError(f"--data: {given.data} is not a folder")
    try:
        load_scenario(given.scenario, BoxOptions())
    except ScenarioError as error:
        raise SetUpError(f"--scenario: {error}") from None
    lasts_s = FULL_S if os.environ.get("FULL") == "1" else 0.0
    return Plan(given.seed, given.scenario, given.data, given.blind, lasts_s)


def _one(given: argparse.Namespace, plan: Plan) -> int:
    folder = Path(tempfile.mkdtemp(prefix="mmbot-stream-"))
    began_s = time.monotonic()

    def say(text: str) -> None:
        if not given.json:
            print(f"[{time.monotonic() - began_s:6.1f} s] {text}", file=sys.stderr, flush=True)

    if not given.cable:
        seen = asyncio.run(_watch(partial(StreamRun, plan, folder, say)))
    elif why := missing():
        print(f"stream: THE CABLE WAS NOT PULLED: {why}", file=sys.stderr)
        return 0
    else:
        with Cable() as cable:
            seen = asyncio.run(_watch(partial(CableRun, plan, folder, say, cable)))
    good = _tell(seen, plan, time.monotonic() - began_s, as_json=given.json)
    if good:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"stream: ledger, truth and logs: {folder}", file=sys.stderr)
    return 0 if good else 1


async def _watch(begin: Callable[[], StreamRun]) -> Seen:
    run = begin()
    with interruptible():
        try:
            return await run.watch()
        finally:
            await run.close()


def _tell(seen: Seen, plan: Plan, took_s: float, *, as_json: bool) -> bool:
    """Print what was seen; whether every claim held."""
    found = claims(seen)
    good = all(claim.held for claim in found)
    for claim in found:
        for finding in claim.findings:
            print(f"stream: {claim.what}: {finding}", file=sys.stderr)
    if as_json:
        rows = {claim.what: {"seen": claim.seen, "held": claim.held} for claim in found}
        told: dict[str, Any] = {"good": good, "scenario": str(plan.scenario), "seed": plan.seed}
        told |= {"took_s": round(took_s, 1), "troubles": list(map(str, seen.ways.troubles))}
        print(json.dumps(told | {"claims": rows}), flush=True)
        return good
    for claim in found:
        print(claim)
    broken = sum(not claim.held for claim in found)
    print(
        f"{plan.scenario}: {len(seen.ways.troubles)} troubles, {broken} broken claims", flush=True
    )
    return good


def _all(given: argparse.Namespace) -> int:
    """Each part in a process of its own; 1 when one of them is not as it should be."""
    more = ["--seed", str(given.seed)]
    more += ["--data", str(given.data)] if given.data else []

    def run(part: Part) -> tuple[bool, Mapping[str, Any]]:
        command = [sys.executable, "-m", "tests.stream", *part.arguments, "--json", *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        told = _last_object(done.stdout)
        held = part.held(done.returncode, told)
        if not given.json:
            _show(part, held, told)
        if not held or not told:
            print(f"{part.name}: {done.stderr}", end="", file=sys.stderr, flush=True)
        return held, told

    with ThreadPoolExecutor(given.jobs) as pool:
        runs = dict(zip((part.name for part in PARTS), pool.map(run, PARTS), strict=True))
    good = all(held for held, _ in runs.values())
    for name, (held, told) in runs.items():
        for what, claim in told.get("claims", {}).items():
            if not held and not claim["held"]:  # once more at the end, where it is looked for
                print(f"stream: {name}: {what}: {claim['seen']}", file=sys.stderr)
    if given.json:
        told = {name: {"held": held, **told} for name, (held, told) in runs.items()}
        print(json.dumps({"good": good, "seed": given.seed, "parts": told}), flush=True)
    return 0 if good else 1


def _show(part: Part, held: bool, told: Mapping[str, Any]) -> None:
    wanted = ", and has to fail" if part.blind else ""
    print(f"{part.name}{wanted}: {'ok' if held else 'FAILED'}, {told.get('took_s')} s", flush=True)
    for what, claim in told.get("claims", {}).items():
        print(f"  {'ok    ' if claim['held'] else 'BROKEN'} {what}: {claim['seen']}", flush=True)


def _last_object(text: str) -> dict[str, Any]:
    """The last line as JSON; nothing of a run that broke off or was skipped."""
    lines = text.strip().splitlines()
    with contextlib.suppress(ValueError):
        found = json.loads(lines[-1]) if lines else {}
        return found if isinstance(found, dict) else {}
    return {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
