"""Talking to a daemon's admin port, played here by a small HTTP server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mmbot.cli.entry import execute
from mmbot.cli.operate import wait_until_empty
from tests.cli.admin_port import AdminPort, an_admin_port


@pytest.fixture
def admin() -> Iterator[AdminPort]:
    with an_admin_port() as port:
        yield port


def test_status_for_people_and_for_programs(
    admin: AdminPort, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["status", "--admin", admin.address]) == 0
    shown = capsys.readouterr().out
    assert "ENABLED" in shown
    assert "-12.34 USD" in shown
    assert [line for line in shown.splitlines() if line.startswith("BREAKER")] == [
        "BREAKER  fill burst   cooling off  sport event 7, 42 s left: "
        "11 fills of 25.00 USD in 10 s",
        "BREAKER  reject loop  cooling off  everything, 2 s left: 11 orders refused",
        "BREAKER  price jump   armed",
    ]
    assert execute(["status", "--admin", admin.address, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mode"] == "ENABLED"


def test_positions_show_only_what_is_held(
    admin: AdminPort, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["positions", "--admin", admin.address]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("A at B  total 2.5")


def test_cancel_all_pauses_and_waits_for_the_last_order(
    admin: AdminPort, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["cancel-all", "--admin", admin.address]) == 0
    assert admin.said[0][0] == "/pause"
    assert "no order is open" in capsys.readouterr().out


def test_cancel_all_fails_when_orders_stay_open(
    admin: AdminPort, capsys: pytest.CaptureFixture[str]
) -> None:
    admin.open_orders = 3
    assert execute(["cancel-all", "--admin", admin.address, "--wait-s", "0"]) == 1
    assert "3 orders are still open" in capsys.readouterr().err


def test_a_refusal_and_a_silent_port_are_one_line(
    admin: AdminPort, capsys: pytest.CaptureFixture[str]
) -> None:
    admin.refuse = True
    assert execute(["cancel-all", "--admin", admin.address]) == 1
    assert "the latch cannot be written" in capsys.readouterr().err
    assert execute(["status", "--admin", "http://127.0.0.1:1"]) == 1
    assert capsys.readouterr().err.startswith("mmbot: no daemon answers at http://127.0.0.1:1")


def test_waiting_counts_orders_in_doubt_too() -> None:
    assert wait_until_empty(lambda: {"orders": {"open": 0, "in_doubt": 2}}, wait_max_s=0) == 2
    assert wait_until_empty(lambda: {"orders": {"open": 0, "in_doubt": 0}}, wait_max_s=0) == 0
