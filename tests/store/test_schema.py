"""The ledger file: migrated step by step, checked at start, refused in one line."""
# faults: H7 H8

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from mmbot.domain.entries import RunStarted
from mmbot.domain.errors import SetUpError
from mmbot.store import schema
from mmbot.store.journal import Journal, export_orders, read_entries


def open_and_close(path: Path) -> None:
    Journal.open(path, busy_timeout_s=0.05).close()


def pragma(path: Path, name: str) -> object:
    connection = sqlite3.connect(path)
    value = connection.execute(f"PRAGMA {name}").fetchone()[0]
    connection.close()
    return value


def test_a_new_file_is_durable_and_has_the_current_version(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ledger.sqlite3"
    open_and_close(path)
    assert pragma(path, "user_version") == schema.VERSION
    assert pragma(path, "journal_mode") == "wal"


def test_every_commit_is_synchronous(tmp_path: Path) -> None:
    connection = schema.connect(tmp_path / "ledger.sqlite3")
    full = 2
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == full
    connection.close()


def test_the_account_is_in_every_table(tmp_path: Path) -> None:
    connection = schema.connect(tmp_path / "ledger.sqlite3")
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
    assert "entries" in tables
    for table in tables:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        assert "account" in columns
    connection.close()


def test_accounts_do_not_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    first = Journal.open(path, account="a")
    first.append([RunStarted("ra", 1)])
    first.close()
    second = Journal.open(path, account="b")
    assert list(second.replay()) == []
    second.close()
    assert export_orders(path, account="b") == []


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    open_and_close(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()
    for use in (open_and_close, export_orders):
        with pytest.raises(SetUpError, match="newer than this mmbot") as caught:
            use(path)
        assert "\n" not in str(caught.value)
    assert pragma(path, "user_version") == 99


def test_a_migration_that_fails_half_way_leaves_the_version_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.sqlite3"
    journal = Journal.open(path)
    journal.append([RunStarted("r", 1)])
    journal.close()
    broken = (*schema.MIGRATIONS, ("CREATE TABLE half (x)", "THIS IS NO SQL"))
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", broken)
        patch.setattr(schema, "VERSION", len(broken))
        with pytest.raises(SetUpError):
            open_and_close(path)
    assert pragma(path, "user_version") == schema.VERSION
    journal = Journal.open(path)  # unharmed
    assert list(journal.replay()) == [RunStarted("r", 1)]
    journal.close()


@pytest.mark.parametrize("statements", range(len(schema.MIGRATIONS[1])))
def test_a_file_of_the_first_schema_survives_a_migration_that_stops_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statements: int
) -> None:
    path = tmp_path / "ledger.sqlite3"
    first, second = schema.MIGRATIONS[:2]
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (first,))
        patch.setattr(schema, "VERSION", 1)
        open_and_close(path)
    connection = sqlite3.connect(path)
    row = ("main", "run", b'{"run":"r","at_ns":1}')
    connection.execute("INSERT INTO entries (account, kind, body) VALUES (?, ?, ?)", row)
    connection.commit()
    connection.close()
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (first, (*second[:statements], "THIS IS NO SQL")))
        with pytest.raises(SetUpError):
            open_and_close(path)
    assert pragma(path, "user_version") == 1
    assert read_entries(path) == [RunStarted("r", 1)]
    for _ in range(2):
        journal = Journal.open(path)
        assert list(journal.replay()) == list(journal.recall().entries) == [RunStarted("r", 1)]
        journal.close()
    assert pragma(path, "user_version") == schema.VERSION


@pytest.mark.parametrize("harm", ["no database", "torn page"])
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "ledger.sqlite3"
    journal = Journal.open(path)
    journal.append([RunStarted(f"run{n}", n) for n in range(2000)])
    journal.close()
    content = bytearray(path.read_bytes())
    if harm == "no database":
        content[:100] = b"x" * 100
    else:
        middle = len(content) // 2 // 4096 * 4096
        content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(bytes(content))
    with pytest.raises(SetUpError, match="damaged") as caught:
        open_and_close(path)
    assert "\n" not in str(caught.value)


def test_a_locked_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SetUpError, match="locked"):
        open_and_close(path)
    other.close()
    open_and_close(path)


def test_a_place_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(SetUpError, match="cannot be written"):
        open_and_close(blocked / "ledger.sqlite3")
    folder = tmp_path / "ledger.sqlite3"
    folder.mkdir()
    with pytest.raises(SetUpError, match="cannot be"):
        open_and_close(folder)


def test_an_unreadable_entry_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    journal = Journal.open(path)
    journal.append([RunStarted("r", 1)])
    for kind, body in (("step", b"{}"), ("future", b"{}")):
        connection = sqlite3.connect(path)
        connection.execute("UPDATE entries SET kind = ?, body = ?", (kind, body))
        connection.commit()
        connection.close()
        with pytest.raises(SetUpError, match="ledger entry 1"):
            list(journal.replay())
    journal.close()


def test_the_log_does_not_grow_while_orders_are_written_nor_lose_any(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    journal, wal = Journal.open(path), Path(f"{path}-wal")
    at_first = wal.stat().st_size
    entries = [RunStarted(f"{n:012x}", n) for n in range(2_500)]  # two rounds through the log
    for entry in entries:
        journal.append([entry])
    assert wal.stat().st_size == at_first
    crashed = tmp_path / "crashed"
    shutil.copytree(tmp_path, crashed)  # as a kill leaves it: zeros behind the last commit
    again = Journal.open(crashed / path.name)
    assert list(again.replay()) == entries
    again.close()
    journal.close()
