"""Price ladders: the published fallback list, a denser one of the live size, one without +100."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from mmbot.sim.core.prices import Ladder, load_ladder

LadderName = Literal["fallback_291", "dense_555", "no_plus_100"]
# The live ladder had 555 values; only its size is known, and that -375 and -2200 are on it.
DENSE_ABOVE_EVEN: Final = 277
_FILLERS: Final = (
    range(300, 500, 5), range(500, 1000, 10), range(1000, 2000, 25), range(2000, 3000, 50),
    range(3000, 5000, 100), range(5000, 10_000, 250), range(121, 200, 2),
)  # fmt: skip


def ladder_of(name: LadderName, path: Path) -> Ladder:
    """The ladder by its name, made from the fallback list."""
    fallback = load_ladder(path)
    if name == "no_plus_100":
        return Ladder.of([price for price in fallback.wire if price != 100])
    if name == "dense_555":
        above = {price for price in fallback.wire if price > 100}
        for price in (p for filler in _FILLERS for p in filler):
            if len(above) < DENSE_ABOVE_EVEN:
                above.add(price)
        return Ladder.of([*(-price for price in above), 100, *above])
    return fallback
