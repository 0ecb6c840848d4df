"""A second process that flattens, and the drill that times every stop by the exchange's record."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmbot.app.heartbeat import UNSEEN
from tests.acceptance.doors import ROOT, mmbot
from tests.app.sentinel_stage import Stage, sentinel
from tests.app.stage import Daemon, box, daemon, free_port, until

RESTING_MIN = 20
SENTINEL_TRIPS = {"daemon frozen", "daemon killed", "loop blocked", "network cut"}
HALTS = {"halt by file", "halt by signal", "halt by admin", "halt by command"}


def walk_sentinel() -> None:
    """A lease of 6 s that the engine renews; flat, latched, verified; then until the bound."""

    async def play(stage: Stage) -> None:
        await stage.place(30)
        await stage.beats(20)
        assert stage.resting == 30
        await asyncio.sleep(5.3)
        assert stage.resting == 0
        assert stage.latch.latched
        await asyncio.sleep(15)
        assert stage.post.levels().verified
        await stage.place(1)  # what was on its way
        await asyncio.sleep(10)
        assert stage.resting == 0
        await stage.beats(30, halted=True)
        stage.latch.release()
        await stage.beats(3, halted=False)
        assert stage.post.levels().armed

    sentinel(play)
    sentinel(play, dialect="seed")


def walk_a_sentinel_that_dies(folder: Path) -> None:
    """Where one is required nothing is placed before it was seen, nor after it was missed."""
    with box() as exchange, daemon(folder, exchange.port) as bot:
        bot.settings["sentinel"] |= {"required": True, "port": free_port()}
        bot.start()
        until(lambda: bot.status.get("why") == UNSEEN, 20, "it waits for a sentinel")
        assert not exchange.record["orders_placed"]
        with _guard(bot) as guard:
            bot.until_quoting(RESTING_MIN)
            guard.kill()
            until(lambda: bot.status.get("mode") == "CANCEL_ONLY", 9, "it misses its sentinel")
            assert "silent" in bot.status["why"]
        placed = exchange.record["orders_placed"]
        with _guard(bot):
            until(lambda: bot.status.get("mode") == "ENABLED", 15, "another one is seen")
            assert exchange.record["orders_placed"] >= placed
            assert bot.stop() == 0
        assert not (bot.state_dir / "HALTED").exists()  # a stop in order is no lapse


@contextmanager
def _guard(bot: Daemon) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "mmbot", "sentinel", "--config", str(bot.config)]
    with (bot.folder / "sentinel.log").open("ab") as sink:
        process = subprocess.Popen(command, cwd=ROOT, env=bot.environ, stdout=sink, stderr=sink)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def walk_one_trip() -> None:
    """The daemon is frozen with orders resting and a batch under way, and thaws halted."""
    rows = _drilled("--only", "daemon frozen")
    _held(rows["daemon frozen"])


def walk_drill() -> None:
    """All of them; the venue's figures are shown beside."""
    rows = _drilled()
    assert set(rows) == SENTINEL_TRIPS | HALTS
    for row in rows.values():
        _held(row)


def walk_the_document() -> None:
    """`docs/safety.md` says of each safety when it acts, what it does and what it cannot do."""
    text = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
    head = "| safety | acts when | what it does | what it cannot do |"
    assert head in text
    for name in ("the gate", "blind", "stale", "gap", "journal", "halt", "sentinel", "stop"):
        assert f"\n| {name} | " in text, name


def _drilled(*more: str) -> dict[str, Mapping[str, Any]]:
    done = mmbot("drill", "--json", *more, timeout_s=240)
    assert done.returncode == 0, done.stdout + done.stderr
    *rows, verdict = map(json.loads, done.stdout.splitlines())
    assert verdict["held"]
    return {row["tripped"]: row for row in rows if row["profile"] == "loopback"}


def _held(row: Mapping[str, Any]) -> None:
    assert row["held"]
    assert row["record"] == "box"
    assert row["resting"] >= RESTING_MIN
    assert row["batch_in_flight"]
    assert row["latched"]
    halts = row["tripped"] in HALTS
    assert row["flat_s"] <= (3.0 if halts else 8.0)
    assert halts or row["verified_s"] <= 15.0
