"""`mmbot simulate`: whole days under the virtual clock, each from its seed."""

from __future__ import annotations

import re
from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    app.command("simulate")(simulate)


def simulate(
    seeds: str | None = typer.Option(None, help="One seed, or a range A..B with both ends."),
    readings: bool = typer.Option(False, "--readings", help="Every reading of the venue."),
    reading: str | None = typer.Option(None, help="One of them, as NAME=VALUE."),
    scenario: Path | None = typer.Option(None, help="A shipped scenario's name, or a TOML file."),
    faults: str = typer.Option("all", help="all, none, or ids: A,B3,D8-D16 (docs/simulator.md)."),
    only: str = typer.Option("", help="Of what is drawn, these moments and strikes: m2 w3.17."),
    dialect: str = typer.Option("v4", help="What the daemon speaks: v4 or seed (older)."),
    shrink: int | None = typer.Option(None, help="A failing seed: its fewest faults that fail."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object per seed."),
    jobs: int = typer.Option(0, min=0, help="Processes at once; 0 means one per core."),
    log: Path | None = typer.Option(None, help="A folder for the daemon's log of each seed."),
) -> None:
    """Run the real daemon against the box under the virtual clock, with seeded faults.

    One seed is one day: quoting under faults and crashes, a calm, the stop, the settlement; then
    the exchange's own record is held against the ledger. The same seed is the same day for ever.

    A reading is a day without faults on which one thing that is not known of the venue is
    otherwise than we believe.

    Example: mmbot simulate --seeds 1..20 --faults A,C1,D8-D16
    """
    if sum((seeds is not None, readings, reading is not None, shrink is not None)) != 1:
        raise typer.BadParameter("choose one of --seeds, --shrink, --readings and --reading")
    drawn = seeds is not None or shrink is not None
    of_seeds = scenario is not None or only or faults != "all" or dialect != "v4"
    if not drawn and of_seeds:
        raise typer.BadParameter(
            "--scenario, --faults, --only and --dialect go with --seeds and --shrink"
        )
    chosen = None if seeds is None else parse_seeds(seeds)
    from mmbot.app.simulate import Asked, Output, run_seeds
    from mmbot.app.simulate_reading import reading as named
    from mmbot.app.simulate_reading import readings as known
    from mmbot.app.simulate_readings import run_readings

    out = Output(as_json=as_json, log_dir=log)
    asked = Asked(scenario, faults, only, dialect)
    if chosen is not None:
        raise typer.Exit(run_seeds(chosen, asked, out=out, jobs=jobs))
    if shrink is not None:
        from mmbot.app.simulate_shrink import run_shrink

        raise typer.Exit(run_shrink(shrink, asked, jobs=jobs))
    days = known() if reading is None else [named(reading)]
    raise typer.Exit(run_readings(days, out=out, jobs=jobs))


def parse_seeds(text: str) -> range:
    """`7` or `1..20` (both ends included)."""
    match = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", text.strip())
    if match is None:
        raise typer.BadParameter(f"--seeds {text!r}: write one number or A..B")
    first = int(match[1])
    last = int(match[2] or first)
    if last < first:
        raise typer.BadParameter(f"--seeds {text}: {last} is before {first}")
    return range(first, last + 1)
