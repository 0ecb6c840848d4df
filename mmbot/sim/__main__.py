"""`python -m mmbot.sim`: the box alone."""

from __future__ import annotations

import sys

from mmbot.sim.http.server import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
