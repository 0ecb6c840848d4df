"""The journal: all of a commit or nothing, durable, one owner, and readable by others."""
# faults: H1 H5 H7 H16

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.entries import (
    Entry,
    OperatorNoted,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
    TransactionBooked,
)
from mmbot.domain.errors import SetUpError
from mmbot.engine.ledger import Ledger
from mmbot.store.codec import KINDS, decode, encode
from mmbot.store.journal import Journal, JournalError, export_orders, pnl_cents
from tests.builders import (
    NOW,
    PREFIX,
    RUN,
    a_ledger,
    a_report,
    a_row,
    an_order,
    ident,
    lines_of,
    seen,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal.open(path, busy_timeout_s=0.05)
    yield journal
    journal.close()


def a_life() -> tuple[Ledger, list[Entry]]:
    """One order from intent to money."""
    ledger = a_ledger()
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    ledger.apply(seen(a_report(order, filled=40_00)), NOW)
    ledger.want_cancel(order.external_id, NOW)
    ledger.apply(seen(a_report(order, filled=40_00, open_cents=0)), NOW)
    done = a_report(order, filled=40_00, status="closed", winning_status="profit")
    ledger.apply(seen(done), NOW)
    return ledger, [RunStarted(RUN, NOW), *ledger.drain().entries]


def test_what_was_appended_is_replayed_in_order(journal: Journal) -> None:
    ledger, entries = a_life()
    journal.append(entries[:2])
    journal.append(entries[2:])
    again = Ledger(PREFIX, line_of=lines_of())
    read = list(journal.replay())
    for entry in read:
        again.replay(entry)
    assert read == entries
    assert again.orders() == ledger.orders()
    assert again.exposures() == ledger.exposures()


def test_entries_survive_the_process_that_died_right_after_the_commit(path: Path) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from mmbot.domain.entries import RunStarted\n"
        "from mmbot.store.journal import Journal\n"
        "Journal.open(Path(sys.argv[1])).append([RunStarted('abc', 7)])\n"
        "os._exit(9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 9
    journal = Journal.open(path)  # the lock went with the process
    assert list(journal.replay()) == [RunStarted("abc", 7)]
    journal.close()


def test_a_commit_that_fails_keeps_nothing_of_it(journal: Journal, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="could not be written"):
        journal.append([RunStarted(RUN, NOW)])
    other.execute("ROLLBACK")
    other.close()
    assert list(journal.replay()) == []
    journal.append([RunStarted(RUN, NOW)])  # and it works again
    assert len(list(journal.replay())) == 1


def test_a_full_disk_keeps_nothing_and_is_said(journal: Journal, path: Path) -> None:
    journal.append([RunStarted(RUN, NOW)])
    before = list(journal.replay())
    fill = [OperatorNoted("pause", "me", "x" * 100_000, NOW)] * 20
    with closing(sqlite3.connect(path)) as other:
        pages = other.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(JournalError, match="full"):
        journal.append(fill)
    assert list(journal.replay()) == before
    journal.append([SettlementSeen(ident(), "profit", NOW)])  # small ones still fit


def test_a_second_owner_is_refused_in_one_line(journal: Journal, path: Path) -> None:
    with pytest.raises(SetUpError, match="in use by another mmbot") as caught:
        Journal.open(path)
    assert "\n" not in str(caught.value)
    journal.append([RunStarted(RUN, NOW)])  # the first one goes on


def test_others_may_read_while_the_owner_writes(journal: Journal, path: Path) -> None:
    _, entries = a_life()
    journal.append(entries)
    journal.append(
        [
            TransactionBooked(a_row("1", 1_000_00, "DEPOSIT"), NOW),
            TransactionBooked(a_row("2", -40_00), NOW),
            TransactionBooked(a_row("3", 99_00, "PAY"), NOW),
            TransactionBooked(a_row("3", 99_00, "PAY"), NOW),
            TransactionBooked(a_row("4", -9_00, "ADJUSTMENT_REDUCE", event_id=501), NOW),
            TransactionBooked(a_row("5", 7_00, "ADJUSTMENT_INCREASE"), NOW),
        ]
    )
    assert export_orders(path) == [
        {
            "external_id": ident(),
            "order_id": f"theirs-{ident()}",
            "strike_id": "strike-home",
            "price": 150,
            "quantity_cents": 100_00,
            "filled_cents": 40_00,
            "state": "CANCELLED",
        }
    ]
    assert pnl_cents(path) == 50_00


def test_others_may_read_after_the_owner_has_gone(path: Path) -> None:
    journal = Journal.open(path)
    journal.append(a_life()[1])
    journal.close()
    assert len(export_orders(path)) == 1
    assert pnl_cents(path) == 0


def test_a_missing_ledger_is_not_created_by_looking(path: Path) -> None:
    with pytest.raises(SetUpError):
        export_orders(path)
    assert not path.exists()


def values_of(kind: object) -> st.SearchStrategy[Any]:
    """Any value that an entry's field may hold; numbers as large as the file can hold."""
    if isinstance(kind, NewType):
        return values_of(kind.__supertype__)
    if is_dataclass(kind) and isinstance(kind, type):
        return st.builds(kind, **{n: values_of(t) for n, t in get_type_hints(kind).items()})
    if get_origin(kind) in {Union, UnionType}:
        return st.one_of(*map(values_of, get_args(kind)))
    if get_origin(kind) is tuple:
        first, *rest = get_args(kind)
        if rest == [...]:
            return st.lists(values_of(first), max_size=3).map(tuple)
        return st.tuples(*map(values_of, (first, *rest)))
    if kind is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if kind is int:
        return st.integers(-(2**62), 2**62)
    assert isinstance(kind, type) or get_origin(kind) is Literal, kind
    return st.from_type(kind)  # type: ignore[arg-type] # a Literal is no type, and is understood


@settings(max_examples=20, deadline=None)
@given(st.data())
@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_of_entry_survives_the_file(kind: str, data: st.DataObject) -> None:
    entry = data.draw(values_of(KINDS[kind]))
    name, body = encode(entry)
    again = decode(name, body)
    assert name == kind
    assert again == entry
    assert type(again) is type(entry)


def test_every_entry_has_its_kind() -> None:
    assert set(get_args(Entry)) == set(KINDS.values())


def test_decoded_values_have_their_own_types() -> None:
    entry = decode(*encode(PlaceIntended(an_order(order_id=None))))
    assert isinstance(entry, PlaceIntended)
    assert is_dataclass(entry.order)
    for field in fields(entry.order):
        wanted = getattr(an_order(), field.name)
        assert type(getattr(entry.order, field.name)) is type(wanted)


def test_many_orders_start_in_a_moment(journal: Journal) -> None:
    """A fiftieth of what an installation may hold; the whole must start within 10 s."""
    ledger = a_ledger()
    for _ in range(2_000):
        order = an_order(ledger.next_external_id())
        ledger.intend(order)
        ledger.apply(seen(a_report(order)), NOW)
        ledger.apply(seen(a_report(order, status="canceled")), NOW)
    journal.append([RunStarted(RUN, NOW), *ledger.drain().entries])
    again = Ledger(PREFIX)
    for entry in journal.replay():
        again.replay(entry)
    assert len(again.orders()) == 2_000
    assert again.live() == ()
