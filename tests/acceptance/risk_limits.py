"""Limits and the venue's rules, walked from outside: shipped configurations tried in the box.

Each walk lets the real daemon quote a small exchange under the virtual clock; what rests there is
counted by the box. FULL=1: every limit, every height of unmatched stakes, ten minutes of Sunday.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from mmbot.app.capacity import measure
from mmbot.app.demo_config import to_toml
from mmbot.cli.entry import execute
from mmbot.config import bundled_folder
from mmbot.domain.errors import TryAgain
from tests.acceptance.risk_breakers import resting, shown
from tests.simulation.still_market import Still, still

FULL: Final = os.environ.get("FULL") == "1"
PRODUCTION: Final = bundled_folder("config") / "production.toml"
SMALL: Final = "start_after_s = 3600\n[events]\ncount = 2\nlines = 20\n"

# Which figures make that one the tightest. 75 dollars are wanted on each of 40 strikes.
TIGHT: Final[Mapping[str, Mapping[str, float]]] = {
    "event_loss": {"line_loss": 200, "market_loss": 200, "event_loss": 200},
    "open_orders_max": {"open_orders_max": 15},
    "order_quantity": {"order_quantity": 40},
    "strike_resting": {"order_quantity": 60, "strike_resting": 60},
    "market_resting": {"order_quantity": 80, "strike_resting": 80, "market_resting": 100},
    "line_loss": {"line_loss": 40},
    "market_loss": {"line_loss": 100, "market_loss": 100},
    "tournament_loss": {
        "line_loss": 200, "market_loss": 200, "event_loss": 200, "tournament_held": 300,
        "tournament_loss": 300,
    },
    "total_loss": {
        "line_loss": 200, "market_loss": 200, "event_loss": 200, "tournament_held": 200,
        "tournament_loss": 300, "total_held": 200, "total_loss": 300,
    },
    "unmatched_cash_multiple_max": {"unmatched_cash_multiple_max": 0.02},
    "balance_reserve": {"balance_reserve": 49_980},
}  # fmt: skip
CONFIGURED: Final = frozenset({"open_orders_max", "unmatched_cash_multiple_max"})
IN_SHORT: Final = ("event_loss",)


def key(figure: str) -> str:
    if figure in CONFIGURED:
        return figure
    return "balance_reserve_usd" if figure == "balance_reserve" else f"{figure}_max_usd"


def configured(folder: Path, figures: Mapping[str, float], *scopes: Mapping[str, Any]) -> Path:
    """production.toml with these figures of [risk] instead of its own."""
    table = tomllib.loads(PRODUCTION.read_text(encoding="utf-8"))
    table["risk"] |= {key(figure): value for figure, value in figures.items()}
    table["risk"]["scopes"] = list(scopes)
    table["strategies_dir"] = str(bundled_folder("strategies"))
    path = folder / "config.toml"
    path.write_text(to_toml(table), encoding="utf-8")
    return path


def tried(folder: Path, config: Path, seconds: float = 8.0, more: str = "") -> dict[str, Any]:
    """Of a small exchange; `more` is its scenario's, as TOML."""
    scenario = folder / "small.toml"
    scenario.write_text(SMALL + more, encoding="utf-8")
    return measure(config, scenario, seconds)


def row(found: Mapping[str, Any], figure: str) -> dict[str, Any]:
    (one,) = (one for one in found["limits"] if one["limit"] == key(figure))
    return dict(one)


# --- line 2 -------------------------------------------------------------------------------------


def walk_gate(folder: Path) -> None:
    """Each limit binds where it is the tightest, says so, and is kept by the box's record."""
    roomy = tried(folder, configured(folder, {}))
    assert (roomy["lines_quoted"], roomy["lines"]) == (20, 20)
    assert not any(one["binds"] for one in roomy["limits"])
    for figure in TIGHT if FULL else IN_SHORT:
        found = tried(folder, configured(folder, TIGHT[figure]))
        seen = row(found, figure)
        if figure == "total_loss":  # its only tournament may be asked first
            seen = max(seen, row(found, "tournament_loss"), key=lambda one: int(one["refused"]))
        assert seen["refused"] > 0, figure
        assert seen["table"] == "[risk]"
        assert found["unmatched_cents"] < roomy["unmatched_cents"], figure
        if figure == "event_loss":  # two games
            assert 0 < found["worst_case_cents"] <= 2 * 200_00
        if figure == "total_loss":
            assert 0 < found["worst_case_cents"] <= 300_00
        if figure == "strike_resting":
            assert found["resting_per_strike_cents"]["most"] <= 60_00


