"""`make stream-check`: the daemon behind a bad network, judged by the exchange's own record.

    python -m tests.stream                       the four shipped scenarios, two at a time
    python -m tests.stream --scenario FILE       one, also one that was never seen
    python -m tests.stream --scenario quiet --cable      on a link that is pulled; needs root

Exit code 0: every claim held; 1: one did not, or a run broke off; 2: wrong use.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from mmbot.domain.errors import MmbotError, SetUpError
from mmbot.sim.scenario import BoxOptions, ScenarioError, load_scenario
from tests.crash.__main__ import interruptible
from tests.stream.cable import Cable, missing
from tests.stream.cable_run import CableRun
from tests.stream.claims import claims
from tests.stream.run import Plan, Seen, StreamRun

SCENARIOS: Final = ("chaos", "token_storm", "cluster_move", "maintenance")
CABLE: Final = "cable"  # a quiet day on a link that is pulled
QUIET: Final = "quiet"
JOBS: Final = 2  # a run waits more than it computes
ROOT: Final = Path(__file__).resolve().parents[2]


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
    return Plan(given.seed, given.scenario, given.data, given.blind)


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
    """Each scenario in a process of its own; 1 when one of them fails."""
    more = ["--seed", str(given.seed)]
    more += ["--data", str(given.data)] if given.data else []
    more += ["--blind"] if given.blind else []

    def run(name: str) -> subprocess.CompletedProcess[str]:
        what = ["--scenario", QUIET, "--cable"] if name == CABLE else ["--scenario", name]
        command = [sys.executable, "-m", "tests.stream", *what, "--json", *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if not given.json:
            _show(name, done)
        return done

    with ThreadPoolExecutor(given.jobs) as pool:
        runs = dict(zip((*SCENARIOS, CABLE), pool.map(run, (*SCENARIOS, CABLE)), strict=True))
    good = not any(done.returncode for done in runs.values())
    if given.json:
        told = {name: _last_object(done.stdout) for name, done in runs.items()}
        print(json.dumps({"good": good, "seed": given.seed, "scenarios": told}), flush=True)
    return 0 if good else 1


def _show(name: str, done: subprocess.CompletedProcess[str]) -> None:
    told = _last_object(done.stdout)
    print(f"{name}: {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
    for what, claim in (told or {}).get("claims", {}).items():
        print(f"  {'ok    ' if claim['held'] else 'BROKEN'} {what}: {claim['seen']}", flush=True)
    print(done.stderr, end="", file=sys.stderr, flush=True)


def _last_object(text: str) -> Any:
    lines = text.strip().splitlines()
    with contextlib.suppress(ValueError):
        return json.loads(lines[-1]) if lines else None
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
