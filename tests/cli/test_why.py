"""`mmbot why`: the story on the screen and for programs, out of a ledger file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmbot.cli.entry import execute
from mmbot.cli.why import COLUMNS
from mmbot.domain.entries import PlaceIntended, RunStarted
from mmbot.domain.order import State, Step
from mmbot.store.journal import Journal
from tests.builders import NOW, PREFIX, RUN, SECOND, a_ledger, a_report, an_order, ident, seen


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Order 1 was filled in part and cancelled a minute later; order 2 waits for its answer."""
    ledger = a_ledger()
    first, second = an_order(ident(1), intended_ns=NOW), an_order(ident(2))
    ledger.intend(first)
    ledger.apply(seen(a_report(first, filled=4_000)), NOW + 1_500_000)
    ledger.want_cancel(first.external_id, NOW + 60 * SECOND, "no quote is wanted")
    ledger.apply(seen(a_report(first, filled=4_000, status="canceled")), NOW + 3_700 * SECOND)
    ledger.intend(second)
    file = tmp_path / "ledger.sqlite3"
    journal = Journal.open(file)
    journal.append([RunStarted(RUN, NOW), *ledger.drain().entries])
    journal.close()
    return file


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert execute(["why", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_whole_story_fits_the_screen(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, ident(1), "--ledger", str(file))
    assert lines[0] == f"{ident(1)}, order theirs-{ident(1)}: CANCELLED"
    assert max(len(line) for line in lines) <= COLUMNS
    heads = [line[:15].strip() for line in lines[2:] if line[:15].strip()]
    assert heads == [
        "+0.000000 s",
        "+0.001500 s",
        "+0:01:00 h",
        "+1:01:40 h",
        "in the end",
        "not proven",
    ]
    text = " ".join(" ".join(lines).split())
    assert "cancel wanted: no quote is wanted" in text
    assert "it ended CANCELLED, 40.00 of 100.00 filled; a private message proved it" in text


def test_the_exchanges_id_and_a_beginning_do_as_well(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = shown(capsys, ident(1), "--ledger", str(file))
    assert shown(capsys, f"theirs-{PREFIX}", "--ledger", str(file)) == whole


def test_json_holds_the_sentences_and_what_they_were_made_of(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [line] = shown(capsys, ident(1), "--ledger", str(file), "--json")
    told = json.loads(line)
    assert (told["id"], told["order"]["state"]) == (ident(1), State.CANCELLED)
    assert told["ended_by"]["kind"] == "message"
    kinds = [one["kind"] for one in told["story"]]
    assert kinds[0] == PlaceIntended.__name__
    assert told["story"][-1]["entry"]["step"] == Step.CANCEL_CONFIRMED
    assert told["story"][-1]["after_ns"] == 3_700 * SECOND
    [line] = shown(capsys, ident(2), "--ledger", str(file), "--json")
    assert "whether it reached the exchange" in json.loads(line)["unproven"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("mm-nobody-1", "knows no order mm-nobody-1"), (f"mm-{RUN}", "2 orders begin with")],
)
def test_an_order_that_is_not_one_is_one_clear_line(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, reason: str
) -> None:
    assert execute(["why", text, "--ledger", str(file)]) == 1
    told = capsys.readouterr()
    assert not told.out
    [line] = told.err.splitlines()
    assert reason in line


def test_no_ledger_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["why", "mm-1", "--ledger", str(tmp_path / "none.sqlite3")]) == 2
    assert "there is no ledger yet" in capsys.readouterr().err