def walk_cascade(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row tightens its sport and no other; `mmbot limits` says where each figure was set."""
    ours = {"sport": "American Football", "event_loss_max_usd": 200}
    other = {"sport": "Tennis", "event_loss_max_usd": 100}
    config = configured(folder, {}, ours, other)
    seen = row(tried(folder, config), "event_loss")
    assert (seen["allowed"], seen["refused"] > 0) == (200_00, True)
    assert seen["table"] == "[[risk.scopes]] #1 (sport american football)"
    assert execute(["limits", "--config", str(config), "--json"]) == 0
    tables = {one["table"] for one in json.loads(capsys.readouterr().out)["limits"]}
    assert {"[risk]", "[[risk.scopes]] #2 (sport tennis)"} < tables


def walk_sunday(capsys: pytest.CaptureFixture[str]) -> None:
    """A capital of 50,000 and the shipped production.toml, through the command."""
    seconds = "600" if FULL else "8"
    asked = ["limits", "--capacity", "--scenario", "sunday", "--config", str(PRODUCTION)]
    assert execute([*asked, "--seconds", seconds, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["lines"] == 400
    assert found["least_cents"] >= 25_00
    assert found["share"] >= 0.95
    assert found["binding"]["limit"]
    assert 0 < found["worst_case_cents"] <= found["worst_case_by_line_cents"]
    assert 0 < found["allowance_share"] < 1


# --- line 3 -------------------------------------------------------------------------------------


def walk_unmatched(folder: Path) -> None:
    """The cash falls while 3,000 dollars rest: to 10 times (of own 4), and with FULL=1 others."""
    config = configured(folder, {})
    for usd in (300, 750.5, 749, 301, 60) if FULL else (300,):
        falls = f'[[timeline]]\nat_s = 8\naction = "cash"\nusd = {usd}\n'
        found = tried(folder, config, 30.0, falls)
        assert found["cash_cents"] <= usd * 100
        assert found["unmatched_cents"] <= max(0, 4 * found["cash_cents"]), usd
        assert found["unmatched_cents"] > 0 or found["cash_cents"] <= 0  # no more than has to


def walk_balance(folder: Path) -> None:
    """Without its key nothing is quoted; a credit is shown and no limit counts on it."""
    absent = '[[timeline]]\nat_s = 0\naction = "switch"\nset = { balance_key_absent = true }\n'
    found = tried(folder, configured(folder, {}), 8.0, absent)
    assert found["unmatched_cents"] == found["strikes_quoted"] == 0
    assert row(found, "unmatched_cash_multiple_max")["refused"] > 0
    lent = tried(folder, configured(folder, {}), 8.0, '[rules.money]\ncredit = "gec"\n')
    assert lent["cash_cents"] <= 50_000_00
    assert lent["lines_quoted"] == 20


def walk_minimums(folder: Path) -> None:
    """What the probe measured as the smallest order is kept, and the ladder is the exchange's."""
    dense = tried(folder, configured(folder, {}), 8.0, '[rules]\nladder = "dense_555"\n')
    assert dense["lines_quoted"] == 20
    assert row(dense, "order_quantity")["refused"] == 0
    gone = '[[timeline]]\nat_s = 0\naction = "switch"\nset = { ladder_empty = true }\n'
    with pytest.raises(TryAgain, match="the price ladder cannot be loaded"):
        tried(folder, configured(folder, {}), 8.0, gone)


# faults: G1
def walk_ladder() -> None:
    """Every point that it quotes at leaves the ladder, without a word: it learns that from what is
    refused, which is no loop, and quotes each strike again at points that are left.
    """

    async def evening(market: Still) -> None:
        before = resting(market)
        gone = {row["price"] for row in before}
        await market.do("change_ladder", remove=sorted(gone))
        assert not resting(market)
        await market.wait(20)
        again = resting(market)
        assert {row["strike_id"] for row in again} == {row["strike_id"] for row in before}
        assert gone.isdisjoint(row["price"] for row in again)
        assert market.daemon.status()["mode"] == "ENABLED"
        assert shown(market, "reject loop")["state"] == "armed"

    rules = {"life": {"ladder_change": "cancel"}}
    still(evening, config={"breakers": {"refusals_max": 5}}, rules=rules)
