"""In whose words a route is asked and answered; which spellings of paths exist at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from mmbot.sim.dialects.table import Route
from mmbot.sim.rules import WireRules

TERMINOLOGY_HEADER: Final = "x-cftc-terminology"
Speech = Literal["v4", "seed", "legacy", "both"]


def speech_of(route: Route, headers: Mapping[str, str], rules: WireRules) -> Speech:
    """The header turns legacy words into order words; v1 histories ignore it."""
    asked_new = headers.get(TERMINOLOGY_HEADER, "").strip().lower() == "true"
    honoured = asked_new and rules.terminology_header == "honoured"
    if route.dialect == "seed_legacy":
        return "seed" if honoured else rules.unversioned_words
    if route.dialect == "legacy":
        deaf = route.operation == "history" and route.version == 1
        return "v4" if honoured and not deaf else "legacy"
    return "seed" if route.dialect == "seed" else "v4"


def exists(route: Route, rules: WireRules) -> bool:
    """Whether this exchange answers on that spelling of the path."""
    if route.operation == "register":
        wanted = "unversioned" if route.respelled else "v4"
        return rules.registration_path in ("both", wanted)
    if rules.paths == "all" or route.dialect == "all":
        return True
    if route.dialect == "seed_legacy":
        return rules.paths in ("seed", "legacy")
    return route.dialect == rules.paths and not route.respelled
