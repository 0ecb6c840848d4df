"""Which faults `--faults` means, that each can be made, and that the list is the project's."""

from __future__ import annotations

import pytest

from mmbot.app.simulate import Days
from mmbot.app.simulate_faults import ALL, SEEDS_TO_STRIKE, parse_faults, unstruck, what
from mmbot.app.simulate_plan import Scenario, draw
from mmbot.app.simulate_recipes import KNOWN, RECIPES, REQUIRED, cook
from mmbot.domain.errors import SetUpError
from mmbot.sim.faults.plan import Fault

# Every fault of the groups done so far that strikes in simulation (design, fault list).
LIST = (
    "A1 A2 A3 A3b A4 A5 A6 A7 A8 A9 A10 A11 A13 A14 A15 A16 "
    "B1 B2 B3 B4 B5 B6 B8 B9 B10 B11 B12 B13 B14 C1 C2 C3 C4 C5 C7 C8 C9 "
    "D1 D2 D3 D4 D5 D6 D7 D8 D10 D12 D13 D14 D16 "
    "E1 E2 E3 E4 E5 E6 E7 E8 E9 E10 E11 E12 E15 E16 H1 H3 H4 J5"
)
# Games, money and halts: with judges of their own, and not yet on every day.
SAFE_LIST = "B13 B14 F1 F2 F3 F5 F6 F7 F8 G1 G2 G3 G5 G6 G7 G8 G10 H10 H12 H13 H14 J1"


def test_all_is_the_list_of_the_groups_done_so_far() -> None:
    assert set(REQUIRED) == set(LIST.split()) | set(SAFE_LIST.split())
    assert parse_faults("all") == ALL == tuple(RECIPES)
    assert parse_faults("none") == ()
    assert all(what(name) for name in KNOWN)


def test_safety_is_asked_for_alone_or_beside_all() -> None:
    assert set(parse_faults("safety")) == set(SAFE_LIST.split())
    assert parse_faults("all,safety") == tuple(KNOWN)
    assert not draw(3, Scenario()).safety
    day = draw(3, Scenario(), parse_faults("safety"))
    assert day.safety
    assert all(name in SAFE_LIST.split() for name in day.ids)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("B3", ("B3",)),
        ("D8-D16", ("D8", "D10", "D12", "D13", "D14", "D16")),
        ("J, E3-E4", ("E3", "E4", "J5", "J1")),
        ("H, A3b", ("A3b", "H1", "H3", "H4", "H7", "H10", "H12", "H13", "H14")),
    ],
)
def test_groups_ids_and_ranges(text: str, meant: tuple[str, ...]) -> None:
    assert parse_faults(text) == meant


@pytest.mark.parametrize("text", ["Z", "A99", "A3-B4", "", "D16-D8"])
def test_a_word_that_names_nothing_is_one_clear_line(text: str) -> None:
    with pytest.raises(SetUpError, match="--faults") as caught:
        parse_faults(text)
    assert "\n" not in str(caught.value)


def test_each_recipe_makes_something_of_its_own() -> None:
    for name in KNOWN:
        made = [cook((name,), seed, 900.0) for seed in range(40)]
        assert all(one.ids == [name] for one in made)
        assert any(one.rules or one.moments for one in made), name
        assert len({str((one.rules, one.moments)) for one in made}) > 1, name
    rules = {rule.fault for seed in range(60) for rule in cook(ALL, seed, 900.0).rules}
    assert {Fault.CRASH_BETWEEN, Fault.ITEM_TWICE, Fault.ITEM_UNKNOWN, Fault.BATCH_CUT} <= rules


def test_only_what_is_named_happens() -> None:
    whole = draw(3, Scenario())
    assert len(whole.moments) > 3
    part = draw(3, Scenario(), ALL, frozenset({"m1", "w0", "w2.5"}))
    assert part.moments == whole.moments[1:2]
    assert part.names == ("m1",)
    assert part.faults.rules[0] == whole.faults.rules[0]
    assert [rule.occasions for rule in part.faults.rules[1:4]] == [(), (5,), ()]
    assert all(rule.occasions == () for rule in part.box.faults)
    assert (part.box.rules, part.strategy) == (whole.box.rules, whole.strategy)


def test_a_fault_without_a_strike_is_named_when_there_were_seeds_enough() -> None:
    struck = dict.fromkeys(REQUIRED, 1) | {"B3": 0}
    assert unstruck(struck, ALL, SEEDS_TO_STRIKE) == ["B3"]
    assert unstruck(struck, ("A1",), SEEDS_TO_STRIKE) == []
    assert unstruck({}, ALL, SEEDS_TO_STRIKE - 1) == []


def test_days_are_what_was_asked_for() -> None:
    assert Days(Scenario()).ids == ALL
