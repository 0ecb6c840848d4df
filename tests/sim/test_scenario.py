"""Scenario files over the defaults; what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbot.sim.scenario import BoxOptions, ScenarioError, load_scenario


def _load(tmp_path: Path, text: str) -> BoxOptions:
    path = tmp_path / "calm.toml"
    path.write_text(text)
    return load_scenario(path, BoxOptions())


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    text = 'seed = 9\nlatency_profile = "venue"\n[takers]\narrivals_per_s = 2\n[rules]\nfee_bps = 0'
    options = _load(tmp_path, text)
    assert (options.seed, options.latency_profile) == (9, "venue")
    assert options.takers.arrivals_per_s == 2.0
    assert options.takers.tolerance_logit == BoxOptions().takers.tolerance_logit
    assert options.rules.fee_bps == 0
    assert options.rival == BoxOptions().rival


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sead = 9", "unknown key sead"),
        ("[takers]\nrate = 2", "unknown key takers.rate"),
        ('seed = "nine"', "seed must be int"),
        ("seed = true", "seed must be int"),
        ("takers = 3", "takers must be a table"),
        ('latency_profile = "fast"', "latency_profile must be one of loopback, venue"),
        ("seed = ", "Invalid value"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=rf"calm\.toml: .*{said}"):
        _load(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        load_scenario(tmp_path / "none.toml", BoxOptions())


def test_options_do_not_show_the_secret() -> None:
    assert "fedcba" not in repr(BoxOptions())
