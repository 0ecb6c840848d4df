"""The bench of the gate measures what it says; the claims are judged on a machine that has time."""

from __future__ import annotations

import json

import pytest

from tests.bench.gate_bench import QUICK, main


def test_everything_is_measured_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(QUICK, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told["claims"]] == ["one quote", "a plan of 40"]
    assert all(one["value"] > 0 for one in told["claims"])
    assert told["plan_placed_ms"] > 0
    assert code == (1 if told["failures"] else 0)
