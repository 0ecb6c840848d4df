"""Reads the ledger file, also while the daemon runs or is dead: `orders fills pnl`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from mmbot.cli.operate import AS_JSON, CONFIG, case_line

LEDGER: Final = typer.Option(None, "--ledger", help="The ledger file instead of the config's.")
LIVE: Final = frozenset({"INTENDED", "IN_DOUBT", "OPEN", "CANCELLING"})


def register(app: typer.Typer) -> None:
    app.command("orders")(orders)
    app.command("fills")(fills)
    app.command("pnl")(pnl)


def orders(
    config: Path = CONFIG,
    ledger: Path | None = LEDGER,
    everything: bool = typer.Option(False, "--all", help="Also those that have ended."),
    as_json: bool = AS_JSON,
) -> None:
    """Our live orders as the ledger knows them.

    Example: mmbot orders --config config/simulator.toml --all
    """
    rows = [row for row in _rows(config, ledger) if everything or row["state"] in LIVE]
    _show(rows, as_json, nothing="no live orders")


def fills(config: Path = CONFIG, ledger: Path | None = LEDGER, as_json: bool = AS_JSON) -> None:
    """Orders of which something has filled.

    Example: mmbot fills --config config/simulator.toml
    """
    rows = [row for row in _rows(config, ledger) if int(str(row["filled_cents"])) > 0]
    _show(rows, as_json, nothing="no fills")


def pnl(config: Path = CONFIG, ledger: Path | None = LEDGER, as_json: bool = AS_JSON) -> None:
    """What trading made, per market: rebuilt from the ledger, in the exchange's own rows.

    An open stake waits for its result. A case is a difference from the exchange's books.

    Example: mmbot pnl --config config/simulator.toml
    """
    from mmbot.engine.ledger import Ledger
    from mmbot.engine.statement import statement
    from mmbot.store.journal import read_entries

    rebuilt = Ledger(prefix="")
    for entry in read_entries(_existing(config, ledger)):
        rebuilt.replay(entry)
    told = statement(rebuilt)
    if as_json:
        typer.echo(json.dumps(told))
        return
    for line in _pnl_lines(told):
        typer.echo(line)


def _pnl_lines(told: dict[str, Any]) -> Iterator[str]:
    from mmbot.domain.money import usd

    figures = ("staked_cents", "open_stake_cents", "fees_cents", "realised_cents")
    yield f"{'event':<12}{'market':<10}{'staked':>14}{'open stake':>14}{'fees':>12}{'realised':>14}"
    for market in told["markets"]:
        staked, waiting, fees, realised = (usd(market[name]) for name in figures)
        name = f"{market['event_id']:<12}{market['market_id']:<10}"
        yield f"{name}{staked:>14}{waiting:>14}{fees:>12}{realised:>14}"
        for one in market["strikes"]:
            held, open_stake = usd(one["staked_cents"]), usd(one["open_stake_cents"])
            strike = f"{one['line_id'].partition('/')[2]} {one['strike_id'][:8]}"
            yield f"  {strike:<20}{held:>14}{open_stake:>14}"
    by = "the exchange's rows" if told["by"] == "rows" else "the balance: its rows cannot be booked"
    yield (
        f"realised {usd(told['realised_cents'])}, open stake {usd(told['open_stake_cents'])}, "
        f"fees {usd(told['fees_cents'])}, by {by}"
    )
    for case in told["cases"]:
        yield case_line(case)


def _existing(config: Path, ledger: Path | None) -> Path:
    from mmbot.domain.errors import SetUpError

    file = ledger or ledger_file(config)
    if not file.is_file():
        raise SetUpError(f"{file}: there is no ledger yet")
    return file


def _rows(config: Path, ledger: Path | None) -> list[dict[str, object]]:
    from mmbot.store.journal import export_orders

    return [dict(row) for row in export_orders(_existing(config, ledger))]


def ledger_file(config: Path) -> Path:
    """Where a configuration keeps its ledger."""
    from mmbot.config import load

    unused = {"MMBOT_ACCESS_KEY": "unused", "MMBOT_SECRET_KEY": "unused"}
    settings = load(config, {**unused, **os.environ})
    return settings.state_dir / settings.ledger.file


def _show(rows: list[dict[str, object]], as_json: bool, nothing: str) -> None:
    from mmbot.domain.money import usd

    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        quantity, filled = int(str(row["quantity_cents"])), int(str(row["filled_cents"]))
        typer.echo(
            f"{row['external_id']:<28} {row['state']:<10} {int(str(row['price'])):>+6} "
            f"{usd(quantity):>12} filled {usd(filled):>12}  {row['strike_id']}"
        )
    if not rows:
        typer.echo(nothing)
