"""The look at the whole file at a start: it finds what is broken, and never takes long."""
# faults: H7 H16

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mmbot.domain.entries import OperatorNoted
from mmbot.store import integrity, schema
from mmbot.store.integrity import finding
from mmbot.store.journal import Journal

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "ledger.sqlite3"
    with closing(Journal.open(file)) as journal:
        journal.append([OperatorNoted("pause", "me", "x" * 1_000, n) for n in range(3_000)])
    return file


def test_a_whole_file_and_a_broken_one(path: Path) -> None:
    with closing(schema.connect_to_read(path)) as connection:
        assert finding(connection, path, 20.0) == ""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with closing(schema.connect_to_read(path)) as connection:
        found = finding(connection, path, 20.0)
    assert found
    assert "\n" not in found


@pytest.mark.parametrize("small_bytes", [0, integrity.SMALL_BYTES])
def test_no_time_is_no_finding(
    path: Path, monkeypatch: pytest.MonkeyPatch, small_bytes: int
) -> None:
    monkeypatch.setattr(integrity, "SMALL_BYTES", small_bytes)
    with closing(schema.connect_to_read(path)) as connection:
        assert finding(connection, path, max_s=0.0) is None
        assert finding(connection, path, max_s=20.0) == ""  # the connection is as it was


class Slow(sqlite3.Connection):
    """Its walk through the file never ends by itself."""

    def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
        return super().execute(ENDLESS if "integrity" in sql else sql, *more)


def test_the_alarm_clock_ends_a_long_walk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "SMALL_BYTES", 0)
    with closing(sqlite3.connect(path, factory=Slow, check_same_thread=False)) as connection:
        assert finding(connection, path, max_s=0.2) is None
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (3_000,)


def test_a_start_goes_on_when_the_time_was_not_enough(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "CHECK_MAX_S", 0.0)
    with closing(Journal.open(path)) as journal:
        assert len(list(journal.replay())) == 3_000
