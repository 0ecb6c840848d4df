"""What the box wrote down of one trip: when the account was empty, and who had looked. Pure.

Lines are those of the box's truth for the account: `at_ns` is the box's wall clock, which is ours,
for both run on one machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

ALIVE: Final = frozenset({"inactive", "open"})
PLACING: Final = ("submit_", "place_")
LOOKING: Final = "order_histor"
OK: Final = 200


@dataclass(slots=True)
class Seen:
    """Of one account; times are ns since 1970."""

    resting: int = 0  # orders alive when it was tripped
    in_flight: bool = False  # a placement had arrived then and was not answered
    flat_ns: int | None = None  # since when nothing of it is alive, to the end of the record
    landed_after: int = 0  # orders accepted after the trip
    looks: int = 0  # answered requests for what is alive, after that moment
    placed_after_flat: int = 0


def seen_of(lines: Iterable[Mapping[str, Any]], struck_ns: int) -> Seen:
    """`lines` of the account, and fills, in the order in which they were written."""
    seen = Seen()
    alive: dict[str, int] = {}  # open cents by order id
    asked: dict[int, tuple[str, int]] = {}
    waiting: set[int] = set()  # placements without an answer
    struck = False
    for line in lines:
        at_ns = int(line["at_ns"])
        if not struck and at_ns > struck_ns:
            struck = True
            seen.resting, seen.in_flight = len(alive), bool(waiting)
            seen.flat_ns = None if alive else struck_ns
        match line["kind"]:
            case "request":
                asked[line["n"]] = line["path"], at_ns
                if _places(line["path"]):
                    waiting.add(line["n"])
                    seen.placed_after_flat += struck and seen.flat_ns is not None
            case "answer":
                waiting.discard(line["of"])
                path, asked_ns = asked.get(line["of"], ("", 0))
                after = seen.flat_ns is not None and asked_ns > seen.flat_ns
                seen.looks += after and LOOKING in path and line["status"] == OK
            case "order" | "fill":
                (_moved if line["kind"] == "order" else _filled)(line, alive)
                seen.landed_after += struck and line.get("what") == "accepted"
                if struck and alive:
                    seen.flat_ns, seen.looks = None, 0
                elif struck and seen.flat_ns is None:
                    seen.flat_ns = at_ns
            case _:
                pass
    return seen


def places_orders(piece: bytes) -> bool:
    """Whether bytes of a connection begin a request that places orders."""
    return _places(piece.partition(b"\r\n")[0].decode("latin-1"))


def _places(path: str) -> bool:
    return any(word in path for word in PLACING)


def _moved(line: Mapping[str, Any], alive: dict[str, int]) -> None:
    if line["open_cents"] and line["status"] in ALIVE:
        alive[line["order_id"]] = line["open_cents"]
    else:
        alive.pop(line["order_id"], None)


def _filled(line: Mapping[str, Any], alive: dict[str, int]) -> None:
    """Of a fill there is no other line; orders of others are in it, too."""
    for side in ("maker", "taker"):
        ident = line[f"{side}_order_id"]
        if ident in alive:
            alive[ident] -= line[f"{side}_cents"]
            if alive[ident] <= 0:
                del alive[ident]
