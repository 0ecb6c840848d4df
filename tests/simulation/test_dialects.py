"""Whole days in the older dialect."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbot.app.simulate import Asked, Days, run_seed, story
from mmbot.domain.errors import SetUpError

# Nothing but what the page of the dialect names, in the older words alone: no mass cancel, no rows.
ONLY_SEED = """
[wire]
paths = "seed"
unversioned_words = "legacy"
[day]
quoting_s = 120
calm_s = 60
"""


def test_an_exchange_that_knows_nothing_newer_is_enough(tmp_path: Path) -> None:
    scenario = tmp_path / "only_seed.toml"
    scenario.write_text(ONLY_SEED)
    asked = Asked(scenario, "none", dialect="seed")
    report = run_seed(8, Days.of(asked))
    assert report.findings == [], story(report, asked)
    assert report.fills
    assert story(report, asked).endswith(
        f"--seeds 8 --scenario {scenario} --faults none --dialect seed"
    )


def test_a_dialect_that_nobody_speaks_is_one_line() -> None:
    with pytest.raises(SetUpError, match="--dialect: 'v5' is none of v4, seed"):
        Days.of(Asked(dialect="v5"))
