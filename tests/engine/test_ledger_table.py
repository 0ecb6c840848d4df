"""Every cell of the order table through the ledger: states and steps by real events."""
# faults: A2 A7 A8 B1 B2 B3 B5

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest

from mmbot.domain.commands import CancelOrders, CancelRef, ReadOrder, SweepStrike
from mmbot.domain.entries import OrderStepped
from mmbot.domain.events import (
    CancelLost,
    CancelRefused,
    PlaceLost,
    PlaceNotSent,
    PlaceRefused,
)
from mmbot.domain.facts import Alarm, FillCounted
from mmbot.domain.order import TABLE, TERMINAL, Order, State, Step, Then
from mmbot.engine.ledger import Ledger
from mmbot.engine.outbox import Drained
from tests.builders import (
    EVENT,
    HOME,
    MARKET,
    NOW,
    SECOND,
    a_404,
    a_ledger,
    a_report,
    an_order,
    ident,
    seen,
)

PART = 4_000
LATE = NOW + 300 * SECOND  # past every bound
AGAIN = LATE + 11 * SECOND


@dataclass(frozen=True, slots=True)
class Case:
    ledger: Ledger
    order: Order

    def now(self) -> Order:
        found = self.ledger.order(self.order.external_id)
        assert found is not None
        return found


def is_open(case: Case) -> None:
    case.ledger.apply(seen(a_report(case.order)), NOW)


def is_cancelling(case: Case) -> None:
    is_open(case)
    case.ledger.want_cancel(case.order.external_id, NOW)


def is_lost(case: Case) -> None:
    case.ledger.apply(PlaceLost(case.order.external_id, "timeout"), NOW)


def is_refused(case: Case) -> None:
    case.ledger.apply(PlaceRefused(case.order.external_id, "invalid_price", ""), NOW)


def is_cancelled(case: Case) -> None:
    is_open(case)
    case.ledger.apply(seen(a_report(case.order, status="canceled")), NOW)


def is_filled(case: Case) -> None:
    full = a_report(case.order, filled=case.order.quantity_cents)
    case.ledger.apply(seen(full), NOW)


def is_wiped(case: Case) -> None:
    is_open(case)
    case.ledger.apply(seen(a_report(case.order, status="wiped")), NOW)


REACH: dict[State, Callable[[Case], None]] = {
    State.INTENDED: lambda case: None,
    State.IN_DOUBT: is_lost,
    State.OPEN: is_open,
    State.CANCELLING: is_cancelling,
    State.FILLED: is_filled,
    State.CANCELLED: is_cancelled,
    State.REJECTED: is_refused,
    State.CLOSED: is_wiped,
}


def lose(case: Case) -> None:
    """The reply that was outstanding is lost: of the cancel while cancelling, else of the place."""
    order = case.now()
    lost = CancelLost if order.state is State.CANCELLING else PlaceLost
    case.ledger.apply(lost(order.external_id, "timeout"), NOW)


def miss(case: Case) -> None:
    """Two reads that do not find it, ten seconds apart, both past the arrival bound."""
    case.ledger.apply(a_404(case.order, LATE), LATE)
    case.ledger.apply(a_404(case.order, AGAIN), AGAIN)


def fill_part(case: Case) -> None:
    report = a_report(case.order, filled=case.now().filled_cents + PART)
    case.ledger.apply(seen(report), NOW)


def fill_up(case: Case) -> None:
    report = a_report(case.order, filled=max(10_000, case.now().filled_cents + PART))
    case.ledger.apply(seen(report), NOW)


def refuse_cancel(case: Case) -> None:
    event = CancelRefused(case.order.external_id, "opened_retry", 300_000_000)
    case.ledger.apply(event, NOW)


def show_alive(case: Case) -> None:
    case.ledger.apply(seen(a_report(case.order)), NOW)


def show_cancelled(case: Case) -> None:
    case.ledger.apply(seen(a_report(case.order, status="canceled")), NOW)


def show_wiped(case: Case) -> None:
    case.ledger.apply(seen(a_report(case.order, status="wiped")), NOW)


def not_sent(case: Case) -> None:
    case.ledger.apply(PlaceNotSent(case.order.external_id, "429"), NOW)


def refuse_place(case: Case) -> None:
    case.ledger.apply(PlaceRefused(case.order.external_id, "not_available", ""), NOW)


def want_cancel(case: Case) -> None:
    case.ledger.want_cancel(case.order.external_id, NOW)


