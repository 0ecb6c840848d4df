"""The judge outside the engine: the box's own record held against the exported ledger.

Pure: plain dicts in, readable findings out, an empty list means that all is well. A box order is
an entry of `orders` in the record; a ledger order is a dict with external_id, order_id,
strike_id, price, quantity_cents, filled_cents and state.
"""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

BoxOrder = Mapping[str, Any]
LedgerOrder = Mapping[str, Any]
Record = Mapping[str, Any]

UNCERTAIN: Final = frozenset({"INTENDED", "IN_DOUBT"})
OPEN: Final = frozenset({"OPEN", "CANCELLING"})
TERMINAL: Final = frozenset({"FILLED", "CANCELLED", "REJECTED", "CLOSED"})
ALIVE_STATUSES: Final = frozenset({"inactive", "open"})
ENDING_WORDS: Final = frozenset({"canceled", "invalid", "wiped", "void"})  # in a history
REQUESTS_PER_SECOND_MAX: Final = 50
SECRET_CHARS_MIN: Final = 6  # a shorter text occurs by chance
PLACEMENTS_SHOWN_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the judge looks at; what is None or empty is not judged.

    `stopped_ns`: when the daemon had said that it is stopped or halted. `last_placement_ns`: when
    a placement last left the process. `excused_ns`: an order that changed at the box later than
    this is not yet held against the ledger (for judging in mid-run). `prefix`: only orders
    whose external_id begins with it are ours; others on the account are a person's.
    `disputed`: by external_id, cents that the ledger says may have been undone, and for whose money
    it waits in mid-run. `positions`: filled cents by strike in the ledger. `secrets`: text by name.
    """

    record: Record
    ledger_orders: Sequence[LedgerOrder]
    worst_case_limit_cents: int | None = None
    stopped_ns: int | None = None
    last_placement_ns: int | None = None
    excused_ns: int | None = None
    disputed: Mapping[str, int] = field(default_factory=dict)
    prefix: str = ""
    ledger_pnl_cents: int | None = None
    positions: Mapping[str, int] | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def box_orders(self) -> list[BoxOrder]:
        return [o for o in self.record["orders"] if o["external_id"].startswith(self.prefix)]


def waits(box_cents: int, ledger_cents: int, disputed_cents: int) -> bool:
    """The ledger knows that so much may have been undone, and waits for the money of it."""
    return ledger_cents - disputed_cents <= box_cents < ledger_cents


def is_alive(order: BoxOrder) -> bool:
    """Whether this order may still fill at the box."""
    return order["open_cents"] > 0 and order["status"] in ALIVE_STATUSES


def check_invariants(evidence: Evidence) -> list[str]:
    """Every finding about I1 to I7, each beginning with its invariant."""
    return [f"{name}: {finding}" for name, check in CHECKS.items() for finding in check(evidence)]


def compare_orders(
    box_orders: Sequence[BoxOrder],
    ledger_orders: Sequence[LedgerOrder],
    late: Collection[str] = (),
) -> list[str]:
    """The record against the ledger, order by order, when nothing is under way any more.

    `late` came when they had rightly been given up: what came and went meanwhile without a fill,
    perhaps while no daemon ran, nobody need know.
    """
    findings = [*_twice(box_orders, "box"), *_twice(ledger_orders, "ledger")]
    at_box = {order["external_id"]: order for order in box_orders}
    in_ledger = {order["external_id"]: order for order in ledger_orders}
    for external_id in sorted(at_box.keys() - in_ledger.keys()):
        findings.append(f"{_box_story(at_box[external_id])}; unknown to the ledger")
    for external_id, order in in_ledger.items():
        if external_id in at_box:
            findings += _differences(at_box[external_id], order, external_id in late)
        elif order["state"] not in UNCERTAIN | {"REJECTED"}:
            findings.append(f"{_ledger_story(order)}; the box never saw it")
        elif order["filled_cents"]:
            findings.append(f"{_ledger_story(order)}; filled, and the box never saw it")
    return findings


def duplicates(record: Record, ledger_orders: Sequence[LedgerOrder]) -> int:
    """Times two orders were alive on one strike at one price, plus orders alive at the box that
    the ledger holds terminal."""
    ended = {order["external_id"] for order in ledger_orders if order["state"] in TERMINAL}
    zombies = [o for o in record["orders"] if is_alive(o) and o["external_id"] in ended]
    return int(record["same_price_twice"]) + len(zombies)


def _twice(orders: Iterable[Mapping[str, Any]], where: str) -> Iterator[str]:
    counts = Counter(order["external_id"] for order in orders)
    for external_id, count in counts.items():
        if count > 1:
            yield f"{external_id}: {count} orders with this external_id in the {where}"


def _differences(box: BoxOrder, ledger: LedgerOrder, late: bool) -> Iterator[str]:
    both = f"{_ledger_story(ledger)}; {_box_story(box)}"
    if ledger["order_id"] and ledger["order_id"] != box["order_id"]:
        yield f"{both}: order_id {ledger['order_id']} is not {box['order_id']}"
    for name in ("strike_id", "price", "quantity_cents", "filled_cents"):
        if ledger[name] != box[name]:
            yield f"{both}: {name} {ledger[name]} is not {box[name]}"
    state, alive = ledger["state"], is_alive(box)
    if state in TERMINAL and alive:
        yield f"{both}: ended in the ledger, alive at the box"
    if state in OPEN and not alive:
        yield f"{both}: open in the ledger, ended at the box"
    if state == "FILLED" and box["filled_cents"] != box["quantity_cents"]:
        yield f"{both}: FILLED, but not in full"
    if state == "REJECTED" and not alive and box["status"] != "invalid" and not late:
        yield f"{both}: rejected in the ledger, accepted by the box"


def _one_order_per_intent(evidence: Evidence) -> Iterator[str]:
    orders = evidence.box_orders()
    yield from _twice(orders, "box")
    known = {order["external_id"] for order in evidence.ledger_orders}
    for order in orders:
        if order["external_id"] not in known:
            yield f"{_box_story(order)}; no intent of the ledger"
    twice = evidence.record["same_price_twice"]
    if twice:
        where = ", ".join(_same_price(orders)) or "the record does not say where"
        yield f"two orders alive on one strike at one price, {twice} times: {where}"


def _open_sets_equal(evidence: Evidence) -> Iterator[str]:
    states = {order["external_id"]: order for order in evidence.ledger_orders}
    for box in evidence.box_orders():
        ledger = states.pop(box["external_id"], None)
        if ledger is None or ledger["state"] in UNCERTAIN or _is_fresh(box, evidence.excused_ns):
            continue
        if is_alive(box) != (ledger["state"] in OPEN):
            yield f"{_ledger_story(ledger)}; {_box_story(box)}"
    for ledger in states.values():
        if ledger["state"] in OPEN:
            yield f"{_ledger_story(ledger)}; the box never saw it"


def _worst_case_within_limit(evidence: Evidence) -> Iterator[str]:
    limit = evidence.worst_case_limit_cents
    seen = evidence.record["worst_case_cents_max"]
    if limit is not None and seen > limit:
        yield f"the worst case reached {_usd(seen)}, the limit is {_usd(limit)}"


def _quiet_after_stop(evidence: Evidence) -> Iterator[str]:
    stopped = evidence.stopped_ns
    if stopped is None:
        return
    for order in evidence.box_orders():
        if is_alive(order):
            yield f"{_box_story(order)}; still open after the stop"
    late = [order for order in evidence.box_orders() if order["created_ns"] > stopped]
    for order in late[:PLACEMENTS_SHOWN_MAX]:
        yield f"{_box_story(order)}; placed {(order['created_ns'] - stopped) / 1e9:.3f} s after"
    left = evidence.last_placement_ns
    if left is not None and left > stopped:
        yield f"a placement left the process {(left - stopped) / 1e9:.3f} s after the stop"
    at_end = evidence.record.get("open_orders_at_end", 0)
    if at_end:
        yield f"{at_end} orders were open at the end"


def _no_secret_told(evidence: Evidence) -> Iterator[str]:
    for name, secret in evidence.secrets.items():
        if len(secret) < SECRET_CHARS_MIN:
            continue
        raw = secret.encode()
        forms = {
            "as it is": secret,
            "quoted": quote(secret, safe=""),
            "in base64": base64.b64encode(raw).decode().rstrip("="),
            "in hex": raw.hex(),
        }
        for source, text in evidence.outputs.items():
            found = [form for form, spelling in forms.items() if spelling in text]
            if found:
                line = text[: text.index(forms[found[0]])].count("\n") + 1
                yield f"{name} is in {source}, line {line}, {found[0]}"


def _money_equal(evidence: Evidence) -> Iterator[str]:
    ours, theirs = evidence.ledger_pnl_cents, evidence.record["pnl_cents"]
    if ours is not None and ours != theirs:
        yield f"PnL {_usd(ours)} in the ledger, {_usd(theirs)} at the box"
    filled = {order["external_id"]: order["filled_cents"] for order in evidence.ledger_orders}
    held: Counter[str] = Counter()
    for order in evidence.box_orders():
        held[order["strike_id"]] += order["filled_cents"]
        ours = filled.get(order["external_id"], 0)
        disputed = evidence.disputed.get(order["external_id"], 0)
        if evidence.excused_ns is not None and waits(order["filled_cents"], ours, disputed):
            continue
        if ours != order["filled_cents"] and not _is_fresh(order, evidence.excused_ns):
            yield f"{_box_story(order)}; filled {_usd(ours)} in the ledger"
    if evidence.positions is not None and evidence.excused_ns is None:
        for strike_id in sorted(held.keys() | evidence.positions.keys()):
            mine = evidence.positions.get(strike_id, 0)
            if mine != held[strike_id]:
                yield f"position on {strike_id} {_usd(mine)}, at the box {_usd(held[strike_id])}"


def _requests_bounded(evidence: Evidence) -> Iterator[str]:
    most = evidence.record["requests"]["per_second_max"]
    if most > REQUESTS_PER_SECOND_MAX:
        yield f"{most} requests within one second, at most {REQUESTS_PER_SECOND_MAX}"


CHECKS: Final[Mapping[str, Callable[[Evidence], Iterator[str]]]] = {
    "I1": _one_order_per_intent,
    "I2": _open_sets_equal,
    "I3": _worst_case_within_limit,
    "I4": _quiet_after_stop,
    "I5": _no_secret_told,
    "I6": _money_equal,
    "I7": _requests_bounded,
}


def _is_fresh(order: BoxOrder, excused_ns: int | None) -> bool:
    """Whether the box changed this order so late that the ledger need not know yet."""
    if excused_ns is None:
        return False
    last_ns = max((ns for ns, _ in order.get("history", ())), default=order["created_ns"])
    return int(last_ns) > excused_ns


def _same_price(orders: Sequence[BoxOrder]) -> list[str]:
    """Pairs of orders whose lives on one strike at one price overlap, as history tells."""
    lives: dict[tuple[str, int], list[tuple[int, float, str]]] = {}
    for order in orders:
        key = (order["strike_id"], order["price"])
        life = (order["created_ns"], ended_ns(order), order["external_id"])
        lives.setdefault(key, []).append(life)
    pairs = []
    for spans in lives.values():
        for (_, ended, first), (born, _, second) in pairwise(sorted(spans)):
            if born < ended:
                pairs.append(f"{first} and {second}")
    return pairs[:PLACEMENTS_SHOWN_MAX]


def ended_ns(order: BoxOrder) -> float:
    """When it could no longer fill: its first ending, or the fill that completed it."""
    filled = 0
    for ns, what in order.get("history", ()):
        word, _, cents = str(what).partition(" ")
        filled += int(cents) if word == "filled" else 0
        if word in ENDING_WORDS or filled >= order["quantity_cents"]:
            return float(ns)
    return math.inf if is_alive(order) else float(order["created_ns"])


def _usd(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def _terms(order: Mapping[str, Any]) -> str:
    return f"{order['price']:+d} x {_usd(order['quantity_cents'])}"


def _ledger_story(order: LedgerOrder) -> str:
    filled = _usd(order["filled_cents"])
    return f"{order['external_id']} ({_terms(order)}): ledger {order['state']}, filled {filled}"


def _box_story(order: BoxOrder) -> str:
    rest = f"open {_usd(order['open_cents'])}" if is_alive(order) else "ended"
    filled = _usd(order["filled_cents"])
    created = f"created {order['created_ns'] / 1e9:.3f}"
    last = [f"{what} {ns / 1e9:.3f}" for ns, what in order.get("history", ())][-3:]
    story = f"box {order['status']}, {rest}, filled {filled}, {', '.join([created, *last])}"
    return f"{order['external_id']} ({_terms(order)}): {story}"
