"""The breaks are different, explained, and break something."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.__main__ import main
from tests.mutation.breaks import Break, StaleBreak
from tests.mutation.catalogue import BREAKS, BY_NAME, TO_CATCH


def test_there_are_enough_of_them_and_each_has_its_own_name() -> None:
    assert len(TO_CATCH) >= 25
    assert len(BY_NAME) == len(BREAKS)


@pytest.mark.parametrize("one", BREAKS, ids=lambda one: one.name)
def test_a_break_changes_something_and_says_why(one: Break) -> None:
    assert one.old != one.new
    assert one.why or one.equivalent
    assert not one.beside or BY_NAME[one.beside].file != one.file
    assert one.file.startswith("mmbot/")


def test_a_text_that_is_not_there_once_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text("a\nb\nb\n")
    Break("a", "file.py", "a\n", "c\n", "why").apply(tmp_path)
    assert (tmp_path / "file.py").read_text() == "c\nb\nb\n"
    for text in ("a\n", "b\n"):
        with pytest.raises(StaleBreak):
            Break("b", "file.py", text, "", "why").apply(tmp_path)


def test_a_name_that_no_break_has_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "no such break"]) == 2
    assert "no such break" in capsys.readouterr().err
