"""`mmbot halt` and `mmbot resume`: a halt tries every way there is, a resume asks twice."""

from __future__ import annotations

import getpass
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from mmbot.cli.admin_client import NoDaemon, admin_address, ask, say, settings_of
from mmbot.cli.operate import ADMIN, AS_JSON, CONFIG
from mmbot.domain.errors import SetUpError, Stop
from mmbot.store.latch import HaltLatch

FLAT_WAIT_MAX_S: Final = 90.0  # an order in doubt may need 72 s
SILENT_MAX_S: Final = 6.0  # a daemon that starts does not listen yet, but finds the file
LOOK_S: Final = 0.2
WORD: Final = "resume"  # the second question wants to be typed


def register(app: typer.Typer) -> None:
    app.command("halt")(halt)
    app.command("resume")(resume)


@dataclass(slots=True)
class Halted:
    """What is known of a halt: `trouble` is the first thing that went wrong."""

    latched: str = ""  # the folder in which this command has latched it
    heard: bool = False  # a daemon said that it is halted
    flat: bool = False  # and that a read has shown nothing of ours alive
    open_orders: int | None = None
    took_s: float = 0.0
    trouble: str = ""


def halt(
    reason: str = typer.Option("", help="Kept in the ledger, and shown by mmbot status."),
    config: Path = CONFIG,
    admin: str | None = ADMIN,
    wait_s: float = typer.Option(FLAT_WAIT_MAX_S, help="How long to wait until all is gone."),
    as_json: bool = AS_JSON,
) -> None:
    """Cancel everything now and stay halted, also after a restart; exit code 0 when proven flat.

    Example: mmbot halt --reason "odds look wrong"
    """
    began_s = time.monotonic()
    seen, address = Halted(), admin_address(config, admin)
    if admin is None:
        _latch(settings_of(config).state_dir, reason, seen)
    try:
        say(address, "/halt", reason)
    except Stop as error:
        seen.trouble = str(error)
    _await_flat(address, began_s, wait_s, seen)
    if as_json:
        typer.echo(json.dumps({name: getattr(seen, name) for name in Halted.__slots__}))
    elif seen.flat:
        typer.echo(f"halted; nothing of ours is alive, proven by a read after {seen.took_s:.1f} s")
        typer.echo("it stays halted, also after a restart; mmbot resume lifts it")
    if not seen.flat:
        raise Stop(_what_is_missing(seen, wait_s))


def _latch(state_dir: Path, reason: str, seen: Halted) -> None:
    """The file first: it needs no daemon that answers, and none will start quoting."""
    if not state_dir.is_dir():
        return  # a daemon elsewhere, or none yet
    try:
        HaltLatch(state_dir).latch(f"{getpass.getuser()}: {reason}")
        seen.latched = str(state_dir)
    except OSError as error:
        seen.trouble = f"{state_dir}: not latched here: {error.strerror}"


def _await_flat(address: str, began_s: float, wait_s: float, seen: Halted) -> None:
    """Until the daemon says flat; one that did not hear the word may find the file."""
    answered = False
    while True:
        try:
            status = ask(address, "/status")
        except Stop as error:
            seen.trouble = seen.trouble or str(error)
        else:
            answered = True
            orders = status.get("orders", {})
            seen.open_orders = int(orders.get("open", 0)) + int(orders.get("in_doubt", 0))
            seen.heard = status.get("mode") == "HALTED"
            seen.flat = seen.heard and bool(status.get("proven_flat"))
        seen.took_s = round(time.monotonic() - began_s, 3)
        if seen.flat or seen.took_s >= (wait_s if answered else min(wait_s, SILENT_MAX_S)):
            return
        time.sleep(LOOK_S)


def _what_is_missing(seen: Halted, wait_s: float) -> str:
    latched = f"latched in {seen.latched}" if seen.latched else "NOT latched by this command"
    if seen.heard:
        return f"halted, {latched}, but not proven flat after {wait_s:g} s: {seen.open_orders} open"
    return (
        f"{seen.trouble or 'the daemon does not say that it is halted'}; {latched}: what rests at "
        "the exchange was NOT cancelled by this command"
    )


def resume(
    reason: str = typer.Option("", help="Kept in the ledger."),
    config: Path = CONFIG,
    admin: str | None = ADMIN,
    yes: int = typer.Option(0, "--yes", "-y", count=True, help="Answers one question; give two."),
    as_json: bool = AS_JSON,
) -> None:
    """Lift a halt or a pause; of a halt it asks twice, since quoting begins at once.

    Example: mmbot resume --reason "feed checked"
    """
    address = admin_address(config, admin)
    latch = None if admin is not None else HaltLatch(settings_of(config).state_dir)
    try:
        status = ask(address, "/status")
    except NoDaemon:
        if latch is None or not latch.latched:
            raise
        _sure(f"no daemon runs; latched by {latch.reason or 'hand'}", "the next start quotes", yes)
        _release(latch)
        done = "no daemon runs; the latch is lifted: the next start quotes"
    else:
        if status.get("mode") == "HALTED":
            _sure(f"halted by {status.get('why')}", _what_rests(status), yes)
        say(address, "/resume", reason)
        done = "resumed"
    typer.echo(json.dumps({"resumed": True, "said": done}) if as_json else done)


def _what_rests(status: dict[str, Any]) -> str:
    orders = status.get("orders", {})
    limit = int(status.get("worst_case_limit_cents", 0)) / 100
    return (
        f"quoting begins at once, with up to {limit:,.2f} USD at risk; still open: "
        f"{orders.get('open', 0)}, in doubt: {orders.get('in_doubt', 0)}"
    )


def _sure(why: str, then: str, yes: int) -> None:
    """Two questions: the reason has to be gone, and the person has to mean it. Raises Abort."""
    if yes >= 2:
        return
    if not sys.stdin.isatty():
        raise SetUpError(f"{why}: resume asks twice; without a terminal give --yes --yes")
    typer.echo(f"{why}\n{then}", err=True)
    if not yes:
        typer.confirm("Is the reason gone?", abort=True, err=True)
    if typer.prompt(f"Type {WORD} to go on", default="", show_default=False, err=True) != WORD:
        raise Stop("not resumed")


def _release(latch: HaltLatch) -> None:
    try:
        latch.release()
    except OSError as error:
        raise Stop(f"not resumed: the latch cannot be released ({error})") from None
