"""What the documents say about commands, files and settings is still so."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Final

import pytest
import typer

from mmbot.cli.entry import application
from mmbot.domain.evidence import Kind
from mmbot.engine.risk import CHECKS
from mmbot.sim.faults.switches import Switches

REPOSITORY: Final = Path(__file__).resolve().parent.parent
DOCS: Final = REPOSITORY / "docs"
MMBOT: Final = REPOSITORY / "mmbot"
PAGES: Final = (
    REPOSITORY / "README.md",
    REPOSITORY / "ARCHITECTURE.md",
    *sorted(DOCS.glob("*.md")),
)


def _text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def _commands() -> set[str]:
    group = typer.main.get_command(application())
    return set(getattr(group, "commands", {}))


def test_the_command_table_is_complete() -> None:
    table = _text("README.md").partition("## Commands")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([\w-]+)`", row)} == _commands()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_shows_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    code = [
        *re.findall(r"```\w*\n(.*?)```", text, re.DOTALL),
        *re.findall(r"`(mmbot [^`]+)`", text),
    ]
    shown = {
        match
        for block in code
        for match in re.findall(r"(?:^|\$ |bin/)mmbot ([a-z][\w-]*)", block, re.MULTILINE)
    }
    assert shown - {"demo"} <= _commands(), shown - _commands()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    files = [(page.parent / target).resolve() for target in targets]
    lost = [file for file in files if not file.exists()]
    assert not lost


def test_the_configuration_page_is_up_to_date() -> None:
    made = runpy.run_path(str(DOCS / "make_configuration.py"))["page"]()
    assert made == _text("docs/configuration.md"), "run docs/make_configuration.py"


@pytest.mark.parametrize("page", ["docs/ledger.md", "ARCHITECTURE.md"])
def test_the_order_table_is_drawn_as_it_is(page: str) -> None:
    redrawn = runpy.run_path(str(DOCS / "make_ledger.py"))["redrawn"]
    text = _text(page)
    assert "<!-- made by docs/make_ledger.py: " in text
    assert redrawn(text) == text, "run docs/make_ledger.py"


def test_every_kind_of_evidence_is_explained() -> None:
    table = _text("docs/ledger.md").partition("## What proves a step")[2].partition("\n\n<!--")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert {kind for row in rows for kind in re.findall(r"`(\w+)`", row)} == set(Kind)


def test_every_switch_of_the_box_is_described() -> None:
    table = _text("docs/exchange.md").partition("## Switches")[2].partition("\n## ")[0]
    images = {"crossed", "locked", "dead", "one_sided"}
    assert set(re.findall(r"`(\w+)`", table)) - images == set(Switches().shown())


def test_every_check_of_the_gate_is_named() -> None:
    page = _text("docs/strategies.md")
    assert [check.__name__ for check in CHECKS if f"`{check.__name__}`" not in page] == []


def test_every_alarm_is_explained() -> None:
    """Those of the engine are alarms; those of the wire are notices."""
    files = [file for part in ("engine", "exchange") for file in (MMBOT / part).glob("*.py")]
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    raised = set(re.findall(r"(?:\.alarm|Alarm)\(\s*\"([^\"]+)\"", source))
    table = _text("docs/operations.md").partition("## Alarms")[2].partition("\n## ")[0]
    assert raised
    assert {what for what in raised if f"`{what}`" not in table} == set()


def test_pictures_call_no_host() -> None:
    for picture in (DOCS / "images").glob("*.svg"):
        addresses = set(re.findall(r"https?://[^\"'\s)]+", picture.read_text(encoding="utf-8")))
        assert addresses <= {"http://www.w3.org/2000/svg"}, picture.name


def test_every_figure_of_the_demo_is_explained() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", _text("README.md"), re.DOTALL)
    table = _text("docs/demo.md").partition("## The JSON object")[2].partition("\n## ")[0]
    explained = {name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in row.split()}
    assert {name.strip("`") for name in explained} == set(json.loads(shown))
