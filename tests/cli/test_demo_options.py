"""What may be asked of a demo, and the configuration that it writes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mmbot.app.demo_config import DemoPlaces, to_toml, write_config
from mmbot.app.demo_options import DemoOptions
from mmbot.app.demo_parts import prepare_folder
from mmbot.config import load
from mmbot.domain.errors import SetUpError


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (DemoOptions(duration_s=5), "--duration: 5"),
        (DemoOptions(seed=-1), "--seed: -1"),
        (DemoOptions(duration_s=60, kills=21), "--kills: 21"),
        (DemoOptions(kills=1), "--kills needs --duration"),
        (DemoOptions(scenario=Path("no.toml")), "--scenario: no.toml is not a file"),
        (DemoOptions(dialect="v5"), "--dialect: 'v5' is none of v4, seed"),
    ],
)
def test_what_cannot_be_is_said_before_anything_starts(options: DemoOptions, said: str) -> None:
    with pytest.raises(SetUpError, match=said):
        options.checked()


def test_all_problems_are_said_at_once() -> None:
    with pytest.raises(SetUpError) as caught:
        DemoOptions(duration_s=5, seed=-1, latency="warp").checked()
    assert len(str(caught.value).splitlines()) == 3


def test_the_ledger_of_another_run_is_never_continued(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite3").touch()
    with pytest.raises(SetUpError, match="holds the ledger of another run"):
        DemoOptions(state_dir=tmp_path).checked()


def test_kills_come_from_the_seed_and_leave_time_to_recover() -> None:
    moments = DemoOptions(duration_s=60, seed=3, kills=3).kill_moments_s()
    assert moments == DemoOptions(duration_s=60, seed=3, kills=3).kill_moments_s()
    assert moments != DemoOptions(duration_s=60, seed=4, kills=3).kill_moments_s()
    assert moments == sorted(moments)
    assert all(5 <= moment <= 58 for moment in moments)


def test_the_written_configuration_is_the_shipped_one_with_this_run_s_places(
    tmp_path: Path,
) -> None:
    places = DemoPlaces("http://127.0.0.1:4711/partner", 4712, tmp_path)
    keys = {"MMBOT_ACCESS_KEY": "a", "MMBOT_SECRET_KEY": "b"}
    settings = load(write_config(places), keys)
    assert settings.exchange.base_url == "http://127.0.0.1:4711/partner"
    assert settings.admin.port == 4712
    assert settings.state_dir / settings.ledger.file == places.ledger_file
    assert settings.strategies_path.joinpath("consensus.py").is_file()
    assert settings.exchange.dialect == "v4"
    assert load(write_config(places, "seed"), keys).exchange.dialect == "seed"
    [source] = settings.sources
    assert source.kind == "odds_api"
    assert source.url == "http://127.0.0.1:4711/_feed/odds"


def test_toml_of_our_tables_reads_back_as_it_was() -> None:
    table = {
        "word": 'with "quotes" and \\', "yes": True, "n": 3, "x": 0.5, "empty": [],
        "ids": [31, 53], "section": {"a": 1, "inner": {"b": "c"}},
        "rows": [{"name": "one", "lines": {"ids": []}}, {"name": "two"}],
    }  # fmt: skip
    assert tomllib.loads(to_toml(table)) == table


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetUpError, match="cannot be written"):
        prepare_folder(tmp_path / "file" / "below")
