"""One order's entries are found by either id or its beginning, with the attempts around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mmbot.domain.entries import Entry, OrderStepped, PlaceIntended, RunStarted
from mmbot.domain.errors import SetUpError
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.ids import OrderId
from mmbot.domain.notes import ManualSeen, RequestAnswered, RequestSent
from mmbot.domain.order import State, Step
from mmbot.store.journal import Journal
from mmbot.store.lookup import CANDIDATES_MAX, NoSuchOrder, find
from tests.builders import NOW, RUN, a_report, an_order, ident

LATER = "fedcba987654"
OPEN = Evidence(Kind.REPLY, "place", "open")


def opened(n: int, order_id: str, run: str = RUN) -> OrderStepped:
    one = ident(n, run)
    return OrderStepped(one, Step.SEEN_ALIVE, State.OPEN, 0, order_id, False, OPEN, NOW + 2)


def a_file(tmp_path: Path, entries: Sequence[Entry]) -> Path:
    path = tmp_path / "ledger.sqlite3"
    journal = Journal.open(path)
    journal.append(entries)
    journal.close()
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Orders 1, 2 and 12 of one run, and order 1 of the next, whose attempts are numbered anew."""
    human = a_report(an_order(), external_id=None, order_id=OrderId("by-hand-1"))
    entries: list[Entry] = [
        RunStarted(RUN, NOW, ("on_ladder",)),
        *(PlaceIntended(an_order(ident(n))) for n in (1, 2, 12)),
        RequestSent(1, "place", (ident(1), ident(2)), NOW + 1),
        opened(1, "theirs-a1"),
        RequestSent(2, "place", (ident(12),), NOW + 2),
        RequestAnswered(1, 200, "", ("open", "refused invalid_price"), NOW + 2),
        opened(12, "theirs-b1"),
        ManualSeen.of(human, OPEN, NOW + 3),
        RequestSent(3, "mass cancel", (), NOW + 4),
        RunStarted(LATER, NOW + 9),
        PlaceIntended(an_order(ident(1, LATER))),
        RequestSent(1, "cancel", (ident(1),), NOW + 10),
        RequestAnswered(1, 404, "", ("acknowledged",), NOW + 11),
        RequestAnswered(2, 200, "", ("of the later run",), NOW + 11),
        opened(1, "theirs-a1"),
    ]
    return a_file(tmp_path, entries)


@pytest.mark.parametrize("text", [ident(1), "theirs-a1", "theirs-a"])
def test_it_is_found_by_either_id_or_a_beginning(path: Path, text: str) -> None:
    assert find(path, text).ident == ident(1)


def test_an_id_is_itself_before_it_is_the_beginning_of_others(path: Path) -> None:
    assert find(path, ident(1)).ident == ident(1)  # and not 12
    with pytest.raises(NoSuchOrder, match="2 orders begin with theirs"):
        find(path, "theirs")
    with pytest.raises(NoSuchOrder, match=f"such as {ident(1)}, {ident(2)}, {ident(12)}:"):
        find(path, f"mm-{RUN}")


def test_a_beginning_of_every_order_is_not_counted_to_the_end(tmp_path: Path) -> None:
    many = [PlaceIntended(an_order(ident(n))) for n in range(1, CANDIDATES_MAX + 50)]
    with pytest.raises(NoSuchOrder, match=f"more than {CANDIDATES_MAX} orders begin with mm"):
        find(a_file(tmp_path, many), "mm")


@pytest.mark.parametrize("text", ["", "mm-none", '"', "theirs-a1x", "strike-home", "\udcff"])
def test_what_is_no_order_is_one_line(path: Path, text: str) -> None:
    with pytest.raises(NoSuchOrder) as told:
        find(path, text)
    assert "\n" not in str(told.value)


def test_the_answer_of_its_own_run_belongs_to_an_attempt(path: Path) -> None:
    found = find(path, ident(1))
    answers = [e for e in found.entries if isinstance(e, RequestAnswered)]
    assert [answer.status for answer in answers] == [200, 404]
    assert [e.what for e in found.entries if isinstance(e, RequestSent)] == [
        "place",
        "mass cancel",
        "cancel",
    ]
    assert find(path, ident(12)).entries[1:] == (
        RequestSent(2, "place", (ident(12),), NOW + 2),
        opened(12, "theirs-b1"),
    )  # its answer was never kept: a later run has another attempt of that number


def test_runs_in_its_life_are_part_of_it_and_its_own_run_is_told_apart(path: Path) -> None:
    found = find(path, ident(1))
    assert found.run == RunStarted(RUN, NOW, ("on_ladder",))
    assert [e.run for e in found.entries if isinstance(e, RunStarted)] == [LATER]
    assert find(path, ident(1, LATER)).run == RunStarted(LATER, NOW + 9)


def test_a_persons_order_is_found_by_its_only_id(path: Path) -> None:
    found = find(path, "by-hand")
    assert found.ident == "by-hand-1"
    assert len(found.entries) == 1


def test_a_file_that_is_none_is_a_wrong_set_up(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    file.write_text("no database")
    with pytest.raises(SetUpError):
        find(file, ident(1))
