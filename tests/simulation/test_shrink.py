"""Shrinking: the shortest list that fails, and the line that plays it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mmbot.app.simulate import Asked
from mmbot.app.simulate_shrink import run_shrink, shortest

PARTS = [f"w{n}.{m}" for n in range(6) for m in range(9)]


@pytest.mark.parametrize(
    "culprits", [{"w2.3"}, {"w0.0", "w5.8"}, {"w1.1", "w1.2", "w4.4"}, set(PARTS[::9])]
)
def test_what_is_left_are_the_culprits(culprits: set[str]) -> None:
    played: list[int] = []

    def first_failing(lists: Sequence[Sequence[str]]) -> int | None:
        played.append(len(lists))
        return next((n for n, one in enumerate(lists) if culprits <= set(one)), None)

    assert set(shortest(PARTS, first_failing)) == culprits
    assert sum(played) <= (100 if len(culprits) < 3 else 500)


def test_nothing_is_left_when_it_fails_by_itself() -> None:
    assert shortest(PARTS, lambda lists: 0) == []


def test_a_seed_that_holds_is_nothing_to_shrink(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = tmp_path / "calm.toml"
    scenario.write_text("[day]\nquoting_s = 15\ncalm_s = 1\nstrategy = 'consensus'\n")
    assert run_shrink(9, Asked(scenario, "none"), jobs=1) == 1
    assert "nothing to shrink" in capsys.readouterr().out
