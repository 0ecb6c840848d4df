"""All measurements of the exchange in the box, one after the other, each in its own process."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.bench.figures import machine

ROOT: Final = Path(__file__).parents[2]
MARGIN_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Part:
    """One module with a `main`: what it claims is what its exit code says."""

    module: str
    claim: str


PARTS: Final = (
    Part("tests.bench.core_speed", "100,000 order messages/s in the pure core, one core"),
    Part("tests.bench.box_http", "1,500 orders/s over HTTP batches, one core"),
    Part("tests.bench.box_stream", "200 stream clients at once"),
    Part("tests.bench.sunday", "sunday at 10x speed with flat memory"),
)


def main(minutes: float = 30.0, *, as_json: bool = False) -> int:
    """Run every part; 0 when all claims hold."""
    reports: dict[str, Any] = {}
    failed = []
    if not as_json:
        print(f"machine: {machine()}")
    for part in PARTS:
        name = part.module.rpartition(".")[2]
        command = [sys.executable, "-m", part.module]
        if name == "sunday":
            command += ["--minutes", f"{minutes:g}"]
        if as_json:
            command.append("--json")
        else:
            print(f"\n{name}: {part.claim}", flush=True)
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE if as_json else None,
            text=True,
            timeout=minutes * 60 + MARGIN_S,
            check=False,
        )
        if done.returncode:
            failed.append(name)
        if as_json:
            reports[name] = _last_object(done.stdout)
    if as_json:
        print(json.dumps({"machine": machine(), "parts": reports, "failures": failed}))
    else:
        print(f"\nfailed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def _last_object(text: str) -> Any:
    lines = text.strip().splitlines()
    return json.loads(lines[-1]) if lines and lines[-1].startswith("{") else None
