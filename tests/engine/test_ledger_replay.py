"""Replaying the journal rebuilds the ledger bit for bit, whatever happened."""
# faults: A2 A9 H1 H3

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.domain.commands import CancelOrders, ReadHistory, SweepStrike
from mmbot.domain.entries import Entry, OrderStepped, RunStarted
from mmbot.domain.events import (
    CancelLost,
    CancelRefused,
    PlaceLost,
    PlaceRefused,
    TransactionsRead,
)
from mmbot.domain.evidence import Kind
from mmbot.domain.facts import Alarm
from mmbot.domain.order import Order, State, Step
from mmbot.domain.price import Price
from mmbot.engine.ledger import Ledger
from tests.builders import (
    AWAY,
    EVENT,
    HOME,
    LINE,
    MARKET,
    NOW,
    PREFIX,
    RUN,
    SECOND,
    a_404,
    a_history,
    a_ledger,
    a_report,
    a_row,
    an_open_order,
    an_order,
    lines_of,
    seen,
)


def replayed(entries: list[Entry]) -> Ledger:
    ledger = Ledger(PREFIX, line_of=lines_of())
    for entry in entries:
        ledger.replay(entry)
    said = ledger.drain()
    assert not said.entries
    assert not said.commands
    assert not said.facts
    return ledger


def same(a: Ledger, b: Ledger) -> None:
    assert {o.external_id: o for o in a.orders()} == {o.external_id: o for o in b.orders()}
    assert set(a.live()) == set(b.live())
    assert a.exposures() == b.exposures()
    assert a.portfolio.total.everything_cents == b.portfolio.total.everything_cents
    assert a.unmatched_cents == b.unmatched_cents
    assert a.in_doubt_count == b.in_doubt_count
    assert a.results() == b.results()
    assert set(a.unsettled_filled_orders) == set(b.unsettled_filled_orders)
    assert a.pnl_cents == b.pnl_cents
    for order in a.orders():
        if order.order_id is not None:
            found = b.by_order_id(order.order_id)
            assert found is not None
            assert found.external_id == order.external_id


numbers = st.integers(0, 4)
cents = st.integers(0, 110_00)
ops = st.one_of(
    st.tuples(st.just("intend"), st.booleans(), st.integers(1, 100_00)),
    st.tuples(st.just("cancel"), numbers),
    st.tuples(st.just("alive"), numbers, cents),
    st.tuples(st.just("ended"), numbers, cents, st.sampled_from(["canceled", "wiped", "closed"])),
    st.tuples(st.just("result"), numbers, st.sampled_from(["profit", "loss", "push"])),
    st.tuples(st.just("lost"), numbers),
    st.tuples(st.just("refused"), numbers),
    st.tuples(st.just("cancel lost"), numbers),
    st.tuples(st.just("cancel refused"), numbers),
    st.tuples(st.just("absent"), numbers),
    st.tuples(st.just("money"), numbers, st.integers(-10_000, 10_000)),
    st.tuples(st.just("adopt"), numbers, cents),
)


