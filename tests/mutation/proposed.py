"""Breaks proposed by somebody who has not seen the tests. Add yours here; nothing else changes.

Break(
    "a name of a few words",
    "mmbot/engine/FILE.py",
    old="exact text that stands once in that file",
    new="what stands there instead",
    why="what goes wrong then, and which promise it breaks",
    faults="ids under which it is tried first",
),
"""

from __future__ import annotations

from typing import Final

from tests.mutation.breaks import Break

PROPOSED: Final[tuple[Break, ...]] = (
    Break(
        "an item that the answer does not name was never sent",
        "mmbot/exchange/gateway.py",
        "outcome.get(order.external_id) or PlaceLost(order.external_id, lost) for",
        "outcome.get(order.external_id) or PlaceNotSent(order.external_id, lost) for",
        "rejected on our own word: a new id leaves at once while the first may live",
        faults="A5",
    ),
    Break(
        "a bad row of the history is skipped",
        "mmbot/exchange/history_rows.py",
        "            spoiled = str(error)\n",
        "            continue\n",
        "the history proves absence: an order whose row cannot be read would look absent",
        faults="A13",
    ),
    Break(
        "a lost resend keeps the old bound",
        "mmbot/engine/doubt.py",
        "        bound_ns = max(doubt.bound_ns, self._bound(doubt.attempt_ns))\n",
        "        order = self._orders.get(ident)\n        assert order is not None\n"
        "        bound_ns = self._bound(order.intended_ns)\n",
        "absence would be believed while the last request of this id may still arrive",
        faults="A15",
    ),
    Break(
        "a resend may wait for its turn for ever",
        "mmbot/app/departure.py",
        "        if now_ns - placement.decided_ns > LEAVES_WITHIN_NS:\n",
        "        if not approved.resend and now_ns - placement.decided_ns > LEAVES_WITHIN_NS:\n",
        "what waits behind a 429 would leave, and land, past the bound of its decision",
        faults="D7",
    ),
    Break(
        "absence is believed by our own clock",
        "mmbot/engine/doubt.py",
        "        bound_ns = max(doubt.bound_ns, self._bound(doubt.attempt_ns))\n"
        "        if synced_ns <= bound_ns + CLOCK_MARGIN_NS:\n",
        "        if received_ns <= doubt.attempt_ns + self._bound_ns + CLOCK_MARGIN_NS:\n",
        "decision 2: a copy that lags behind the bound proves nothing, however long we waited",
        faults="A11",
    ),
    Break(
        "cancels of the last life are not repeated",
        "mmbot/engine/consequences.py",
        "                case State.CANCELLING:\n"
        "                    kit.cancels.begin(order, now_ns)\n"
        "                case _:\n",
        "                case _:\n",
        "the cancel may never have left: nobody wants the order, and it rests for good",
        faults="H1,B9",
    ),
    Break(
        "a person's orders are forgotten by a restart",
        "mmbot/engine/replay.py",
        "                kit.manual.see(entry.report, entry.at_ns, entry.at_ns)\n",
        "                pass\n",
        "the list of a start shows what is alive: fills without a result would be no risk",
        faults="B12",
    ),
    Break(
        "an unknown order of ours that has ended is not adopted",
        "mmbot/engine/adoption.py",
        "        if not report.alive and not open_risk:\n",
        "        if not report.alive:\n",
        "its fill, its position and its result would be lost (A15, a restored backup)",
        faults="A15",
    ),
    Break(
        "the audit overlooks a smaller total",
        "mmbot/engine/recovery.py",
        "            or order.filled_cents != report.filled_cents\n",
        "            or order.filled_cents < report.filled_cents\n",
        "a part that was taken back from an order that rests would count for ever (B13)",
        faults="A16",
    ),
    Break(
        "an older read takes a reversal back",
        "mmbot/engine/reversals.py",
        '        if sight.channel == "read" and self._after(at_ns, sight, now_ns):\n',
        '        if sight.channel == "read":\n',
        "a copy from before the reversal would raise the total again, and no row is left",
        faults="B13",
    ),
    Break(
        "a start reads the money of two minutes",
        "mmbot/engine/ledger.py",
        "        self._kit.reads.first_run_ns = self._kit.reads.first_run_ns or now_ns\n",
        "        self._kit.reads.first_run_ns = self._kit.reads.first_run_ns or now_ns\n"
        "        self._kit.reads.booked_until_ns = now_ns\n",
        "what was booked during a longer down time would be missing for ever",
        faults="A6",
    ),
    Break(
        "a new order id is not indexed",
        "mmbot/engine/ledger_orders.py",
        "            if old.order_id is None and order.order_id is not None:\n"
        "                self._by_order_id[order.order_id] = ident\n",
        "",
        "a report without our id would be taken for a person's order",
        faults="A13",
    ),
    Break(
        "a cancel that did nothing is not sent again",
        "mmbot/engine/cancels.py",
        "            self._send_in(order.external_id, track, now_ns, _backoff(track.losses))\n",
        "            track.sent_ns = now_ns\n"
        "            self._read_in(order.external_id, track, now_ns)\n",
        "the read shows it alive, and it would only be read for ever",
        faults="B4",
    ),
    Break(
        "a big commit is made in pieces",
        "mmbot/store/journal.py",
        "            if start == 0 and len(part) < len(entries):\n"
        '                self._connection.execute("BEGIN IMMEDIATE")\n',
        "",
        "a disk that fails in between keeps a part of what is then written once more (H7)",
        faults="H7",
    ),
    Break(
        "a failed commit is written behind what came later",
        "mmbot/app/writer.py",
        "            self._waiting.entries[:0] = taken.entries\n",
        "            self._waiting.entries.extend(taken.entries)\n",
        "after a restart an older step would overwrite a newer one (H7, H1)",
        faults="H7,H1",
    ),
    Break(
        "a strike is swept before lists have told of a person",
        "mmbot/engine/manual.py",
        "        return not self.told or any(\n",
        "        return any(\n",
        "what a person placed while we heard nothing would be cancelled with ours",
        faults="B12",
    ),
    Break(
        "a person's fill may fall",
        "mmbot/engine/manual.py",
        "            filled = filled if old.since_ns <= shown_ns else max(filled, held)\n",
        "",
        "an older image of a person's order would make the exposure too small",
        equivalent="an older image has less filled and at least as much more open (only a refund"
        " lowers the sum, and it is younger); what is open counts like what is filled, in whatever"
        " status that is not an end, and offsets nothing. What has ended has no older image in"
        " which it has ended with less. So the exposure is never too small, and the next look"
        " makes it exact",
    ),
    Break(
        "a fill in dispute still hedges",
        "mmbot/engine/ledger_orders.py",
        "profit = max(0, profit - profit_cents(order.price, self._disputed[ident]) - 1)\n",
        "profit = max(0, profit)\n",
        "what may have been taken back would offset the other side: the worst case too small",
        faults="B13",
    ),
)
