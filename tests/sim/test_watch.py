"""The judge of every step: each lie is found in the step in which it is told."""

from __future__ import annotations

import base64
import json

import pytest

from mmbot.sim.core.orders import Order
from mmbot.sim.faults.faulty_ports import Sent
from mmbot.sim.timeline.hand_actions import Take
from mmbot.sim.witness.watch import Bounds
from tests.sim.watching import BALANCE, NS, PLACE, SECRET, Scene


def test_an_honest_client_is_left_alone() -> None:
    scene = Scene()
    order = scene.rests("mm-1")
    scene.watch.audit([scene.ledger(order)], scene.now_ns + 200 * NS)
    assert scene.watch.findings == []
    assert scene.watch.steps >= 2


# faults: A3 H1
def test_i1_an_order_without_intent_twice_or_beside_its_own() -> None:
    scene = Scene()
    scene.sent(PLACE, ["mm-9"])
    assert "I1: mm-9 left before its intent was durable" in scene.found()
    scene.rests("mm-1")
    scene.rests("mm-1", price=2500)
    assert "I1: mm-1: a second order of this id at the box" in scene.found()
    scene.rests("mm-2")
    assert "I1: mm-2: two orders alive on one strike at +3000" in scene.found()


# faults: A16 G6
def test_i2_and_i6_what_the_ledger_does_not_know() -> None:
    scene = Scene()
    order = scene.rests("mm-1")
    later_ns = scene.now_ns + 200 * NS
    scene.watch.audit([scene.ledger(order, state="CANCELLED")], later_ns)
    assert "I2: mm-1: ledger CANCELLED" in scene.found()
    other = scene.rests("mm-2", price=2000)
    scene.watch.audit([scene.ledger(other, filled_cents=5)], scene.now_ns + 1)
    assert "mm-2" not in scene.found()  # it has its interval
    scene.watch.audit([scene.ledger(other, filled_cents=5)], later_ns + 200 * NS)
    assert "I6: mm-2: ledger OPEN, filled 5 cents" in scene.found()
    scene.watch.taken_back("mm-2", 1)
    assert "I6: mm-2: fills taken back in the ledger, and never at the box" in scene.found()
    scene.watch.audit([{"external_id": "mm-7", "state": "OPEN", "filled_cents": 0}], later_ns)
    assert "I2: mm-7: OPEN in the ledger, never seen by the box" in scene.found()


# faults: B13
def test_i6_what_was_undone_is_known_in_time_and_taken_back_once() -> None:
    scene = Scene()
    order = scene.rests("mm-1")
    for filled, what in ((100, "filled 100"), (100, "taken back 60"), (40, "taken back 60")):
        order.filled_cents = filled  # the box tells of it before and after
        scene.watch.order_changed(order, what, scene.now_ns)
    later_ns = scene.now_ns + 200 * NS
    counted = scene.ledger(order, filled_cents=100)
    scene.watch.disputed("mm-1", 60)
    scene.watch.audit([counted], later_ns)
    assert scene.found() == ""  # it waits for the money
    scene.watch.disputed("mm-1", 50)
    scene.watch.audit([counted], later_ns)
    assert "I6: mm-1: ledger OPEN, filled 100 cents" in scene.found()
    scene.watch.taken_back("mm-1", 60)
    assert "more taken back" not in scene.found()
    scene.watch.taken_back("mm-1", 60)
    assert "I6: mm-1: more taken back in the ledger, 120 cents, 60 at the box" in scene.found()


# faults: B9 H3
def test_a_start_reads_before_it_places_and_a_strike_holds_what_was_quoted() -> None:
    scene = Scene(Bounds("mm", 100_00, 150_00, 0, {}, on_strike_max=1))
    scene.watch.began()
    scene.rests("mm-1")
    assert "I2: mm-1 left before a start had read what rests" in scene.found()
    history = Sent("GET", "/partner/v4/mm/get_order_history", {}, b"", "report", None)
    scene.watch.answered(history, (200, {}, b"{}"), scene.now_ns)
    scene.rests("mm-2", price=2500)
    assert "mm-2 left before" not in scene.found()
    assert "I1: mm-2: more than 1 alive on one strike" in scene.found()


