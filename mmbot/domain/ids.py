"""Identifiers. Theirs are opaque; ours are `external_id`s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

SportEventId = NewType("SportEventId", int)
MarketId = NewType("MarketId", int)  # a template id: repeats across sport events and numbers
StrikeId = NewType("StrikeId", str)  # one outcome of one line: the thing one buys
LineId = NewType("LineId", str)  # "{sport event}/{market}/{number of side 0}"
OrderId = NewType("OrderId", str)  # theirs
ExternalId = NewType("ExternalId", str)  # ours: "{prefix}-{run}-{n}"

EXTERNAL_ID_LENGTH_MAX = 100
REMEMBERED_N_MAX = 8_000_000  # one bit each: 1 MB per run; a higher number is never forgotten


@dataclass(frozen=True, slots=True)
class IdRange:
    """Our ids from `{stem}-{first}` to `{stem}-{last}`, both included."""

    stem: str
    first: int
    last: int


def line_id(event: SportEventId, market: MarketId, number: float | None) -> LineId:
    """The key of a line; `number` is that of its first strike (None on a moneyline)."""
    return LineId(f"{event}/{market}/{0 if number is None else number:g}")


def market_of(line: LineId) -> str:
    """What all lines of one market of one sport event have in common."""
    return line.rpartition("/")[0]


def external_id(prefix: str, run: str, n: int) -> ExternalId:
    """Our id of one intent. `run` is 48 random bits in hex, journalled before first use."""
    return ExternalId(f"{prefix}-{run}-{n}")


def run_of(prefix: str, ident: str) -> str | None:
    """The run part of one of our ids, or None when the id is not ours (a human's order)."""
    head, _, rest = ident.partition(f"{prefix}-")
    run, _, n = rest.partition("-")
    return run if head == "" and run and n.isdigit() else None
