"""`mmbot check` names every problem of configuration and strategies at once."""

# faults: H11 J3

from __future__ import annotations

from pathlib import Path

import pytest

from mmbot.cli.checking import examine
from mmbot.cli.entry import execute
from mmbot.config import bundled_folder

KEYS = {"MMBOT_ACCESS_KEY": "a", "MMBOT_SECRET_KEY": "b"}


def a_config(folder: Path, **changes: str) -> Path:
    """The shipped simulator.toml with some texts replaced, in an empty folder of its own."""
    text = (bundled_folder("config") / "simulator.toml").read_text(encoding="utf-8")
    strategies = folder / "strategies"
    strategies.mkdir()
    for file in bundled_folder("strategies").glob("*.py"):
        (strategies / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    text = text.replace('"strategies"', f'"{strategies}"').replace(
        '"state/simulator"', f'"{folder / "state"}"'
    )
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    config = folder / "mmbot.toml"
    config.write_text(text, encoding="utf-8")
    return config


def test_a_good_configuration_is_ready(tmp_path: Path) -> None:
    findings = examine(a_config(tmp_path), KEYS)
    assert findings.problems == []
    assert "strategy consensus (consensus.py): enabled" in findings.notes
    assert not (tmp_path / "state").exists()  # looking leaves nothing behind


def test_a_new_file_in_the_folder_is_found(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    mine = (tmp_path / "strategies" / "ladder_maker.py").read_text(encoding="utf-8")
    mine = mine.replace('name = "ladder_maker"', 'name = "mine"')
    (tmp_path / "strategies" / "mine.py").write_text(mine, encoding="utf-8")
    assert any("(mine.py): found, not in" in note for note in examine(config, KEYS).notes)


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    config = a_config(tmp_path, line_loss_max_usd="line_los_max_usd")
    (tmp_path / "strategies" / "broken.py").write_text("import nothing_like_this\n")
    (tmp_path / "strategies" / "wrong.py").write_text("def quotes(:\n")
    problems = "\n".join(examine(config, {}).problems)
    for said in (
        "[risk] line_los_max_usd: unknown key (did you mean line_loss_max_usd?)",
        "access_key: missing",
        "secret_key: missing",
        "broken.py:1",
        "wrong.py:1",
    ):
        assert said in problems


def test_without_keys_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    config = a_config(tmp_path, quantity_usd="quantity_eur")
    problems = "\n".join(examine(config, {}).problems)
    assert "access_key: missing" in problems
    assert "quantity_eur: unknown parameter" in problems


def test_two_strategies_on_one_line_are_refused(tmp_path: Path) -> None:
    config = a_config(tmp_path, **{"enabled = false": "enabled = true"})
    problems = "\n".join(examine(config, KEYS).problems)
    assert "consensus and ladder_maker may own the same line" in problems


def test_a_host_that_is_not_the_environment_s_is_refused(tmp_path: Path) -> None:
    config = a_config(
        tmp_path, **{"http://127.0.0.1:8460/partner": "https://cash.example.com/partner"}
    )
    assert any("counts as production" in line for line in examine(config, KEYS).problems)


def test_a_missing_strategies_folder_is_named(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    for file in (tmp_path / "strategies").iterdir():
        file.unlink()
    (tmp_path / "strategies").rmdir()
    problems = examine(config, KEYS).problems
    assert any(str(tmp_path / "strategies") in line for line in problems)


def test_check_prints_and_exits_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    assert execute(["check", "--config", str(a_config(tmp_path))]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("missing; set MMBOT_") == 2
    assert "strategy consensus (consensus.py): enabled" in shown.out


def test_strategies_lists_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["strategies", "--config", str(a_config(tmp_path))]) == 0
    assert "consensus.py" in capsys.readouterr().out
