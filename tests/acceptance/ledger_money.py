"""Accounting, walked with two real processes: fills, a bust, a result taken back, the last cent."""
# faults: F11

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from mmbot.domain.entries import Entry, FillReversed, SettlementSeen
from mmbot.store.journal import read_entries
from tests.acceptance.doors import inside, mmbot
from tests.app import stage

FILLS_MIN: Final = 5
FILLED_S: Final = 40.0
BUSTED: Final = 2
HEARD_S: Final = 30.0  # a read and a row that say the same
BOOKED_S: Final = 90.0


def walk_money(folder: Path) -> None:
    with stage.box() as box, stage.daemon(folder, box.port) as bot:
        file = bot.state_dir / "ledger.sqlite3"
        bot.start()
        bot.until_quoting()
        stage.until(lambda: box.record["fills_count"] >= FILLS_MIN, FILLED_S, "some fills")
        box.post("do", action="bust", fills=BUSTED)
        stage.until(lambda: reversals(file), HEARD_S, "a fill taken back in the ledger")
        box.post("takers", on=False)
        box.post("settle")
        stage.until(lambda: booked(bot), BOOKED_S, "every result booked")
        box.post("do", action="reverse", event=1)
        stage.until(lambda: bot.status["unsettled"], HEARD_S, "a result taken back")
        box.post("do", action="settle", event=1)
        stage.until(lambda: booked(bot), BOOKED_S, "every result booked again")
        said = bot.status
        assert bot.stop() == 0, bot.said[-2000:]
        judge(box.record, said, file)


def booked(bot: stage.Daemon) -> bool:
    said = bot.status
    return bool(said) and not said["unsettled"] and bool(said["money_booked"])


def reversals(file: Path) -> list[FillReversed]:
    return [entry for entry in read_entries(file) if isinstance(entry, FillReversed)]


def judge(record: dict[str, Any], said: dict[str, Any], file: Path) -> None:
    """Ours and theirs, order by order, market by market, row by row."""
    asked = ("pnl", "--ledger", str(file), "--json")
    told = inside(*asked).stdout
    assert told == mmbot(*asked).stdout  # another process, other hashes
    figures = json.loads(told)
    assert figures["pnl_cents"] == figures["realised_cents"] == record["pnl_cents"]
    assert said["pnl_cents"] == record["pnl_cents"]
    assert figures["by"] == "rows"
    assert figures["cases"] == said["cases"] == []
    theirs: Counter[tuple[int, str]] = Counter()
    fees_cents = 0
    for row in record["transactions"]:
        if row["event_id"]:
            theirs[row["event_id"], str(row["market_id"])] += row["amount_cents"]
            fees_cents -= row["amount_cents"] * (row["kind"] == "COMMISSION")
    ours = {(m["event_id"], m["market_id"]): m["realised_cents"] for m in figures["markets"]}
    assert ours == dict(theirs)
    assert figures["fees_cents"] == fees_cents
    entries: list[Entry] = read_entries(file)
    lowered = [e for e in entries if isinstance(e, FillReversed)]
    assert all(entry.rows and entry.reversed_cents > 0 for entry in lowered)
    words = {entry.winning_status for entry in entries if isinstance(entry, SettlementSeen)}
    assert "tbd" in words
    held: Counter[str] = Counter()
    for order in record["orders"]:
        held[order["strike_id"]] += order["filled_cents"]
    staked: Counter[str] = Counter()
    for market in figures["markets"]:
        for strike in market["strikes"]:
            staked[strike["strike_id"]] += strike["staked_cents"]
    assert +staked == +held
    shown = inside("pnl", "--ledger", str(file))
    assert shown.returncode == 0, shown.stderr
    assert max(map(len, shown.stdout.splitlines())) <= 100
    assert shown.stdout.splitlines()[-1].startswith("realised ")
