"""A reconciliation of very many orders stays inside the request budget: virtual clock, real box."""
# faults: D10 H3

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.resting import Stay, stay

QUERIES = ("get_order_history", "get_trades", "get_transactions", "get_balance")
PER_SECOND_MAX = 45


def inside_the_budget(stay: Stay) -> None:
    for route in QUERIES:
        assert stay.per_second_max(route) == 1, route
    assert stay.per_second_max("") <= PER_SECOND_MAX


@pytest.mark.timeout(120)
def test_a_thousand_open_orders_are_reconciled_by_pages_one_a_second(tmp_path: Path) -> None:
    seen = stay(tmp_path, count=1000, known=1000, run_s=80)
    inside_the_budget(seen)
    told = seen.status["reconciliation"]
    assert (told["last"]["cause"], told["last"]["orders"]) == ("audit", 1000)
    assert told["last"]["took_s"] < 20  # 1 s per page of 100, and two other lists
    assert told["differences"] == {}
    assert not [path for _, path in seen.asked if "/get_order/" in path]


@pytest.mark.timeout(120)
def test_orders_that_the_ledger_does_not_know_are_adopted_and_what_nobody_wants_goes(
    tmp_path: Path,
) -> None:
    seen = stay(tmp_path, count=200, known=160, run_s=40, mode="live")
    inside_the_budget(seen)
    assert seen.status["reconciliation"]["differences"] == {"unknown_order_of_ours": 40}
    assert seen.status["orders"]["cancelled"] >= 200
    assert seen.status["worst_case_cents"] < seen.status["worst_case_limit_cents"]
