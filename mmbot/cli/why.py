"""`mmbot why`: one order's whole story out of the ledger file."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from mmbot.cli.operate import AS_JSON, CONFIG
from mmbot.cli.records import LEDGER, ledger_file

if TYPE_CHECKING:
    from mmbot.ops.story import Story

COLUMNS: Final = 100
TIME_COLUMNS: Final = 15
NS_PER_S: Final = 1_000_000_000


def register(app: typer.Typer) -> None:
    app.command("why")(why)


def why(
    order: str = typer.Argument(help="Our id of it, the exchange's, or the beginning of either."),
    config: Path = CONFIG,
    ledger: Path | None = LEDGER,
    as_json: bool = AS_JSON,
) -> None:
    """Why an order was placed, what became of it, and who proved it; times since its intent.

    Reads the ledger file, also while the daemon runs or is dead.

    Example: mmbot why mm-0f3a5c7e9b1d-1 --config config/simulator.toml
    """
    from mmbot.domain.errors import SetUpError
    from mmbot.ops.story import story
    from mmbot.store.lookup import find

    file = ledger or ledger_file(config)
    if not file.is_file():
        raise SetUpError(f"{file}: there is no ledger yet")
    found = find(file, order)
    told = story(found.ident, found.entries, found.run)
    typer.echo(json.dumps(_record(told)) if as_json else "\n".join(_lines(told)))


def _lines(told: Story) -> list[str]:
    from mmbot.ops.telling import clock

    lines = [
        *_wrapped("", told.title),
        *_wrapped("", f"times since {clock(told.began_ns, True)} UTC"),
    ]
    for one in told.told:
        lines += _wrapped(_since(one.at_ns - told.began_ns), one.text)
    if told.ending:
        lines += _wrapped("in the end", told.ending)
    if told.unproven:
        lines += _wrapped("not proven", told.unproven)
    return lines


def _wrapped(head: str, text: str) -> list[str]:
    """Further lines stand below the text; ids are never cut."""
    width = TIME_COLUMNS if head else 0
    return textwrap.wrap(
        "".join(char if char.isprintable() else "?" for char in text),  # some of it is theirs
        COLUMNS,
        initial_indent=f"{head:>{width - 2}}  " if head else "",
        subsequent_indent=" " * width,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _since(after_ns: int) -> str:
    sign, after_ns = ("-", -after_ns) if after_ns < 0 else ("+", after_ns)
    seconds, rest_ns = divmod(after_ns, NS_PER_S)
    if seconds < 60:
        return f"{sign}{seconds}.{rest_ns // 1000:06d} s"
    hours, seconds = divmod(seconds, 3600)
    return f"{sign}{hours}:{seconds // 60:02d}:{seconds % 60:02d} h"


def _record(told: Story) -> dict[str, object]:
    order = told.order
    return {
        "id": told.ident,
        "order": asdict(order) if order is not None else None,
        "ended_by": asdict(told.ended.evidence) if told.ended is not None else None,
        "ending": told.ending,
        "unproven": told.unproven,
        "story": [
            {
                "at_ns": one.at_ns,
                "after_ns": one.at_ns - told.began_ns,
                "kind": type(one.entry).__name__,
                "text": one.text,
                "entry": asdict(one.entry),
            }
            for one in told.told
        ],
    }
