"""`mmbot drill`: a fire drill of every safety, in the exchange in the box."""

from __future__ import annotations

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    app.command("drill")(drill)


def drill(
    seed: int = typer.Option(7, help="Of the box: drift, takers and rival are drawn from it."),
    profile: list[str] = typer.Option(
        [], help="loopback (judged) or venue (shown); without it both, one venue trip of a kind."
    ),
    only: list[str] = typer.Option([], help="Of the trips only this one; may be given again."),
    logs: Path | None = typer.Option(None, help="Keep each trip's logs and record in here."),
    as_json: bool = typer.Option(False, "--json", help="One object per trip, then the verdict."),
) -> None:
    """Trip each safety and see by the exchange's record how soon nothing rests; 0: all held.

    Example: mmbot drill --json

    Example: mmbot drill --only "daemon frozen"

    Example: mmbot drill --seed 3 --profile loopback --profile venue
    """
    import json
    from dataclasses import asdict

    from mmbot.app import drill as drilling
    from mmbot.domain.errors import SetUpError

    unknown = set(profile) - {"loopback", "venue"}
    if unknown:
        raise SetUpError(f"--profile: {', '.join(sorted(unknown))}: loopback or venue")

    strange = set(only) - set(drilling.TRIPS)
    if strange:
        known = ", ".join(drilling.TRIPS)
        raise SetUpError(f"--only: {', '.join(sorted(strange))}: there is {known}")

    def say(row: drilling.Row) -> None:
        if as_json:
            typer.echo(json.dumps(asdict(row)))

    rows = drilling.drill(seed, drilling.plan(profile, only), say, logs and logs.absolute())
    judged = [row for row in rows if row.held is not None]
    held = all(row.held for row in judged)
    if as_json:
        typer.echo(json.dumps({"seed": seed, "trips": len(judged), "held": held}))
    else:
        for line in drilling.table(rows):
            typer.echo(line)
    raise typer.Exit(0 if held else 1)
