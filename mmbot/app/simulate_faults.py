"""Which ids of the fault list are meant by `A,B3,D8-D16`, and which must have struck."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Final

from mmbot.app.simulate_recipes import KNOWN, RECIPES, REQUIRED, SAFE
from mmbot.domain.errors import SetUpError
from mmbot.sim.faults.table import ROWS

ALL: Final = tuple(RECIPES)
NAMED: Final = tuple(sorted(KNOWN))  # by a person, one by one or in groups
SETS: Final = {"all": frozenset(ALL), "safety": SAFE}
SEEDS_TO_STRIKE: Final = 200  # in so many seeds every required fault strikes
_ID: Final = re.compile(r"([A-J])(\d+)(b?)")


def parse_faults(text: str) -> tuple[str, ...]:
    """`none`, or by comma sets (`all`, `safety`), groups (`A`), ids (`A3b`) and ranges (`D8-D16`).

    Raises SetUpError for a word that names nothing that can be made.
    """
    if text == "none":
        return ()
    chosen: set[str] = set()
    for word in text.replace(" ", "").split(","):
        found = _meant(word)
        if not found:
            groups = ", ".join(sorted({name[0] for name in NAMED}))
            raise SetUpError(
                f"--faults: {word!r} is no fault that is made here; write all, safety, none, "
                f"a group ({groups}), an id such as A3b, or a range such as D8-D16"
            )
        chosen |= found
    return tuple(name for name in KNOWN if name in chosen)


def _meant(word: str) -> Set[str]:
    if word in SETS:
        return SETS[word]
    if word in KNOWN:
        return {word}
    if len(word) == 1:
        return {name for name in NAMED if name.startswith(word)}
    first, dash, last = word.partition("-")
    begin, end = _ID.fullmatch(first), _ID.fullmatch(last)
    if not dash or begin is None or end is None or begin[1] != end[1]:
        return set()
    return {name for name in NAMED if name[0] == begin[1] and _between(name, begin, end)}


def _between(name: str, begin: re.Match[str], end: re.Match[str]) -> bool:
    found = _ID.fullmatch(name)
    return found is not None and int(begin[2]) <= int(found[2]) <= int(end[2])


def unstruck(strikes: Mapping[str, int], ids: tuple[str, ...], seeds: int) -> list[str]:
    """Those that had to strike in a run of so many seeds, and did not."""
    if seeds < SEEDS_TO_STRIKE:
        return []
    return [name for name in REQUIRED if name in ids and not strikes.get(name)]


def what(name: str) -> str:
    """One id in a few words."""
    return next((row.what for row in ROWS if row.id == name), "")
