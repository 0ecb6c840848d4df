"""Doubt resolved, walked with two real processes: replies spoilt in every way, orders that live."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

from mmbot.domain.entries import Entry, OrderStepped
from mmbot.domain.evidence import OUTSIDE
from mmbot.domain.order import State
from mmbot.store.journal import Journal
from tests.app import stage

# What comes back is no answer, and the order lives all the same; then some that never land.
LANDED: Final = (
    "reply_reset",
    "html_after",
    "truncated",
    "empty_data",
    "error_after",
    "lands_late",
)
LOST: Final = ("request_reset", "html_before", "error_before")
DOUBTS_MIN: Final = 5
TROUBLE_S: Final = 40.0
# A doubt that nobody wants any more and that never landed ends 72 s and two reads later.
ENDED_S: Final = 40.0
ENDED_FULL_S: Final = 150.0


def walk_doubt(folder: Path) -> None:
    full = bool(os.environ.get("FULL"))
    with stage.box() as box, stage.daemon(folder, box.port) as bot:
        bot.start()
        bot.until_quoting()
        faults = (*LANDED, *LOST) if full else LANDED
        box.faults(*(rule(name) for name in faults))

        def enough() -> bool:
            struck: Counter[str] = Counter(box.get("faults")["injected_counts"])
            return all(struck[name] for name in faults) and doubts(bot) >= DOUBTS_MIN

        box.post("news")
        stage.until(enough, TROUBLE_S, f"each of {faults} struck, and {DOUBTS_MIN} doubts")
        box.faults()
        wait_s = ENDED_FULL_S if full else ENDED_S
        stage.until(lambda: settled(bot), wait_s, "no order in doubt")
        assert bot.stop() == 0, bot.said[-2000:]
        assert box.open_orders == 0
        judge(box, bot)


def rule(name: str) -> dict[str, Any]:
    late = {"late_s": [0.5, 3.0]} if name == "lands_late" else {}
    return {"fault": name, "rate": 0.25, "times_max": 20, "on": ["place"]} | late


def journal(bot: stage.Daemon) -> list[Entry]:
    opened = Journal.open(bot.state_dir / "ledger.sqlite3")
    try:
        return list(opened.replay())
    finally:
        opened.close()


def doubts(bot: stage.Daemon) -> int:
    """As its metrics count them."""
    found = re.search(r"^mmbot_orders_doubted_total (\S+)", bot.ask("/metrics")[1], re.MULTILINE)
    return 0 if found is None else int(float(found[1]))


def settled(bot: stage.Daemon) -> bool:
    status = bot.status
    return bool(status) and status["orders"]["in_doubt"] == 0 and status["mode"] == "ENABLED"


def judge(box: stage.Box, bot: stage.Daemon) -> None:
    """The exchange's own record: one order per id, each known, each fill counted."""
    theirs = box.record["orders"]
    assert max(Counter(order["external_id"] for order in theirs).values()) == 1
    ours = {row["external_id"]: row for row in bot.ledger}
    for order in theirs:
        row = ours[order["external_id"]]
        assert row["filled_cents"] == order["filled_cents"], (row, order)
        assert row["state"] not in stage.OPEN_STATES, row
    was: dict[str, State] = {}
    ended = []
    for entry in journal(bot):
        if isinstance(entry, OrderStepped):
            if was.get(entry.external_id) is State.IN_DOUBT is not entry.state:
                ended.append(entry)
            was[entry.external_id] = entry.state
    assert len(ended) >= DOUBTS_MIN, len(ended)
    assert all(entry.evidence.kind in OUTSIDE for entry in ended)  # no timer ended any of them
