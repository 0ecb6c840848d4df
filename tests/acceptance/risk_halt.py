"""Halts by every channel, the guard before the start, the firewall: by the exchange's record."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.acceptance.doors import mmbot
from tests.app.stage import Box, Daemon, box, daemon, until
from tests.simulation import test_go_live, test_self_match

FLAT_MAX_S = 3.0
ORDERS_MIN = 20
CHANNELS = ("admin", "file", "signal", "command")


def walk_go_live() -> None:
    """By the box's record: left before the start by whichever clock tells, not entered again."""
    test_go_live.test_a_game_is_left_before_its_start_and_not_entered_again()


def walk_self_match() -> None:
    """By the box's record: nothing of ours ever meets a person's order, nor our own."""
    test_self_match.test_a_persons_order_is_never_met_and_its_end_frees_the_price()


def walk_cancels() -> None:
    """The bench keeps its claims: a machine that has time is asked."""
    done = mmbot("bench", "--what", "cancel", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    claims = {one["name"]: one for one in json.loads(done.stdout.splitlines()[-1])["claims"]}
    assert "1 requests" in claims["bad news, one game"]["spread"]
    assert "2400 orders" in claims["halt of the account"]["spread"]


def walk_halt(folder: Path, channels: Sequence[str] = CHANNELS) -> None:
    """Each channel: flat within 3 s of the command, latched, halted after a restart, resumed."""
    with box() as exchange, daemon(folder, exchange.port) as bot:
        bot.start()
        for channel in channels:
            bot.until_quoting(ORDERS_MIN)
            took_s = _pull(channel, bot, exchange)
            assert took_s <= FLAT_MAX_S, f"{channel}: flat after {took_s:.2f} s"
            until(lambda: bot.status["proven_flat"], 6, f"{channel}: a read has proven it")
            assert (bot.state_dir / "HALTED").exists(), channel
            if channel == channels[-1]:
                bot.kill()
                bot.start()
                until(lambda: bot.status.get("mode") == "HALTED", 30, "halted after a restart")
            assert exchange.open_orders == 0
            _resume(bot)
        bot.until_quoting(ORDERS_MIN)
        assert bot.stop() == 0


def _pull(channel: str, bot: Daemon, exchange: Box) -> float:
    """Seconds from the pull until the exchange holds nothing."""
    pulls: dict[str, Callable[[], object]] = {
        "admin": lambda: bot.ask("/halt", "POST", {"reason": "a walk"}),
        "file": (bot.state_dir / "HALTED").touch,
        "signal": lambda: bot.signal(signal.SIGUSR1),
        "command": lambda: _command(bot),
    }
    began_s = time.monotonic()
    pulls[channel]()
    until(lambda: exchange.open_orders == 0, 5, f"{channel}: nothing rests")
    return time.monotonic() - began_s


def _command(bot: Daemon) -> None:
    done = mmbot("halt", "--reason", "a walk", "--config", str(bot.config), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["flat"]
    assert told["latched"]


def _resume(bot: Daemon) -> None:
    refused = mmbot("resume", "--config", str(bot.config), "--yes")
    assert refused.returncode == 2, refused.stderr
    done = mmbot("resume", "--config", str(bot.config), "--yes", "--yes")
    assert done.returncode == 0, done.stderr
