"""`mmbot exchange`: the exchange in the box, alone."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    app.command("exchange")(exchange)


def exchange(
    port: int = typer.Option(8460, help="Loopback port; 0 chooses a free one."),
    seed: int = typer.Option(7, help="Everything random is drawn from it."),
    latency: str = typer.Option("loopback", help="loopback or venue."),
    scenario: Path | None = typer.Option(None, help="A TOML file with the rules of this box."),
    data: Path | None = typer.Option(None, help="A folder with other odds of the same form."),
    record: Path | None = typer.Option(None, help="Write the record to this file at the end."),
) -> None:
    """Run the exchange in the box on loopback, without a daemon.

    Example: mmbot exchange --port 8460 --seed 7
    """
    from mmbot.sim.server import main as serve

    arguments = ["--port", str(port), "--seed", str(seed), "--latency", latency]
    for flag, path in (("--scenario", scenario), ("--data", data), ("--record", record)):
        if path is not None:
            arguments += [flag, str(path)]
    raise typer.Exit(serve(arguments))
