"""Reads the ledger file, also while the daemon runs or is dead: `orders fills`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import typer

from mmbot.cli.operate import AS_JSON, CONFIG

LEDGER: Final = typer.Option(None, "--ledger", help="The ledger file instead of the config's.")
LIVE: Final = frozenset({"INTENDED", "IN_DOUBT", "OPEN", "CANCELLING"})


def register(app: typer.Typer) -> None:
    app.command("orders")(orders)
    app.command("fills")(fills)


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


def _rows(config: Path, ledger: Path | None) -> list[dict[str, object]]:
    from mmbot.domain.errors import SetUpError
    from mmbot.store.journal import export_orders

    file = ledger or ledger_file(config)
    if not file.is_file():
        raise SetUpError(f"{file}: there is no ledger yet")
    return [dict(row) for row in export_orders(file)]


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
