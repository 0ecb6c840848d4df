"""Breaks of the ledger, of the doubt and of the recovery."""

from __future__ import annotations

from typing import Final

from tests.mutation.breaks import Break

WALK = "mmbot/engine/walk.py"
DOUBT = "mmbot/engine/doubt.py"
PLANNER = "mmbot/engine/planner.py"
CONDUCT = "mmbot/engine/conduct.py"
CONSEQUENCES = "mmbot/engine/consequences.py"
RECOVERY = "mmbot/engine/recovery.py"
CANCELS = "mmbot/engine/cancels.py"
ORDERS = "mmbot/engine/ledger_orders.py"

LEDGER: Final = (
    Break(
        "a fill is counted twice",
        WALK,
        "            max(order.filled_cents, filled),\n",
        "            order.filled_cents + filled,\n",
        "every message comes more than once: the total must be the largest seen, not the sum",
        faults="A9",
    ),
    Break(
        "a later, smaller total wins",
        WALK,
        "            max(order.filled_cents, filled),\n",
        "            filled or order.filled_cents,\n",
        "an older image would take fills back without any proof",
        equivalent="read_report asks for a fill step only where the report's total is larger than"
        " ours, or where ours is the whole quantity already; no smaller one comes here",
    ),
    Break(
        "a part of an order is no fill",
        "mmbot/engine/reading.py",
        "    gained = report.filled_cents > order.filled_cents\n",
        "    gained = full and report.filled_cents > order.filled_cents\n",
        "decision 4: a fill always counts",
        faults="B6",
    ),
    Break(
        "the first order id is forgotten",
        WALK,
        "            order.order_id or proof.order_id,\n"
        "            order.cancel_wanted or wanted,\n",
        "            None,\n            order.cancel_wanted or wanted,\n",
        "without it nothing can be cancelled or read singly",
        faults="B6",
    ),
    Break(
        "a cancel that was wanted is forgotten with the next step",
        WALK,
        "            order.cancel_wanted or wanted,\n        )\n        if after",
        "            wanted,\n        )\n        if after",
        "an order that opens late would rest although nobody wants it",
        faults="A3b",
    ),
    Break(
        "tombstones are dropped at once",
        "mmbot/engine/tombstones.py",
        "        self._ended_ns[ident] = at_ns\n        self._queue.append((at_ns, ident))\n\n"
        "    def settled",
        "        self._ended_ns[ident] = at_ns\n        self._keep_ns = 0\n"
        "        self._queue.append((at_ns, ident))\n\n    def settled",
        "what comes late finds no order, and is adopted as if it were new",
        faults="A8,B1,A9",
    ),
    Break(
        "the same money row is booked each time it is read",
        "mmbot/engine/settlement.py",
        "        if row.transaction_id in self._booked:\n            return False\n",
        "",
        "reads overlap: each row would count as often as it is read",
        faults="B6",
    ),
    Break(
        "a result that was changed stays as it was",
        "mmbot/engine/settlement.py",
        "            return self._changed(order, known, word, sight, now_ns)\n",
        "            return False\n",
        "a settlement that is reversed or corrected would keep its first result",
        faults="B6",
    ),
    Break(
        "an intent is not reserved",
        ORDERS,
        "        resting = order.remaining_cents\n",
        "        resting = 0 if order.order_id is None else order.remaining_cents\n",
        "what has not been answered may fill all the same: the worst case would be too small",
        faults="A6,A7",
    ),
    Break(
        "orders of ours that the ledger does not know are taken for a person's",
        "mmbot/engine/adoption.py",
        "        return ident is not None and run_of(self._prefix, ident) is not None\n",
        "        return ident is not None and run_of(self._prefix, ident) in self.runs - {''}"
        " and ident in self._orders\n",
        "decision 1: our prefix and unknown to the ledger is ours",
        faults="A15",
    ),
)

