"""Breaks of the judge, each beside a break of the daemon that the whole judge sees."""

from __future__ import annotations

from typing import Final

from tests.mutation.breaks import Break

OBSERVER = "mmbot/sim/witness/observer.py"
WATCH = "mmbot/sim/witness/watch.py"

# What the judge must see; no other list has one of this kind.
SEEN: Final = (
    Break(
        "a lost reply counts as an open order",
        "mmbot/engine/conduct.py",
        "                self._walk.step(ident, Step.LOST_REPLY, lost)\n",
        "                said = Proof(Evidence(Kind.REPLY, PLACED_BY, reason), now_ns)\n"
        "                self._walk.step(ident, Step.SEEN_ALIVE, said)\n",
        "an order that never arrived would count as open for ever",
        faults="A2",
    ),
    Break(
        "a pause lapses by the clock",
        "mmbot/engine/modes.py",
        "        if self.paused:\n",
        "        if self.paused and now_ns // (20 * SECOND_NS) % 2:\n",
        "who was told to stop, and had, would quote again",
        faults="none",
    ),
    Break(
        "the exporter overlooks what was paid out",
        "mmbot/store/tables.py",
        "            case TransactionBooked(row) if row.from_trading:\n                booked",
        "            case TransactionBooked(row) if row.amount_cents < 0:\n                booked",
        "who reads the ledger would see other money than the exchange",
        faults="none",
    ),
    Break(
        "the exporter leaves out what was cancelled",
        "mmbot/store/tables.py",
        "    return list(rows.values())\n",
        '    return [row for row in rows.values() if row["state"] != "CANCELLED"]\n',
        "who reads the ledger would not know of orders that were at the exchange",
        faults="none",
    ),
)
WITNESS: Final = (
    Break(
        "the judge sees no order twice",
        OBSERVER,
        "        if count > 1:\n",
        "        if count > 2:\n",
        "I1 would be silent about two orders for one intent",
        equivalent="the box refuses an external_id that any order of the account ever had, also"
        " an archived one, before it makes an order: no daemon can bring it about",
    ),
    Break(
        "the judge sees no two orders at one price",
        OBSERVER,
        "    if twice:\n",
        "    if False:\n",
        "I1 would be silent about a second order for one wish",
        beside="a lost reply counts as rejected",
    ),
    Break(
        "the judge takes unknown orders for granted",
        OBSERVER,
        '        if order["external_id"] not in known:\n',
        "        if False:\n",
        "I1 would be silent about an order without an intent",
        beside="the exporter leaves out what was cancelled",
    ),
    Break(
        "the judge excuses everything that is open",
        OBSERVER,
        '        if is_alive(box) != (ledger["state"] in OPEN):\n',
        '        if is_alive(box) and ledger["state"] not in OPEN:\n',
        "I2 would be silent about orders that the ledger holds open and the exchange has ended",
        beside="order ids are lost in a replay",
    ),
    Break(
        "the judge forgets orders that only the ledger has",
        OBSERVER,
        '        if ledger["state"] in OPEN:\n            yield f"{_ledger_story(ledger)}; the box',
        '        if False:\n            yield f"{_ledger_story(ledger)}; the box',
        "I2 would be silent about an order that never was",
        equivalent="at the end `compare_orders` says the same of the same orders, in the same"
        " words, and before it the judge of each step does, in every audit",
    ),
    Break(
        "the judge of each step forgets orders that only the ledger has",
        WATCH,
        '            if row["state"] in OPEN and ident not in self._orders:\n',
        "            if False:\n",
        "I2 would be silent about an order that never was",
        beside="a lost reply counts as an open order",
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
        beside="the exporter overlooks what was paid out",
    ),
    Break(
        "the judge does not look after the stop",
        OBSERVER,
        "    stopped = evidence.stopped_ns\n    if stopped is None:\n",
        "    stopped = evidence.stopped_ns\n    if True:\n",
        "I4 would be silent about what is placed after the stop",
        beside="a pause lapses by the clock",
    ),
    Break(
        "the judge of each step does not look at what is unwanted",
        WATCH,
        "            elif since_ns < until_ns and self._person_ns is None:\n",
        "            elif False:\n",
        "I2 would be silent about an order that rests although nobody wants it",
        beside="a lost cancel is not repeated",
    ),
    Break(
        "the judge of each step believes every rejection",
        WATCH,
        "            if ident in self._rejected and not self.given_up(ident, now_ns):\n",
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
    Break(
        "the judge overlooks a sweep before any list",
        "mmbot/sim/witness/sweeps.py",
        '        if "by_market" in request.path and not self._listed:\n',
        "        if False:\n",
        "I4 would be silent about a person's order that was swept unseen and unheard",
        beside="a strike is swept before lists have told of a person",
    ),
)
