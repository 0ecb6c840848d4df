"""The table of faults: every id of the project's list, and every maker in it exists."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from mmbot.sim.faults import table as fault_table
from mmbot.sim.faults.plan import CLIENT_ONLY, Fault
from mmbot.sim.faults.switches import Switches
from mmbot.sim.faults.table import ROWS, Row
from mmbot.sim.http.server import main
from mmbot.sim.scenario import BoxOptions
from mmbot.sim.timeline.entries import ACTIONS

# The ids of the project's list, chapter by chapter.
CHAPTERS = {
    "A": "1 2 3 3b 4 5 6 7 8 9 10 11 13 14 15 16",
    "B": "1 2 3 4 5 6 8 9 10 11 12 13 14",
    "C": "1 2 3 4 5 7 8 9",
    "D": "1 2 3 4 5 6 7 8 9 10 11 12 13 14 16",
    "E": "1 2 3 4 5 6 7 8 9 10 11 12 14 15 16",
    "F": "1 2 3 4 5 6 7 8 9 11 12 13",
    "G": "1 2 3 4 5 6 7 8 10 11",
    "H": "1 2 3 4 5 7 8 10 11 12 13 14 15 16 17 18 19 20",
    "J": "1 2 3 4 5 6",
}
IDS = [letter + number for letter, numbers in CHAPTERS.items() for number in numbers.split()]


def test_every_id_has_its_row() -> None:
    assert [row.id for row in ROWS] == IDS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_maker_exists_or_it_is_said_why_there_is_none(row: Row) -> None:
    for maker in row.makers:
        kind, _, name = maker.partition(":")
        known = {
            "always": lambda name: name == "",
            "fault": lambda name: name in set(Fault) - CLIENT_ONLY,
            "switch": lambda name: name in Switches().shown(),
            "do": lambda name: name in ACTIONS,
            "rule": is_rule,
        }
        assert known[kind](name), maker
    assert row.makers or row.remark


def is_rule(name: str) -> bool:
    found: Any = BoxOptions()
    for part in name.split("."):
        if part not in {one.name for one in dataclasses.fields(found)}:
            return False
        found = getattr(found, part)
    return not dataclasses.is_dataclass(found)


def test_every_fault_and_switch_is_in_some_row() -> None:
    """But for those that are a shorter way to the same."""
    used = {maker for row in ROWS for maker in row.makers}
    faults = {f"fault:{fault}" for fault in set(Fault) - CLIENT_ONLY}
    assert faults - used == {"fault:connect_refused"}
    switches = {f"switch:{name}" for name in Switches().shown()}
    assert switches - used == {"switch:clock_skew_s", "switch:placement_ip_refused"}


def test_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-faults"]) == 0
    printed = capsys.readouterr().out
    assert printed == fault_table.text() + "\n"
    for row in ROWS:
        assert f"{row.id:<4} {row.what}" in printed