DOUBTS: Final = (
    Break(
        "a lost reply counts as rejected",
        CONDUCT,
        "                self._walk.step(ident, Step.LOST_REPLY, lost)\n",
        "                order = kit.orders.get(ident)\n"
        "                said = Proof(Evidence(Kind.REPLY, PLACED_BY, reason), now_ns)\n"
        "                self._walk.step(ident, Step.REJECTED, said)\n"
        "                if order is not None and order.state is State.INTENDED:\n"
        "                    return\n",
        "the order that landed all the same would be given up",
        faults="A3b",
    ),
    Break(
        "a timer decides that the order is absent",
        DOUBT,
        "        if synced_ns <= bound_ns + CLOCK_MARGIN_NS:\n            return False\n",
        "",
        "decision 2: absence is believed only past the arrival bound",
        faults="A1",
    ),
    Break(
        "one read is enough for absence",
        DOUBT,
        "            doubt.absent_ns = received_ns\n"
        "            doubt.due_ns = received_ns + ABSENT_APART_NS\n"
        '            self._timers.at(doubt.due_ns, "look")\n'
        "            return False\n",
        "            doubt.absent_ns = received_ns - ABSENT_APART_NS\n",
        "a single read may come from a copy that lags",
        faults="A11",
    ),
    Break(
        "the arrival bound is a second",
        "mmbot/engine/ledger.py",
        "ARRIVAL_BOUND_NS: Final = (12 + 60) * SECOND_NS",
        "ARRIVAL_BOUND_NS: Final = 1 * SECOND_NS",
        "orders land up to 58 s late",
        faults="A1",
    ),
    Break(
        "a resend does not move the arrival bound",
        DOUBT,
        "        doubt.attempt_ns = now_ns + LEAVES_WITHIN_NS\n"
        "        doubt.bound_ns = self._bound(doubt.attempt_ns)\n"
        "        doubt.absent_ns = None\n",
        "",
        "the second request may land after the first one's bound, and nothing paces a third",
        faults="A1",
    ),
    Break(
        "a resend's refusal ends the doubt",
        CONDUCT,
        "                if not to_resend:\n                    refused = Evidence",
        "                if True:\n                    refused = Evidence",
        "it says nothing of the first attempt, which may have landed",
        faults="A1,D13",
    ),
    Break(
        "external id existed is no reason to look",
        CONDUCT,
        "                    kit.doubts.landed(ident, now_ns)\n",
        "",
        "the exchange said that the order is there; absence would be believed later",
        faults="A11",
    ),
    Break(
        "a 404 ends an order that was alive",
        CONDUCT,
        "        elif kit.doubts.not_found(order, event.synced_ns, event.received_ns):\n",
        "        elif True:\n",
        "one false 404 for a live order proves nothing (A11)",
        faults="A11",
    ),
    Break(
        "nobody looks for what is in doubt",
        DOUBT,
        "        self._reads.doubtful(oldest_ns, now_ns)\n",
        "",
        "without a read no doubt ends but by luck",
        faults="A2",
    ),
    Break(
        "in doubt and unwanted: nothing is swept",
        CONSEQUENCES,
        "        else:\n            self.sweep(order, now_ns)\n",
        "",
        "an order without a known id would rest although it must go (A3b)",
        faults="A3b",
    ),
    Break(
        "a new id while the old one is in doubt",
        PLANNER,
        "    if not live:  # the way of a fresh tick",
        "    live = [order for order in live if order.state is not State.IN_DOUBT]\n"
        "    if not live:  # the way of a fresh tick",
        "what is in doubt counts as nothing: two orders for one wish",
        faults="A3b,A2",
    ),
    Break(
        "a replacement does not wait for the cancel's proof",
        PLANNER,
        "    holders = list(gone_soon)\n",
        "    holders: list[Order] = []\n    gone_soon = []\n",
        "a cancel that fails would end in two orders where one was wanted (B9)",
        faults="B9",
    ),
)

RECOVERIES: Final = (
    Break(
        "unanswered intents of the last life are rejected at the start",
        CONSEQUENCES,
        "                    self.step(order.external_id, Step.LOST_REPLY, Proof(lost, now_ns))\n",
        "                    sure = Evidence(Kind.REPLY, lost.channel, lost.detail)\n"
        "                    self.step(order.external_id, Step.REJECTED, Proof(sure, now_ns))\n",
        "the request may have left just before the kill (H1)",
        faults="H1",
    ),
    Break(
        "recovered at once",
        RECOVERY,
        "        pending = self._unread or self._unlooked or self._list_due\n",
        "        pending = False\n",
        "quoting begins before anyone knows what rests",
        faults="H3,D14",
    ),
    Break(
        "no list of what is alive",
        RECOVERY,
        "            if order.order_id is not None and order.order_id not in listed:\n",
        "            if False:\n",
        "an order that ended unheard would count as open for ever (A16)",
        faults="A16",
    ),
    Break(
        "the audit never comes",
        RECOVERY,
        "        due = at_once or now_ns >= self._audited_ns + AUDIT_EVERY_NS\n",
        "        due = False\n",
        "what the stream lost would stay lost",
        faults="A16",
    ),
    Break(
        "a bare success ends the cancel",
        CANCELS,
        "            self._read_in(ident, track, now_ns)\n\n    def lost",
        "            self.end(ident)\n\n    def lost",
        "a cancel that was only taken note of would be believed: no read, no repetition",
        faults="B4",
    ),
    Break(
        "a lost cancel is not repeated",
        CANCELS,
        "        track.losses += 1\n        track.failed_ns",
        "        self.end(ident)\n        return False\n        track.failed_ns",
        "the order may live on (B4)",
        faults="B4,B9",
    ),
)
