"""`mmbot run` and `mmbot check`."""

from __future__ import annotations

import os
from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    app.command("run")(run)
    app.command("check")(check)


def run(
    config: Path = typer.Option(..., "--config", "-c", help="A file like config/simulator.toml."),
    arm_production: bool = typer.Option(
        False, "--arm-production", help="Needed beside environment = production: real money."
    ),
) -> None:
    """Run the daemon until it is told to stop.

    Example: mmbot run --config config/simulator.toml
    """
    from mmbot.config import load

    settings = load(config, os.environ)
    from mmbot.app import compose

    raise typer.Exit(compose.run(settings, armed=arm_production))


def check(
    config: Path = typer.Option(..., "--config", "-c", help="A file like config/simulator.toml."),
) -> None:
    """Read configuration and strategies, and report every problem at once.

    Example: mmbot check --config config/simulator.toml
    """
    from mmbot.cli.checking import examine
    from mmbot.domain.errors import SetUpError

    findings = examine(config, os.environ)
    for note in findings.notes:
        typer.echo(note)
    if findings.problems:
        raise SetUpError("\n".join(findings.problems))
    typer.echo(f"{config}: ready")
