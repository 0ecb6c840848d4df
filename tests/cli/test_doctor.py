"""What the doctor makes of a daemon's own words."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.cli.doctor import comparison_lines, drift_line, examined

WELL: dict[str, Any] = {
    "mode": "ENABLED",
    "why": "",
    "stream": {"private": True, "public": True},
    "orders": {"in_doubt": 0},
    "cases": [],
    "drift": [],
}
DRIFT: dict[str, Any] = {
    "what": "changed type", "place": "get_balance", "field": "data.balance", "matters": True,
    "count": 3, "sample": '"12.50"',
}  # fmt: skip


def test_a_daemon_that_is_well_gives_nothing_to_look_at() -> None:
    assert all(check.good for check in examined(WELL))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("mode", {"mode": "CANCEL_ONLY", "why": "blind"}),
        ("stream", {"stream": {"private": True, "public": False}}),
        ("stream", {"stream": {}}),
        ("doubt", {"orders": {"in_doubt": 1}}),
        ("money", {"cases": [{"case": "market", "detail": "0.01"}]}),
        ("drift", {"drift": [DRIFT]}),
        ("drift", {"drift": None}),
    ],
)
def test_each_thing_that_is_not_well_is_named(name: str, change: dict[str, Any]) -> None:
    assert [check.name for check in examined({**WELL, **change}) if not check.good] == [name]


def test_a_difference_fits_in_a_line_and_cannot_play_with_the_terminal() -> None:
    assert drift_line(DRIFT) == '    ! changed type    get_balance data.balance  x3  "12.50"'
    assert "\x1b" not in drift_line({**DRIFT, "field": "data.\x1b[2J", "matters": False})


def test_a_comparison_names_what_differs_what_failed_and_what_nobody_showed() -> None:
    found = {
        "asked": ["get_balance", "get_trades"], "differences": [DRIFT],
        "failed": {"get_trades": "503 reporting_not_available: later"},
        "not_shown": ["get_trades data.trades[]"],
    }  # fmt: skip
    assert comparison_lines(found) == [
        "asked     get_balance, get_trades",
        "differs   1 differences from the contract, 1 of money or side",
        drift_line(DRIFT),
        "failed    get_trades: 503 reporting_not_available: later",
        "not shown get_trades data.trades[]",
    ]
