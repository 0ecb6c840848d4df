"""`mmbot demo`: the exchange in the box and the daemon, on your screen."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    duration: float | None = typer.Option(
        None, help="Seconds; without it a live view runs until q, anything else 60."
    ),
    seed: int = typer.Option(7, help="Drift, takers, rival and kills are drawn from it."),
    as_json: bool = typer.Option(False, "--json", help="No view; the last line is one object."),
    latency: str = typer.Option("", help="loopback (as usual) or venue (with a scenario)."),
    scenario: Path | None = typer.Option(None, help="A shipped scenario's name, or a TOML file."),
    data: Path | None = typer.Option(None, help="A folder with other odds of the same form."),
    kills: int = typer.Option(0, help="kill -9 the daemon this often, at moments of the seed."),
    state_dir: Path | None = typer.Option(None, help="Keep ledger and logs in this folder."),
    dialect: str = typer.Option("v4", help="What the daemon speaks: v4 or seed (older)."),
    verbose: bool = typer.Option(False, "--verbose", help="Captions on stderr beside --json."),
) -> None:
    """Watch mmbot make a market on the exchange in the box; no account, no network.

    Example: mmbot demo

    Example: mmbot demo --duration 60 --seed 7 --json

    Example: mmbot demo --scenario snipers
    """
    from mmbot.app.demo import show
    from mmbot.app.demo_options import DemoOptions

    options = DemoOptions(duration, seed, latency, scenario, data, kills, state_dir, dialect)
    raise typer.Exit(show(options.checked(), as_json=as_json, verbose=verbose))
