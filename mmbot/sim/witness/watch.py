"""The judge that looks at every step: each order event, each request, each log line, as it comes.

Each look is O(1). What the ledger believes comes in as exported data: the ids of intents that are
durable, and the orders of an export at each audit. The judge of the whole day is `observer`.
"""

from __future__ import annotations

import base64
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import msgspec

from mmbot.sim.core.orders import Order
from mmbot.sim.faults.faulty_ports import Reply, Sent
from mmbot.sim.faults.kinds import FrameKind, external_ids
from mmbot.sim.faults.plan import Fault, Injected
from mmbot.sim.witness.record import LineRisk

NS: Final = 1_000_000_000
FINDINGS_MAX: Final = 100
SENT_PER_SECOND_MAX: Final = 45  # decision 9, as sent; the exchange refuses the 51st
ARRIVAL_BOUND_NS: Final = 72 * NS  # what lands later had rightly been given up
AUDIT_NS: Final = 75 * NS  # I2: the interval of 60 s, and the time that its reads take
OUTSIDE: Final = frozenset({"reversed", "void"})
QUERY_GAP_NS: Final = NS - 1_000_000
QUERIES: Final = frozenset(
    {
        "get_tournaments", "get_sport_events", "get_multiple_markets", "get_markets",
        "get_balance", "get_order_history", "get_order_matched_detail", "get_trades",
        "get_transactions", "get_matched_bets",
    }
)  # fmt: skip
OPEN: Final = frozenset({"OPEN", "CANCELLING"})
UNCERTAIN: Final = frozenset({"INTENDED", "IN_DOUBT"})
# After these, as after a fault of a read, an audit may take longer than its interval.
BLINDING_FAULTS: Final = frozenset({Fault.SILENCE, Fault.DISCONNECT, Fault.CONNECT_REFUSED})

