"""Real peers run by `make peers` only: they need what `make test` does not."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("PEERS") else ["test_*.py"]