@dataclass
class World:
    """A ledger, its journal, and time."""

    ledger: Ledger
    journal: list[Entry]
    orders: list[Order]
    now_ns: int = NOW

    def do(self, op: tuple[object, ...]) -> None:
        self.now_ns += 7 * SECOND
        match op:
            case ("intend", bool(home), int(quantity)):
                order = an_order(
                    self.ledger.next_external_id(),
                    side=0 if home else 1,
                    strike_id=HOME if home else AWAY,
                    price=Price(150 if home else -130),
                    quantity=quantity,
                    intended_ns=self.now_ns,
                )
                self.ledger.intend(order)
                self.orders.append(order)
            case ("money", int(n), int(amount)):
                row = a_row(f"t{n}", amount)
                self.ledger.apply(TransactionsRead((row,), 0, self.now_ns), self.now_ns)
            case ("adopt", int(n), int(filled)):
                stranger = an_order(f"{PREFIX}-deadbeef-{n}", intended_ns=NOW)
                self.ledger.apply(seen(a_report(stranger, filled=filled)), self.now_ns)
            case (str(what), int(n), *rest) if self.orders:
                self._happen(what, self.orders[n % len(self.orders)], rest)
        self.ledger.tick(self.now_ns)
        self.journal.extend(self.ledger.drain().entries)
        self.ledger.check_sums()

    def _happen(self, what: str, order: Order, rest: list[object]) -> None:
        ledger, ident, now_ns = self.ledger, order.external_id, self.now_ns
        match what, rest:
            case "cancel", _:
                ledger.want_cancel(ident, now_ns)
            case "alive", [int(filled)]:
                ledger.apply(seen(a_report(order, filled=filled)), now_ns)
            case "ended", [int(filled), str(status)]:
                ledger.apply(seen(a_report(order, filled=filled, status=status)), now_ns)
            case "result", [str(word)]:
                ended = a_report(order, filled=50_00, status="closed", winning_status=word)
                ledger.apply(seen(ended), now_ns)
            case "lost", _:
                ledger.apply(PlaceLost(ident, "timeout"), now_ns)
            case "refused", _:
                ledger.apply(PlaceRefused(ident, "invalid_price", ""), now_ns)
            case "cancel lost", _:
                ledger.apply(CancelLost(ident, "timeout"), now_ns)
            case "cancel refused", _:
                ledger.apply(CancelRefused(ident, "opened_retry", 0), now_ns)
            case "absent", _:
                ledger.apply(a_404(order, now_ns), now_ns)
                ledger.apply(a_history(at_ns=now_ns, from_ns=NOW - 60 * SECOND), now_ns)


@settings(max_examples=150, deadline=None)
@given(st.lists(ops, max_size=40))
def test_a_replay_equals_the_live_ledger(chosen: list[tuple[object, ...]]) -> None:
    world = World(a_ledger(), [RunStarted(RUN, NOW)], [])
    for op in chosen:
        world.do(op)
    again = replayed(world.journal)
    same(world.ledger, again)
    again.check_sums()
    # And it goes on from there as a ledger does: a second restart sees the same.
    again.begin_run("secondrun000", world.now_ns)
    journal = world.journal + list(again.drain().entries)
    same(again, replayed(journal))


def test_an_id_is_never_used_again_after_a_restart() -> None:
    world = World(a_ledger(), [RunStarted(RUN, NOW)], [])
    world.do(("intend", True, 100_00))
    again = replayed(world.journal)
    again.begin_run("fedcba987654", NOW + SECOND)
    assert again.next_external_id() == f"{PREFIX}-fedcba987654-1"
    assert isinstance(again.drain().entries[0], RunStarted)


def test_killed_between_intent_and_answer_is_in_doubt_after_the_restart() -> None:
    world = World(a_ledger(), [RunStarted(RUN, NOW)], [])
    world.do(("intend", True, 100_00))
    again = replayed(world.journal)
    again.begin_run("fedcba987654", NOW + 60 * SECOND)
    assert again.live()[0].state is State.IN_DOUBT
    said = again.drain()
    steps = [e for e in said.entries if isinstance(e, OrderStepped)]
    assert [(s.step, s.evidence.kind) for s in steps] == [(Step.LOST_REPLY, Kind.RESTART)]
    assert [c.ends_doubt for c in said.commands if isinstance(c, ReadHistory)] == [True]
    assert again.portfolio.total.everything_cents == 100_00


def test_killed_while_cancelling_cancels_again_and_a_marked_intent_is_swept() -> None:
    ledger = a_ledger()
    journal: list[Entry] = [RunStarted(RUN, NOW)]
    marked = an_order(ledger.next_external_id(), strike_id=AWAY, side=1)
    ledger.intend(marked)
    ledger.want_cancel(marked.external_id, NOW)
    journal.extend(ledger.drain().entries)
    resting = an_order(ledger.next_external_id())
    ledger.intend(resting)
    ledger.apply(seen(a_report(resting)), NOW)
    ledger.want_cancel(resting.external_id, NOW)
    journal.extend(ledger.drain().entries)
    again = replayed(journal)
    again.begin_run("fedcba987654", NOW + SECOND)
    commands = again.drain().commands
    assert [type(c) for c in commands[:1]] == [CancelOrders]
    # A person may have come to that strike while nobody looked.
    assert SweepStrike(EVENT, MARKET, AWAY) not in commands
    again.connected("1", after_gap=False, now_ns=NOW + SECOND)
    listed_ns = NOW + 4 * SECOND
    again.apply(a_history(a_report(resting), at_ns=listed_ns, alive_only=True), listed_ns)
    again.tick(listed_ns)
    assert SweepStrike(EVENT, MARKET, AWAY) in again.drain().commands


