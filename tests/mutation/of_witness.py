"""Breaks of the judge, each beside a break of the daemon that the whole judge sees."""

from __future__ import annotations

from typing import Final

from tests.mutation.breaks import Break

OBSERVER = "mmbot/sim/witness/observer.py"

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
        "I6 would be silent about a fill counted twice",
        beside="a fill is counted twice",
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
)
