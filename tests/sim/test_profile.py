"""The box plays what was measured, and says so when it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbot.sim.http.server import options_from
from mmbot.sim.scenario import BoxOptions, ScenarioError, load_profile

MEASURED = """
[probe]
base_url = "https://api.sandbox.prophetx.dev/partner"

[rules]
fill_or_kill = "all_or_nothing"  # 0.00 of 5.00 were filled, 2 times

[rules.activation]
delay = "spread"
delay_ms = 150
delay_ms_max = 9000

[wire]
order_id_field = "id"

[unknown]
"rules.fee_bps" = "shows only when a game has its result"
"""


def a_profile(folder: Path, text: str) -> Path:
    file = folder / "profile.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_measured_exchange_is_played(tmp_path: Path) -> None:
    options = load_profile(a_profile(tmp_path, MEASURED), BoxOptions(seed=3))
    assert options.seed == 3
    assert options.rules.fill_or_kill == "all_or_nothing"
    assert options.rules.activation.delay_ms_max == 9000
    assert options.wire.order_id_field == "id"
    assert options.latency_profile == "loopback"


def test_it_goes_over_the_scenario_and_below_the_flags(tmp_path: Path) -> None:
    file = a_profile(tmp_path, MEASURED)
    options = options_from(["--scenario", "quiet", "--profile", str(file), "--seed", "5"], {})
    assert options.latency_profile == "venue"
    assert options.wire.order_id_field == "id"
    assert options.seed == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('rules.alo_crossing = "takes"', "alo_crossing"),
        ("rules = [", "Unclosed array|Invalid value"),
    ],
)
def test_what_the_box_cannot_play_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=rf"profile .*({said})"):
        load_profile(a_profile(tmp_path, text), BoxOptions())


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        load_profile(tmp_path / "no-such.toml", BoxOptions())
