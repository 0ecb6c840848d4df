"""`mmbot orders`, `mmbot fills` and `mmbot pnl` read the ledger file itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmbot.cli.entry import execute
from mmbot.domain.case import Case, CaseKind
from mmbot.domain.entries import (
    CaseOpened,
    Entry,
    OrderStepped,
    PlaceIntended,
    RunStarted,
    TransactionBooked,
)
from mmbot.domain.evidence import Evidence, Kind
from mmbot.domain.fill import Transaction
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
        ExternalId(name),
        Step.SEEN_ALIVE,
        state,
        filled_cents,
        f"id-{name}",
        False,
        Evidence(Kind.REPLY),
        2,
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


def test_pnl_is_rebuilt_from_the_file(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        Transaction("tx-1", "TRADE", -1_200, "t-1", 1, "18", 3),
        Transaction("tx-2", "DEPOSIT", 99_00, created_ns=4),
    ]
    case = Case("cash account", CaseKind.CASH, "account", 0, 7, "7 cents nobody explains")
    journal = Journal.open(ledger)
    journal.append([*(TransactionBooked(row, 5) for row in rows), CaseOpened(case, 6)])
    journal.close()
    assert execute(["pnl", "--ledger", str(ledger)]) == 0
    head, market, line, total, shown = capsys.readouterr().out.splitlines()
    assert head.split() == ["event", "market", "staked", "open", "stake", "fees", "realised"]
    assert market.split() == ["1", "18", "12.00", "12.00", "0.00", "0.00"]
    assert line.split() == ["18/2.5", "abababab", "12.00", "12.00"]
    assert total == "realised 0.00, open stake 12.00, fees 0.00, by the exchange's rows"
    assert shown == "CASE  cash account: 7 cents nobody explains"
    assert execute(["pnl", "--ledger", str(ledger), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["pnl_cents"], told["open_stake_cents"]) == (-1_200, 1_200)
    assert told["cases"][0]["theirs_cents"] == 7


def test_pnl_without_a_ledger_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["pnl", "--ledger", str(tmp_path / "none.sqlite3")]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("there is no ledger yet")


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