LedgerOrder = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the daemon was told to keep, and what it must never tell. Cents; `secrets` by name."""

    prefix: str
    line_loss_max_cents: int
    total_loss_max_cents: int
    secrets: Mapping[str, str]
    lag_ns: int = 0  # of the exchange's reporting copy


@dataclass(slots=True)
class _Seen:
    """What one order counted for when it was last looked at."""

    filled: int = 0
    winnings: int = 0
    open: int = 0
    changed_ns: int = 0


class _AtRisk:
    """What a set of orders may lose, in cents, up to date after every event."""

    def __init__(self) -> None:
        self.worst_cents = 0
        self._lines: dict[int, LineRisk] = {}

    def move(self, order: Order, before: _Seen, now: _Seen) -> None:
        side, line = order.strike.side, order.line.index
        risk = self._lines.setdefault(line, LineRisk())
        worst_cents = risk.worst_cents()
        risk.filled[side] += now.filled - before.filled
        risk.winnings[side] += now.winnings - before.winnings
        risk.open[side] += now.open - before.open
        self.worst_cents += risk.worst_cents() - worst_cents

    def line_cents(self, order: Order) -> int:
        risk = self._lines.get(order.line.index)
        return 0 if risk is None else risk.worst_cents()


class Watch:
    """Fed by the box's witnesses, by the wire and by the log; `findings` begin with I1 to I7."""

    def __init__(self, bounds: Bounds, now_ns: int) -> None:
        self.findings: list[str] = []
        self.steps = 0  # things looked at
        self.audits = 0
        self._bounds = bounds
        self._now_ns = now_ns
        self._durable: set[str] = set()
        self._sent_ns: dict[str, int] = {}
        self._orders: dict[str, Order] = {}
        self._seen: dict[str, _Seen] = {}
        self._changed: dict[str, Order] = {}  # since an audit agreed
        self._at_price: Counter[tuple[str, int]] = Counter()
        self._resting: dict[str, tuple[str, int]] = {}
        # A person's orders count, too, but the daemon may not know of the newest: a limit is
        # broken when it is so both with and without them.
        self._ours, self._account = _AtRisk(), _AtRisk()
        self._recent: deque[int] = deque()
        self._asked_ns: dict[str, int] = {}
        self._secrets = [
            (name, form) for name, text in bounds.secrets.items() for form in spellings(text)
        ]
        self._halted_ns: int | None = None
        self._halts = 0
        self._blind_ns = now_ns
        self._outside_ns = -AUDIT_NS * 1_000  # when it last took a fill or a result back
        self.by_hand = False  # a person acts at this moment

    # --- what the ledger and the daemon export -------------------------------------------------

    def intended(self, external_id: str) -> None:
        """The intent of this order is on disk."""
        self._durable.add(external_id)

    def halted(self, now_ns: int) -> None:
        self._halts += 1
        if self._halted_ns is None:
            self._halted_ns = now_ns

    def resumed(self) -> None:
        self._halted_ns = None

    def disturbed(self, now_ns: int) -> None:
        """From now on an audit has its full interval again: a restart, an outage."""
        self._blind_ns = max(self._blind_ns, now_ns)

    def told(self, line: str) -> None:
        """One line of the daemon's log (I5)."""
        self.steps += 1
        for name, form in self._secrets:
            if form in line:
                self._find(f"I5: {name} in a log line: {line[:80].replace(form, '***')}...")

    # --- the wire ------------------------------------------------------------------------------

    def sent(self, request: Sent, now_ns: int) -> None:
        self.steps += 1
        self._now_ns = now_ns
        if request.kind in ("control", "feed"):
            return
        self._recent.append(now_ns)
        while self._recent[0] <= now_ns - NS:
            self._recent.popleft()
        if len(self._recent) > SENT_PER_SECOND_MAX:
            self._find(f"I7: {len(self._recent)} requests left within one second")
        route = request.path.partition("?")[0].rpartition("/")[2]
        if route in QUERIES:
            self._query(route, now_ns)
        if request.kind == "place":
            self._placement(external_ids(request.body), now_ns)

    def _query(self, route: str, now_ns: int) -> None:
        before_ns = self._asked_ns.get(route, 0)
        self._asked_ns[route] = now_ns
        if now_ns - before_ns < QUERY_GAP_NS:
            gap_s = (now_ns - before_ns) / NS
            self._find(f"I7: {route} asked again after {gap_s:.3f} s, at most once a second")

    def _placement(self, ids: Sequence[str], now_ns: int) -> None:
        if self._halted_ns is not None and now_ns > self._halted_ns:
            late_s = (now_ns - self._halted_ns) / NS
            self._find(f"I4: a placement left {late_s:.3f} s after the halt: {' '.join(ids[:3])}")
        for one in ids:
            self._sent_ns[one] = now_ns
            if one not in self._durable:
                self._find(f"I1: {one} left before its intent was durable")

    def answered(self, request: Sent, reply: Reply, now_ns: int) -> None:
        if request.kind == "auth" and reply[0] == 200:
            for name, text in _tokens(reply[2]):
                self._secrets += [(name, form) for form in spellings(text)]

    def heard(self, kind: FrameKind, frame: str, now_ns: int) -> None:
        """Nothing in a frame breaks an invariant."""

    def struck(self, entry: Injected, frame: str) -> None:
        words = entry.what.split()
        about = words[1] if len(words) > 1 and words[1].startswith("/") else ""
        reads = "get_" in about or "/auth/" in about or "websocket" in about
        if reads or entry.fault in BLINDING_FAULTS:
            self.disturbed(entry.now_ns)

    # --- the box -------------------------------------------------------------------------------

    def order_changed(self, order: Order, what: str, now_ns: int) -> None:
        self.steps += 1
        self._now_ns = now_ns
        ident = order.request.external_id
        ours = ident.startswith(self._bounds.prefix)
        before_cents = self._account.worst_cents
        self._count(order, ours, now_ns)
        if what in OUTSIDE or what.startswith("taken back"):
            self._outside_ns = now_ns
        if not ours:
            if what == "canceled" and not (self.by_hand or self._halts):
                self._find(f"I4: {ident}, which a person placed, was cancelled by nobody's word")
            return
        self._changed[ident] = order
        self._stand(order, ident, now_ns)
        if what == "accepted":
            if self._orders.setdefault(ident, order) is not order:
                self._find(f"I1: {ident}: a second order of this id at the box")
            if self._account.worst_cents > before_cents:
                self._weigh(order, ident)

    def _count(self, order: Order, ours: bool, now_ns: int) -> None:
        """Bring the sums up to date; a result ends the risk until it is taken back."""
        before = self._seen.get(order.order_id) or _Seen()
        now = _Seen(open=order.open_cents if order.alive else 0, changed_ns=now_ns)
        if order.winning_status == "tbd":
            now.filled, now.winnings = order.filled_cents, order.counter_cents
        self._account.move(order, before, now)
        if ours:
            self._ours.move(order, before, now)
        self._seen[order.order_id] = now

    def _stand(self, order: Order, ident: str, now_ns: int) -> None:
        """I1: no two of ours stand on one strike at one price."""
        place = (order.strike.strike_id, order.price)
        if order.alive and ident not in self._resting:
            self._resting[ident] = place
            self._at_price[place] += 1
            if self._at_price[place] > 1 and not self._given_up(ident, now_ns):
                self._find(f"I1: {ident}: two orders alive on one strike at {order.price:+d}")
        elif not order.alive and self._resting.pop(ident, None) is not None:
            self._at_price[place] -= 1

    def _weigh(self, order: Order, ident: str) -> None:
        """I3: no placement leaves the worst case above a limit; what had been given up may."""
        if self._given_up(ident, self._now_ns):
            return
        if self._now_ns - self._outside_ns <= AUDIT_NS + self._bounds.lag_ns:
            return  # the exchange itself raised it, and its word of that may have been lost
        books, bounds = (self._ours, self._account), self._bounds
        for what, cents, most in (
            ("its line", min(b.line_cents(order) for b in books), bounds.line_loss_max_cents),
            ("all lines", min(b.worst_cents for b in books), bounds.total_loss_max_cents),
        ):
            if cents > most:
                self._find(f"I3: {ident} lets {what} lose up to {cents} cents, limit {most}")

    def _given_up(self, ident: str, now_ns: int) -> bool:
        return now_ns - self._sent_ns.get(ident, now_ns) > ARRIVAL_BOUND_NS

    # --- audits --------------------------------------------------------------------------------

    def may_audit(self, now_ns: int) -> bool:
        """Whether the ledger had its whole interval since it was last disturbed."""
        return now_ns - self._blind_ns > AUDIT_NS + self._bounds.lag_ns

    def audit(self, ledger: Sequence[LedgerOrder], now_ns: int) -> None:
        """I2 and I6, for all that did not change within the interval."""
        self.audits += 1
        until_ns = now_ns - AUDIT_NS - self._bounds.lag_ns
        rows = {row["external_id"]: row for row in ledger}
        for ident, order in list(self._changed.items()):
            if self._seen[order.order_id].changed_ns > until_ns:
                continue
            row = rows.get(ident)
            if row is not None and row["state"] in UNCERTAIN:
                continue
            self._compare(ident, order, row)
            del self._changed[ident]
        for ident, row in rows.items():
            if row["state"] in OPEN and ident not in self._orders:
                self._find(f"I2: {ident}: {row['state']} in the ledger, never seen by the box")

    def _compare(self, ident: str, order: Order, row: LedgerOrder | None) -> None:
        if row is None:
            self._find(f"I1: {ident}: at the box, unknown to the ledger")
            return
        at_box = f"box {order.status}, open {order.open_cents}, filled {order.filled_cents} cents"
        story = f"{ident}: ledger {row['state']}, filled {row['filled_cents']} cents; {at_box}"
        if order.alive != (row["state"] in OPEN):
            self._find(f"I2: {story}")
        if order.filled_cents != row["filled_cents"]:
            self._find(f"I6: {story}")

    def _find(self, finding: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(f"{finding} (at {self._now_ns / NS:.3f})")


def spellings(secret: str) -> Iterator[str]:
    """The ways in which a secret may get into a text."""
    raw = secret.encode()
    forms = (secret, quote(secret, safe=""), base64.b64encode(raw).decode().rstrip("="), raw.hex())
    yield from dict.fromkeys(forms)


def _tokens(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        found = msgspec.json.decode(body)
    except ValueError:
        return
    data = found.get("data") if isinstance(found, dict) else None
    for name in ("access_token", "refresh_token"):
        token = data.get(name) if isinstance(data, dict) else None
        if isinstance(token, str) and token:
            yield name, token