# faults: A15
def test_what_lands_after_it_was_given_up_stands_there_unknown_for_the_time_of_an_audit() -> None:
    scene = Scene(Bounds("mm", 100_00, 150_00, 0, {}, on_strike_max=1))
    scene.watch.intended("mm-1")
    scene.sent(PLACE, ["mm-1"])
    scene.now_ns += 80 * NS
    scene.accepts("mm-1", usd=60)
    scene.rests("mm-2", usd=60)  # the same price, and both together over the limit of a line
    assert scene.watch.findings == []
    scene.now_ns += 80 * NS
    scene.rests("mm-3", usd=1)
    assert "I1: mm-3: two orders alive on one strike at +3000" in scene.found()
    assert "I1: mm-3: more than 1 alive on one strike" in scene.found()
    assert "I3: mm-3 lets its line lose up to 12100 cents, limit 10000" in scene.found()


# faults: A1 A4 A15
def test_what_the_ledger_gave_up_must_not_be_alive_nor_come() -> None:
    scene = Scene()
    scene.rests("mm-1")
    scene.watch.rejected("mm-1")
    assert "I2: mm-1: rejected in the ledger while alive at the box" in scene.found()
    scene.sent(PLACE, ["mm-2", "mm-3"])
    scene.watch.rejected("mm-2")
    scene.watch.rejected("mm-3")
    scene.now_ns += 50 * NS
    scene.accepts("mm-2", price=2500)
    assert "I1: mm-2: rejected in the ledger, and came in its time" in scene.found()
    scene.now_ns += 30 * NS
    scene.accepts("mm-3", price=2000)
    assert "mm-3: rejected" not in scene.found()  # nobody can wait for ever


# faults: A3b B9
def test_what_the_ledger_has_forgotten_or_lets_rest() -> None:
    scene = Scene()
    scene.rests("mm-1")
    scene.watch.intended("mm-1", adopted=True)
    assert "I1: mm-1: adopted 0.0 s after we had sent it" in scene.found()
    scene.watch.unwanted("mm-1")
    scene.watch.audit([], scene.now_ns + 60 * NS)
    assert "unwanted" not in scene.found()
    scene.watch.audit([], scene.now_ns + 80 * NS)
    assert "I2: mm-1: alive, and unwanted for 80 s" in scene.found()


def test_a_wish_is_forgotten_with_its_order_and_not_before() -> None:
    scene = Scene()
    for ident in ("mm-1", "mm-2"):
        scene.watch.intended(ident)
        scene.sent(PLACE, [ident])
        scene.watch.unwanted(ident)
    scene.now_ns += 4000 * NS  # it has left memory, lands now, and is adopted
    scene.watch.heard("health", "", scene.now_ns)
    scene.watch.intended("mm-1", adopted=True)
    for ident in ("mm-1", "mm-2"):
        scene.watch.wanted(ident)
    assert len(scene.watch.findings) == 1
    assert "I2: mm-2: the wish that it goes is forgotten in the ledger" in scene.found()


# faults: B12 G6
def test_a_person_counts_when_the_ledger_must_know() -> None:
    scene = Scene()
    scene.rests("by-hand", usd=60)
    scene.rests("mm-1", usd=50, price=2500)
    assert "I3" not in scene.found()  # it may not know of him yet
    scene.now_ns += 80 * NS
    scene.rests("mm-2", usd=1, price=2000)
    assert "I3: mm-2 lets its line lose up to 11100 cents" in scene.found()


# faults: B12 G6
def test_of_two_orders_of_a_person_only_the_known_one_counts() -> None:
    scene = Scene()
    hedge = scene.rests("by-hand-1", usd=20, side=1)
    hedge.filled_cents, hedge.counter_cents = 20_00, 40_00
    scene.watch.order_changed(hedge, "filled 2000", scene.now_ns)
    scene.now_ns += 80 * NS
    scene.rests("mm-1", usd=90)
    scene.rests("mm-2", usd=40, price=2500)  # 130, of which the person's order wins 40 back
    scene.rests("by-hand-2", usd=30, price=2400)  # nobody has told of it
    scene.rests("mm-3", usd=5, price=2000)
    assert scene.watch.findings == []
    scene.rests("mm-4", usd=10, price=1900)
    assert "I3: mm-4 lets its line lose up to 13500 cents, limit 10000" in scene.found()


