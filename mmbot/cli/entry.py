"""The list of commands, and the one place that turns errors into exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Final

import typer

from mmbot.cli import (
    bench,
    box,
    daemon,
    demo,
    doctor,
    drill,
    halting,
    ledger,
    limits,
    operate,
    probe,
    records,
    sentinel,
    simulation,
    why,
)
from mmbot.domain.errors import MmbotError, SetUpError

# Typer carries its own click since 0.20; its base of wrong use is found through a public name.
WRONG_USE: Final[type[Exception]] = typer.BadParameter.__mro__[1]

ABOUT: Final = """A market-maker daemon for ProphetX, with the exchange in the box.

Start here: mmbot demo
"""

GROUPS: Final = (
    demo, daemon, sentinel, box, simulation, probe, operate, limits, halting, doctor, records, why,
    ledger, bench, drill,
)  # fmt: skip


def application() -> typer.Typer:
    app = typer.Typer(
        help=ABOUT,
        invoke_without_command=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for group in GROUPS:
        group.register(app)
    return app


def _options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    if version:
        from mmbot import __version__

        typer.echo(f"mmbot {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def execute(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code."""
    try:
        code = application()(list(arguments), prog_name="mmbot", standalone_mode=False)
        sys.stdout.flush()
    except WRONG_USE as error:
        shown = getattr(error, "format_message", error.__str__)()
        _complain(f"{shown} (see mmbot --help)")
        return 2
    except typer.Exit as leave:
        return leave.exit_code
    except typer.Abort:
        return 130
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has gone (`mmbot orders | head`): keep the interpreter's own flush quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MmbotError as error:
        return _failed(error)
    except BaseExceptionGroup as group:
        known = _first_known(group)
        if known is None:
            raise
        return _failed(known)
    return code if isinstance(code, int) else 0


def _first_known(group: BaseExceptionGroup[BaseException]) -> MmbotError | None:
    """A task group wraps what ended it; a set-up error says more than what followed from it."""
    found: list[MmbotError] = []
    rest: list[BaseException] = [group]
    while rest:
        error = rest.pop()
        if isinstance(error, BaseExceptionGroup):
            rest.extend(error.exceptions)
        elif isinstance(error, MmbotError):
            found.append(error)
    found.sort(key=lambda error: not isinstance(error, SetUpError))
    return found[0] if found else None


def _failed(error: MmbotError) -> int:
    _complain(str(error) or type(error).__name__)
    return 2 if isinstance(error, SetUpError) else 1


def _complain(text: str) -> None:
    with contextlib.suppress(OSError):  # a full disk behind stderr must not change the exit code
        for line in text.splitlines():
            print(f"mmbot: {line}", file=sys.stderr)
