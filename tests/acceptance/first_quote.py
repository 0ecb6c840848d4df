"""From `git clone` to the first quote, in seconds: the figure in the README.

    python3 tests/acceptance/first_quote.py [REPOSITORY] [PYTHON]

Clones into an empty folder and runs `make demo` there, with whatever package caches the machine
has. Standard library only, so that it runs before anything is installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def first_quote_s(repository: str, python: str) -> float:
    """Seconds from the start of the clone until the box first saw an open order of ours."""
    with tempfile.TemporaryDirectory(prefix="mmbot-clone-") as folder:
        clone = Path(folder) / "mmbot"
        started_s = time.time()
        subprocess.run(["git", "clone", "--quiet", repository, str(clone)], check=True)
        done = subprocess.run(
            ["make", "demo", f"PYTHON={python}", "ARGS=--duration 15 --seed 7 --json"],
            cwd=clone,
            env={name: value for name, value in os.environ.items() if name != "MAKEFLAGS"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    summary = json.loads(done.stdout.splitlines()[-1])
    return float(summary["first_quote_unix_s"]) - started_s


if __name__ == "__main__":
    where = sys.argv[1] if len(sys.argv) > 1 else str(ROOT)
    with_python = sys.argv[2] if len(sys.argv) > 2 else "python3"
    print(f"{first_quote_s(where, with_python):.1f}")
