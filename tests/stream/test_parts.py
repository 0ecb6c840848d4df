"""The whole check: every part has to hold, and the blind daemon's run has to fail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stream.__main__ import PARTS, main
from tests.stream.claims import STALE

(BLIND,) = (part for part in PARTS if part.blind)


def told(held: bool) -> dict[str, Any]:
    return {"claims": {STALE: {"seen": 3.0, "held": held}}}


def test_a_part_holds_when_its_run_says_so() -> None:
    assert {part.name for part in PARTS} == {
        "chaos", "token_storm", "cluster_move", "maintenance", "cable", BLIND.name,
    }  # fmt: skip
    part = PARTS[0]
    assert part.held(0, {})
    assert not part.held(1, told(True))
    assert not part.held(2, {})


def test_the_blind_daemon_has_to_be_caught_by_its_stale_seconds() -> None:
    assert BLIND.held(1, told(False))
    assert not BLIND.held(0, told(True))
    assert not BLIND.held(1, told(True))  # it failed by something else
    assert not BLIND.held(1, {})  # it broke off
    assert not BLIND.held(2, told(False))


@pytest.mark.parametrize(
    "wrong", [["--seed", "-1"], ["--data", "/nowhere"], ["--scenario", "no_such"]]
)
def test_wrong_use_is_one_line_and_two(wrong: list[str], capsys: Any) -> None:
    scenario = [] if "--scenario" in wrong else ["--scenario", "quiet"]
    assert main([*scenario, *wrong]) == 2
    assert capsys.readouterr().err.startswith(f"stream: {wrong[0]}")
