"""Runs days in this process and prints each report; mmbot is the copy that PYTHONPATH names."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from mmbot.app.simulate import Asked, Days, run_seed
from mmbot.domain.errors import SetUpError


def main(argv: Sequence[str]) -> int:
    """FAULTS FIRST LAST; 2 where the copy does not know such a fault."""
    faults, first, last = argv
    try:
        days = Days.of(Asked(faults=faults))
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 2
    for seed in range(int(first), int(last) + 1):
        print(json.dumps(run_seed(seed, days).as_json()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
