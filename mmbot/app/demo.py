"""One demo from options to exit code: the view around the story, and its closing words."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from mmbot.app.demo_options import DemoOptions
from mmbot.app.demo_parts import Keys, Parts, prepare_folder
from mmbot.app.demo_stage import LiveStage, PlainStage, keys
from mmbot.app.demo_story import Stage, Story
from mmbot.app.demo_verdict import Evidence, Verdict, judge, side_by_side
from mmbot.domain.errors import MmbotError, SetUpError, Stop
from mmbot.ops.console.rows import strike_names

HEADLESS_DURATION_S: Final = 60.0
MISMATCHES_SHOWN_MAX: Final = 20


def show(options: DemoOptions, *, as_json: bool, verbose: bool) -> int:
    """Run one demo; 0 when every claim held. Raises SetUpError or Stop with one line."""
    live = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    if not live and options.duration_s is None:
        options = dataclasses.replace(options, duration_s=HEADLESS_DURATION_S)
    if options.state_dir is None:
        folder = Path(tempfile.mkdtemp(prefix="mmbot-demo-"))
    else:
        folder = options.state_dir.resolve()
        prepare_folder(folder)
    try:
        verdict, evidence, names, results = asyncio.run(
            _run(options, folder, live=live, quiet=as_json and not verbose)
        )
    except SetUpError:
        _tidy(options, folder)
        raise
    except MmbotError as error:
        text = str(error)
        raise Stop(text if str(folder) in text else f"{text} (logs: {folder})") from error
    if as_json:
        for mismatch in verdict.mismatches[:MISMATCHES_SHOWN_MAX]:
            print(f"mmbot: {mismatch}", file=sys.stderr)
        print(json.dumps(verdict.summary), flush=True)
    else:
        _print_end(Console(), verdict, evidence, names, results)
    if not verdict.good:
        raise Stop("; ".join(verdict.broken) + f" (ledger and logs: {folder})")
    _tidy(options, folder)
    return 0


def _tidy(options: DemoOptions, folder: Path) -> None:
    """A folder of our own making goes when there is nothing to look into."""
    if options.state_dir is None:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(
    options: DemoOptions, folder: Path, *, live: bool, quiet: bool
) -> tuple[Verdict, Evidence, dict[str, str], str]:
    parts = Parts(options, folder, Keys(secrets.token_hex(16), secrets.token_hex(16)))
    with contextlib.ExitStack() as stack:
        stage: Stage
        if live:
            stage = stack.enter_context(LiveStage(Console(), time.monotonic))
        else:
            stage = PlainStage(sys.stderr, time.monotonic, quiet=quiet)
        story = Story(options, parts, stage)
        stack.enter_context(_interruptible())
        if live:
            stack.enter_context(keys(story.press))
        try:
            run, evidence = await story.tell()
        finally:
            await parts.close()
    names = strike_names(story.progress.state) if story.progress.state else {}
    return judge(run, evidence), evidence, names, story.progress.results


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and a closed terminal end the demo as Ctrl-C does: both children go too."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    signals = (signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _print_end(
    console: Console, verdict: Verdict, evidence: Evidence, names: dict[str, str], results: str
) -> None:
    console.print(f"Results: {results}", highlight=False)
    table = Table(title="the exchange's record beside the ledger", title_justify="left")
    for column in ("", "exchange", "ledger", ""):
        table.add_column(column)
    for pair in side_by_side(evidence, names):
        mark = "equal" if pair.equal else "DIFFERENT"
        table.add_row(pair.what, pair.exchange, pair.ledger, mark)
    console.print(table)
    for mismatch in verdict.mismatches[:MISMATCHES_SHOWN_MAX]:
        console.print(f"  {mismatch}", style="red", highlight=False)
    for key, value in verdict.summary.items():
        console.print(f"{key:<24} {value}", highlight=False)
    console.print(
        "Simulated takers: this shows that orders, money and limits are kept, not a profit.",
        style="dim",
    )