TAKE: dict[Step, Callable[[Case], None]] = {
    Step.SEEN_ALIVE: show_alive,
    Step.REJECTED: refuse_place,
    Step.LOST_REPLY: lose,
    Step.TRUSTED_ABSENT: miss,
    Step.NOT_SENT: not_sent,
    Step.PART_FILL: fill_part,
    Step.FILLED_UP: fill_up,
    Step.CANCEL_WANTED: want_cancel,
    Step.CANCEL_CONFIRMED: show_cancelled,
    Step.CANCEL_REFUSED: refuse_cancel,
    Step.ENDED_BY_VENUE: show_wiped,
}


def a_case(state: State) -> Case:
    order = an_order()
    case = Case(a_ledger(order), order)
    REACH[state](case)
    case.ledger.drain()
    assert case.now().state is state
    return case


def alarms(drained: Drained) -> list[str]:
    return [fact.what for fact in drained.facts if isinstance(fact, Alarm)]


def steps(drained: Drained) -> list[Step]:
    return [entry.step for entry in drained.entries if isinstance(entry, OrderStepped)]


DASHES_OF_OURS = [(s, Step.NOT_SENT) for s in State if TABLE[s, Step.NOT_SENT].then is Then.DASH]
CELLS = [pair for pair in product(State, Step) if pair not in DASHES_OF_OURS]


@pytest.mark.parametrize(("state", "step"), DASHES_OF_OURS)
def test_a_dash_that_we_walk_is_our_error_and_changes_nothing(state: State, step: Step) -> None:
    case = a_case(state)
    before = case.now()
    with pytest.raises(AssertionError, match="our step"):
        TAKE[step](case)
    assert case.now() == before
    assert not case.ledger.drain().entries


@pytest.mark.parametrize(("state", "step"), CELLS)
def test_a_cell_leads_to_its_state_and_asks_for_what_it_says(state: State, step: Step) -> None:
    case = a_case(state)
    filled_before = case.now().filled_cents
    TAKE[step](case)
    cell = TABLE[state, step]
    after, said = case.now(), case.ledger.drain()
    assert after.state is cell.state
    case.ledger.check_sums()
    if cell.state is not state:
        assert steps(said)[-1] is step  # journalled, with its evidence
    match cell.then:
        case Then.NOTHING | Then.IGNORE:
            assert EVENT not in case.ledger.distrusted_events
        case Then.MARK:
            assert after.cancel_wanted
            assert not said.commands
        case Then.SWEEP_OR_WAIT:
            assert SweepStrike(EVENT, MARKET, HOME) in said.commands
        case Then.RETRY:
            assert cancels(said) == [after.external_id]
        case Then.RETRY_REREAD:
            assert not cancels(said)
            case.ledger.tick(NOW + SECOND)
            assert cancels(case.ledger.drain()) == [after.external_id]
        case Then.REREAD:
            read = ReadOrder(after.external_id, a_report(case.order).order_id)
            disputed = state is State.FILLED  # fewer cents filled than before: that asks by itself
            assert (read in said.commands) is disputed  # it could not be younger than the end
            case.ledger.tick(NOW + 3 * SECOND)
            assert read in case.ledger.drain().commands
        case Then.COUNT:
            assert after.filled_cents > filled_before
            assert [f for f in said.facts if isinstance(f, FillCounted)]
            assert "fill after the end" in alarms(said)
            assert EVENT in case.ledger.distrusted_events
        case Then.ALARM:
            assert steps(said) == [step]
            assert alarms(said) == ["impossible step"]
        case Then.DASH:
            assert steps(said) == [step]
            assert alarms(said) == ["impossible step"]
            assert EVENT in case.ledger.distrusted_events


def cancels(drained: Drained) -> list[str]:
    commands = [c for c in drained.commands if isinstance(c, CancelOrders)]
    return [ref.external_id for command in commands for ref in command.refs]


@pytest.mark.parametrize("state", [s for s in State if s not in TERMINAL])
def test_a_fill_counts_in_every_living_state(state: State) -> None:
    case = a_case(state)
    fill_part(case)
    assert case.now().filled_cents == PART
    assert case.ledger.exposure(case.order.line_id).position.stake_cents == (PART, 0)


def test_a_cancel_wanted_before_the_order_opens_leaves_when_it_opens() -> None:
    case = a_case(State.INTENDED)
    want_cancel(case)
    assert not case.ledger.drain().commands
    show_alive(case)
    assert case.now().state is State.CANCELLING
    ref = CancelRef(ident(), a_report(case.order).order_id)
    assert case.ledger.drain().commands == (CancelOrders((ref,)),)
