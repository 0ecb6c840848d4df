"""Each walked cell carries what proved it, and what proves nothing walks none."""
# faults: A2 A7 A8 A9 B1 B8

from __future__ import annotations

from itertools import product

import pytest

from mmbot.domain.entries import OrderStepped
from mmbot.domain.events import (
    Event,
    OrderSeen,
    PlaceLost,
    PlaceNotSent,
    PlaceRefused,
)
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.order import PROVEN_BY, State, Step
from mmbot.engine.ledger import Ledger
from mmbot.engine.ledger_orders import Orders
from mmbot.engine.ledger_sums import LineSums
from mmbot.engine.outbox import Outbox
from mmbot.engine.walk import Proof, Walk
from tests.builders import NOW, SECOND, a_404, a_history, a_ledger, a_report, an_order, seen

UNPROVEN = [(step, kind) for step, kind in product(Step, Kind) if kind not in PROVEN_BY[step]]
DATE = NOW + SECOND


def steps_after(ledger: Ledger, event: Event, now_ns: int = NOW) -> list[tuple[Step, Evidence]]:
    ledger.apply(event, now_ns)  # type: ignore[arg-type]  # each test gives an order event
    entries = ledger.drain().entries
    return [(e.step, e.evidence) for e in entries if isinstance(e, OrderStepped)]


@pytest.mark.parametrize(("step", "kind"), UNPROVEN)
@pytest.mark.parametrize("state", [State.INTENDED, State.IN_DOUBT, State.OPEN, State.CANCELLING])
def test_a_step_without_its_proof_is_impossible(state: State, step: Step, kind: Kind) -> None:
    orders, out = Orders(LineSums()), Outbox()
    order = an_order(state=state)
    orders.put(order)
    with pytest.raises(AssertionError, match="proves no"):
        Walk(orders, out).step(order, step, Proof(Evidence(kind, "test"), NOW))
    assert orders.get(order.external_id) == order
    assert not out.drain().entries


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.READ])
def test_an_end_is_contradicted_by_a_read_alone(kind: Kind) -> None:
    order = an_order(state=State.CANCELLED)
    orders = Orders(LineSums())
    orders.put(order)
    proof = Proof(Evidence(kind), NOW)
    with pytest.raises(AssertionError):
        Walk(orders, Outbox()).correct(order, Step.SEEN_ALIVE, State.CANCELLING, proof)


def test_a_reply_is_told_apart_from_a_message_a_read_and_a_cancel() -> None:
    order = an_order()
    report = a_report(order)
    shown = {
        Kind.REPLY: OrderSeen(report, "reply", NOW, route="place", exchange_ns=DATE),
        Kind.MESSAGE: OrderSeen(report, "stream", NOW, sequence=7),
        Kind.READ: OrderSeen(report, "read", NOW, DATE, exchange_ns=DATE),
        Kind.CANCEL_ITEM: OrderSeen(report, "reply", NOW, route="cancel"),
    }
    for kind, event in shown.items():
        [(step, evidence)] = steps_after(a_ledger(order), event)
        assert step is Step.SEEN_ALIVE
        assert evidence.kind is kind
        figures = evidence.exchange_ns, evidence.synced_ns, evidence.sequence
        assert figures == (event.exchange_ns, event.synced_ns, event.sequence)


def test_the_answer_to_the_same_id_sent_again_is_known_as_such() -> None:
    order = an_order()
    ledger = a_ledger(order)
    [(_, lost)] = steps_after(ledger, PlaceLost(order.external_id, "no reply within 12 s"))
    assert lost == Evidence(Kind.SILENCE, "place", "no reply within 12 s")
    ledger.note_resend(order.external_id, NOW + 3 * SECOND)
    shown = OrderSeen(a_report(order), "reply", NOW, route="place")
    [(step, evidence)] = steps_after(ledger, shown, NOW + 4 * SECOND)
    assert (step, evidence.kind) == (Step.SEEN_ALIVE, Kind.SAME_ID)


def test_an_id_that_exists_is_a_doubt_with_a_landing_in_it() -> None:
    order = an_order()
    existed = PlaceLost(order.external_id, "order_external_id_existed: twice")
    [(step, evidence)] = steps_after(a_ledger(order), existed)
    assert (step, evidence.kind) == (Step.LOST_REPLY, Kind.SAME_ID)


def test_refused_and_never_sent_both_end_it_for_different_reasons() -> None:
    order = an_order()
    refused = PlaceRefused(order.external_id, "invalid_price", "", DATE)
    said = Evidence(Kind.REPLY, "place", "refused invalid_price", DATE)
    assert steps_after(a_ledger(order), refused) == [(Step.REJECTED, said)]
    [(step, evidence)] = steps_after(a_ledger(order), PlaceNotSent(order.external_id, "429"))
    assert (step, evidence) == (Step.NOT_SENT, Evidence(Kind.UNSENT, "place", "429"))


def test_absence_names_the_read_that_proved_it() -> None:
    order = an_order()
    late = NOW + 300 * SECOND
    for prove, source in ((a_404, "order"), (None, "history")):
        ledger = a_ledger(order)
        ledger.apply(PlaceLost(order.external_id, "reset"), NOW)
        found: list[tuple[Step, Evidence]] = []
        for at_ns in (late, late + 11 * SECOND):
            event = prove(order, at_ns) if prove else a_history(at_ns=at_ns)
            ledger.drain()
            found = steps_after(ledger, event, at_ns)
        [(step, evidence)] = found
        assert (step, evidence.kind, evidence.source) == (Step.TRUSTED_ABSENT, Kind.READ, source)
        assert evidence.synced_ns == late + 11 * SECOND


def test_an_answer_that_never_came_is_a_timers_word_and_leaves_a_doubt() -> None:
    order = an_order()
    ledger = a_ledger(order)
    ledger.tick(NOW + 100 * SECOND)
    [entry] = [e for e in ledger.drain().entries if isinstance(e, OrderStepped)]
    assert (entry.state, entry.evidence.kind) == (State.IN_DOUBT, Kind.TIMER)
    for minutes in range(2, 600):
        ledger.tick(NOW + 60 * minutes * SECOND)
    assert ledger.live()[0].state is State.IN_DOUBT  # ten hours prove nothing


def test_the_wish_to_cancel_says_whose_it_is() -> None:
    order = an_order()
    ledger = a_ledger(order)
    ledger.apply(seen(a_report(order)), NOW)
    ledger.drain()
    ledger.want_cancel(order.external_id, NOW, "no quote is wanted here")
    [entry] = [e for e in ledger.drain().entries if isinstance(e, OrderStepped)]
    assert entry.evidence == Evidence(Kind.DECISION, "engine", "no quote is wanted here")
