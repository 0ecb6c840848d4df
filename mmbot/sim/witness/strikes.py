"""How often each fault of the project's list really struck, as box and wire saw it.

That a rule was drawn is not enough where the id is about a race: what counts is that it happened.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import msgspec

from mmbot.sim.core.orders import Order
from mmbot.sim.faults.faulty_ports import Reply, Sent
from mmbot.sim.faults.kinds import FrameKind, external_ids, route_kind
from mmbot.sim.faults.plan import Fault, Injected

NS: Final = 1_000_000_000
FRAMES_KEPT: Final = 4  # more than one witness reads the same frame
GIVEN_UP_S: Final = 600.0  # an order that lands later had long been given up
BATCH_MAX: Final = 20
TOGETHER_S: Final = 1.0
PAGES_ROWS: Final = 100
MASS: Final = ("cancel_all_orders", "cancel_orders_by_market", "cancel_orders_by_event")

# Drawn is struck: what the fault was drawn for is the first word of the route or frame.
_BY_KIND: Final[Mapping[tuple[Fault, str], str]] = {
    (Fault.REQUEST_RESET, "place"): "A2",
    (Fault.REQUEST_HANGS, "place"): "A2",
    (Fault.ERROR_BEFORE, "place"): "A4",
    (Fault.ERROR_AFTER, "place"): "A4",
    (Fault.FRAME_COPIED, "orders"): "A9",
    (Fault.FRAME_ODD, "orders"): "A13",
    (Fault.REPLY_RESET, "cancel"): "B4",
    (Fault.REPLY_HANGS, "cancel"): "B4",
    (Fault.LANDS_LATE, "cancel"): "B4",
    (Fault.EMPTY_UNDONE, "cancel"): "B4",
    (Fault.ERROR_BEFORE, "cancel"): "B9",
    (Fault.REQUEST_HANGS, "cancel"): "B9",
    (Fault.REQUEST_RESET, "cancel"): "B9",
    (Fault.ERROR_BEFORE, "auth"): "D2",
    (Fault.ERROR_BEFORE, "stream"): "E7",
    (Fault.FRAME_LOST, "books"): "E12",
}
_ANYWHERE: Final[Mapping[Fault, str]] = {
    Fault.FALSE_ABSENCE: "A11",
    Fault.REPLY_ODD: "A13",
    Fault.NEVER_ACTIVATED: "A14",
    Fault.ACTIVATION_FAILS: "A14",
    Fault.FILL_TAKEN_BACK: "B13",
    Fault.ITEM_TWICE: "C5",
    Fault.ITEM_UNKNOWN: "C7",
    Fault.TOO_MANY: "D7",
    Fault.TOO_MANY_DELAYED: "D8",
    Fault.CRASH_BEFORE: "H1",
    Fault.CRASH_AFTER: "H1",
    Fault.CRASH_BETWEEN: "H1",
    Fault.SILENCE: "E1",
    Fault.DISCONNECT: "E5",
    Fault.CONNECT_REFUSED: "E5",
}
_UNREADABLE: Final = frozenset(
    {Fault.HTML_BEFORE, Fault.HTML_AFTER, Fault.TRUNCATED, Fault.EMPTY_DATA}
)
_ERROR: Final = re.compile(rb'"(?:error|error_code)"\s*:\s*"([^"]+)"')
# What an answer to a cancel says, and which fault that is.
_CANCEL_WORDS: Final[Mapping[str, str]] = {
    "filled": "B1", "cancelled": "B2", "canceled": "B2", "not_found": "B2",
    "placing": "B3", "opened_retry": "B3", "no_cancellable": "B10",
}  # fmt: skip


@dataclass(slots=True)
class _UnderWay:
    """A write whose answer is not back: what the stream said of its orders meanwhile."""

    ids: frozenset[str]
    told: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Heard:
    """The newest that the client has heard of one order."""

    sequence: int = 0
    ended: bool = False


class Strikes:
    """Hears wire and box; `counts` by the id of the fault."""

    def __init__(self, prefix: str) -> None:
        self.counts: Counter[str] = Counter()
        self._prefix = prefix
        self._under_way: dict[Sent, _UnderWay] = {}
        self._heard: dict[str, _Heard] = {}
        self._first_sent_ns: dict[str, int] = {}
        self._late: set[str] = set()
        self._reply_lost: set[str] = set()
        self._event_of: dict[str, int] = {}  # alive orders of ours
        self._full_batch_ns = self._batch_ns = self._mass_ns = self._fill_ns = -(10**18)
        self.runs: Callable[[], bool] = lambda: True  # whether a client runs
        self.placements_answered = 0
        self._rotated = False  # a new token since the address of the stream was asked for

    def acted(self, id_: str) -> None:
        """Something was done to the daemon or the box by hand."""
        self.counts[id_] += 1

    # --- the wire ----------------------------------------------------------------------------

    def sent(self, request: Sent, now_ns: int) -> None:
        if request.kind not in ("place", "cancel"):
            return
        ids = external_ids(request.body)
        self._under_way[request] = _UnderWay(frozenset(ids))
        if request.kind == "place":
            self._placed(ids, now_ns)
        elif request.path.endswith(MASS):
            self._mass_ns = now_ns
            if now_ns - self._fill_ns < TOGETHER_S * NS:
                self.counts["B8"] += 1
        events = {self._event_of[one] for one in ids if one in self._event_of}
        of_one_event = request.kind == "cancel" and len(ids) > 1 and len(events) == 1
        if of_one_event and any(event not in events for event in self._event_of.values()):
            self.counts["B11"] += 1

    def _placed(self, ids: list[str], now_ns: int) -> None:
        if now_ns - self._full_batch_ns < TOGETHER_S * NS:
            self.counts["C4"] += 1
        if len(ids) == BATCH_MAX:
            self._full_batch_ns = now_ns
        for one in ids:
            self._first_sent_ns.setdefault(one, now_ns)

    def answered(self, request: Sent, reply: Reply, now_ns: int) -> None:
        status, _, body = reply
        under_way = self._under_way.pop(request, None)
        if request.kind in ("auth", "stream"):
            self._session_answered(request.path, status, body)
        if request.kind == "report":
            if status == 503:
                self.counts["D14"] += 1
            elif status == 200 and body.count(b'"order_id"') >= PAGES_ROWS:
                self.counts["D10"] += 1
        if under_way is None:
            return
        if status == 401 and now_ns - self._batch_ns < TOGETHER_S * NS:
            self.counts["C8"] += 1
        self._batch_ns = now_ns
        if request.kind == "place":
            self.placements_answered += 1
            self._place_answered(under_way, body)
        else:
            self._cancel_answered(under_way, body)

    def _session_answered(self, path: str, status: int, body: bytes) -> None:
        route = path.rpartition("/")[2]
        if b"exceed_subscription_count" in body:
            self.counts["E8"] += 1
        elif b'"rejected":[{' in body:
            self.counts["E9"] += 1
        elif route == "login" and status != 200:
            self.counts["D5" if b"session_num_exceed" in body else "D3"] += 1
        if status != 200:
            return
        if route == "refresh":
            self.counts["D1"] += 1
            self._rotated = True
        elif route == "connection-config":
            self._rotated = False
        elif self._rotated:  # the channels are asked for with another token than the address
            self.counts["D6"] += 1
            self._rotated = False

    def _place_answered(self, under_way: _UnderWay, body: bytes) -> None:
        if under_way.told:
            self.counts["A7" if "filled" in under_way.told else "A6"] += 1
        if b"placement_disabled" in body:
            self.counts["D13"] += 1
        if b"external_id_existed" in body:
            self.counts["A3"] += 1
        data = _data(body)
        worked, failed = data.get("succeed_orders"), data.get("failed_orders")
        if worked and failed:
            self.counts["C1"] += 1
            if "insufficient" in str(failed):
                self.counts["C9"] += 1

    def _cancel_answered(self, under_way: _UnderWay, body: bytes) -> None:
        if "ended" in under_way.told:
            self.counts["B5"] += 1
        for told in _ERROR.findall(body):
            said = told.decode("utf-8", "replace").lower()
            found = {id_ for word, id_ in _CANCEL_WORDS.items() if word in said}
            self.counts.update(found)

    def heard(self, kind: FrameKind, frame: str, now_ns: int) -> None:
        if kind != "orders":
            return
        info = order_in(frame)
        ident, sequence = str(info.get("external_id")), info.get("sequence_number")
        ended = not info.get("open_quantity") and info.get("status") != "inactive"
        filled = bool(info.get("total_filled_quantity"))
        for one in self._under_way.values():
            if ident in one.ids:
                one.told |= {"filled"} if filled else {"ended"} if ended else {"told"}
        if not isinstance(sequence, int):
            return
        last = self._heard.setdefault(ident, _Heard())
        if sequence < last.sequence:
            self.counts["A8"] += 1
            if last.ended and info.get("update_type") == "matching":
                self.counts["A10"] += 1
        elif sequence > last.sequence:
            last.sequence, last.ended = sequence, ended

    def struck(self, entry: Injected, frame: str = "") -> None:
        """A fault that wire or box drew; `what` begins with METHOD and path, or is a frame."""
        words = entry.what.split()
        kind = route_kind(words[1]) if len(words) > 1 and words[1].startswith("/") else entry.what
        ids, fault = [one for one in words[2:] if one.startswith(self._prefix)], entry.fault
        found = _BY_KIND.get((fault, kind)) or _ANYWHERE.get(fault)
        if found is not None:
            self.counts[found] += 1
        if fault in _UNREADABLE and kind in ("place", "cancel"):
            self.counts["A5"] += 1
        if fault is Fault.LANDS_LATE and kind == "place":
            self._late |= set(ids)
        if fault in (Fault.REPLY_RESET, Fault.REPLY_HANGS) and kind == "place":
            self._reply_lost |= set(ids)
        if fault in (Fault.REPLY_HANGS, Fault.REQUEST_HANGS) and kind == "place" and len(ids) > 1:
            self.counts["C2"] += 1
        if fault is Fault.BATCH_CUT and kind == "place" and len(ids) > 1:
            self.counts["C2" if words[-1] == "lost" else "C3"] += 1
        if fault is Fault.FRAME_LOST and kind == "orders":
            self.counts["A16"] += order_in(frame).get("update_type") == "matching"

    # --- the box -----------------------------------------------------------------------------

    def order_changed(self, order: Order, what: str, now_ns: int) -> None:
        ident = order.request.external_id
        if not ident.startswith(self._prefix):
            self.counts["B12"] += what == "accepted"
            return
        if what == "accepted":
            self._accepted(order, ident, now_ns)
        elif what.startswith("filled"):
            self._fill_ns = now_ns
            self.counts["H3"] += not self.runs()
            self.counts["B8"] += now_ns - self._mass_ns < TOGETHER_S * NS
        elif what == "canceled":
            self.counts["B6"] += 0 < order.filled_cents < order.request.quantity_cents
            self.counts["A3b"] += ident in self._reply_lost
        if not order.alive:
            self._event_of.pop(ident, None)

    def _accepted(self, order: Order, ident: str, now_ns: int) -> None:
        self._event_of[ident] = order.line.event_id
        if ident in self._late:
            waited_ns = now_ns - self._first_sent_ns.get(ident, now_ns)
            self.counts["A15" if waited_ns > GIVEN_UP_S * NS else "A1"] += 1


@lru_cache(FRAMES_KEPT)
def order_in(frame: str) -> dict[str, Any]:
    """The order that a frame of v4 tells of; empty when it cannot be read."""
    try:
        data = msgspec.json.decode(msgspec.json.decode(frame)["data"])
        found = msgspec.json.decode(base64.b64decode(data["payload"]))
    except (ValueError, KeyError, TypeError):
        return {}
    info = found.get("info") if isinstance(found, dict) else None
    return info if isinstance(info, dict) else {}


def _data(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except ValueError:
        return {}
    data = found.get("data") if isinstance(found, dict) else None
    return data if isinstance(data, dict) else {}
