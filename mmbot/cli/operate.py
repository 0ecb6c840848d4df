"""Talks to a running daemon: `status positions strategies cancel-all`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import typer

from mmbot.cli.admin_client import admin_address, ask, say

CONFIG: Final = typer.Option(
    Path("config/simulator.toml"), "--config", "-c", envvar="MMBOT_CONFIG",
    help="The configuration of the daemon to ask.",
)  # fmt: skip
ADMIN: Final = typer.Option(None, "--admin", help="Its admin address instead, http://HOST:PORT.")
AS_JSON: Final = typer.Option(False, "--json", help="For programs.")
LISTS: Final = ("lines", "cases", "drift", "breakers")  # only their length is shown
EMPTY_WAIT_MAX_S: Final = 90.0
POLL_S: Final = 0.5


def register(app: typer.Typer) -> None:
    for name, command in (
        ("status", status), ("positions", positions), ("strategies", strategies),
        ("cancel-all", cancel_all),
    ):  # fmt: skip
        app.command(name)(command)


def status(config: Path = CONFIG, admin: str | None = ADMIN, as_json: bool = AS_JSON) -> None:
    """What the daemon is doing now.

    Example: mmbot status --config config/simulator.toml
    """
    seen = ask(admin_address(config, admin), "/status")
    if as_json:
        typer.echo(json.dumps(seen))
        return
    for key, value in seen.items():
        if key not in LISTS:
            typer.echo(f"{key:<26} {_plain(key, value)}")
    for key in LISTS:
        typer.echo(f"{key:<26} {len(seen.get(key, []))}")
    for case in seen.get("cases", []):
        typer.echo(case_line(case))
    for breaker in seen.get("breakers", []):
        typer.echo(breaker_line(breaker))


def positions(config: Path = CONFIG, admin: str | None = ADMIN, as_json: bool = AS_JSON) -> None:
    """Filled stakes per line.

    Example: mmbot positions --config config/simulator.toml
    """
    seen = ask(admin_address(config, admin), "/status")
    lines = seen.get("lines", [])
    held = [line for line in lines if any(line.get("position", {}).values())]
    if as_json:
        typer.echo(json.dumps(held))
        return
    for line in held:
        number = "" if line.get("number") is None else f" {line['number']:g}"
        name = line["market"].removesuffix(number) + number  # some markets carry it already
        typer.echo(f"{line['event']}  {name}  {_plain('', line['position'])}")
    if not held:
        typer.echo("no positions")
    for case in seen.get("cases", []):
        typer.echo(case_line(case))


def case_line(case: dict[str, Any]) -> str:
    """Where our money and the exchange's differ."""
    return f"CASE  {case['case']}: {case['detail']}"


def breaker_line(row: dict[str, Any]) -> str:
    """Whether a breaker is armed, whom it pulls, and why."""
    whom = ""
    if row.get("left_s") is not None:
        pulled = "everything" if row.get("event") is None else f"sport event {row['event']}"
        whom = f"{pulled}, {row['left_s']:.0f} s left: "
    return f"BREAKER  {row['breaker']:<12} {row['state']:<12} {whom}{row['reason']}".rstrip()


def strategies(
    config: Path = CONFIG,
    lift: str = typer.Option("", help="Take this one out of quarantine; by name or file."),
    as_json: bool = AS_JSON,
) -> None:
    """The strategies of the folder, and which of them the configuration enables.

    Example: mmbot strategies --config config/simulator.toml
    """
    from mmbot.cli.checking import lift as lift_out
    from mmbot.cli.checking import listing

    if lift:
        typer.echo(f"{lift_out(config, lift)} is lifted; it is asked again after the next start")
        return
    rows = listing(config)
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(f"{row['file']:<24} {row['name']:<20} {row['state']}")


def cancel_all(
    config: Path = CONFIG,
    admin: str | None = ADMIN,
    wait_s: float = typer.Option(EMPTY_WAIT_MAX_S, help="How long to wait for the last order."),
) -> None:
    """Withdraw every quote and wait until no order of ours is open; resume quotes again.

    Example: mmbot cancel-all
    """
    address = admin_address(config, admin)
    say(address, "/pause", "cancel-all")
    still = wait_until_empty(lambda: ask(address, "/status"), wait_s)
    if still:
        from mmbot.domain.errors import Stop

        raise Stop(f"{still} orders are still open or in doubt after {wait_s:g} s")
    typer.echo("no order is open; quoting is paused until mmbot resume")


def wait_until_empty(read: Callable[[], dict[str, Any]], wait_max_s: float) -> int:
    """Orders open or in doubt when they reached zero or the wait was over."""
    until_s = time.monotonic() + wait_max_s
    while True:
        orders = read().get("orders", {})
        still = int(orders.get("open", 0)) + int(orders.get("in_doubt", 0))
        if not still or time.monotonic() >= until_s:
            return still
        time.sleep(POLL_S)


def _plain(key: str, value: object) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{name} {_plain(name, item)}" for name, item in value.items())
    if key.endswith("_cents") and isinstance(value, int):
        from mmbot.domain.money import usd

        return f"{usd(value)} USD"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
