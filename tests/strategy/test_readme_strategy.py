"""The strategy that README shows: taken out of the page, found, enabled, and asked."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Final

import pytest

from mmbot.app.demo_config import to_toml
from mmbot.app.strategies import require
from mmbot.cli.checking import examine
from mmbot.config import bundled_folder, load
from mmbot.domain.price import implied
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView, Position
from mmbot.strategy.foreign import ask
from tests.strategy.views import EVENT, LINE, OVER, UNDER, a_view

README: Final = Path(__file__).resolve().parents[2] / "README.md"
KEYS: Final = {"MMBOT_ACCESS_KEY": "a", "MMBOT_SECRET_KEY": "b"}
SCREEN_LINES_MAX: Final = 40


def _block(language: str, mark: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if mark in block]
    return str(found)


STRATEGY: Final = _block("python", "QuotingStrategy")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """What README says to do: save the file, switch consensus off, add the block."""
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "flat_edge.py").write_text(STRATEGY, encoding="utf-8")
    for file in bundled_folder("strategies").glob("*.py"):
        (tmp_path / "strategies" / file.name).write_bytes(file.read_bytes())
    shipped = tomllib.loads((bundled_folder("config") / "simulator.toml").read_text("utf-8"))
    shipped["strategies_dir"] = str(tmp_path / "strategies")
    shipped["state_dir"] = str(tmp_path / "state")
    for strategy in shipped["strategies"]:
        strategy["enabled"] = False
    file = tmp_path / "mmbot.toml"
    file.write_text(to_toml(shipped) + "\n" + _block("toml", "flat_edge"), encoding="utf-8")
    return file


def _quotes(config: Path, view: MarketView) -> dict[str, Quote]:
    (slot,) = require(load(config, KEYS)).slots
    assert slot.selects(EVENT, LINE)
    answer = ask(slot.quoter, view)
    assert not isinstance(answer, str), answer
    return {quote.strike_id: quote for quote in answer}


def test_it_fits_on_a_screen() -> None:
    assert len(STRATEGY.splitlines()) <= SCREEN_LINES_MAX


def test_check_finds_it_enabled(config: Path) -> None:
    findings = examine(config, {**os.environ, **KEYS})
    assert findings.problems == []
    assert "strategy flat_edge (flat_edge.py): enabled" in findings.notes


@pytest.mark.parametrize("prob", [0.1, 0.5, 0.83])
def test_it_quotes_both_sides_with_its_edge(config: Path, prob: float) -> None:
    quotes = _quotes(config, a_view(prob))
    assert quotes.keys() == {OVER, UNDER}
    assert implied(quotes[OVER].price) <= prob - 0.025
    assert implied(quotes[UNDER].price) <= 1 - prob - 0.025
    assert {quote.quantity_cents for quote in quotes.values()} == {2000}


def test_it_wants_nothing_without_a_fair_value(config: Path) -> None:
    assert _quotes(config, a_view(None)) == {}


def test_it_leans_against_what_it_holds(config: Path) -> None:
    flat = _quotes(config, a_view(0.5))
    held = _quotes(config, a_view(0.5, position=Position((30_000, 0), (30_000, 0))))
    assert implied(held[OVER].price) < implied(flat[OVER].price)
    assert held[UNDER].price == flat[UNDER].price
