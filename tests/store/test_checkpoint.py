"""Compaction: a start replays less and knows the same; no entry is changed or lost."""
# faults: H1 H16

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.entries import (
    BreakerTripped,
    EdgeNoted,
    Entry,
    OperatorNoted,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    SettlementSeen,
)
from mmbot.domain.errors import SetUpError
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.ids import IdRange, LineId
from mmbot.domain.order import State, Step
from mmbot.engine.ledger import ARRIVAL_BOUND_NS, Ledger
from mmbot.engine.tombstones import HOUR_NS
from mmbot.store import checkpoint
from mmbot.store.checkpoint import NO_CHECKPOINT, Checkpoint, make
from mmbot.store.codec import encode
from mmbot.store.journal import Journal
from mmbot.store.lives import CLOSED_FOR_NS
from mmbot.store.rows import Row, entry_of, seal
from tests.builders import (
    NOW,
    PREFIX,
    RUN,
    SECOND,
    a_ledger,
    a_report,
    an_open_order,
    an_order,
    ident,
    lines_of,
    seen,
)
from tests.engine.test_ledger_replay import World, ops, same

NEXT_RUN = "fedcba987654"
HOUR = 3_600 * SECOND


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new checkpoint after every few entries."""
    monkeypatch.setattr(checkpoint, "TAIL_ENTRIES_MAX", 3)


def rows(entries: Iterable[Entry]) -> list[Row]:
    made: list[Row] = []
    for seq, entry in enumerate(entries, start=1):
        kind, body = encode(entry)
        made.append((seq, kind, body, seal(kind, body)))
    return made


def to_replay(journal: Sequence[Row], known: Checkpoint) -> list[Row]:
    carried = set(known.carried)
    return [row for row in journal if row[0] in carried or row[0] > known.through]


def started(spent: Iterable[IdRange], entries: Iterable[Entry], now_ns: int) -> Ledger:
    ledger = Ledger(PREFIX, line_of=lines_of())
    for ids in spent:
        ledger.spent(ids)
    for entry in entries:
        ledger.replay(entry)
    ledger.begin_run(NEXT_RUN, now_ns)
    return ledger


def recalled(journal: Journal, now_ns: int) -> Ledger:
    memory = journal.recall()
    return started(memory.spent, memory.entries, now_ns)


def a_day(count: int, at_ns: int = NOW) -> Iterator[Entry]:
    """That many orders, each opened and cancelled, the last of them long ago."""
    ledger = a_ledger()
    yield RunStarted(RUN, NOW)
    for _ in range(count):
        order = an_order(ledger.next_external_id(), intended_ns=at_ns)
        ledger.intend(order)
        ledger.apply(seen(a_report(order)), at_ns)
        ledger.want_cancel(order.external_id, at_ns)
        ledger.apply(seen(a_report(order, status="canceled")), at_ns)
    last = an_order(ledger.next_external_id(), intended_ns=at_ns + 5 * HOUR)
    ledger.intend(last)
    yield from ledger.drain().entries


def forgotten(world: World, n: int) -> bool:
    """Nobody cancels an order that has left memory."""
    orders = world.orders
    return bool(orders) and world.ledger.order(orders[n % len(orders)].external_id) is None


waits = st.tuples(st.just("wait"), st.integers(1, 5))


@settings(max_examples=120, deadline=None)
@given(st.lists(st.one_of(ops, ops, ops, waits), max_size=40), st.integers(0, 40))
def test_a_compacted_start_knows_what_a_full_replay_knows(
    chosen: list[tuple[object, ...]], first_at: int
) -> None:
    world = World(a_ledger(), [RunStarted(RUN, NOW)], [])
    early = NO_CHECKPOINT
    for n, op in enumerate(chosen):
        if n == first_at:
            early = make(rows(world.journal))
        if op[0] == "wait":
            world.now_ns += int(str(op[1])) * HOUR
        elif op[0] != "cancel" or not forgotten(world, int(str(op[1]))):
            world.do(op)
    journal = rows(world.journal)
    after_ns = world.now_ns + SECOND
    full = started((), world.journal, after_ns)
    for known in (early, make(journal), make(to_replay(journal, early), early)):
        left = to_replay(journal, known)
        again = started(known.spent, [entry_of(row) for row in left], after_ns)
        again.check_sums()
        same(full, again)
        assert again.drain() == full.drain()
        for order in world.orders:  # an old image is old news for both, or for none
            for ledger in (full, again):
                ledger.apply(seen(a_report(order, status="canceled")), after_ns)
            assert full.drain().entries == again.drain().entries
        full = started((), world.journal, after_ns)


def test_orders_without_fills_are_left_out_after_a_while_and_all_else_is_carried() -> None:
    ledger = a_ledger()
    gone, held, young = (an_open_order(ledger) for _ in range(3))
    noted: list[Entry] = [
        OperatorNoted("pause", "me", "", NOW),
        SettlementSeen(ident(9), "push", NOW),
    ]
    ledger.apply(seen(a_report(gone, status="canceled")), NOW)
    ledger.apply(seen(a_report(held, filled=1, status="canceled")), NOW)
    told = list(ledger.drain().entries)
    intents = [PlaceIntended(order) for order in (gone, held, young)]
    first = [RunStarted(RUN, NOW), *intents, *noted, *told]
    assert make(rows(first)).spent == ()  # it ended a moment ago
    later = PlaceIntended(an_order(ident(4), intended_ns=NOW + CLOSED_FOR_NS))
    known = make(rows([*first, later]))
    assert known.spent == (IdRange(f"{PREFIX}-{RUN}", 1, 1),)
    left = {entry_of(row) for row in to_replay(rows([*first, later]), known)}
    assert set(first) - left == {first[1], told[0]}


def test_a_step_is_made_up_for_by_the_next_one_unless_something_filled_or_ended() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    entries: list[Entry] = [PlaceIntended(order)]
    for seen_as in (
        a_report(order, filled=10_00),
        a_report(order, filled=30_00),
        a_report(order, filled=30_00, status="canceled"),
    ):
        ledger.apply(seen(seen_as), NOW)
        ledger.want_cancel(order.external_id, NOW)
    told = list(ledger.drain().entries)
    assert [e.step for e in told if isinstance(e, OrderStepped)] == [
        "part fill", "cancel wanted", "part fill", "cancel confirmed",
    ]  # fmt: skip
    left = to_replay(rows([*entries, *told]), make(rows([*entries, *told])))
    assert [entry_of(row) for row in left] == [*entries, told[1], told[2], told[3]]


def test_the_line_that_an_order_was_moved_to_is_not_made_up_for() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    opened = OrderStepped(
        order.external_id, Step.SEEN_ALIVE, State.OPEN, 0, "theirs", False, Evidence(Kind.READ), NOW
    )
    moved = PlaceIntended(replace(order, line_id=LineId("501/251/2.5")), adopted=True)
    wanted = replace(opened, step=Step.CANCEL_WANTED, state=State.CANCELLING, cancel_wanted=True)
    entries: list[Entry] = [PlaceIntended(order), opened, moved, wanted]
    assert make(rows(entries)).carried == (1, 2, 3, 4)


def test_an_order_that_another_entry_names_is_carried_whole() -> None:
    named = OperatorNoted("look", "me", ident(2), NOW)
    entries = [*a_day(3), named]
    known = make(rows(entries))
    assert known.spent == (
        IdRange(f"{PREFIX}-{RUN}", 1, 1),
        IdRange(f"{PREFIX}-{RUN}", 3, 3),
    )
    left = [entry_of(row) for row in to_replay(rows(entries), known)]
    assert [e for e in left if isinstance(e, OrderStepped)] == [
        e for e in entries if isinstance(e, OrderStepped) and e.external_id == ident(2)
    ]


def test_of_notes_of_the_edge_the_last_one_stands_for_all() -> None:
    notes = [EdgeNoted(cents, 0, 0, (), NOW + cents) for cents in range(3)]
    tripped = BreakerTripped(None, "fill burst", ident(1), 60 * SECOND, NOW)
    entries: list[Entry] = [notes[0], tripped, notes[1], tripped, notes[2], *a_day(1)]
    known = make(rows(entries))
    assert known.carried[:3] == (2, 4, 5)
    assert known.spent  # what a breaker says names no order
    assert make(to_replay(rows(entries), known), known).carried == known.carried


def test_an_order_that_lives_again_counts_from_its_last_end() -> None:
    ledger = a_ledger()
    order = an_open_order(ledger)
    ledger.apply(seen(a_report(order, status="canceled")), NOW)
    late = NOW + SECOND * 600
    ledger.apply(seen(a_report(order), "read", late, synced_ns=late), late)
    assert ledger.live()
    entries: list[Entry] = [PlaceIntended(order), *ledger.drain().entries]
    entries += [PlaceIntended(an_order(ident(2), intended_ns=NOW + CLOSED_FOR_NS))]
    assert make(rows(entries)).spent == ()
    ledger.apply(seen(a_report(order, status="canceled")), late)
    entries += ledger.drain().entries
    assert make(rows(entries)).spent == ()
    entries += [PlaceIntended(an_order(ident(3), intended_ns=late + CLOSED_FOR_NS))]
    assert make(rows(entries)).spent == (IdRange(f"{PREFIX}-{RUN}", 1, 1),)


def test_the_store_remembers_longer_than_the_engine() -> None:
    assert CLOSED_FOR_NS >= ARRIVAL_BOUND_NS + HOUR_NS


@pytest.mark.usefixtures("few")
def test_a_start_compacts_by_itself_and_loses_nothing(path: Path) -> None:
    entries = list(a_day(20))
    after_ns = NOW + 6 * HOUR
    with closing(Journal.open(path)) as journal:
        journal.append(entries)
    with closing(Journal.open(path)) as journal:
        memory = journal.recall()
        assert memory.spent == (IdRange(f"{PREFIX}-{RUN}", 1, 20),)
        assert list(memory.entries) == [entries[0], entries[-1]]
        assert list(journal.replay()) == entries  # for people, all of it
        same(recalled(journal, after_ns), started((), entries, after_ns))


@pytest.mark.usefixtures("few")
def test_a_spent_id_that_lives_again_is_replayed_from_its_return(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.append(list(a_day(20)))
    late = NOW + 7 * HOUR
    for _ in range(3):
        with closing(Journal.open(path)) as journal:
            ledger = recalled(journal, late)
            back = an_order(ident(3))
            ledger.apply(seen(a_report(back, filled=10_00)), late)
            assert ledger.order(back.external_id) is not None
            journal.append(ledger.drain().entries)
            late += 3 * HOUR
    with closing(Journal.open(path)) as journal:
        again = recalled(journal, late)
    found = again.order(ident(3))
    assert found is not None
    assert found.filled_cents == 10_00


def harm(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        assert connection.execute(statement).rowcount


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM carried WHERE seq = 1",
        "DELETE FROM checkpoints",
        "UPDATE checkpoints SET through = through - 1",
        "UPDATE checkpoints SET through = 1000",
        "UPDATE checkpoints SET spent = CAST('[]' AS BLOB)",
        "UPDATE checkpoints SET spent = x'00'",
        "INSERT INTO carried SELECT account, 4 FROM checkpoints",
    ],
)
def test_a_damaged_checkpoint_is_made_anew(path: Path, statement: str) -> None:
    entries = list(a_day(20))
    with closing(Journal.open(path)) as journal:
        journal.append(entries)
        journal.compact()
    harm(path, statement)
    with closing(Journal.open(path)) as journal:
        assert len(list(journal.recall().entries)) == 2
        same(recalled(journal, NOW + 6 * HOUR), started((), entries, NOW + 6 * HOUR))


@pytest.mark.usefixtures("few")
def test_a_start_that_cannot_write_replays_all(path: Path) -> None:
    entries = list(a_day(20))
    with closing(Journal.open(path)) as journal:
        journal.append(entries)
    with closing(Journal.open(path, busy_timeout_s=0.05)) as journal:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            memory = journal.recall()
            assert (memory.spent, list(memory.entries)) == ((), entries)
            other.execute("ROLLBACK")
        assert journal.recall().spent


def test_a_damaged_entry_is_not_compacted_away(path: Path) -> None:
    with closing(Journal.open(path)) as journal:
        journal.append(list(a_day(3)))
        harm(
            path,
            "UPDATE entries SET body = CAST(replace(body, '100', '900') AS BLOB) WHERE seq = 2",
        )
        with pytest.raises(SetUpError, match="ledger entry 2 is damaged"):
            journal.compact()
