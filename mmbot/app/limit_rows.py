"""The limits as the admin port shows them: plain rows, each under its name in the configuration."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mmbot.engine.limit_use import REFUSED_BY, Use, uses
from mmbot.engine.limits import LimitBook
from mmbot.engine.parts import Parts
from mmbot.limits_config import usd_name


def limits_now(parts: Parts, now_ns: int) -> dict[str, Any]:
    """`binds`: it refuses quotes that are wanted now; else the fullest is `nearest`."""
    return {"limits": shown(uses(parts, now_ns))}


def limits_unused(book: LimitBook) -> dict[str, Any]:
    """The same of a configuration that nobody runs; and its rows for a part of it."""
    account = [Use(name, None, getattr(book.account, name), "", "[risk]", 0) for name in REFUSED_BY]
    rows = [
        Use(name, None, allowed, str(one.scope), one.table, 0)
        for one in book.overrides
        for name, allowed in sorted(one.figures.items())
    ]
    return {"limits": shown([*account, *rows])}


def shown(found: list[Use]) -> list[dict[str, Any]]:
    """`share` of the limit that is used; money in cents."""
    fullest = max(found, key=lambda one: one.share)
    rows = []
    for one in found:
        row = asdict(one)
        del row["figure"]
        row |= {
            "limit": usd_name(one.figure) if one.figure.endswith("_cents") else one.figure,
            "unit": _unit(one.figure),
            "share": round(one.share, 4),
            "binds": one.refused > 0,
            "nearest": one is fullest and one.share > 0,
        }
        rows.append(row)
    return rows


def _unit(figure: str) -> str:
    if figure.endswith("_cents"):
        return "cents"
    return "times cash" if figure == "unmatched_cash_multiple_max" else "orders"
