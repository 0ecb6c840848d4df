"""`mmbot ledger`: backup, check and compact, each error one clear line."""
# faults: H7

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mmbot.cli.entry import execute
from mmbot.domain.entries import OperatorNoted
from mmbot.domain.ids import IdRange
from mmbot.store.checkpoint import Checkpoint
from mmbot.store.journal import Journal, export_orders
from tests.builders import NOW
from tests.store.test_checkpoint import a_day


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "ledger.sqlite3"
    with closing(Journal.open(file)) as journal:
        journal.append(list(a_day(20)))
    return file


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    return capsys


def run(path: Path, *words: str) -> int:
    return execute(["ledger", *words, "--ledger", str(path)])


def told(path: Path, said: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    code = run(path, *words, "--json")
    table: dict[str, Any] = json.loads(said.readouterr().out)
    assert code == (0 if table.get("good", True) else 1)
    return table


def complaint(said: pytest.CaptureFixture[str]) -> str:
    [line] = said.readouterr().err.splitlines()
    return line


FORGED = "forged"


def forge(path: Path) -> None:
    """A checkpoint, whole in itself, that leaves out an order which is live."""
    known = Checkpoint(82, (IdRange("mm-0123456789ab", 1, 21),), (1,))
    told = (known.through, msgspec.json.encode(known.spent), known.digest)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM carried WHERE seq > 1")
        connection.execute("UPDATE checkpoints SET through = ?, spent = ?, digest = ?", told)


def harm(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert connection.execute(statement).rowcount


def test_check_tells_what_is_in_the_file(path: Path, said: pytest.CaptureFixture[str]) -> None:
    found = told(path, said, "check")
    assert found["good"]
    assert (found["entries"], found["orders"], found["live_orders"]) == (82, 21, 1)
    assert found["kinds"] == {"intent": 21, "run": 1, "step": 60}
    assert found["oldest_ns"] == NOW
    assert found["replayed"] == 82
    assert found["bytes"] > 4096
    assert run(path, "check") == 0
    assert "21, 1 of them live" in said.readouterr().out


def test_check_works_while_the_daemon_has_the_file(
    path: Path, said: pytest.CaptureFixture[str]
) -> None:
    with closing(Journal.open(path)) as journal:
        journal.append([OperatorNoted("pause", "me", "", NOW)])
        assert told(path, said, "check")["entries"] == 83


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE entries SET body = CAST(replace(body, '150', '160') AS BLOB) WHERE seq = 2",
         "ledger entry 2 is damaged"),
        ("UPDATE entries SET kind = 'story' WHERE seq = 5", "ledger entry 5 is damaged"),
        ("DELETE FROM entries WHERE seq = 30", "1 entries are missing"),
        ("DELETE FROM entries WHERE seq = 2", "no intent of mm-0123456789ab-1 came before it"),
        ("UPDATE checkpoints SET digest = x'00'", "the checkpoint is damaged"),
        (FORGED, "the checkpoint is wrong about mm-0123456789ab-21"),
    ],
)  # fmt: skip
def test_check_names_what_is_wrong(
    path: Path, said: pytest.CaptureFixture[str], statement: str, finding: str
) -> None:
    assert run(path, "compact") == 0
    if statement == FORGED:
        forge(path)
    else:
        harm(path, statement)
    said.readouterr()
    found = told(path, said, "check")
    assert not found["good"]
    assert any(finding in one for one in found["findings"]), found["findings"]
    assert run(path, "check") == 1
    shown = said.readouterr()
    assert "BAD" in shown.out
    assert finding in shown.err


def test_compact_lets_a_start_replay_less_and_keeps_every_order(
    path: Path, said: pytest.CaptureFixture[str]
) -> None:
    before = export_orders(path)
    made = told(path, said, "compact")
    assert made == {"through": 82, "replayed": 2, "orders_left_out": 20}
    assert export_orders(path) == before
    found = told(path, said, "check")
    assert (found["replayed"], found["entries"], found["good"]) == (2, 82, True)


def test_compact_waits_for_the_daemon_to_be_down(
    path: Path, said: pytest.CaptureFixture[str]
) -> None:
    with closing(Journal.open(path)):
        assert run(path, "compact") == 2
        assert "in use by another mmbot" in complaint(said)


def test_a_backup_is_the_ledger_of_one_moment(
    path: Path, tmp_path: Path, said: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copies" / "copy.sqlite3"
    copy.parent.mkdir()
    with closing(Journal.open(path)) as journal:
        found = told(path, said, "backup", str(copy))
        assert (found["path"], found["entries"], found["good"]) == (str(copy), 82, True)
        journal.append([OperatorNoted("pause", "me", "", NOW)])
    assert [one.name for one in copy.parent.iterdir()] == ["copy.sqlite3"]
    assert copy.stat().st_mode & 0o077 == 0
    with closing(Journal.open(copy)) as restored, closing(Journal.open(path)) as ours:
        assert list(restored.replay()) == list(ours.replay())[:-1]


def test_a_backup_replaces_nothing_unasked(
    path: Path, tmp_path: Path, said: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy.sqlite3"
    copy.write_text("precious")
    assert run(path, "backup", str(copy)) == 2
    assert "--force replaces it" in complaint(said)
    assert copy.read_text() == "precious"
    assert run(path, "backup", str(copy), "--force") == 0
    assert len(export_orders(copy)) == 21


def test_a_bad_ledger_gives_no_backup(
    path: Path, tmp_path: Path, said: pytest.CaptureFixture[str]
) -> None:
    harm(path, "DELETE FROM entries WHERE seq = 30")
    copy = tmp_path / "copy.sqlite3"
    copy.write_text("the last good one")
    assert run(path, "backup", str(copy), "--force") == 2
    assert "not made, the copy is bad: 1 entries are missing" in complaint(said)
    assert copy.read_text() == "the last good one"
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.parametrize("target", ["ledger.sqlite3", "none/copy.sqlite3", "."])
def test_a_backup_that_cannot_be_is_refused_in_one_line(
    path: Path, tmp_path: Path, said: pytest.CaptureFixture[str], target: str
) -> None:
    before = path.read_bytes()
    assert run(path, "backup", str(tmp_path / target), "--force") == 2
    complaint(said)
    assert path.read_bytes() == before


@pytest.mark.parametrize("words", [["check"], ["compact"], ["backup", "copy.sqlite3"]])
def test_no_ledger_is_one_line(
    tmp_path: Path, said: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert run(tmp_path / "none.sqlite3", *words) == 2
    assert "there is no ledger yet" in complaint(said)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_ledger_is_one_line(tmp_path: Path, said: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("dear reader " * 1000)
    assert run(other, "check") == 2
    assert "damaged" in complaint(said)
