"""docs/exchange.md says of the box what the box says of itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

from mmbot.sim.faults.plan import Fault
from mmbot.sim.scenario import BoxOptions, shipped_scenarios, with_table
from mmbot.sim.timeline.entries import ACTIONS
from mmbot.sim.unknowns import UNKNOWNS
from tests.sim.builders import a_box

PAGE: Final = (Path(__file__).parents[2] / "docs" / "exchange.md").read_text(encoding="utf-8")


def chapter(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(title: str) -> list[str]:
    """The words in code style of the first column of a chapter's table."""
    cells = re.findall(r"^\| (`.*?`) \|", chapter(title), re.MULTILINE)
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


def test_every_fault_action_and_scenario_is_described() -> None:
    assert sorted(first_cells("Faults")) == sorted(Fault)
    assert sorted(first_cells("Actions")) == sorted(ACTIONS)
    assert sorted(first_cells("Scenarios")) == [name for name, _ in shipped_scenarios()]


def test_every_route_of_the_table_exists_and_no_other() -> None:
    box = a_box()
    chapter_text = chapter("Looking and steering")
    shown = set(re.findall(r"`(GET|POST) /_box/([\w/]+)`", chapter_text))
    assert shown == {(method, name) for method, name in box.steering.routes()}


def test_every_unknown_has_its_row_with_its_values() -> None:
    row = r"^\| (\d+|\d\.\d+) \| (.*) \| (.*) \|$"
    rows = re.findall(row, chapter("Known, inferred, unknown"), re.M)
    rows_of_contract = [one for one in UNKNOWNS if not one.id.startswith("14.")]
    numbers = [one.id.removeprefix("15.") for one in rows_of_contract]
    assert [number for number, _, _ in rows] == numbers
    for (_, topic, how), one in zip(rows, rows_of_contract, strict=True):
        assert topic == one.topic
        for setting in one.settings:
            assert f"`{setting.name}` = {setting.default}".lower() in how.lower()
        assert all(f"`{maker}`" in how for maker in one.makers)


def test_the_example_of_a_scenario_is_one() -> None:
    text = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
    options = with_table(BoxOptions(), tomllib.loads(text))
    assert options.faults[0].fault is Fault.REPLY_HANGS
    assert options.rules.activation.delay == "spread"
    assert len(options.timeline) == 1
