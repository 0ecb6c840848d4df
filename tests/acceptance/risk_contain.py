"""Strategies that hold the loop of a real daemon: the others quote on without them."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from mmbot.app.quarantine import EXIT_CODE
from tests.acceptance.doors import ROOT, inside
from tests.app.stage import box, daemon, until

BAD = '''"""Holds the loop once a file is there."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from mmbot.strategy.api import MarketView, NoParams, Quote, QuotingStrategy


class Bad(QuotingStrategy[NoParams]):
    uses_fairs = False

    def quotes(self, view: MarketView) -> Iterable[Quote]:
        if Path({trigger!r}).exists():
            {holds}
        return []
'''
HOLDS = {
    "spins": "while True: pass",
    # It lets other threads run, but hears no signal: only the watchdog can do something.
    "in_c": 'hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)',
}
MARKETS = {"spins": "moneyline", "in_c": "spread", "consensus": "total"}
ORDERS_MIN = 2
FREEZE_S = 3.0


def walk_containment(folder: Path) -> None:
    """One is interrupted and not asked again; the other is named, ended and left out."""
    strategies = _strategies(folder)
    with box() as exchange, daemon(folder, exchange.port) as bot:
        bot.settings["strategies_dir"] = str(strategies)
        bot.settings["strategies"] = [
            one | {"lines": {"market_types": [MARKETS["consensus"]]}}
            for one in bot.settings["strategies"]
            if one["name"] == "consensus"
        ] + [
            {"name": name, "file": f"{name}.py", "lines": {"market_types": [MARKETS[name]]}}
            for name in HOLDS
        ]
        bot.start()
        bot.until_quoting(ORDERS_MIN)
        (folder / "spins").touch()
        until(lambda: "spins" in bot.status.get("quarantined", ()), 10, "it is not asked again")
        bot.until_quoting(ORDERS_MIN)
        (folder / "in_c").touch()
        assert bot.wait(10) == EXIT_CODE
        assert "LoopBlockedEnd" in bot.said
        (folder / "spins").unlink()  # the other file stays: it would hold the loop again
        bot.start()
        bot.until_quoting(ORDERS_MIN)
        quarantined = bot.status["quarantined"]
        assert list(quarantined) == ["in_c"]
        assert "in_c.py:" in quarantined["in_c"]
        lifted = inside("strategies", "--lift", "in_c", "--config", str(bot.config))
        assert lifted.returncode == 0, lifted.stderr
        assert bot.stop() == 0


def walk_a_freeze(folder: Path) -> None:
    """A process that is frozen for longer than the watchdog waits is not ended by it."""
    with box() as exchange, daemon(folder, exchange.port) as bot:
        bot.start()
        bot.until_quoting(ORDERS_MIN)
        bot.signal(signal.SIGSTOP)
        end_s = time.monotonic() + FREEZE_S
        until(lambda: time.monotonic() > end_s, FREEZE_S, "it has been frozen")
        bot.signal(signal.SIGCONT)
        bot.until_quoting(ORDERS_MIN)
        assert "LoopBlocked" not in bot.said
        assert bot.stop() == 0


def walk_the_document() -> None:
    """Both promises stand where an author reads them: what is interrupted, and what is not."""
    text = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    for words in ("interrupted", "ends the process", "keeps the interpreter", "not a sandbox"):
        assert words in text, words


def _strategies(folder: Path) -> Path:
    """The shipped one, and one for each way to hold the loop."""
    made = folder / "strategies"
    made.mkdir()
    shipped = ROOT / "strategies" / "consensus.py"
    (made / shipped.name).write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
    for name, holds in HOLDS.items():
        text = BAD.format(trigger=str(folder / name), holds=holds)
        (made / f"{name}.py").write_text(text, encoding="utf-8")
    return made
