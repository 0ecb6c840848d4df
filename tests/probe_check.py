"""`python -m tests.probe_check --seed 1 --count 50`: boxes with random switches, each probed.

Exit code 0 when every setting that a client can tell is recovered and none is told wrongly.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from mmbot.probe.findings import Found
from mmbot.probe.run import Outcome
from tests.probe.settings import (
    MEASURED,
    Drawn,
    disturbed,
    draw,
    must_be_unknown_or_right,
    on_loopback,
    truth,
)
from tests.probe.stage import probed, probed_live


def problems(drawn: Drawn, outcome: Outcome) -> Iterator[str]:
    """What was told wrongly, what was not told, what was spent too much and what was left.

    Behind a bad line anything may stay unknown, but nothing may be told wrongly.
    """
    free = must_be_unknown_or_right(drawn)
    for name in sorted(MEASURED & drawn.values.keys()):
        finding, wanted = outcome.notebook.findings[name], truth(drawn, name)
        if isinstance(finding, Found):
            if not _same(name, finding.value, wanted):
                yield f"{name}: found {finding.value!r}, is {wanted!r} ({finding.seen})"
        elif name not in free and not drawn.options.faults:
            yield f"{name}: not found, is {wanted!r} ({finding.why})"
    allowance = outcome.allowance
    limits = allowance.limits
    for what, used, most in (
        ("requests", allowance.requests, limits.requests_max),
        ("cents at risk", allowance.at_risk_cents_top, limits.at_risk_cents_max),
        ("seconds", allowance.elapsed_s, limits.duration_s_max),
    ):
        if used > most:
            yield f"{used} {what}, {most} are allowed"
    yield from (f"left open: {ticket.external_id}" for ticket in outcome.left_open)


def _same(name: str, value: Any, wanted: Any) -> bool:
    if name == "rules.activation.delay_ms":
        return bool(abs(value - wanted) <= max(3, 0.05 * wanted))
    if name == "stream.registration_delay_s":
        return bool(abs(value - wanted) <= 1)  # the way there and back is in it
    return bool(value == wanted)


def check(seed: int, way: str) -> dict[str, Any]:
    """One box, one probe: virtual, noisy and seed (both virtual, too) or sockets."""
    drawn = draw(seed, "seed" if way == "seed" else "v4")
    if way == "noisy":
        drawn = disturbed(drawn)
    elif way == "sockets":
        drawn = on_loopback(drawn)
    began_s = time.perf_counter()
    if way == "sockets":
        outcome = asyncio.run(probed_live(drawn.options, seed))
    else:
        outcome = probed(drawn.options, seed=seed, dialect=drawn.dialect).outcome
    found = sum(isinstance(one, Found) for one in outcome.notebook.findings.values())
    return {
        "seed": seed,
        "way": way,
        "latency": drawn.options.latency_profile,
        "found": found,
        "of": len(outcome.notebook.findings),
        "requests": outcome.allowance.requests,
        "at_risk_usd": outcome.allowance.at_risk_cents_top / 100,
        "duration_s": round(outcome.allowance.elapsed_s, 1),
        "took_s": round(time.perf_counter() - began_s, 1),
        "problems": list(problems(drawn, outcome)),
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.probe_check", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first box")
    parser.add_argument("--count", type=int, default=50, help="boxes on the virtual clock")
    parser.add_argument("--sockets", type=int, default=0, help="boxes over loopback sockets")
    parser.add_argument("--noisy", type=int, default=0, help="virtual ones behind a bad line")
    parser.add_argument("--seed-dialect", type=int, default=0, help="virtual, in those words")
    parser.add_argument("--json", action="store_true", help="one JSON object per box")
    asked = parser.parse_args(arguments)
    runs = [
        (asked.seed + number, way)
        for way, count in (
            ("virtual", asked.count),
            ("noisy", asked.noisy),
            ("seed", asked.seed_dialect),
            ("sockets", asked.sockets),
        )
        for number in range(count)
    ]
    failed = 0
    for seed, way in runs:
        report = check(seed, way)
        failed += bool(report["problems"])
        print(json.dumps(report) if asked.json else _line(report), flush=True)
    good, total = len(runs) - failed, len(runs)
    summary = json.dumps({"recovered": good, "of": total})
    print(summary if asked.json else f"{good} of {total} recovered")
    return 1 if failed else 0


def _line(report: dict[str, Any]) -> str:
    said = "; ".join(report["problems"]) or "all recovered"
    return (
        f"seed {report['seed']} ({report['way']}, {report['latency']}): {report['found']} of "
        f"{report['of']} found, {report['requests']} requests, ${report['at_risk_usd']:.2f}, "
        f"{report['duration_s']} s: {said}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
