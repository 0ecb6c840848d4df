"""`mmbot doctor`: is the daemon well, and does the exchange still speak the contract?"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import typer

from mmbot.cli.admin_client import admin_address, ask
from mmbot.cli.operate import ADMIN, AS_JSON, CONFIG

LISTEN_S: Final = 12.0  # a health check comes each 5 s


@dataclass(frozen=True, slots=True)
class Check:
    """`good` False: a person should look."""

    name: str
    good: bool
    detail: str


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    config: Path = CONFIG,
    admin: str | None = ADMIN,
    contract: bool = typer.Option(
        False, "--contract", help="Ask the exchange itself, without a daemon or beside one."
    ),
    listen_s: float = typer.Option(
        LISTEN_S, min=0, help="With --contract: how long to listen to the stream."
    ),
    arm_production: bool = typer.Option(
        False, "--arm-production", help="With --contract: needed where it is needed to run."
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Examine a running daemon: exit code 0 when it is well, 1 when a person should look.

    Drift is what the exchange has said otherwise than the contract since the daemon's start; a
    line with ! concerns money or a side, and what cannot be read exactly of it is not used.

    With --contract every read is asked once and compared with the contract's examples: exit code
    0 when nothing differs, 1 when something does or could not be asked.

    Example: mmbot doctor --config config/simulator.toml

    Example: mmbot doctor --contract --json
    """
    if contract:
        raise typer.Exit(_compare(config, listen_s, arm_production, as_json))
    status = ask(admin_address(config, admin), "/status")
    checks, drift = examined(status), status.get("drift", [])
    good = all(check.good for check in checks)
    if as_json:
        told = {"good": good, "checks": [asdict(check) for check in checks], "drift": drift}
        typer.echo(json.dumps(told))
    else:
        for check in checks:
            typer.echo(f"{'ok' if check.good else 'LOOK':<5} {check.name:<10} {check.detail}")
        for row in drift:
            typer.echo(drift_line(row))
    raise typer.Exit(0 if good else 1)


def _compare(config: Path, listen_s: float, armed: bool, as_json: bool) -> int:
    from mmbot.app.contract_check import compare
    from mmbot.config import load

    found = asyncio.run(compare(load(config, os.environ), listen_s, armed=armed)).as_json()
    typer.echo(json.dumps(found) if as_json else "\n".join(comparison_lines(found)))
    return 0 if found["same"] else 1


def comparison_lines(found: Mapping[str, Any]) -> list[str]:
    """A comparison for people."""
    differences, failed, unseen = found["differences"], found["failed"], found["not_shown"]
    lines = [f"asked     {', '.join(found['asked'])}"]
    lines += [f"differs   {_amount(differences)}", *map(drift_line, differences)]
    lines += [f"failed    {place}: {reason}" for place, reason in failed.items()]
    lines += [f"not shown {place}" for place in unseen]
    return lines


def examined(status: Mapping[str, Any]) -> list[Check]:
    """Judges what `/status` says."""
    mode, why = status.get("mode"), status.get("why")
    stream, orders = status.get("stream", {}), status.get("orders", {})
    deaf = [name for name in ("private", "public") if not stream.get(name)]
    doubts, cases, drift = orders.get("in_doubt", 0), status.get("cases", []), status.get("drift")
    differing = "unknown: the daemon is older than this" if drift is None else _amount(drift)
    return [
        Check("mode", mode == "ENABLED", f"{mode}{f': {why}' if why else ''}"),
        Check("stream", not deaf, f"not heard: {', '.join(deaf)}" if deaf else "heard"),
        Check("doubt", not doubts, f"{doubts} orders in doubt"),
        Check("money", not cases, f"{len(cases)} cases" if cases else "as the exchange has it"),
        Check("drift", drift == [], differing),
    ]


def _amount(drift: list[dict[str, Any]]) -> str:
    if not drift:
        return "none: the exchange speaks the contract"
    grave = sum(1 for row in drift if row["matters"])
    return f"{len(drift)} differences from the contract, {grave} of money or side"


def drift_line(row: Mapping[str, Any]) -> str:
    """One difference for people; what the exchange gave is kept to printable characters."""
    mark = "!" if row["matters"] else " "
    text = f"    {mark} {row['what']:<15} {row['place']} {row['field']}  x{row['count']}"
    text += f"  {row['sample']}" if row["sample"] else ""
    return "".join(char if char.isprintable() else "?" for char in text)
