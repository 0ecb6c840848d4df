"""The order table, cell by cell against the document's own words."""

from __future__ import annotations

import pytest

from mmbot.domain.order import TABLE, TERMINAL, Cell, State, Step, Then

# Rows of the document: a state, then one word per step in the order of `Step`.
DOCUMENT = """
INTENDED:   OPEN REJECTED IN_DOUBT ignore REJECTED OPEN FILLED mark CANCELLED - CLOSED
IN_DOUBT:   OPEN REJECTED stay REJECTED stay OPEN FILLED sweep/wait CANCELLED stay CLOSED
OPEN:       stay alarm stay IN_DOUBT - stay FILLED CANCELLING CANCELLED - CLOSED
CANCELLING: stay alarm retry IN_DOUBT - stay FILLED stay CANCELLED reread CLOSED
terminal:   look ignore ignore ignore - count+ count+ ignore ignore ignore ignore
"""

WORDS = {
    "stay": Then.NOTHING,
    "ignore": Then.IGNORE,
    "mark": Then.MARK,
    "sweep/wait": Then.SWEEP_OR_WAIT,
    "retry": Then.RETRY,
    "reread": Then.RETRY_REREAD,
    "look": Then.REREAD,
    "count+": Then.COUNT,
    "alarm": Then.ALARM,
    "-": Then.DASH,
}


def documented() -> list[tuple[State, Step, Cell]]:
    cells = []
    for row in DOCUMENT.strip().splitlines():
        name, _, words = row.partition(":")
        states = TERMINAL if name.strip() == "terminal" else {State(name.strip())}
        for state in sorted(states):
            for step, word in zip(Step, words.split(), strict=True):
                then = WORDS.get(word, Then.NOTHING)
                cells.append((state, step, Cell(State(word) if word not in WORDS else state, then)))
    return cells


@pytest.mark.parametrize(("state", "step", "cell"), documented())
def test_a_cell_is_as_documented(state: State, step: Step, cell: Cell) -> None:
    assert TABLE[state, step] == cell


def test_the_table_is_complete_and_cannot_be_changed() -> None:
    assert set(TABLE) == {(state, step) for state in State for step in Step}
    with pytest.raises(TypeError):
        TABLE[State.OPEN, Step.NOT_SENT] = Cell(State.OPEN)  # type: ignore[index]  # the point


def test_no_step_leaves_a_terminal_state() -> None:
    for (state, _), cell in TABLE.items():
        assert state not in TERMINAL or cell.state is state


def test_nothing_that_may_still_fill_is_called_ended() -> None:
    """Only evidence of an end leads to one: a message, a read, or a refusal of the only try."""
    endings = {
        Step.FILLED_UP,
        Step.CANCEL_CONFIRMED,
        Step.ENDED_BY_VENUE,
        Step.REJECTED,
        Step.NOT_SENT,
        Step.TRUSTED_ABSENT,
    }
    for (state, step), cell in TABLE.items():
        if state not in TERMINAL and cell.state in TERMINAL:
            assert step in endings
