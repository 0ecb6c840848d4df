"""Many cancels leave as one request where it touches nothing else, and narrow down from there."""

# faults: B11 B12

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from mmbot.domain.commands import (
    BATCH_ORDERS_MAX,
    CancelEverything,
    CancelOrders,
    CancelRef,
    CancelSportEvent,
    Command,
)
from mmbot.domain.events import CancelLost
from mmbot.domain.ids import ExternalId, OrderId, SportEventId
from mmbot.domain.order import Order
from mmbot.engine.ledger import Ledger
from tests.builders import (
    EVENT,
    NOW,
    SECOND,
    a_ledger,
    a_report,
    an_open_order,
    an_order,
    seen,
)

MANY = BATCH_ORDERS_MAX + 1
ELSEWHERE = SportEventId(777)


def quoting(orders: int = MANY) -> tuple[Ledger, list[Order]]:
    ledger = a_ledger()
    return ledger, [an_open_order(ledger) for _ in range(orders)]


def pull(ledger: Ledger, orders: Sequence[Order]) -> tuple[Command, ...]:
    for order in orders:
        ledger.want_cancel(order.external_id, NOW)
    return ledger.drain().commands


def by_order(commands: Sequence[Command]) -> set[ExternalId]:
    batches = [one for one in commands if isinstance(one, CancelOrders)]
    return {ref.external_id for batch in batches for ref in batch.refs}


def by_event(commands: Sequence[Command]) -> list[SportEventId]:
    return [one.event_id for one in commands if isinstance(one, CancelSportEvent)]


def idents(orders: Sequence[Order]) -> set[ExternalId]:
    return {order.external_id for order in orders}


def test_a_whole_event_is_one_request_that_names_its_orders() -> None:
    ledger, orders = quoting()
    (command,) = pull(ledger, orders)
    assert isinstance(command, CancelSportEvent)
    assert command.event_id == EVENT
    refs = {CancelRef(o.external_id, OrderId(f"theirs-{o.external_id}")) for o in orders}
    assert set(command.refs) == refs


def test_what_one_batch_holds_goes_by_order() -> None:
    ledger, orders = quoting(BATCH_ORDERS_MAX)
    commands = pull(ledger, orders)
    assert not by_event(commands)
    assert by_order(commands) == idents(orders)


def test_an_order_that_stays_wanted_is_not_touched() -> None:
    ledger, orders = quoting(MANY + 1)
    commands = pull(ledger, orders[1:])
    assert not by_event(commands)
    assert by_order(commands) == idents(orders[1:])


def test_a_new_intent_on_the_event_is_not_touched() -> None:
    ledger, orders = quoting()
    ledger.intend(an_order(ledger.next_external_id()))
    assert not by_event(pull(ledger, orders))


def test_another_event_is_no_reason_and_is_not_touched() -> None:
    ledger, orders = quoting()
    away = an_open_order(ledger, event_id=ELSEWHERE)
    commands = pull(ledger, [*orders, away])
    assert by_event(commands) == [EVENT]
    assert by_order(commands) == {away.external_id}


def test_where_a_person_has_ever_traded_only_our_own_orders_are_named() -> None:
    ledger, orders = quoting()
    persons = replace(an_order("by-hand"), event_id=ELSEWHERE)
    report = replace(a_report(persons, status="canceled"), external_id=None)
    ledger.apply(seen(report, "stream"), NOW)
    commands = pull(ledger, orders)
    assert not by_event(commands)
    assert by_order(commands) == idents(orders)


def test_who_hears_nothing_does_not_know_who_trades() -> None:
    ledger, orders = quoting()
    ledger.disconnected(NOW)
    assert not by_event(pull(ledger, orders))


@pytest.mark.parametrize("everything", [False, True])
def test_what_a_mass_cancel_has_not_ended_in_two_seconds_goes_by_order(everything: bool) -> None:
    ledger, orders = quoting()
    for order in orders:
        ledger.want_cancel(order.external_id, NOW)
    assert not by_order(ledger.drain(everything, everything).commands)
    for order in orders[1:]:
        ledger.apply(seen(a_report(order, status="canceled"), "stream"), NOW)
    ledger.tick(NOW + 2 * SECOND - 1)
    assert not ledger.drain().commands
    ledger.tick(NOW + 2 * SECOND)
    assert by_order(ledger.drain().commands) == {orders[0].external_id}


def test_a_mass_cancel_that_failed_narrows_at_once() -> None:
    """The account, then its sport events, then the orders."""
    ledger, orders = quoting()
    for order in orders:
        ledger.want_cancel(order.external_id, NOW)
    (command,) = ledger.drain(account=True, everything=True).commands
    assert isinstance(command, CancelEverything)
    assert {ref.external_id for ref in command.refs} == idents(orders)
    for order in orders:
        ledger.apply(CancelLost(order.external_id, "a 500"), NOW)
    commands = ledger.drain(account=True).commands
    assert by_event(commands) == [EVENT]
    for order in orders:
        ledger.apply(CancelLost(order.external_id, "a 500"), NOW + 1)
    ledger.tick(NOW + SECOND)
    commands = ledger.drain(account=True).commands
    assert not by_event(commands)
    assert by_order(commands) == idents(orders)


def test_a_mass_cancel_of_few_orders_names_them_besides() -> None:
    ledger, orders = quoting(3)
    for order in orders:
        ledger.want_cancel(order.external_id, NOW)
    commands = ledger.drain(account=True, everything=True).commands
    assert commands[0] == CancelEverything()
    assert by_order(commands) == idents(orders)


def test_an_order_that_ended_before_its_cancel_left_is_not_named() -> None:
    ledger, orders = quoting()
    for order in orders:
        ledger.want_cancel(order.external_id, NOW)
    ledger.apply(seen(a_report(orders[0], status="canceled"), "stream"), NOW)
    assert by_order(ledger.drain().commands) == idents(orders[1:])
