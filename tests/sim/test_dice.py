"""Draws of faults: a strike that is left out moves no other, and each can be asked for alone."""

from __future__ import annotations

import dataclasses

from mmbot.sim.faults.dice import Dice
from mmbot.sim.faults.plan import Fault, FaultPlan, FaultRule, Hit

RULES = (
    FaultRule(Fault.ERROR_BEFORE, 0.2, frozenset({"place"})),
    FaultRule(Fault.SLOW, 0.3, frozenset({"cancel"})),
)


def drawn(*rules: FaultRule) -> dict[str, Hit]:
    """What befalls a hundred placements and cancels by turns."""
    dice = Dice(FaultPlan(7, rules))
    asked = (kind for _ in range(100) for kind in ("place", "cancel"))
    hits = (dice.request(kind, 1.0, False) for kind in asked)  # type: ignore[arg-type]  # literals
    return {hit.where: hit for hit in hits if hit is not None}


def test_each_strike_has_a_name_and_can_be_asked_for_alone() -> None:
    found = drawn(*RULES)
    assert {where.partition(".")[0] for where in found} == {"0", "1"}
    name = next(where for where in found if where.startswith("1."))
    alone = dataclasses.replace(RULES[1], occasions=(int(name.partition(".")[2]),))
    assert drawn(dataclasses.replace(RULES[0], occasions=()), alone) == {name: found[name]}


def test_a_rule_that_is_taken_out_moves_no_draw_of_another() -> None:
    found = drawn(*RULES)
    without = drawn(dataclasses.replace(RULES[0], occasions=()), RULES[1])
    assert without == {where: hit for where, hit in found.items() if where.startswith("1.")}


# faults: H1
def test_a_client_dies_between_two_batches_only_when_there_are_two() -> None:
    dice = Dice(FaultPlan(1, (FaultRule(Fault.CRASH_BETWEEN, 1.0),)))
    assert dice.request("place", 1.0, True) is None
    assert dice.request("place", 1.0, False, between=True) is None
    assert dice.request("place", 1.0, True, between=True) is not None
