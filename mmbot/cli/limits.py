"""`mmbot limits`: each limit, its use, where it was set, which binds; and what they let quote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import typer

from mmbot.cli.admin_client import NoDaemon, admin_address, ask, settings_of
from mmbot.cli.operate import ADMIN, AS_JSON, CONFIG

SECONDS: Final = 60.0


def register(app: typer.Typer) -> None:
    app.command("limits")(limits)


def limits(
    config: Path = CONFIG,
    admin: str | None = ADMIN,
    capacity: bool = typer.Option(
        False, "--capacity", help="Try the configuration in the box: what it quotes there."
    ),
    scenario: Path = typer.Option(
        Path("sunday"), help="With --capacity: a shipped scenario's name, or a TOML file."
    ),
    seconds: float = typer.Option(
        SECONDS, min=5, max=3600, help="With --capacity: how long it quotes, in virtual time."
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Every limit of the configuration, and how much of it the running daemon uses.

    `used` is taken where most of the limit is used, and `about` says where that is. A limit binds
    (!) while quotes are wanted that it refuses; * is the one that is fullest. Without a daemon
    only the figures are shown.

    With --capacity nothing is asked: the configuration quotes a scenario of the exchange in the
    box, with its capital as cash, and what rests there is counted by the box.

    Example: mmbot limits --config config/simulator.toml

    Example: mmbot limits --capacity --scenario sunday --config config/production.toml --json
    """
    if capacity:
        from mmbot.app.capacity import measure

        found = measure(config, scenario, seconds)
        typer.echo(json.dumps(found) if as_json else "\n".join(_told(found)))
        return
    seen = _seen(config, admin)
    if as_json:
        typer.echo(json.dumps(seen))
        return
    typer.echo("\n".join(_table(seen)))


def _seen(config: Path, admin: str | None) -> dict[str, Any]:
    """Of the daemon; of the file alone when none answers."""
    try:
        seen = ask(admin_address(config, admin), "/limits")
    except NoDaemon as silent:
        from mmbot.app.first_contact import quantity_min_cents
        from mmbot.app.limit_rows import limits_unused

        settings = settings_of(config)
        seen = limits_unused(settings.risk.book(quantity_min_cents(settings)))
        return {"file": str(config), "daemon": False, "note": str(silent), **seen}
    return {"file": str(config), "daemon": True, "note": "", **seen}


def _table(seen: dict[str, Any]) -> list[str]:
    lines = [f"set in {seen['file']}{'; ' + seen['note'] if seen['note'] else ''}"]
    head = ("limit", "used", "allowed", "share", "set in", "where most of it is used")
    lines.append("  " + "{:<29}{:>13}{:>13}{:>8}  {:<12}{}".format(*head).rstrip())
    for row in seen["limits"]:
        mark = "!" if row["binds"] else "*" if row["nearest"] else " "
        refused = f"  refuses {row['refused']} now" if row["refused"] else ""
        used = "-" if row["used"] is None else _plain(row["used"], row["unit"])
        share = "-" if row["used"] is None else f"{row['share']:.1%}"
        allowed = _plain(row["allowed"], row["unit"])
        text = f"{mark} {row['limit']:<29}{used:>13}{allowed:>13}{share:>8}  {row['table']:<12}"
        lines.append(f"{text}{row['about']}{refused}".rstrip())
    return lines


def _plain(value: float, unit: str) -> str:
    from mmbot.domain.money import usd

    if unit == "cents":
        return usd(round(value))
    return f"{value:.2f}" if unit == "times cash" else f"{value:g}"


def _told(found: dict[str, Any]) -> list[str]:
    from mmbot.domain.money import usd

    side = found["resting_per_strike_cents"]
    binding = found["binding"]
    refuses = f", refuses {binding['refused']}" if binding["refused"] else ", refuses nothing"
    return [
        f"{found['config']} in the scenario {found['scenario']}, after {found['after_s']:g} s "
        f"({found['latency']} latencies), with {usd(found['cash_cents'])} USD of cash",
        f"strikes quoted       {found['strikes_quoted']} of {found['strikes']} of main lines",
        f"lines quoted         {found['lines_quoted']} of {found['lines']} on both sides with at "
        f"least {usd(found['least_cents'])} USD each: {found['share']:.1%}",
        f"resting per strike   least {usd(side['least'])}, median {usd(side['median'])}, "
        f"most {usd(side['most'])} USD",
        f"nearest limit        {binding['limit']}: {binding['share']:.1%} used{refuses}",
        f"venue's allowance    {usd(found['unmatched_cents'])} of {usd(found['allowance_cents'])} "
        f"USD (10 times cash): {found['allowance_share']:.1%}",
        f"if everything fills  stakes {usd(found['unmatched_cents'])} USD, worst case "
        f"{usd(found['worst_case_cents'])} USD after the fee; held now {usd(found['held_cents'])}",
    ]
