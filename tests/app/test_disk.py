"""The disk fails under a running daemon: nothing new leaves, cancels do, and it comes back."""
# faults: B14 H2 H7

from __future__ import annotations

import os
import resource
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from mmbot.domain.order import State
from mmbot.sim.witness.observer import compare_orders, duplicates
from tests.app.stage import Box, Daemon, box, daemon, one_line, until

FULL = os.environ.get("FULL") == "1"
long_one = pytest.mark.skipif(not FULL, reason="a long one: FULL=1 runs it")
HELD_S = 30.0 if FULL else 0.0
LOCK = """
import sqlite3, sys
ledger = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
ledger.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
Trouble = Callable[[Daemon], Any]


@contextmanager
def locked(bot: Daemon) -> Iterator[None]:
    """Another process holds the ledger's write lock."""
    command = [sys.executable, "-c", LOCK, str(bot.state_dir / "ledger.sqlite3")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield
        other.communicate()


@contextmanager
def no_room(bot: Daemon) -> Iterator[None]:
    """No file of the daemon may grow or be written beyond its first page: ledger and log."""
    assert bot.process is not None
    number = bot.process.pid
    _, most = resource.prlimit(number, resource.RLIMIT_FSIZE)
    resource.prlimit(number, resource.RLIMIT_FSIZE, (4096, most))
    yield
    with suppress(ProcessLookupError):  # it may have been killed meanwhile
        resource.prlimit(number, resource.RLIMIT_FSIZE, (most, most))


@contextmanager
def full_disk(bot: Daemon) -> Iterator[None]:
    """The file system of the daemon's folder has not a byte left."""
    ballast = fill_up(bot.folder)
    yield
    ballast.unlink()


def fill_up(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A small file system of its own; skipped where we may not mount."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def unknown_to_the_ledger(exchange: Box, bot: Daemon) -> set[str]:
    """Orders of the exchange without a durable intent."""
    placed = {str(order["external_id"]) for order in exchange.record["orders"]}
    return placed - {row["external_id"] for row in bot.ledger}


def unrecorded(bot: Daemon) -> bool:
    """Some order's end is not in the ledger; a slow disk may have noted its cancel before."""
    return any(row["state"] in {State.OPEN, State.CANCELLING} for row in bot.ledger)


def nothing(bot: Daemon) -> None:
    """Meanwhile."""


def walk(
    exchange: Box,
    bot: Daemon,
    trouble: Trouble,
    wait_max_s: float = 20.0,
    meanwhile: Callable[[Daemon], None] = nothing,
) -> None:
    """Quote, lose the disk, halt without it, get it back, go on, and be right in the end."""
    bot.start()
    bot.until_quoting(10)
    meanwhile(bot)
    with trouble(bot):
        until(lambda: bot.status.get("mode") == "CANCEL_ONLY", wait_max_s, "CANCEL_ONLY")
        why = bot.status["why"]
        assert "ledger could not be written" in why or "commit takes longer" in why
        assert unknown_to_the_ledger(exchange, bot) == set()
        before = exchange.record["orders_placed"]
        assert bot.ask("/halt", "POST", {"reason": "disk"})[0] == 200
        until(lambda: exchange.open_orders == 0, 10, "cancels left without the disk")
        assert (bot.state_dir / "HALTED").exists()
        if HELD_S:
            select.select([], [], [], HELD_S)
        assert exchange.record["orders_placed"] == before
        assert bot.running
        assert unrecorded(bot)
    until(lambda: bot.ask("/healthz")[0] == 200, 20, "the journal works again")
    until(lambda: not unrecorded(bot), 10, "recorded")
    assert bot.ask("/resume", "POST", {})[0] == 200
    bot.until_quoting(10)
    assert bot.stop(90) == 0, bot.said[-2000:]
    record = exchange.record
    assert record["open_orders_now"] == 0
    assert compare_orders(record["orders"], bot.ledger) == []
    assert duplicates(record, bot.ledger) == 0
    assert "Traceback" not in bot.said


@pytest.mark.parametrize("trouble", [pytest.param(locked, marks=long_one), no_room])
def test_without_the_disk_nothing_is_placed_and_cancels_leave(
    tmp_path: Path, trouble: Trouble
) -> None:
    with box() as exchange, daemon(tmp_path, exchange.port) as bot:
        walk(exchange, bot, trouble)


@long_one
@pytest.mark.timeout(400)
def test_a_full_file_system_under_ledger_and_log(tmp_path: Path) -> None:
    """The log that SQLite writes ahead has its room already: it lasts for a thousand commits."""
    with (
        mounted(tmp_path / "small", "size=6m") as folder,
        box("--speed", "10") as exchange,
        daemon(folder, exchange.port) as bot,
    ):
        walk(exchange, bot, full_disk, wait_max_s=300.0)
        assert "LinesLost" in bot.said


@long_one
def test_killed_without_the_disk_it_finds_its_orders_again(tmp_path: Path) -> None:
    with box() as exchange, daemon(tmp_path, exchange.port) as bot:
        bot.start()
        bot.until_quoting(10)
        with no_room(bot):
            until(lambda: bot.status.get("mode") == "CANCEL_ONLY", 20, "CANCEL_ONLY")
            assert unknown_to_the_ledger(exchange, bot) == set()
            bot.kill()
        bot.start()
        bot.until_quoting(10)
        assert bot.stop(90) == 0, bot.said[-2000:]
        assert compare_orders(exchange.record["orders"], bot.ledger) == []


@pytest.mark.parametrize("options", [("size=64k",), ("size=8m", "ro")])
def test_a_start_on_a_full_or_read_only_disk_is_refused_in_one_line(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with (
        box() as exchange,
        mounted(tmp_path / "small", *options) as folder,
        daemon(tmp_path, exchange.port) as bot,
    ):
        bot.settings["state_dir"] = str(folder / "state")
        if "ro" not in options:
            fill_up(folder)
        code, said = bot.refused()
        assert code == 2
        assert "state_dir" in one_line(said) or "space" in one_line(said)
        assert exchange.record["requests"]["total"] == 0
