"""The doctor at the bed of a real daemon, on a box that speaks otherwise than the contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mmbot.cli.entry import execute
from mmbot.sim.scenario import DEMO_ACCESS_KEY, DEMO_SECRET_KEY
from tests.app.stage import Box, box, daemon, free_port, until

SCENARIO = """
[wire]
last_synced_at = "number"
multiple_markets = "flat_list"
"""
SHOWN = {
    "changed type: get_multiple_markets data",
    "changed type: get_order_history last_synced_at",
}


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = execute(["doctor", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def named(rows: list[dict[str, Any]]) -> set[str]:
    return {f"{row['what']}: {row['place']} {row['field']}" for row in rows}


def test_drift_is_in_the_log_once_in_the_metrics_and_with_the_doctor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # faults: A13
    monkeypatch.setenv("MMBOT_ACCESS_KEY", DEMO_ACCESS_KEY)
    monkeypatch.setenv("MMBOT_SECRET_KEY", DEMO_SECRET_KEY)
    scenario = tmp_path / "drifted.toml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    where = ("--scenario", str(scenario), "--latency", "loopback")
    with box(*where) as exchange, daemon(tmp_path, exchange.port) as bot:
        bot.settings["run_mode"] = "observe"
        bot.start()
        until(lambda: len(bot.status.get("drift", [])) >= len(SHOWN), 20, "drift is seen")
        until(lambda: bot.status["stream"]["private"], 20, "the stream is up")
        code, told = doctor(capsys, "--admin", f"http://127.0.0.1:{bot.admin_port}")
        assert (code, told["good"]) == (1, False)
        assert named(told["drift"]) >= SHOWN
        assert 'mmbot_contract_drift_total{place="get_multiple_markets"' in bot.ask("/metrics")[1]
        for kind in SHOWN:
            assert bot.said.count(f'"{kind}"') == 1
        code, found = doctor(capsys, "--contract", "-c", str(bot.config), "--listen-s", "0")
        assert (code, found["same"], found["failed"]) == (1, False, {})
        assert named(found["differences"]) >= SHOWN
        assert _log_ins(exchange) == 1
        bot.stop()


def _log_ins(exchange: Box) -> int:
    return int(exchange.record["requests"]["by_route"]["POST /auth/login"])


def test_wrong_use_is_2_and_nobody_there_is_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMBOT_ACCESS_KEY", DEMO_ACCESS_KEY)
    monkeypatch.setenv("MMBOT_SECRET_KEY", DEMO_SECRET_KEY)
    nobody = f"http://127.0.0.1:{free_port()}"
    assert execute(["doctor", "--admin", nobody]) == 1
    assert execute(["doctor", "--contract", "-c", str(tmp_path / "none.toml")]) == 2
    assert execute(["doctor", "--contract", "--listen-s", "soon"]) == 2