# faults: G5 G6
def test_i3_a_line_and_everything_over_their_limits() -> None:
    scene = Scene()
    scene.rests("mm-1", usd=90)
    assert scene.watch.findings == []
    scene.rests("mm-2", usd=20, price=2500)
    assert "I3: mm-2 lets its line lose up to 11000 cents, limit 10000" in scene.found()
    other = scene.box.exchange.listing.lines[1].strikes
    scene.strikes = other
    scene.rests("mm-3", usd=60)
    assert "I3: mm-3 lets everything lose up to 17000 cents, limit 15000" in scene.found()


# faults: B13 F11
def test_i3_what_the_exchange_undid_excuses_no_more_than_that() -> None:
    scene = Scene()
    order = scene.rests("mm-1", usd=60)
    order.filled_cents = 10_00
    scene.watch.order_changed(order, "filled 1000", scene.now_ns)
    order.filled_cents = 0
    scene.watch.order_changed(order, "taken back 1000", scene.now_ns)
    scene.rests("mm-2", usd=55, price=2500)  # 115, and 20 of it may not be known
    assert scene.watch.findings == []
    scene.rests("mm-3", usd=10, price=2000)
    assert "I3: mm-3 lets its line lose up to 12500 cents, limit 10000" in scene.found()
    later = Scene()
    order = later.rests("mm-1", usd=60)
    order.filled_cents = 10_00
    later.watch.order_changed(order, "filled 1000", later.now_ns)
    order.filled_cents = 0
    later.watch.order_changed(order, "taken back 1000", later.now_ns)
    later.now_ns += 80 * NS
    later.rests("mm-2", usd=55, price=2500)
    assert "I3: mm-2 lets its line lose up to 11500 cents, limit 10000" in later.found()


def of_order(order: Order) -> str:
    """A message of it, as v4 sends it."""
    info = {"external_id": order.request.external_id}
    payload = base64.b64encode(json.dumps({"info": info}).encode()).decode()
    return json.dumps({"data": json.dumps({"payload": payload})})


# faults: B12 H12
def test_i4_after_a_halt_nothing_leaves_and_people_are_left_alone() -> None:
    scene = Scene()
    scene.watch.halted(scene.now_ns)
    scene.watch.intended("mm-1")
    scene.sent(PLACE, ["mm-1"], after_s=0.5)
    assert "I4: a placement left 0.500 s after the halt: mm-1" in scene.found()
    calm = Scene()
    for word in ("told", "listed", "new"):
        order = calm.rests(f"by-hand-{word}")
        if word == "told":
            calm.watch.heard("orders", of_order(order), calm.now_ns)
        elif word == "listed":
            calm.now_ns += 80 * NS
        calm.watch.findings.clear()
        calm.box.exchange.cancel(order, calm.now_ns + 1)
        said = f"I4: by-hand-{word}, which a person placed, was cancelled by nobody's word"
        assert (said in calm.found()) == (word != "new"), "what nobody told, nobody spares"


# faults: B12 C9
def test_i4_what_the_exchange_ends_because_nobody_can_pay_it_was_nobody_s_word() -> None:
    scene = Scene()
    order = scene.rests("by-hand-1")
    scene.watch.heard("orders", of_order(order), scene.now_ns)
    scene.box.advance(scene.now_ns + NS)  # it is open now
    scene.box.exchange.set_cash(scene.box.maker, 10, scene.now_ns + NS)
    scene.box.moves.perform(Take(usd=9.0), scene.now_ns + NS)
    assert not order.alive
    assert scene.found() == ""


@pytest.mark.parametrize("spelled", [SECRET, SECRET.encode().hex()])
def test_i5_a_secret_or_a_token_in_a_log_line(spelled: str) -> None:
    scene = Scene()
    scene.watch.told(f"error: {spelled} was refused")
    assert "I5: secret_key in a log line" in scene.found()
    assert spelled not in scene.found()
    tokens = {"data": {"access_token": "token-1234567", "refresh_token": "token-7654321"}}
    request = Sent("POST", "/partner/auth/login", {}, b"", "auth", None)
    scene.watch.answered(request, (200, {}, json.dumps(tokens).encode()), scene.now_ns)
    scene.watch.told("refresh with token-7654321")
    assert "I5: refresh_token in a log line" in scene.found()


# faults: A11
def test_i2_a_rejection_long_after_it_was_sent_is_judged_by_when_it_came() -> None:
    scene = Scene()
    scene.rests("mm-1")
    scene.sent(BALANCE, after_s=100.0)
    scene.watch.rejected("mm-1")
    assert "I2: mm-1: rejected in the ledger while alive" in scene.found()
