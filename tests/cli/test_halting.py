"""`mmbot halt` tries every way there is and waits for the proof; `mmbot resume` asks twice."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmbot.cli import halting
from mmbot.cli.entry import execute
from mmbot.store.latch import HaltLatch
from tests.cli.admin_port import AdminPort, an_admin_port

NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def admin() -> Iterator[AdminPort]:
    with an_admin_port() as port:
        yield port


@pytest.fixture
def config(tmp_path: Path, admin: AdminPort) -> str:
    """A configuration whose daemon is the played one, with a state_dir of its own."""
    text = Path("config/simulator.toml").read_text(encoding="utf-8")
    state = tmp_path / "state"
    state.mkdir()
    text = re.sub(r"(?m)^state_dir = .*", f'state_dir = "{state}"', text)
    path = tmp_path / "mmbot.toml"
    path.write_text(with_port(text, admin.address.rpartition(":")[2]), encoding="utf-8")
    return str(path)


def with_port(text: str, port: str) -> str:
    return re.sub(r"(?m)^port = .*", f"port = {port}", text)


def latch(tmp_path: Path) -> HaltLatch:
    return HaltLatch(tmp_path / "state")


Shown = pytest.CaptureFixture[str]


def test_a_halt_is_said_latched_and_waited_for(
    admin: AdminPort, config: str, tmp_path: Path, capsys: Shown
) -> None:
    assert execute(["halt", "--reason", "looks wrong", "--config", config]) == 0
    [(path, said)] = admin.said
    assert (path, said["reason"]) == ("/halt", "looks wrong")
    assert said["who"]
    assert latch(tmp_path).reason.endswith(": looks wrong")
    assert "nothing of ours is alive, proven by a read" in capsys.readouterr().out


def test_a_halt_that_leaves_orders_open_fails(admin: AdminPort, capsys: Shown) -> None:
    admin.open_orders = 3
    assert execute(["halt", "--admin", admin.address, "--wait-s", "0", "--json"]) == 1
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert (found["heard"], found["flat"], found["open_orders"]) == (True, False, 3)
    assert "not proven flat after 0 s: 3 open" in shown.err


def test_a_daemon_that_does_not_halt_is_no_success(admin: AdminPort, capsys: Shown) -> None:
    admin.deaf = True
    assert execute(["halt", "--admin", admin.address, "--wait-s", "0"]) == 1
    assert "does not say that it is halted; NOT latched" in capsys.readouterr().err


def test_a_daemon_that_refuses_the_word_may_find_the_file(
    admin: AdminPort, config: str, tmp_path: Path
) -> None:
    admin.refuse, admin.mode = True, "HALTED"  # by its own look at the file
    assert execute(["halt", "--config", config]) == 0
    assert latch(tmp_path).latched


def test_without_a_daemon_the_halt_is_latched_and_nothing_else_is_claimed(
    config: str, tmp_path: Path, capsys: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path(config).read_text(encoding="utf-8")
    Path(config).write_text(with_port(text, "1"), encoding="utf-8")
    monkeypatch.setattr(halting, "SILENT_MAX_S", 0.0)
    assert execute(["halt", "--config", config]) == 1
    said = capsys.readouterr().err
    assert "no daemon answers" in said
    assert "was NOT cancelled by this command" in said
    assert latch(tmp_path).latched
    assert execute(["resume", "--config", config]) == 2
    assert latch(tmp_path).latched
    assert execute(["resume", "--config", config, "--yes", "--yes"]) == 0
    assert not latch(tmp_path).latched
    assert execute(["resume", "--config", config, "--yes", "--yes"]) == 1  # nothing to lift


def test_a_resume_of_a_halt_wants_two_answers(admin: AdminPort, capsys: Shown) -> None:
    admin.mode = "HALTED"
    for too_few in ([], ["--yes"]):
        assert execute(["resume", "--admin", admin.address, *too_few]) == 2
    assert "halted by ann: odds look wrong: resume asks twice" in capsys.readouterr().err
    assert not admin.said
    assert execute(["resume", "--admin", admin.address, "-y", "-y", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["resumed"] is True
    assert admin.said[0][0] == "/resume"


def test_a_pause_is_lifted_without_a_question(admin: AdminPort) -> None:
    assert execute(["resume", "--reason", "checked", "--admin", admin.address]) == 0
    assert admin.said[0][1]["reason"] == "checked"


class Terminal:
    """A person who types these lines."""

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)

    def isatty(self) -> bool:
        return True

    def readline(self, _: int = -1) -> str:
        return self._lines.pop(0) + "\n" if self._lines else ""


@pytest.mark.parametrize(
    ("typed", "code"), [(("y", "resume"), 0), (("n",), 130), (("y", "yes"), 1), (("y", ""), 1)]
)
def test_a_person_is_asked_twice(
    admin: AdminPort, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...], code: int
) -> None:
    admin.mode = "HALTED"
    monkeypatch.setattr(sys, "stdin", Terminal(*typed))
    assert execute(["resume", "--admin", admin.address]) == code
    assert bool(admin.said) is (code == 0)


def test_one_yes_leaves_the_second_question(
    admin: AdminPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.mode = "HALTED"
    monkeypatch.setattr(sys, "stdin", Terminal("resume"))
    assert execute(["resume", "--admin", admin.address, "--yes"]) == 0
    assert admin.said
