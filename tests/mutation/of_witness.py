"""Breaks of the judge, each beside a break of the daemon that the whole judge sees."""

from __future__ import annotations

from typing import Final

from tests.mutation.breaks import Break

OBSERVER = "mmbot/sim/witness/observer.py"
WATCH = "mmbot/sim/witness/watch.py"

WITNESS: Final = (
    Break(
        "the judge sees no order twice",
        OBSERVER,
        "        if count > 1:\n",
        "        if count > 2:\n",
        "I1 would be silent about two orders for one intent",
        beside="orders of ours that the ledger does not know are taken for a person's",
    ),
    Break(
        "the judge takes unknown orders for granted",
        OBSERVER,
        '        if order["external_id"] not in known:\n',
        "        if False:\n",
        "I1 would be silent about an order without an intent",
        beside="placements leave before their intent is durable",
    ),
    Break(
        "the judge excuses everything that is open",
        OBSERVER,
        '        if is_alive(box) != (ledger["state"] in OPEN):\n',
        '        if is_alive(box) and ledger["state"] not in OPEN:\n',
        "I2 would be silent about orders that the ledger holds open and the exchange has ended",
        beside="unanswered intents of the last life are rejected at the start",
    ),
    Break(
        "the judge forgets orders that only the ledger has",
        OBSERVER,
        '        if ledger["state"] in OPEN:\n            yield f"{_ledger_story(ledger)}; the box',
        '        if False:\n            yield f"{_ledger_story(ledger)}; the box',
        "I2 would be silent about an order that never was",
        beside="half of what is committed is lost",
    ),
    Break(
        "the judge does not look at fills",
        OBSERVER,
        '        if ours != order["filled_cents"] and not _is_fresh(order, evidence.excused_ns):\n',
        "        if False:\n",
        "I6 would be silent about a fill that was missed",
        beside="a part of an order is no fill",
    ),
    Break(
        "the judge does not look at money",
        OBSERVER,
        "    if ours is not None and ours != theirs:\n",
        "    if False:\n",
        "I6 would be silent about a cent",
        beside="the same money row is booked each time it is read",
    ),
    Break(
        "the judge does not look after the stop",
        OBSERVER,
        "    stopped = evidence.stopped_ns\n    if stopped is None:\n",
        "    stopped = evidence.stopped_ns\n    if True:\n",
        "I4 would be silent about what rests after the stop",
        beside="a lost cancel is not repeated",
    ),
    Break(
        "the judge of each step does not look at what is unwanted",
        WATCH,
        "            elif since_ns < until_ns and self._person_ns is None:\n",
        "            elif False:\n",
        "I2 would be silent about an order that rests although nobody wants it",
        beside="a bare success ends the cancel",
    ),
    Break(
        "the judge of each step believes every rejection",
        WATCH,
        "            if ident in self._rejected and not self._given_up(ident, now_ns):\n",
        "            if False:\n",
        "I1 would be silent about an order that was given up too early",
        beside="a resend's refusal ends the doubt",
    ),
    Break(
        "the judge of each step believes every reversal",
        WATCH,
        "        if external_id not in self._taken_back:\n",
        "        if False:\n",
        "I6 would be silent about a fill that was counted twice, and then repaired",
        beside="a fill is counted twice",
    ),
)
