"""What a person types: `mmbot COMMAND`. Each command imports its own subsystem when it runs."""

from __future__ import annotations

import sys


def main() -> None:
    """The console script; ends the process with 0 done, 1 failed, 2 wrong use or set-up."""
    from mmbot.cli.entry import execute

    sys.exit(execute(sys.argv[1:]))
