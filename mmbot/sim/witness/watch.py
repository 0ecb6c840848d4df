"""The judge that looks at every step: each order event, each request, each log line, as it comes.

Each look is O(1). What the ledger believes comes in as exported data: the ids of intents that are
durable, and the orders of an export at each audit. The judge of the whole day is `observer`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mmbot.sim.core.orders import INSUFFICIENT, Order
from mmbot.sim.faults.faulty_ports import Reply, Sent
from mmbot.sim.faults.kinds import FrameKind, external_ids
from mmbot.sim.faults.plan import Fault, Injected
from mmbot.sim.witness.at_risk import AtRisk, Outside, Seen, Strangers
from mmbot.sim.witness.load import Depths, Load
from mmbot.sim.witness.observer import waits
from mmbot.sim.witness.resting import Resting
from mmbot.sim.witness.spellings import spellings, tokens
from mmbot.sim.witness.strikes import order_in

NS: Final = 1_000_000_000
FINDINGS_MAX: Final = 100
ARRIVAL_BOUND_NS: Final = 72 * NS
REMEMBERED_NS: Final = 3600 * NS  # the ledger keeps an ended order for longer
AUDIT_NS: Final = 75 * NS  # I2: the interval of 60 s, and the time that its reads take
OUTSIDE: Final = frozenset({"reversed", "void"})
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
    fee_bps: int
    secrets: Mapping[str, str]
    lag_ns: int = 0  # of the exchange's reporting copy
    on_strike_max: int = 0  # orders that may be alive on one strike; 0: that is not judged


class Watch:
    """Fed by the box's witnesses, by the wire and by the log; `findings` begin with I1 to I7."""

    def __init__(self, bounds: Bounds, now_ns: int) -> None:
        self.findings: list[str] = []
        self.steps = 0  # things looked at
        self.audits = 0
        self.bounds = bounds
        self._now_ns = now_ns
        self.durable: set[str] = set()
        self._adopted: set[str] = set()
        self._rejected: set[str] = set()
        self._named: set[str] = set()
        self._taken_back: Counter[str] = Counter()  # cents, at the box
        self._filled: Counter[str] = Counter()  # cents, at the box
        self._undone: Counter[str] = Counter()  # cents, in the ledger
        self.in_dispute: dict[str, int] = {}  # cents, in the ledger
        self._listed = True
        self._unwanted_ns: dict[str, int] = {}
        self._sent_ns: dict[str, int] = {}
        self._orders: dict[str, Order] = {}
        self._seen: dict[str, Seen] = {}
        self._changed: dict[str, Order] = {}  # since an audit agreed
        self._resting = Resting(bounds.on_strike_max, AUDIT_NS + bounds.lag_ns)
        # A person's orders count, too, but the daemon may not know of the newest: until it must,
        # a limit is broken when it is so both with and without them.
        self._ours, self.account = (AtRisk(bounds.fee_bps) for _ in range(2))
        self._load = Load()
        self._secrets = [
            (name, form) for name, text in bounds.secrets.items() for form in spellings(text)
        ]
        self._halted_ns: int | None = None
        self._halts = 0
        self._blind_ns = now_ns
        self._person_ns: int | None = None  # when an order of a person last changed
        self._outside = Outside(AUDIT_NS + bounds.lag_ns)
        self._others = Strangers(AUDIT_NS + bounds.lag_ns)
        self.by_hand = False  # a person acts at this moment

    # --- what the ledger and the daemon export -------------------------------------------------

    def intended(self, external_id: str, adopted: bool = False) -> None:
        """The intent of this order is on disk; `adopted`: the ledger took it for unknown."""
        left_ns = self._now_ns - self._sent_ns.get(external_id, -REMEMBERED_NS)
        if adopted and external_id not in self._adopted and left_ns < REMEMBERED_NS:
            self._find(f"I1: {external_id}: adopted {left_ns / NS:.1f} s after we had sent it")
        if adopted and external_id not in self._adopted:
            # It has left memory with all that was wished of it: it is judged anew.
            self._unwanted_ns.pop(external_id, None)
            self._adopted.add(external_id)
        self.durable.add(external_id)

    def began(self) -> None:
        """A daemon begins: it must read what rests before it places."""
        self._listed = False
        self._load.began()

    def waits(self, depths: Depths) -> None:
        """Where to ask the daemon what waits in its queues (I7)."""
        self._load.depths = depths

    def taken_back(self, external_id: str, cents: int) -> None:
        """The ledger has undone fills of this order, on disk."""
        self._undone[external_id] += cents
        if external_id not in self._taken_back:
            self._find(f"I6: {external_id}: fills taken back in the ledger, and never at the box")
        elif self._undone[external_id] > self._taken_back[external_id]:
            both = f"{self._undone[external_id]} cents, {self._taken_back[external_id]} at the box"
            self._find(f"I6: {external_id}: more taken back in the ledger, {both}")

    def disputed(self, external_id: str, cents: int) -> None:
        """The ledger knows that so much may have been taken back; it waits for the money."""
        self.in_dispute[external_id] = cents

    def named(self, order_id: str) -> None:
        """By this id the exchange knows an order of the ledger's; that is on disk."""
        self._named.add(order_id)

    def by_person(self, order_id: str) -> None:
        """The ledger took a report of this order for one of a person's."""
        if order_id in self._named:
            self._find(f"I2: order {order_id}: ours in the ledger, and then a person's")

    def unwanted(self, external_id: str) -> None:
        """The ledger wants this order to go."""
        self._unwanted_ns.setdefault(external_id, self._now_ns)

    def wanted(self, external_id: str) -> None:
        """A later step does not want it to go: opened late, it would rest."""
        if external_id in self._unwanted_ns:
            self._find(f"I2: {external_id}: the wish that it goes is forgotten in the ledger")

    def rejected(self, external_id: str) -> None:
        """The ledger has given this order up, on disk."""
        self._rejected.add(external_id)
        order = self._orders.get(external_id)
        # Whether it came in its time, not whether it is late by now: it was there to be found.
        if order is not None and order.alive and not self.given_up(external_id, order.created_ns):
            self._find(f"I2: {external_id}: rejected in the ledger while alive at the box")

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
        self._queues(now_ns)
        if request.kind in ("control", "feed"):
            return
        route = request.path.partition("?")[0].rpartition("/")[2]
        for finding in self._load.requests(route, now_ns):
            self._find(finding)
        if request.kind == "place":
            self._placement(external_ids(request.body), now_ns)

    def _placement(self, ids: Sequence[str], now_ns: int) -> None:
        if self._halted_ns is not None and now_ns > self._halted_ns:
            late_s = (now_ns - self._halted_ns) / NS
            self._find(f"I4: a placement left {late_s:.3f} s after the halt: {' '.join(ids[:3])}")
        if not self._listed:
            self._find(f"I2: {' '.join(ids[:3])} left before a start had read what rests")
        for one in ids:
            self._sent_ns[one] = now_ns
            if one not in self.durable:
                self._find(f"I1: {one} left before its intent was durable")
        for finding in self._load.placements(ids, now_ns):
            self._find(finding)

    def answered(self, request: Sent, reply: Reply, now_ns: int) -> None:
        if request.kind == "report" and reply[0] == 200 and "histor" in request.path:
            self._listed = True
        if request.kind in ("order", "report", "read") and self._load.read(reply[0], now_ns):
            self.disturbed(now_ns)
        if request.kind == "auth" and reply[0] == 200:
            for name, text in tokens(reply[2]):
                self._secrets += [(name, form) for form in spellings(text)]

    def heard(self, kind: FrameKind, frame: str, now_ns: int) -> None:
        """Nothing in a frame breaks an invariant, but it may tell of a person's order."""
        self._queues(now_ns)
        if kind == "orders":
            ident = str(order_in(frame).get("external_id"))
            if not ident.startswith(self.bounds.prefix):
                self._others.told(ident)

    def _queues(self, now_ns: int) -> None:
        self._now_ns = now_ns
        for finding in self._load.queues(now_ns):
            self._find(finding)

    def struck(self, entry: Injected, frame: str) -> None:
        reads = any(word in entry.what for word in ("/get_", "/auth/", "/websocket"))
        if reads or entry.fault in BLINDING_FAULTS:
            self.disturbed(entry.now_ns)

    # --- the box -------------------------------------------------------------------------------

    def order_changed(self, order: Order, what: str, now_ns: int) -> None:
        self.steps += 1
        self._now_ns = now_ns
        ident = order.request.external_id
        ours = ident.startswith(self.bounds.prefix)
        before_cents = self.account.worst_cents
        before = self._seen.get(order.order_id) or Seen()
        now = self._count(order, ours, before, now_ns)
        undone = order.winning_status == "tbd" and now.filled < before.filled
        # What lands after it was given up came from outside, too: nobody counts it any more.
        late = ours and what == "accepted" and self.given_up(ident, now_ns)
        if undone or late or what in OUTSIDE or what.startswith("taken back"):
            self._outside.move(order, before, now)
        if not ours:
            self._person_ns = now_ns
            self._others.move(ident, order, now)
            known = ident in self._others.known or self.may_audit(now_ns, since_ns=order.created_ns)
            asked_for = self.by_hand or self._halts or order.reason == INSUFFICIENT
            if what == "canceled" and known and not asked_for:
                self._find(f"I4: {ident}, which a person placed, was cancelled by nobody's word")
            return
        self._changed[ident] = order
        if what.startswith("taken back"):
            self._taken_back[ident] += max(0, self._filled[ident] - order.filled_cents)
        self._filled[ident] = order.filled_cents
        self._stand(order, ident, now_ns)
        if what == "accepted":
            if self._orders.setdefault(ident, order) is not order:
                self._find(f"I1: {ident}: a second order of this id at the box")
            if ident in self._rejected and not self.given_up(ident, now_ns):
                self._find(f"I1: {ident}: rejected in the ledger, and came in its time")
            if self.account.worst_cents > before_cents:
                self._weigh(order, ident)

    def _count(self, order: Order, ours: bool, before: Seen, now_ns: int) -> Seen:
        """Bring the sums up to date; a result ends the risk until it is taken back."""
        now = Seen(open=order.open_cents if order.alive else 0, changed_ns=now_ns)
        if order.winning_status == "tbd":
            now.filled, now.winnings = order.filled_cents, order.counter_cents
        self.account.move(order, before, now)
        if ours:
            self._ours.move(order, before, now)
        self._seen[order.order_id] = now
        return now

    def _stand(self, order: Order, ident: str, now_ns: int) -> None:
        """I1: no two of ours stand on one strike at one price; what had been given up may."""
        if not order.alive:
            self._resting.leave(ident)
        elif ident not in self._resting:
            for words in self._resting.come(ident, order, self.given_up(ident, now_ns), now_ns):
                self._find(f"I1: {ident}: {words}")

    def _weigh(self, order: Order, ident: str) -> None:
        """I3: no placement leaves the worst case above a limit; what had been given up may."""
        if self.given_up(ident, self._now_ns):
            return
        # The exchange itself may have raised it, and its word of that may have been lost.
        event, now_ns = order.line.event_id, self._now_ns
        known = self.may_audit(self._now_ns, since_ns=self._person_ns or 0)
        books = (self.account,) if known else (self._ours, self.account)
        line_cents = min(one.line_cents(order) for one in books)
        all_cents = min(one.total_cents(self.bounds.total_loss_max_cents) for one in books)
        for what, cents, where, most in (
            ("its line", line_cents, event, self.bounds.line_loss_max_cents),
            ("everything", all_cents, None, self.bounds.total_loss_max_cents),
        ):
            untold = (one.cents(now_ns, where) for one in (self._outside, self._others))
            if cents - sum(untold) > most:
                self._find(f"I3: {ident} lets {what} lose up to {cents} cents, limit {most}")

    def given_up(self, ident: str, now_ns: int) -> bool:
        """What lands now had rightly been given up."""
        return now_ns - self._sent_ns.get(ident, now_ns) > ARRIVAL_BOUND_NS

    @property
    def a_person_traded(self) -> bool:
        """On the account that we trade on, in a way that we only see."""
        return self._person_ns is not None

    # --- audits --------------------------------------------------------------------------------

    def may_audit(self, now_ns: int, since_ns: int = 0) -> bool:
        """Whether the ledger had its whole interval since then, and since it was disturbed."""
        return now_ns - max(self._blind_ns, since_ns) > AUDIT_NS + self.bounds.lag_ns

    def audit(self, ledger: Sequence[LedgerOrder], now_ns: int) -> None:
        """I2 and I6, for all that did not change within the interval."""
        self.audits += 1
        until_ns = now_ns - AUDIT_NS - self.bounds.lag_ns
        rows = {row["external_id"]: row for row in ledger}
        for ident, order in list(self._changed.items()):
            if self._seen[order.order_id].changed_ns > until_ns:
                continue
            row = rows.get(ident)
            if row is not None:
                disputed_cents = self.in_dispute.get(ident, 0)
                undone = waits(order.filled_cents, row["filled_cents"], disputed_cents)
                if undone or row["state"] in UNCERTAIN:
                    continue
            self._compare(ident, order, row)
            del self._changed[ident]
        for ident, since_ns in tuple(self._unwanted_ns.items()):
            if ident not in self._resting:
                del self._unwanted_ns[ident]
            elif since_ns < until_ns and self._person_ns is None:
                self._find(f"I2: {ident}: alive, and unwanted for {(now_ns - since_ns) / NS:.0f} s")
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
