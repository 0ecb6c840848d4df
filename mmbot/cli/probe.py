"""`mmbot probe`: measure what nobody has described, on a sandbox or on the box."""

from __future__ import annotations

import json
import os
from pathlib import Path

import typer

CONFIG = typer.Option(
    Path("config/sandbox.toml"), "--config", "-c", envvar="MMBOT_CONFIG",
    help="Which exchange and whose keys; nothing else of it is used.",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    app.command("probe")(probe)


def probe(
    config: Path = CONFIG,
    out: Path = typer.Option(Path("state/probe"), help="The folder for profile.toml, raw.jsonl."),
    at_risk: float = typer.Option(20.0, min=1.0, max=20.0, help="US dollars, filled and resting."),
    requests: int = typer.Option(300, min=60, max=300, help="All that may be sent."),
    minutes: float = typer.Option(15.0, min=3.0, max=15.0, help="The longest it may take."),
    as_json: bool = typer.Option(False, "--json", help="For programs."),
) -> None:
    """Measure each open question of the exchange's contract that a client can measure.

    Places small orders, most of them far from the market, and takes every one back, also on
    Ctrl-C. Refuses production. What cannot be told is named in the profile, with the reason.

    Example: mmbot probe --config config/sandbox.toml --out state/probe
    """
    from mmbot.app.probing import PROFILE_FILE
    from mmbot.app.probing import probe as measure
    from mmbot.config import load
    from mmbot.probe.allowance import Limits
    from mmbot.probe.findings import Found, Unknown

    limits = Limits(round(at_risk * 100), requests, minutes * 60)
    outcome = measure(load(config, os.environ), out, limits)
    findings = sorted(outcome.notebook.findings.items())
    left = [ticket.external_id for ticket in outcome.left_open]
    if as_json:
        found = {name: one.value for name, one in findings if isinstance(one, Found)}
        unknown = {name: one.why for name, one in findings if isinstance(one, Unknown)}
        typer.echo(json.dumps({"found": found, "unknown": unknown, "left_open": left}))
    else:
        for name, one in findings:
            said = f"{one.value}  ({one.seen})" if isinstance(one, Found) else f"?  ({one.why})"
            typer.echo(f"{name:34} {said}")
        typer.echo(
            f"\n{out / PROFILE_FILE}: {outcome.allowance.requests} requests, at most "
            f"${outcome.allowance.at_risk_cents_top / 100:.2f} at risk"
        )
    if left:
        typer.echo(f"not seen to end: {', '.join(left)}", err=True)
    raise typer.Exit(1 if left else 0)
