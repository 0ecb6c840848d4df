"""`make crash`: kill -9 at random moments over real sockets, then the ledger against the truth."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from mmbot.domain.errors import MmbotError, SetUpError
from mmbot.exchange.dialect import DIALECTS
from mmbot.sim.scenario import BoxOptions, ScenarioError, load_scenario
from tests.crash.claims import Outcome, claims, figures
from tests.crash.moments import KILLS_MAX, kills
from tests.crash.run import CrashRun, Options

KILLS: Final = 10
KILLS_FULL: Final = 100


def main(argv: Sequence[str]) -> int:
    """0 every claim held, 1 one did not or the run broke off, 2 wrong use."""
    given = _arguments(argv)
    try:
        options = _options(given)
        folder = _folder(given.state_dir)
        began_s = time.monotonic()

        def say(text: str) -> None:
            if not given.json or given.verbose:
                print(f"[{time.monotonic() - began_s:6.1f} s] {text}", file=sys.stderr, flush=True)

        outcome = asyncio.run(_run(options, folder, say))
    except MmbotError as error:
        print(f"crash: {error}", file=sys.stderr)
        return 2 if isinstance(error, SetUpError) else 1
    except KeyboardInterrupt:
        return 130
    took_s = time.monotonic() - began_s
    good = _tell(outcome, given.seed, took_s, as_json=given.json)
    if good and given.state_dir is None:
        shutil.rmtree(folder, ignore_errors=True)
    elif not good:
        print(f"crash: ledger, truth and logs: {folder}", file=sys.stderr)
    return 0 if good else 1


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    full = os.environ.get("FULL") == "1"
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="moments, drift and faults")
    parser.add_argument("--kills", type=int, default=KILLS_FULL if full else KILLS)
    parser.add_argument("--scenario", type=Path, default=Path("chaos"), help="a name or a file")
    parser.add_argument("--data", type=Path, help="a folder with other odds of the same form")
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="v4")
    parser.add_argument("--state-dir", type=Path, help="keep ledger, truth and logs there")
    parser.add_argument("--json", action="store_true", help="the last line is one object")
    parser.add_argument("--verbose", action="store_true", help="captions beside --json")
    return parser.parse_args(argv)


def _options(given: argparse.Namespace) -> Options:
    if not 0 <= given.kills <= KILLS_MAX:
        raise SetUpError(f"--kills: {given.kills} is not between 0 and {KILLS_MAX}")
    if given.seed < 0:
        raise SetUpError(f"--seed: {given.seed} is below 0")
    if given.data is not None and not given.data.is_dir():
        raise SetUpError(f"--data: {given.data} is not a folder")
    try:
        load_scenario(given.scenario, BoxOptions())
    except ScenarioError as error:
        raise SetUpError(f"--scenario: {error}") from None
    moments = kills(given.seed, given.kills)
    return Options(given.seed, moments, given.scenario, given.data, given.dialect)


def _folder(asked: Path | None) -> Path:
    if asked is None:
        return Path(tempfile.mkdtemp(prefix="mmbot-crash-"))
    try:
        asked.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetUpError(f"--state-dir: {asked}: {error.strerror}") from None
    if any(asked.glob("*.sqlite3")):
        raise SetUpError(f"--state-dir: {asked} holds the ledger of another run")
    return asked.resolve()


async def _run(options: Options, folder: Path, say: Callable[[str], None]) -> Outcome:
    run = CrashRun(options, folder, say)
    with interruptible():
        try:
            return await run.play()
        finally:
            await run.close()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and a closed terminal end it as Ctrl-C does: both children go too."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _tell(outcome: Outcome, seed: int, took_s: float, *, as_json: bool) -> bool:
    """Print what was seen; whether every claim held."""
    found = claims(outcome)
    good = all(claim.held for claim in found)
    told = {"seed": seed, "took_s": round(took_s, 1), **figures(outcome)}
    for claim in found:
        for finding in claim.findings:
            print(f"crash: {claim.what}: {finding}", file=sys.stderr)
    if as_json:
        rows = {claim.what: {"seen": claim.seen, "held": claim.held} for claim in found}
        print(json.dumps({"good": good, **told, "claims": rows}), flush=True)
        return good
    for name, value in told.items():
        print(f"{name:<36} {value}")
    for claim in found:
        print(claim)
    broken = sum(not claim.held for claim in found)
    print(f"{outcome.kills} kills, {broken} broken claims", flush=True)
    return good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
