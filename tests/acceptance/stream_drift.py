"""Drift, walked from outside: a box that speaks otherwise, a daemon that quotes on, a doctor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.doors import ROOT
from tests.app.stage import Box, Daemon, box, daemon, until

SCENARIO = """
[wire]
last_synced_at = "number"
multiple_markets = "flat_list"
"""
FROM_BIRTH = {
    "changed type: get_multiple_markets data",
    "changed type: get_order_history last_synced_at",
}
ODD = (
    {"fault": "frame_odd", "rate": 0.9, "on": ["orders"]},
    {"fault": "reply_odd", "rate": 0.3, "on": ["order"]},
)
# Each is one of the oddities that the faults draw from, on the private channel.
OF_THE_FAULTS = {
    "unknown field: stream.orders info.field_of_next_year",
    "changed type: stream.orders info.price",
    "missing field: stream.orders info.strike",
}


def walk_drift(folder: Path) -> None:
    """Counted by place, logged once, in the metrics and with the doctor; fails closed."""
    scenario = folder / "drifted.toml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    where = ("--scenario", str(scenario), "--latency", "loopback")
    with box(*where) as exchange, daemon(folder, exchange.port) as bot:
        bot.start()
        bot.until_quoting(10)
        exchange.faults(*ODD)
        until(lambda: named(bot.status["drift"]) >= FROM_BIRTH | OF_THE_FAULTS, 30, "drift is seen")
        exchange.faults()
        _look(bot)
        _compare(bot, exchange)
        bot.until_quoting(10)  # it lives, and goes on
        assert bot.stop() == 0, bot.said[-2000:]
        assert exchange.open_orders == 0


def _look(bot: Daemon) -> None:
    code, told = doctor(bot, "--admin", f"http://127.0.0.1:{bot.admin_port}")
    assert (code, told["good"]) == (1, False)
    assert named(told["drift"]) >= FROM_BIRTH | OF_THE_FAULTS
    assert all(row["matters"] for row in told["drift"] if row["field"] == "info.price")
    metrics = bot.ask("/metrics")[1]
    for place in ("get_multiple_markets", "stream.orders"):
        assert f'mmbot_contract_drift_total{{place="{place}"' in metrics
    for kind in FROM_BIRTH | OF_THE_FAULTS:
        assert bot.said.count(f'"{kind}"') == 1, kind


def _compare(bot: Daemon, exchange: Box) -> None:
    """Beside the daemon, with its session."""
    code, found = doctor(bot, "--contract", "-c", str(bot.config), "--listen-s", "0")
    assert (code, found["same"], found["failed"]) == (1, False, {})
    assert named(found["differences"]) >= FROM_BIRTH
    assert exchange.record["requests"]["by_route"]["POST /auth/login"] == 1


def doctor(bot: Daemon, *arguments: str) -> tuple[int, Any]:
    command = [sys.executable, "-m", "mmbot", "doctor", *arguments, "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env=bot.environ | {"PYTHONPATH": os.fspath(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def named(rows: list[dict[str, Any]]) -> set[str]:
    return {f"{row['what']}: {row['place']} {row['field']}" for row in rows}