def test_the_arrival_bound_counts_from_the_restart() -> None:
    """The former process may have sent the id again just before it died."""
    ledger = a_ledger()
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    ledger.apply(PlaceLost(order.external_id, "timeout"), NOW)
    journal = [RunStarted(RUN, NOW), *ledger.drain().entries]
    again = replayed(journal)
    restart = NOW + 100 * SECOND
    again.begin_run("fedcba987654", restart)
    for after_s in (10, 25):
        at_ns = restart + after_s * SECOND
        again.apply(a_history(at_ns=at_ns, from_ns=NOW - 60 * SECOND), at_ns)
    assert again.in_doubt_count == 1
    for after_s in (65, 76):
        at_ns = restart + after_s * SECOND
        again.apply(a_history(at_ns=at_ns, from_ns=NOW - 60 * SECOND), at_ns)
    assert again.in_doubt_count == 0


def test_tombstones_leave_memory_but_their_ids_stay_spent() -> None:
    ledger = a_ledger()
    gone = an_open_order(ledger)
    held = an_open_order(ledger)
    ledger.apply(seen(a_report(gone, status="canceled")), NOW)
    ledger.apply(seen(a_report(held, filled=100_00)), NOW)
    ledger.tick(NOW + 3600 * SECOND)
    assert len(ledger.orders()) == 2
    late = NOW + 3700 * SECOND
    ledger.tick(late)
    assert [o.external_id for o in ledger.orders()] == [held.external_id]  # not settled
    settled = a_report(held, filled=100_00, status="closed", winning_status="loss")
    ledger.apply(seen(settled), late)
    ledger.tick(late + 3700 * SECOND)
    assert ledger.orders() == ()
    ledger.check_sums()
    # An old image of either is no news; the position is not counted twice.
    ledger.drain()
    ledger.apply(seen(settled), late + 3700 * SECOND)
    ledger.apply(seen(a_report(gone, status="canceled")), late + 3700 * SECOND)
    assert not ledger.drain().entries
    assert ledger.exposure(LINE).position.stake_cents == (0, 0)


def test_a_forgotten_order_that_was_filled_after_all_counts_again() -> None:
    # faults: A15
    ledger = a_ledger()
    journal: list[Entry] = [RunStarted(RUN, NOW)]
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    ledger.apply(PlaceRefused(order.external_id, "event_not_available", ""), NOW)
    later = NOW + 4000 * SECOND
    ledger.tick(later)
    journal.extend(ledger.drain().entries)
    assert ledger.order(order.external_id) is None
    ledger.apply(seen(a_report(order, filled=100_00), "read", later, later), later)
    assert ledger.exposure(LINE).position.stake_cents == (100_00, 0)
    said = ledger.drain()
    assert "adopted" in {f.what for f in said.facts if isinstance(f, Alarm)}
    same(ledger, replayed([*journal, *said.entries]))


def test_a_forgotten_order_that_is_alive_is_taken_back() -> None:
    ledger = a_ledger()
    journal: list[Entry] = [RunStarted(RUN, NOW)]
    order = an_order(ledger.next_external_id())
    ledger.intend(order)
    ledger.apply(seen(a_report(order)), NOW)
    ledger.apply(seen(a_report(order, status="canceled")), NOW)
    late = NOW + 4000 * SECOND
    ledger.tick(late)
    assert ledger.orders() == ()
    ledger.apply(seen(a_report(order, filled=10_00)), late)
    assert ledger.live()[0].filled_cents == 10_00
    journal.extend(ledger.drain().entries)
    same(ledger, replayed(journal))
