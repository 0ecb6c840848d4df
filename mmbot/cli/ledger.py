"""Looks after the ledger file: `mmbot ledger backup | check | compact`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mmbot.cli.operate import AS_JSON, CONFIG
from mmbot.cli.records import LEDGER, ledger_file

if TYPE_CHECKING:
    from mmbot.store.inspection import Inspection


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Back up, check and compact the ledger file.", rich_markup_mode=None)
    for name, command in (("backup", backup), ("check", check), ("compact", compact)):
        group.command(name)(command)
    app.add_typer(group, name="ledger")


def backup(
    file: Path = typer.Argument(help="Where the copy goes; it appears when it is complete."),
    config: Path = CONFIG,
    ledger: Path | None = LEDGER,
    force: bool = typer.Option(False, "--force", help="Replace a file that is there."),
    as_json: bool = AS_JSON,
) -> None:
    """Copy the ledger, also while the daemon runs, and read the copy back.

    Example: mmbot ledger backup ledger-copy.sqlite3 --config config/simulator.toml
    """
    from mmbot.store.copying import back_up

    found = back_up(_existing(config, ledger), file, force)
    if as_json:
        typer.echo(json.dumps(_told(found)))
        return
    typer.echo(f"{file}: {found.entries:,} entries, {found.orders:,} orders, verified")


def check(config: Path = CONFIG, ledger: Path | None = LEDGER, as_json: bool = AS_JSON) -> None:
    """Read every entry, also while the daemon runs; exit code 1 when something is wrong.

    Example: mmbot ledger check --config config/simulator.toml
    """
    from mmbot.store.inspection import inspect

    found = inspect(_existing(config, ledger))
    if as_json:
        typer.echo(json.dumps(_told(found)))
    else:
        _show(found)
    if not found.good:
        raise typer.Exit(1)


def compact(config: Path = CONFIG, ledger: Path | None = LEDGER, as_json: bool = AS_JSON) -> None:
    """Let the next start replay as little as it can; every entry stays. The daemon must be down.

    A start does the same by itself when much was written since the last time.

    Example: mmbot ledger compact --config config/simulator.toml
    """
    from contextlib import closing

    from mmbot.store.journal import Journal

    path = _existing(config, ledger)
    with closing(Journal.open(path)) as journal:
        made = journal.compact()
    spent = sum(ids.last - ids.first + 1 for ids in made.spent)
    if as_json:
        told = {"through": made.through, "replayed": len(made.carried), "orders_left_out": spent}
        typer.echo(json.dumps(told))
        return
    typer.echo(
        f"{path}: a start replays {len(made.carried):,} of the entries up to {made.through:,}; "
        f"{spent:,} orders that ended without a fill are left out of it"
    )


def _existing(config: Path, ledger: Path | None) -> Path:
    from mmbot.domain.errors import SetUpError

    file = ledger or ledger_file(config)
    if not file.is_file():
        raise SetUpError(f"{file}: there is no ledger yet")
    return file


def _told(found: Inspection) -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(found), "good": found.good}


def _show(found: Inspection) -> None:
    rows = {
        "file": found.path,
        "schema": found.schema,
        "size": f"{found.bytes / 1e6:,.1f} MB",
        "entries": f"{found.entries:,}",
        **{f"  {kind}": f"{count:,}" for kind, count in found.kinds.items()},
        "orders": f"{found.orders:,}, {found.live_orders:,} of them live",
        "oldest": _when(found.oldest_ns),
        "youngest": _when(found.youngest_ns),
        "a start replays": f"{found.replayed:,} entries",
        "verdict": "good" if found.good else "BAD",
    }
    for name, value in rows.items():
        typer.echo(f"{name:<16} {value}")
    for finding in found.findings:
        typer.echo(f"mmbot: {finding}", err=True)


def _when(at_ns: int) -> str:
    from datetime import UTC, datetime

    if not at_ns:
        return "-"
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
