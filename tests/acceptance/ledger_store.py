"""The ledger file, walked from outside: lost to no disk, copied while in use, small to start."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from mmbot.store.schema import MIGRATIONS
from tests.acceptance.doors import FULL, ROOT, inside, mmbot
from tests.app import stage
from tests.app.test_disk import locked, walk

# As the first release wrote them: no seals, and evidence was a text.
FIRST_RELEASE: Final = (
    ("run", {"run": "0123456789ab", "at_ns": 1}),
    ("intent", {"order": {
        "external_id": "mm-0123456789ab-1", "event_id": 1, "market_id": 18, "line_id": "1/18/2.5",
        "strike_id": "ab", "side": 0, "price": -110, "quantity_cents": 5000,
        "order_strategy": "ALO", "owner": "consensus", "intended_ns": 2, "state": "INTENDED",
        "order_id": None, "filled_cents": 0, "cancel_wanted": False}, "adopted": False}),
    ("step", {"external_id": "mm-0123456789ab-1", "step": "seen alive", "state": "OPEN",
        "filled_cents": 1200, "order_id": "theirs-1", "cancel_wanted": False,
        "evidence": "reply status open", "at_ns": 3}),
)  # fmt: skip


def walk_store(folder: Path) -> None:
    with stage.box() as box, stage.daemon(folder, box.port) as bot:
        walk(box, bot, locked, meanwhile=copied_while_in_use)
        ledger = bot.state_dir / "ledger.sqlite3"
        compacted(ledger)
        a_newer_schema_is_refused(bot, ledger)
        a_damaged_file_is_refused(bot, ledger)
    the_first_release_still_opens(folder / "old.sqlite3")


def copied_while_in_use(bot: stage.Daemon) -> None:
    ledger, copy = bot.state_dir / "ledger.sqlite3", bot.folder / "copy.sqlite3"
    made = told("backup", str(copy), "--ledger", str(ledger))
    assert made["good"]
    assert told("check", "--ledger", str(copy))["entries"] == made["entries"]
    again = mmbot("ledger", "backup", str(copy), "--config", str(bot.config))
    assert again.returncode == 2
    assert "--force replaces it" in stage.one_line(again.stderr)
    busy = mmbot("ledger", "compact", "--ledger", str(ledger))
    assert busy.returncode == 2
    assert "in use by another mmbot" in stage.one_line(busy.stderr)
    assert told("check", "--ledger", str(ledger))["good"]


def compacted(ledger: Path) -> None:
    before = told("check", "--ledger", str(ledger))
    orders = inside("orders", "--all", "--json", "--ledger", str(ledger)).stdout
    assert told("compact", "--ledger", str(ledger))["replayed"] < before["replayed"]
    after = told("check", "--ledger", str(ledger))
    assert after["good"]
    assert after["replayed"] < before["replayed"]
    assert after["kinds"] == before["kinds"]
    assert inside("orders", "--all", "--json", "--ledger", str(ledger)).stdout == orders


def a_newer_schema_is_refused(bot: stage.Daemon, ledger: Path) -> None:
    schema = told("check", "--ledger", str(ledger))["schema"]
    pragma(ledger, "user_version = 99")
    refused = mmbot("ledger", "check", "--ledger", str(ledger))
    assert refused.returncode == 2
    assert "schema 99 is newer" in stage.one_line(refused.stderr)
    code, said = bot.refused()
    assert (code, "schema 99 is newer" in stage.one_line(said)) == (2, True)
    pragma(ledger, f"user_version = {schema}")
    assert told("check", "--ledger", str(ledger))["good"]


def pragma(ledger: Path, what: str) -> None:
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute(f"PRAGMA {what}")


def a_damaged_file_is_refused(bot: stage.Daemon, ledger: Path) -> None:
    content = bytearray(ledger.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    ledger.write_bytes(content)
    code, said = bot.refused()
    assert (code, "damaged" in stage.one_line(said)) == (2, True), said
    assert inside("ledger", "check", "--ledger", str(ledger)).returncode in {1, 2}


def the_first_release_still_opens(ledger: Path) -> None:
    """Migrated step by step by the first command that writes; readers need not wait for it."""
    with closing(sqlite3.connect(ledger)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        rows = [("main", kind, json.dumps(body).encode()) for kind, body in FIRST_RELEASE]
        connection.executemany("INSERT INTO entries (account, kind, body) VALUES (?, ?, ?)", rows)
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    found = told("check", "--ledger", str(ledger))
    assert (found["schema"], found["orders"], found["live_orders"], found["good"]) == (
        1,
        1,
        1,
        True,
    )
    told("compact", "--ledger", str(ledger))
    found = told("check", "--ledger", str(ledger))
    assert (found["schema"], found["entries"], found["good"]) == (len(MIGRATIONS), 3, True)


def walk_benchmarks() -> None:
    """FULL=1: on this machine, now. Else only that every claim is measured."""
    command = [sys.executable, "-m", "tests.bench.ledger_bench", "--json"]
    if not FULL:
        command.append("--quick")
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=1_200, check=False
    )
    assert done.returncode in ({0} if FULL else {0, 1}), done.stdout + done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    names = " ".join(one["name"] for one in report["claims"])
    for claim in ("durable intent", "reconcile", "start", "journal replay"):
        assert claim in names


def told(*words: str) -> dict[str, Any]:
    """The JSON of a `mmbot ledger` command that succeeds."""
    done = inside("ledger", *words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    table: dict[str, Any] = json.loads(done.stdout)
    return table
