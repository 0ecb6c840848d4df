"""`mmbot orders` and `mmbot fills` read the ledger file itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmbot.cli.entry import execute
from mmbot.domain.entries import Entry, OrderStepped, PlaceIntended, RunStarted
from mmbot.domain.ids import ExternalId, LineId, MarketId, SportEventId, StrikeId
from mmbot.domain.order import Order, State, Step
from mmbot.domain.price import Price
from mmbot.store.journal import Journal


def an_order(name: str) -> Order:
    return Order(
        ExternalId(name), SportEventId(1), MarketId(18), LineId("1/18/2.5"), StrikeId("ab" * 16),
        0, Price(-110), 5_000, "ALO", "consensus", 1,
    )  # fmt: skip


def stepped(name: str, state: State, filled_cents: int) -> OrderStepped:
    return OrderStepped(
        ExternalId(name), Step.SEEN_ALIVE, state, filled_cents, f"id-{name}", False, "reply", 2
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    file = tmp_path / "ledger.sqlite3"
    journal = Journal.open(file)
    entries: list[Entry] = [RunStarted("r", 1)]
    entries += [PlaceIntended(an_order(name)) for name in ("mm-r-1", "mm-r-2", "mm-r-3")]
    entries += [
        stepped("mm-r-1", State.OPEN, 0),
        stepped("mm-r-2", State.OPEN, 1_200),
        stepped("mm-r-3", State.CANCELLED, 0),
    ]
    journal.append(entries)
    journal.close()
    return file


def test_orders_shows_the_live_ones_and_all_on_demand(
    ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["orders", "--ledger", str(ledger)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown] == ["mm-r-1", "mm-r-2"]
    assert "-110" in shown[0]
    assert execute(["orders", "--ledger", str(ledger), "--all", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3


def test_fills_shows_what_has_filled(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["fills", "--ledger", str(ledger)]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("mm-r-2")
    assert "filled        12.00" in line


def test_no_ledger_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["orders", "--ledger", str(tmp_path / "none.sqlite3")]) == 2
    assert "there is no ledger yet" in capsys.readouterr().err
