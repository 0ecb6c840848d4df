"""One line has one owner. # faults: J3"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.strategy.selection import Claim, Selection, overlaps
from tests.strategy.views import EVENT, LINE


def pick(**lists: Any) -> Selection:
    return Selection(**{name: frozenset(values) for name, values in lists.items()})


@pytest.mark.parametrize(
    ("first", "second", "meet"),
    [
        (pick(), pick(), True),
        (pick(tournaments=[31]), pick(), True),
        (pick(tournaments=[31]), pick(tournaments=[53]), False),
        (pick(tournaments=[31, 53]), pick(tournaments=[53]), True),
        (pick(market_types=["total"]), pick(market_types=["spread", "moneyline"]), False),
        (pick(market_types=["total"], tournaments=[31]), pick(tournaments=[31]), True),
        (pick(events=[7]), pick(tournaments=[31]), True),  # the event may be of that tournament
        (pick(sub_types=["total"]), pick(sub_types=["total_1h"]), False),
    ],
)
def test_two_strategies_may_not_own_one_line(
    first: Selection, second: Selection, meet: bool
) -> None:
    said = overlaps([Claim("a", first), Claim("b", second)])
    assert bool(said) is meet
    assert all("a and b" in line for line in said)


def test_every_pair_is_reported() -> None:
    assert len(overlaps([Claim(name, pick()) for name in "abc"])) == 3
    assert overlaps([Claim("a", pick())]) == []


@pytest.mark.parametrize(
    ("selection", "selects"),
    [
        (pick(), True),
        (pick(tournaments=[53], events=[7], market_types=["total"], sub_types=["total"]), True),
        (pick(tournaments=[31]), False),
        (pick(events=[8]), False),
        (pick(market_types=["spread"]), False),
        (pick(sub_types=["other"]), False),
    ],
)
def test_a_selection_is_all_of_its_lists(selection: Selection, selects: bool) -> None:
    assert selection.selects(EVENT, LINE) is selects


SELECTIONS = st.builds(
    pick,
    tournaments=st.sets(st.sampled_from([31, 53])),
    events=st.sets(st.sampled_from([7, 8])),
    market_types=st.sets(st.sampled_from(["total", "spread"])),
    sub_types=st.sets(st.sampled_from(["total", "other"])),
)


@given(
    SELECTIONS,
    SELECTIONS,
    st.sampled_from([31, 53]),
    st.sampled_from([7, 8]),
    st.sampled_from(["total", "spread"]),
    st.sampled_from(["total", "other"]),
)
def test_a_line_that_both_select_is_always_reported(
    a: Selection, b: Selection, tournament: int, event: Any, kind: str, sub: str
) -> None:
    fixture = replace(EVENT, tournament_id=tournament, event_id=event)
    line = replace(LINE, event_id=event, market_type=kind, sub_type=sub)
    if a.selects(fixture, line) and b.selects(fixture, line):
        assert overlaps([Claim("a", a), Claim("b", b)])
