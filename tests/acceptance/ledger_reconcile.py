"""Reconciliation, walked with two real processes: what happened while nobody looked is repaired."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from mmbot.domain.difference import Difference, DifferenceFound
from mmbot.store.journal import read_entries
from tests.app import stage

RECONCILED_S: Final = 20.0
NOTICED_S: Final = 30.0
ORDERS: Final = 10
QUERIES: Final = ("get_order_history", "get_trades", "get_transactions", "get_balance")
ALIVE: Final = ("inactive", "open")
FOREIGN: Final = "mmsim-0123456789ab-7"


def walk_reconciliation(folder: Path) -> None:
    with stage.box() as box, stage.daemon(folder, box.port) as bot:
        bot.start()
        bot.until_quoting()
        after_a_kill(box, bot)
        after_a_cut(box, bot)
        by_hand_is_left_alone(box, bot)
        inside_the_budget(box)


def after_a_kill(box: stage.Box, bot: stage.Daemon) -> None:
    """Dead, while orders fill, one is cancelled by hand and one appears that no ledger knows."""
    stage.until(lambda: len(known_open(bot)) >= ORDERS, NOTICED_S, "orders are known to be open")
    box.post("takers", on=False)
    bot.kill()
    known = known_open(bot)
    first = next(order for order in alive(box) if order["external_id"] in known)
    box.post("do", action="cancel", external_id=first["external_id"])
    box.post("do", action="take", usd=30)
    strike = box.get("state")["lines"][0]["strikes"][0]["strike_id"]
    for ident in (FOREIGN, "by-hand-1"):
        place(box, ident, strike)
    bot.start()
    stage.until(lambda: last(bot).get("cause") == "start", RECONCILED_S, "the start is reconciled")
    kinds = Counter(bot.status["reconciliation"]["differences"])
    fills = kinds["fill_unknown"] + kinds["filled_total_differs"]
    assert fills >= 1, (kinds, bot.status["reconciliation"])
    assert kinds["status_differs"] >= 1, kinds
    assert (kinds["unknown_order_of_ours"], kinds["manual_order"]) == (1, 1), kinds
    total = kinds.total()
    stage.until(lambda: len(differences(bot)) == total, NOTICED_S, "all of them are journalled")
    found = differences(bot)
    assert {one.cause for one in found} == {"start"}
    assert Counter(str(one.kind) for one in found) == kinds
    lines = [json.loads(line) for line in bot.said.splitlines() if "DifferenceRepaired" in line]
    assert len(lines) == len(found)  # each in one line of the log, too
    same(box, bot)


def after_a_cut(box: stage.Box, bot: stage.Daemon) -> None:
    """The stream is cut, and somebody takes what rests before it is back."""
    stage.until(lambda: bot.status.get("mode") == "ENABLED", NOTICED_S, "quoting again")
    bot_orders = len(alive(box))
    stage.until(lambda: len(alive(box)) >= bot_orders, NOTICED_S, "orders rest")
    box.post("do", action="refuse_sockets", code=4200)
    box.post("disconnect", code=1006)
    box.post("do", action="take", usd=20)
    box.post("do", action="refuse_sockets", code=0)
    cause = "reconnect"
    stage.until(lambda: last(bot).get("cause") == cause, RECONCILED_S, "the gap is reconciled")
    same(box, bot)


def by_hand_is_left_alone(box: stage.Box, bot: stage.Daemon) -> None:
    """Counted while the daemon lives, and still there when it has gone."""
    assert bot.status["orders"]["manual"] == 1
    assert bot.stop(60.0) == 0, bot.said[-2000:]
    assert [order["external_id"] for order in alive(box)] == ["by-hand-1"]


def inside_the_budget(box: stage.Box) -> None:
    asked: dict[str, list[float]] = {}
    for line in box.truth("maker", "request"):
        name = line["path"].split("?")[0].rsplit("/", 1)[1]
        asked.setdefault(name, []).append(line["at_ns"] / 1e9)
    for route in QUERIES:
        gaps = [b - a for a, b in zip(asked[route], asked[route][1:], strict=False)]
        early = sum(gap < 0.9 for gap in gaps)  # the way there is not always equally long
        assert early <= 1, (route, sorted(gaps)[:5])  # the restart cannot know of the last one


def place(box: stage.Box, ident: str, strike_id: str) -> None:
    asked = {"price": 10_000, "usd": 2.0, "strike_id": strike_id, "external_id": ident}
    box.post("do", action="place", account="maker", **asked)


def alive(box: stage.Box) -> list[dict[str, Any]]:
    return [
        order for order in box.record["orders"] if order["open_cents"] and order["status"] in ALIVE
    ]


def known_open(bot: stage.Daemon) -> set[str]:
    return {row["external_id"] for row in bot.ledger if row["state"] == "OPEN"}


def last(bot: stage.Daemon) -> dict[str, Any]:
    return bot.status.get("reconciliation", {}).get("last") or {}


def differences(bot: stage.Daemon) -> list[Difference]:
    entries = read_entries(bot.state_dir / "ledger.sqlite3")
    return [entry.difference for entry in entries if isinstance(entry, DifferenceFound)]


def same(box: stage.Box, bot: stage.Daemon) -> None:
    """Every fill of the exchange is in the ledger."""

    def equal() -> bool:
        ours = {row["external_id"]: row["filled_cents"] for row in bot.ledger}
        theirs = [o for o in box.record["orders"] if o["external_id"].startswith("mmsim-")]
        return all(ours.get(o["external_id"]) == o["filled_cents"] for o in theirs)

    stage.until(equal, NOTICED_S, "the same fills on both sides")
