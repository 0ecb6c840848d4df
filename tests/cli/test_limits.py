"""`mmbot limits`: of a daemon, of a file that nobody runs, and of a scenario in the box."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmbot.cli.entry import execute
from tests.app.stage import free_port
from tests.cli.admin_port import an_admin_port
from tests.test_config import GOOD, a_file

SILENT = GOOD + f"[admin]\nport = {free_port()}\n"


def test_a_daemon_tells_what_it_uses_and_what_binds(capsys: pytest.CaptureFixture[str]) -> None:
    with an_admin_port() as port:
        assert execute(["limits", "--admin", port.address]) == 0
        title, _, binding, orders, cash = capsys.readouterr().out.splitlines()
        assert execute(["limits", "--admin", port.address, "--json"]) == 0
        seen = json.loads(capsys.readouterr().out)
    assert title == "set in config/simulator.toml"
    assert binding.startswith("! event_loss_max_usd")
    assert "2,999.00     3,000.00  100.0%" in binding
    assert binding.endswith("[[risk.scopes]] #1 (event 7)A at B  refuses 3 now")
    assert orders.startswith("  open_orders_max")
    assert "1.25         4.00   31.2%  [risk]" in cash
    assert seen["daemon"] is True
    assert seen["limits"][0]["refused"] == 3


def test_without_a_daemon_the_figures_and_their_tables_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "[[risk.scopes]]\nsport = 'Soccer'\nline_loss_max_usd = 2.50\n"
    config = str(a_file(tmp_path, SILENT + rows))
    assert execute(["limits", "--config", config]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"set in {config}; no daemon answers at http://127.0.0.1:")
    assert "  line_loss_max_usd                        -       250.50       -  [risk]\n" in shown
    assert "2.50       -  [[risk.scopes]] #1 (sport soccer)sport soccer" in shown
    assert execute(["limits", "--config", config, "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert seen["daemon"] is False
    assert {row["used"] for row in seen["limits"]} == {None}
    assert not any(row["binds"] or row["nearest"] for row in seen["limits"])


def test_what_cannot_be_tried_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["limits", "--capacity", "--config", str(a_file(tmp_path))]
    assert execute(asked) == 2
    assert capsys.readouterr().err.strip().endswith("has no odds_api, and the box serves no other")
    assert execute(["limits", "--capacity", "--scenario", "monday"]) == 2
    assert capsys.readouterr().err.startswith("mmbot: scenario monday: neither a file nor one of")
