"""Contract drift, walked from outside: a box that keeps to the contract, and one that does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.doors import KEYS, inside
from tests.app.stage import box, daemon, until

DRIFTED = '[wire]\nlast_synced_at = "number"\nmultiple_markets = "flat_list"\n'
SHOWN = {
    "changed type: get_multiple_markets data",
    "changed type: get_order_history last_synced_at",
}


def walk_drift(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`doctor --contract` on both; of the second the daemon tells in its metrics, too."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for name, lines in (("kept", ""), ("drifted", DRIFTED)):
        home = folder / name
        home.mkdir()
        scenario = home / "scenario.toml"
        scenario.write_text(lines, encoding="utf-8")
        where = ("--scenario", str(scenario), "--latency", "loopback")
        with box(*where) as exchange, daemon(home, exchange.port) as bot:
            config = str(bot.config)
            done = inside("doctor", "--contract", "-c", config, "--listen-s", "0", "--json")
            told: dict[str, Any] = json.loads(done.stdout)
            assert told["failed"] == {}
            assert (done.returncode, told["same"]) == ((1, False) if lines else (0, True)), told
            rows = told["differences"]
            assert {f"{one['what']}: {one['place']} {one['field']}" for one in rows} >= (
                SHOWN if lines else set()
            )
            if lines:
                bot.settings["run_mode"] = "observe"
                bot.start()
                until(lambda: len(bot.status.get("drift", [])) >= len(SHOWN), 20, "drift is seen")
                assert "mmbot_contract_drift_total{" in bot.ask("/metrics")[1]
                assert (
                    inside("doctor", "--admin", f"http://127.0.0.1:{bot.admin_port}").returncode
                    == 1
                )
                bot.stop()
