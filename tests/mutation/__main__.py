"""`make mutation`: break the program on purpose, and see that the seeds notice each break."""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mmbot.domain.errors import MmbotError, SetUpError, Stop
from tests.mutation.breaks import Break, StaleBreak
from tests.mutation.catalogue import BREAKS, BY_NAME, EQUIVALENT, TO_CATCH
from tests.mutation.trial import ROOT, Caught, Copy, trial

SEEDS: Final = "1..20"
SEEDS_MAX: Final = 10_000


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
        with tempfile.TemporaryDirectory(prefix="mmbot-mutation-") as folder:
            survivors = _all(Copy(Path(folder)), chosen, seeds, given)
    except MmbotError as error:
        print(f"mutation: {error}", file=sys.stderr)
        return 2 if isinstance(error, SetUpError) else 1
    except KeyboardInterrupt:
        return 130
    return 1 if survivors else 0


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    parser.add_argument("--seeds", default=SEEDS, help="A..B; the first that notices ends a trial")
    parser.add_argument("--only", action="append", default=[], help="breaks with this in the name")
    parser.add_argument("--jobs", type=int, default=2, help="seeds at once")
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


def _all(copy: Copy, chosen: Sequence[Break], seeds: range, given: argparse.Namespace) -> list[str]:
    """Try each; the names of those that survived."""
    quiet = next(iter(copy.days(seeds[:1], 1)))
    if quiet.findings or quiet.broke:
        raise Stop(f"seed {seeds[0]} fails with nothing broken: {quiet.first}")
    survivors = []
    for one in chosen:
        began_s = time.monotonic()
        beside = BY_NAME[one.beside] if one.beside else None
        caught = trial(copy, one, beside, seeds, given.jobs)
        _tell(one, caught, time.monotonic() - began_s, as_json=given.json)
        if caught.seed is None:
            survivors.append(one.name)
    for one in EQUIVALENT:
        print(f"equivalent  {one.name}: {one.equivalent}", file=sys.stderr)
    names = f": {'; '.join(survivors)}" if survivors else ""
    print(f"{len(chosen)} breaks, {len(survivors)} survivors{names}", file=sys.stderr, flush=True)
    return survivors


def _tell(one: Break, caught: Caught, took_s: float, *, as_json: bool) -> None:
    if as_json:
        told = {"break": one.name, "file": one.file, "seed": caught.seed, "seeds": caught.seeds}
        print(json.dumps(told | {"said": caught.said, "took_s": round(took_s, 1)}), flush=True)
    elif caught.seed is None:
        print(
            f"SURVIVED    {one.name} ({caught.seeds} seeds, {took_s:.0f} s): {one.why}", flush=True
        )
    else:
        print(f"caught by {caught.seed:<3} {one.name} ({took_s:.0f} s): {caught.said}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
