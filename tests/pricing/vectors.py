"""The worked examples of the design, and the ladder they are computed on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from mmbot.domain.price import Ladder

HERE: Final = Path(__file__).resolve().parent
TOLERANCE: Final = 1e-8
# Of the event grid the prices tilted by it are left to a later issue; its worst cases are in
# test_event_grid.
LATER: Final = frozenset({"event_grid"})


def vectors() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (HERE.parent / "vectors" / "market-making-vectors.json").read_text()
    )
    return found


def fallback_ladder() -> Ladder:
    data = HERE.parents[1] / "mmbot" / "data" / "price_ladder.json"
    return Ladder.of(json.loads(data.read_text())["values"])
