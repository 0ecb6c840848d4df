"""A scenario made to fit the run: faults last as long as the kills, and its moves fit in. Pure."""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

# Of a timeline: they leave alone what is filled, so they may go on until the end.
HARMLESS: Final = frozenset(
    {"news", "switch", "suspend", "reopen", "close_sockets", "refuse_sockets", "expire_tokens"}
)
MOVED_S: Final = 3.0


def fit(table: Json, kills_s: float, end_s: float) -> bool:
    """Change the table for kills that take so long, and an end after them; False: as it was."""
    lasts_s, changed = round(kills_s + end_s), False
    for rule in table.get("faults", []):
        if rule.get("until_s", lasts_s) < lasts_s:
            rule["until_s"] = lasts_s
            changed = True
    share = kills_s / moves_until_s(table) if moves_until_s(table) else 1.0
    if 0 < share < 1:
        for step in table["timeline"]:
            for name in ("at_s", "every_s"):
                if name in step:
                    step[name] = round(step[name] * share, 2)
        changed = True
    return changed


def moves_until_s(table: Json) -> float:
    """When the scenario last moves what an order is worth; the results come after that."""
    steps = [step for step in table.get("timeline", []) if step.get("action") not in HARMLESS]
    ends = [s["at_s"] + s.get("every_s", 0) * (s.get("times", 1) - 1) for s in steps]
    return max(ends) + MOVED_S if ends else 0.0
