"""Breaks of the store and of the order of commit and departure."""

from __future__ import annotations

from typing import Final

from tests.mutation.breaks import Break

STORE: Final = (
    Break(
        "placements leave before their intent is durable",
        "mmbot/app/writer.py",
        "        if not taken.entries:  # a resend: its intent is durable already\n",
        "        if True:\n",
        "a kill between the two leaves an order that no ledger knows",
        faults="none",
    ),
    Break(
        "half of what is committed is lost",
        "mmbot/store/journal.py",
        "            part = entries[start : start + ROWS_MAX]\n",
        "            part = entries[start : start + ROWS_MAX][: max(1, len(entries) // 2)]\n",
        "what was believed to be durable is not there after a restart",
        faults="none",
    ),
    Break(
        "a commit that failed counts as done",
        "mmbot/store/journal.py",
        '            raise JournalError(f"the ledger could not be written: {error}") from None\n',
        "            return\n",
        "decision 8: if the journal fails, nothing is placed (H7)",
        faults="H7,B14",
    ),
    Break(
        "the exporter overlooks steps",
        "mmbot/store/tables.py",
        '                row["filled_cents"] = entry.filled_cents\n                row["order_id"]',
        '                row["order_id"]',
        "what other programs read would not be what the ledger knows",
        faults="none",
    ),
    Break(
        "order ids are lost in a replay",
        "mmbot/engine/replay.py",
        "        order_id = OrderId(entry.order_id) if entry.order_id else None\n",
        "        order_id: OrderId | None = None\n",
        "after a restart nothing could be cancelled or read by its id",
        faults="H1",
    ),
)
