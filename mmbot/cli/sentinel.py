"""`mmbot sentinel`: the second process, which flattens the account when the daemon cannot."""

from __future__ import annotations

import os
from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    app.command("sentinel")(sentinel)


def sentinel(
    config: Path = typer.Option(..., "--config", "-c", help="The daemon's configuration."),
    arm_production: bool = typer.Option(
        False, "--arm-production", help="Needed beside environment = production: real money."
    ),
) -> None:
    """Watch the daemon's heartbeat; when it stops, cancel everything and latch the halt.

    MMBOT_ACCESS_KEY and MMBOT_SECRET_KEY are a second key pair of the same account.

    Example: mmbot sentinel --config config/simulator.toml
    """
    from mmbot.config import load

    settings = load(config, os.environ)
    from mmbot.app import sentinel_process

    raise typer.Exit(sentinel_process.run(settings, armed=arm_production))
