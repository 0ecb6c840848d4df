"""What a person meets first: help, and errors in one clear line with the promised exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from mmbot.cli import entry
from mmbot.cli.entry import execute
from mmbot.domain.errors import MmbotError, Refused, SetUpError, Stop

COMMANDS = (
    "demo", "run", "check", "exchange", "simulate", "status", "orders", "positions", "fills",
    "pnl", "probe",
    "halt", "resume", "cancel-all", "strategies", "bench",
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--help"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert set(COMMANDS) <= listed


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_shows_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute([command, "--help"]) == 0
    assert "Example: m" in capsys.readouterr().out


def test_nothing_said_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([]) == 0
    assert "Start here: mmbot demo" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mmbot ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-thing"], "No such command 'no-such-thing'"),
        (["run"], "Missing option '--config'"),
        (["demo", "--wrong"], "No such option: --wrong"),
        (["demo", "--seed", "seven"], "Invalid value for '--seed'"),
        (["simulate", "--seeds", "9..2"], "2 is before 9"),
        (["simulate", "--seeds", "some"], "write one number or A..B"),
        (["demo", "--duration", "3"], "--duration: 3 is not between 15 s and a day"),
        (["demo", "--latency", "warp"], "'warp' is neither loopback nor venue"),
        (["demo", "--data", "/no/such/folder"], "--data: /no/such/folder is not a folder"),
        (["run", "--config", "/no/such.toml"], "/no/such.toml: cannot be read"),
    ],
)
def test_wrong_use_is_one_line_on_stderr_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(arguments) == 2
    shown = capsys.readouterr()
    lines = [line for line in shown.err.splitlines() if said in line]
    assert len(lines) == 1
    assert shown.out == ""
    assert "Traceback" not in shown.err


def failing_application(error: BaseException) -> typer.Typer:
    app = typer.Typer()

    def fail() -> None:
        raise error

    app.command()(fail)
    return app


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SetUpError("wrong key"), 2, "mmbot: wrong key\n"),
        (Stop("the disk is full"), 1, "mmbot: the disk is full\n"),
        (Refused("invalid_price", "off the ladder", 400), 1, "mmbot: invalid_price: off "),
        (KeyboardInterrupt(), 130, ""),
        (ExceptionGroup("tasks", [Stop("follow-up"), SetUpError("cause")]), 2, "mmbot: cause\n"),
        (SetUpError("a\nb"), 2, "mmbot: a\nmmbot: b\n"),
    ],
)
def test_known_errors_become_lines_and_codes(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(entry, "application", lambda: failing_application(error))
    assert execute([]) == code
    assert capsys.readouterr().err.startswith(said)


def test_a_bug_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    group = ExceptionGroup("tasks", [KeyError("bug")])
    monkeypatch.setattr(entry, "application", lambda: failing_application(group))
    with pytest.raises(ExceptionGroup):
        execute([])


def test_every_known_error_has_a_message_of_one_line() -> None:
    assert issubclass(SetUpError, MmbotError)
    assert "\n" not in str(Refused("code", "message", 400))


def test_help_is_fast_because_no_subsystem_is_loaded() -> None:
    probe = (
        "import sys; from mmbot.cli.entry import execute; execute(['--help']);"
        "heavy = {'numpy', 'aiohttp', 'pydantic', 'websockets', 'structlog', 'rich', 'msgspec'};"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_python_dash_m_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mmbot", "no-such-thing"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("mmbot: No such command")
