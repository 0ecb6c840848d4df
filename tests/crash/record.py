"""The box's truth, line by line, as what the ledger is held against. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]

PLACE_PATHS: Final = ("submit_order", "submit_multiple_orders", "place_")
EXTERNAL_ID: Final = re.compile(r'"external_id": ?"([^"]+)"')
LOGIN_PATH: Final = "/auth/login"


def places(path: str) -> bool:
    return any(word in path for word in PLACE_PATHS)


@dataclass(slots=True)
class Request:
    path: str
    at_ns: int
    answered_ns: int | None = None
    status: int | None = None

    @property
    def places(self) -> bool:
        return places(self.path)


@dataclass(slots=True)
class Truth:
    """One account's orders, fills, cents and requests, summed from the lines alone."""

    orders: list[Json] = field(default_factory=list)  # in the form of the record
    fill_cents: Counter[str] = field(default_factory=Counter)  # order id -> cents, less undone
    cash_opening_cents: int = 0
    cash_cents: int = 0
    requests: list[Request] = field(default_factory=list)
    arrived_ns: dict[str, int] = field(default_factory=dict)  # first request, by external id
    faults: Counter[str] = field(default_factory=Counter)
    fills_undone: int = 0

    @property
    def logins(self) -> int:
        return sum(1 for request in self.requests if LOGIN_PATH in request.path)

    @property
    def pnl_cents(self) -> int:
        return self.cash_cents - self.cash_opening_cents

    def placing_at(self, at_ns: int) -> bool:
        """Whether a placement had arrived then and was not answered."""
        return any(
            one.places and one.at_ns <= at_ns and (one.answered_ns or at_ns + 1) > at_ns
            for one in self.requests
        )


def truth_of(lines: Iterable[str], account: str) -> Truth:
    """Sum the lines that are about this account."""
    told = Truth()
    by_id: dict[str, Json] = {}
    by_number: dict[int, Request] = {}
    fills: dict[str, Json] = {}
    for text in lines:
        line: Json = json.loads(text)
        kind, mine = line["kind"], line.get("account") == account
        if kind == "account" and mine:
            told.cash_opening_cents = told.cash_cents = line["cash_cents"]
        elif kind == "request" and mine:
            by_number[line["n"]] = request = Request(line["path"], line["at_ns"])
            told.requests.append(request)
            for ident in EXTERNAL_ID.findall(line.get("body", "")) if request.places else ():
                told.arrived_ns.setdefault(ident, request.at_ns)
        elif kind == "answer" and line["of"] in by_number:
            answered = by_number[line["of"]]
            answered.answered_ns, answered.status = line["at_ns"], line.get("status")
        elif kind == "order" and mine:
            _order(told, by_id, line)
        elif kind == "fill":
            fills[line["fill_id"]] = line
            _fill(told, by_id, line, 1)
        elif kind == "fill_taken_back":
            told.fills_undone += 1
            _fill(told, by_id, fills[line["fill_id"]], -1)
        elif kind == "cash" and mine:
            told.cash_cents += line["amount_cents"]
        elif kind == "fault":
            told.faults[line["fault"]] += 1
    return told


def _order(told: Truth, by_id: dict[str, Json], line: Json) -> None:
    if line["what"] == "accepted":
        order = {
            "external_id": line["external_id"],
            "order_id": line["order_id"],
            "strike_id": line["strike_id"],
            "price": line["price"],
            "quantity_cents": line["quantity_cents"],
            "created_ns": line["at_ns"],
            "history": [],
        }
        by_id[line["order_id"]] = order
        told.orders.append(order)
    order = by_id[line["order_id"]]
    for name in ("status", "open_cents", "filled_cents"):
        order[name] = line[name]
    order["history"].append((line["at_ns"], line["what"]))


def _fill(told: Truth, by_id: Mapping[str, Json], line: Json, sign: int) -> None:
    for side in ("maker", "taker"):
        ident = line[f"{side}_order_id"]
        if ident in by_id:
            told.fill_cents[ident] += sign * int(line[f"{side}_cents"])


def doubled(orders: Sequence[Json]) -> list[str]:
    """External ids under which the exchange holds more than one order."""
    counts = Counter(order["external_id"] for order in orders)
    return sorted(ident for ident, count in counts.items() if count > 1)
