"""A configuration tried in the box: what it quotes, and what the box counts of it."""

from __future__ import annotations

from pathlib import Path

from mmbot.app.capacity import measure
from mmbot.config import bundled_folder

PRODUCTION = bundled_folder("config") / "production.toml"


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
    allowance = found["allowance_cents"]
    assert 490_000_00 < allowance == 10 * found["cash_cents"] <= 500_000_00
    assert found["allowance_share"] == round(found["unmatched_cents"] / allowance, 4)
    assert found["strikes"] == 40
    assert 0 < found["strikes_quoted"] < 40
