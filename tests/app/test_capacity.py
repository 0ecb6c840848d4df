"""A configuration tried in the box: what it quotes, by the box's record, and what that could cost.

FULL=1: ten minutes of Sunday instead of twelve seconds.
"""

from __future__ import annotations

import os
from pathlib import Path

from mmbot.app.capacity import measure
from mmbot.config import bundled_folder

SECONDS = 600.0 if os.environ.get("FULL") == "1" else 12.0
PRODUCTION = bundled_folder("config") / "production.toml"


def test_a_capital_of_fifty_thousand_quotes_a_sunday() -> None:
    found = measure(PRODUCTION, Path("sunday"), SECONDS)
    assert found["lines"] == 400
    assert found["share"] >= 0.95
    assert found["lines_quoted"] >= 380
    assert 49_000_00 < found["cash_cents"] <= 50_000_00
    assert found["allowance_share"] == round(found["unmatched_cents"] / found["allowance_cents"], 4)
    assert 0 < found["worst_case_cents"] <= 100_000_00
    assert {row["limit"] for row in found["limits"]} >= {"event_loss_max_usd", "total_loss_max_usd"}


def test_the_limit_that_binds_is_named_and_holds_what_rests(tmp_path: Path) -> None:
    text = PRODUCTION.read_text(encoding="utf-8")
    for was, becomes in (
        ("event_loss_max_usd = 3000", "event_loss_max_usd = 200"),
        ("market_loss_max_usd = 2500", "market_loss_max_usd = 200"),
        ("line_loss_max_usd = 1500", "line_loss_max_usd = 200"),
        ('strategies_dir = "strategies"', f'strategies_dir = "{bundled_folder("strategies")}"'),
    ):
        assert was in text
        text = text.replace(was, becomes)
    config, small = tmp_path / "tight.toml", tmp_path / "small.toml"
    config.write_text(text, encoding="utf-8")
    small.write_text("start_after_s = 3600\n[events]\ncount = 2\nlines = 20\n", encoding="utf-8")
    found = measure(config, small, 10.0)
    assert found["binding"]["limit"] == "event_loss_max_usd"
    assert found["binding"]["refused"] > 0
    assert found["lines_quoted"] < found["lines"] == 20
    assert 300_00 < found["worst_case_cents"] <= 2 * 200_00
