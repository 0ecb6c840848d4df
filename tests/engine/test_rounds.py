"""When lines are looked at again by the clock: once a second each, a few at a time."""

from __future__ import annotations

from mmbot.domain.ids import LineId
from mmbot.engine.rounds import AGAIN_NS, MS_NS, SLACK_NS, TOGETHER_MAX, TURN_MAX, Rounds


def lines(count: int) -> list[LineId]:
    return [LineId(f"line {number:03d}") for number in range(count)]


def test_a_line_is_due_after_a_second_and_stands_there_once() -> None:
    rounds, (line,) = Rounds(), lines(1)
    assert Rounds().next_due_ns is None
    rounds.looked(line, 0)
    rounds.looked(line, 500 * MS_NS)
    assert rounds.next_due_ns == AGAIN_NS
    assert rounds.pop_due(AGAIN_NS - 1) == []
    assert rounds.pop_due(AGAIN_NS) == [line]
    assert rounds.pop_due(9 * AGAIN_NS) == []


def test_lines_that_would_be_due_soon_are_looked_at_with_one_that_is() -> None:
    rounds, (first, near, far) = Rounds(), lines(3)
    for line, at_ns in ((first, 0), (near, SLACK_NS), (far, SLACK_NS + 1)):
        rounds.looked(line, at_ns)
    assert rounds.pop_due(AGAIN_NS) == [first, near]
    assert rounds.next_due_ns == AGAIN_NS + SLACK_NS + 1


def test_of_very_many_only_those_that_are_due_hold_up_a_turn() -> None:
    rounds, many = Rounds(), lines(10 * TOGETHER_MAX)
    for line in many:
        rounds.looked(line, 1)
    rounds.looked(LineId("due"), 0)
    assert len(rounds.pop_due(AGAIN_NS)) == TOGETHER_MAX
    assert len(rounds.pop_due(AGAIN_NS + 1)) == len(many) + 1 - TOGETHER_MAX


def test_more_than_a_turn_may_take_are_looked_at_in_several() -> None:
    rounds, many = Rounds(), lines(2 * TURN_MAX + 1)
    for line in many:
        rounds.looked(line, 0)
    turns = [rounds.pop_due(AGAIN_NS)]
    while rounds.next_due_ns is not None:
        assert rounds.next_due_ns == AGAIN_NS  # so the engine wakes at once
        turns.append(rounds.pop_due(AGAIN_NS))
    assert [len(turn) for turn in turns] == [TURN_MAX, TURN_MAX, 1]
    assert sorted(line for turn in turns for line in turn) == many
