"""The daemon lives with every reading of the venue, one switch at a time, on the virtual clock.

All of them take some minutes: FULL=1 runs them, otherwise a few that differ in kind.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Final

import pytest

from mmbot.app.simulate_day import DayReport
from mmbot.app.simulate_reading import DEFAULT, QUIET, Reading, plan, readings, run_reading
from mmbot.app.simulate_reading import reading as named
from mmbot.app.simulate_readings import reading_line
from mmbot.domain.errors import SetUpError
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.unknowns import UNKNOWNS, settings

FULL: Final = os.environ.get("FULL") == "1"
A_FEW: Final = (
    "fault:never_activated=0.2",
    "rules.life.bust_form=changed_fill",
    "rules.money.funds=on_placement",
    "switch:ladder_empty=always",
    "wire.item_fields=sourced",
    "wire.paths=legacy",
    "wire.selections=dictionary",
)


@pytest.mark.parametrize("one", readings() if FULL else [named(one) for one in A_FEW], ids=str)
def test_a_day_under_another_reading(one: Reading) -> None:
    report = run_reading(one)
    assert report.good, reading_line(one, report)


def test_every_value_of_every_unknown_has_a_day() -> None:
    known = {str(one) for one in readings()}
    assert len(known) == len(readings())
    assert {*QUIET, *A_FEW, DEFAULT} <= known
    for setting in settings().values():
        days = [one for one in readings() if one.name == setting.name]
        assert len(days) == len(setting.values) - 1
    names = {one.name for one in readings()}
    assert {maker for row in UNKNOWNS for maker in row.makers} <= names


def test_only_what_is_read_otherwise_differs_from_the_default() -> None:
    usual = plan(named(DEFAULT)).box
    for table in ("rules", "session", "wire", "stream"):
        assert getattr(usual, table) == getattr(BoxOptions(), table)
    other = plan(named("wire.paths=legacy")).box
    assert other == dataclasses.replace(usual, wire=other.wire)
    assert other.wire == dataclasses.replace(usual.wire, paths="legacy")


def test_a_reading_that_is_not_in_the_list_is_one_clear_line() -> None:
    with pytest.raises(SetUpError, match=r"--reading 'wire.paths=new'"):
        named("wire.paths=new")


def day(one: str, **told: Any) -> tuple[Reading, DayReport]:
    return named(one), DayReport(1, "venue", **told)


def test_a_finding_is_told_with_the_line_that_replays_it() -> None:
    broken = day("wire.order_id_field=id", orders=3, findings=["I1: 2 duplicate orders"])
    assert not broken[1].good
    first, *rest = reading_line(*broken).splitlines()
    assert first.startswith("wire.order_id_field=id")
    assert first.endswith("1 finding")
    assert rest == [
        "    I1: 2 duplicate orders",
        "    replay: mmbot simulate --reading 'wire.order_id_field=id'",
    ]
