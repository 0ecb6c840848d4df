"""The halt latch: a name on disk that anybody can set and only a resume takes away."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmbot.store.latch import HaltLatch


def a_latch(folder: Path) -> HaltLatch:
    latch = HaltLatch(folder)
    latch.prepare()
    return latch


def test_it_survives_and_tells_who_and_why(tmp_path: Path) -> None:
    a_latch(tmp_path).latch("ann: odds look wrong\n")
    again = a_latch(tmp_path)
    assert again.latched
    assert again.reason == "ann: odds look wrong"


def test_the_first_reason_stays(tmp_path: Path) -> None:
    latch = a_latch(tmp_path)
    for n in range(10):
        latch.latch(f"pull {n}")
    assert latch.reason == "pull 0"


def test_the_words_of_an_old_halt_are_not_those_of_the_next(tmp_path: Path) -> None:
    latch = a_latch(tmp_path)
    latch.latch("old")
    latch.release()
    assert not latch.latched
    latch.latch()
    assert latch.reason == ""


def test_a_dropped_file_is_a_halt_and_can_be_resumed(tmp_path: Path) -> None:
    latch = a_latch(tmp_path)
    (tmp_path / "HALTED").touch()
    assert a_latch(tmp_path).latched
    latch.release()
    assert not latch.latched
    latch.latch()
    assert latch.latched


def test_it_needs_no_prepared_file(tmp_path: Path) -> None:
    latch = a_latch(tmp_path)
    (tmp_path / "halt.ready").unlink()
    latch.latch()
    assert HaltLatch(tmp_path).latched


def test_without_space_for_words_the_name_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    latch = a_latch(tmp_path)
    monkeypatch.setattr(Path, "write_text", full)
    latch.latch("ann: why")
    assert HaltLatch(tmp_path).latched
    assert latch.reason == ""


def test_who_cannot_read_it_is_halted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sick(self: Path) -> bool:
        raise OSError(5, "Input/output error")

    latch = a_latch(tmp_path)
    monkeypatch.setattr(Path, "exists", sick)
    assert latch.latched
