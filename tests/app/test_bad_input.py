"""Wrong set-up: one clear line that says what and where, the right exit code, nothing begun."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.stage import REPOSITORY, Box, Daemon, box, daemon, free_port, one_line

LOGIN = "login"


@pytest.fixture(scope="module")
def exchange() -> Iterator[Box]:
    with box() as running:
        yield running


@pytest.fixture
def bad(tmp_path: Path, exchange: Box) -> Iterator[Daemon]:
    """A daemon with a good configuration; each test spoils one thing."""
    with daemon(tmp_path, exchange.port) as made:
        yield made


def requests(exchange: Box) -> int:
    return int(exchange.record["requests"]["total"])


def test_an_unknown_key_of_the_configuration(bad: Daemon, exchange: Box) -> None:
    bad.settings["risk"]["line_loss_max_us"] = 5
    before = requests(exchange)
    code, said = bad.refused()
    assert code == 2
    line = one_line(said)
    assert str(bad.config) in line
    assert "[risk] line_loss_max_us: unknown key (did you mean line_loss_max_usd?)" in line
    assert not bad.state_dir.exists()
    assert requests(exchange) == before


def test_a_missing_secret(bad: Daemon, exchange: Box) -> None:
    del bad.environ["MMBOT_SECRET_KEY"]
    code, said = bad.refused()
    assert code == 2
    line = one_line(said)
    assert "secret_key: missing" in line
    assert "MMBOT_SECRET_KEY" in line
    assert not bad.state_dir.exists()


def test_an_exchange_that_does_not_answer(bad: Daemon) -> None:
    nobody = free_port()
    bad.settings["exchange"]["base_url"] = f"http://127.0.0.1:{nobody}/partner"
    code, said = bad.refused()
    assert code == 1
    line = one_line(said)
    assert f"127.0.0.1:{nobody}" in line
    assert "base_url" in line


def test_a_wrong_key(bad: Daemon, exchange: Box) -> None:
    bad.environ["MMBOT_SECRET_KEY"] = "not-the-secret-of-this-account"
    code, said = bad.refused()
    assert code == 2
    line = one_line(said)
    assert "check the access key, the secret key" in line
    assert "not-the-secret" not in said
    assert exchange.open_orders == 0


def test_a_ladder_that_cannot_be_loaded(bad: Daemon, exchange: Box) -> None:
    exchange.post("faults", ladder_empty=True)
    try:
        code, said = bad.refused()
    finally:
        exchange.post("faults", ladder_empty=False)
    assert code in {1, 2}
    assert "ladder" in one_line(said)
    assert exchange.record["orders"] == []


def test_a_broken_strategy_burns_no_log_in(bad: Daemon, exchange: Box, tmp_path: Path) -> None:
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "consensus.py").write_text("def quotes(:\n", encoding="utf-8")
    bad.settings["strategies_dir"] = str(folder)
    before = requests(exchange)
    code, said = bad.refused()
    assert code == 2
    line = one_line(said)
    assert f"{folder / 'consensus.py'}:1" in line
    assert "SyntaxError" in line
    assert requests(exchange) == before


def test_an_admin_port_in_use_burns_no_log_in(bad: Daemon, exchange: Box) -> None:
    before = requests(exchange)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", bad.admin_port))
        taken.listen()
        code, said = bad.refused()
    assert code == 2
    line = one_line(said)
    assert "[admin] port" in line
    assert str(bad.admin_port) in line
    assert requests(exchange) == before
    assert exchange.record["orders"] == []


def test_a_file_in_the_place_of_the_state_folder(bad: Daemon, exchange: Box) -> None:
    bad.state_dir.write_text("", encoding="utf-8")
    before = requests(exchange)
    code, said = bad.refused()
    assert code == 2
    assert f"state_dir: {bad.state_dir}" in one_line(said)
    assert requests(exchange) == before


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a folder that refuses root")
def test_a_state_folder_that_cannot_be_written(bad: Daemon, exchange: Box) -> None:
    bad.settings["state_dir"] = "/sys/kernel"
    before = requests(exchange)
    code, said = bad.refused()
    assert code == 2
    line = one_line(said)
    assert "/sys/kernel" in line
    assert "cannot be" in line
    assert requests(exchange) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_folder_of_somebody_else(bad: Daemon, exchange: Box) -> None:
    bad.state_dir.mkdir(mode=0o500)
    code, said = bad.refused()
    assert code == 2
    assert str(bad.state_dir) in one_line(said)


def test_a_second_daemon_on_the_same_folder(bad: Daemon, exchange: Box) -> None:
    bad.start()
    bad.until_quoting(1)
    before = exchange.record["requests"]["by_route"].get("auth/login")
    other = free_port()
    bad.settings["admin"]["port"] = other
    code, said = bad.refused()
    assert code == 2
    line = one_line(said)
    assert "ledger.sqlite3: in use by another mmbot (process " in line
    assert exchange.record["requests"]["by_route"].get("auth/login") == before
    assert bad.running
    assert bad.stop() == 0


def test_a_wrong_option_of_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mmbot", "run", "--config"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--config" in one_line(done.stderr)
