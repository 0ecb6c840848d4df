"""What may prove what: our own clock ends nothing, and only the exchange's word ends a doubt."""
# faults: A2 A7 A8 B1

from __future__ import annotations

import pytest

from mmbot.domain.evidence import OUTSIDE, Evidence, Kind
from mmbot.domain.order import PROVEN_BY, TABLE, TERMINAL, State, Step

LIVE = [state for state in State if state not in TERMINAL]
ENDS = [(s, p) for s in LIVE for p in Step if TABLE[s, p].state in TERMINAL]
OUT_OF_DOUBT = [p for p in Step if TABLE[State.IN_DOUBT, p].state is not State.IN_DOUBT]
NEVER_LEFT = (State.INTENDED, Step.NOT_SENT)


def test_every_step_says_what_may_prove_it() -> None:
    assert set(PROVEN_BY) == set(Step)
    assert all(PROVEN_BY.values())


@pytest.mark.parametrize(("state", "step"), [end for end in ENDS if end != NEVER_LEFT])
def test_only_the_word_of_the_exchange_ends_an_order(state: State, step: Step) -> None:
    assert PROVEN_BY[step] <= OUTSIDE


@pytest.mark.parametrize("step", OUT_OF_DOUBT)
def test_only_the_word_of_the_exchange_ends_a_doubt(step: Step) -> None:
    assert PROVEN_BY[step] <= OUTSIDE


def test_only_our_own_wire_can_say_that_an_order_never_left() -> None:
    assert NEVER_LEFT in ENDS
    assert PROVEN_BY[Step.NOT_SENT] == {Kind.UNSENT}


@pytest.mark.parametrize("kind", [Kind.TIMER, Kind.RESTART, Kind.SILENCE])
def test_what_only_we_noticed_ends_nothing(kind: Kind) -> None:
    proven = [step for step in Step if kind in PROVEN_BY[step]]
    assert proven == [Step.LOST_REPLY]
    assert not [s for s in LIVE if TABLE[s, Step.LOST_REPLY].state in TERMINAL]


def test_the_text_of_an_older_ledger_proves_nothing_new() -> None:
    assert not [step for step in Step if Kind.TEXT in PROVEN_BY[step]]


def test_it_reads_as_a_line() -> None:
    read = Evidence(Kind.READ, "history", "absent from two", synced_ns=17)
    assert str(read) == "read history absent from two synced 17"
    assert str(Evidence(Kind.MESSAGE, "orders", sequence=4)) == "message orders number 4"
