"""Quotes and excuses of the judge of staleness, from the box's record and its diary.

Orders are rows of the record (`/_box/record`), lines those of the diary (`/_box/truth`): plain
JSON, so that the judge needs no box in its own process. Times are ns.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mmbot.sim.faults.kinds import route_kind
from mmbot.sim.witness.observer import ended_ns
from mmbot.sim.witness.stale import Quote, Span

Row = Mapping[str, Any]
HINDERED: Final = frozenset({401, 403, 429})  # no session, or its share is used up
NEVER_NS: Final = 1 << 62
_WORD: Final = re.compile(rb'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Cancel:
    """What a client asked, in any dialect; `path` with its query, `body` as it was sent."""

    at_ns: int
    path: str
    body: bytes

    @property
    def mass(self) -> Callable[[Row], bool] | None:
        """Whether it is about an order: of its market, its event, or all; None: it names them."""
        route = self.path.partition("?")[0].rpartition("/")[2]
        if route.startswith("cancel_all"):
            return lambda order: True
        if not route.endswith(("_by_event", "_by_market")):
            return None
        asked = _fields(self.body)
        names = [name for name in ("event_id", "market_id", "strike_id") if asked.get(name)]
        return lambda order: all(str(order[name]) == str(asked[name]) for name in names)


class Asked:
    """When a cancel asked for an order, by whichever of its ids."""

    def __init__(self, cancels: Iterable[Cancel]) -> None:
        self._mass: list[tuple[int, Callable[[Row], bool]]] = []
        self._named: dict[bytes, set[int]] = {}
        for one in cancels:
            if (mass := one.mass) is not None:
                self._mass.append((one.at_ns, mass))
                continue
            for word in _WORD.findall(one.body):
                self._named.setdefault(word, set()).add(one.at_ns)

    def times_ns(self, order: Row) -> tuple[int, ...]:
        found = {at_ns for at_ns, about in self._mass if about(order)}
        for name in ("external_id", "order_id"):
            found |= self._named.get(str(order[name]).encode(), set())
        return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class Placement:
    """When it left its maker, and when that was told the order's id; None: never."""

    sent_ns: int
    told_ns: int | None


def quotes_of(
    orders: Iterable[Row],
    cancels: Iterable[Cancel],
    placements: Mapping[str, Placement],
    prefix: str = "",
) -> list[Quote]:
    """One per order whose external id begins with `prefix`.

    An order whose id nobody was told can be named by no cancel: it is not judged.
    """
    asked = Asked(cancels)
    made = []
    for order in orders:
        ident = str(order["external_id"])
        placed = placements.get(ident)
        if not ident.startswith(prefix) or placed is None or placed.told_ns is None:
            continue
        until_ns = ended_ns(order)
        made.append(
            Quote(
                name=ident,
                part=str(order["event_id"]),
                sent_ns=placed.sent_ns,
                told_ns=placed.told_ns,
                until_ns=NEVER_NS if math.isinf(until_ns) else int(until_ns),
                asked_ns=asked.times_ns(order),
            )
        )
    return made


def _fields(body: bytes) -> Row:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# --- the diary -------------------------------------------------------------------------------


def cancels_of(lines: Iterable[Row], account: str) -> list[Cancel]:
    """Every cancel of an account that reached the box."""
    return [
        Cancel(line["at_ns"], line["path"], str(line.get("body", "")).encode())
        for line in lines
        if line["kind"] == "request"
        and line["account"] == account
        and route_kind(line["path"]) == "cancel"
    ]


def placements_of(lines: Iterable[Row], account: str, travel_ns: int = 0) -> dict[str, Placement]:
    """By external id. The box accepts orders right before it answers their placement; an answer
    that it does not lose is heard `travel_ns` later at most.
    """
    sent_ns: dict[int, int] = {}
    accepted: list[str] = []
    found: dict[str, Placement] = {}
    for line in lines:
        if line.get("account") != account:
            continue
        match line["kind"]:
            case "request" if route_kind(line["path"]) == "place":
                sent_ns[line["n"]] = line["at_ns"]
            case "order" if line["what"] == "accepted":
                accepted.append(line["external_id"])
            case "answer" if line["of"] in sent_ns:
                heard = line["status"] == 200 and not line.get("fate")
                told_ns = line["at_ns"] + travel_ns if heard else None
                placed = Placement(sent_ns.pop(line["of"]), told_ns)
                found.update(dict.fromkeys(accepted, placed))
                accepted.clear()
            case _:
                pass
    return found


def hindered_of(lines: Iterable[Row], account: str, end_ns: int) -> list[Span]:
    """No request was served: from a refusal of the session or its share to the next success."""
    since_ns: int | None = None
    spans: list[Span] = []
    for line in lines:
        if line["kind"] != "answer" or line.get("account") != account:
            continue
        if line["status"] in HINDERED and since_ns is None:
            since_ns = line["at_ns"]
        elif line["status"] == 200 and since_ns is not None:
            spans.append((since_ns, line["at_ns"]))
            since_ns = None
    return spans if since_ns is None else [*spans, (since_ns, end_ns)]
