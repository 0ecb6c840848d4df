"""Session and rate budget, walked from outside: hours of foul weather, and what the box saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmbot.runtime.limiter import Rates
from tests.acceptance.doors import FULL, mmbot
from tests.app.stage import box, daemon, until
from tests.exchange.parts import run
from tests.exchange.test_attack_days import Day, findings

HOURS_SEEDS = range(101, 121) if FULL else range(101, 102)
TOKENS = "D2,D7"
BUDGET = "D7,D8,D10"
SHARES = (1.0, 0.75, 0.5, 0.3, 0.25)


def walk_session(folder: Path) -> None:
    """Renewals that fail, hang and are lost; clocks that are set; processes that die."""
    folder.mkdir()
    for seed in HOURS_SEEDS:
        alone = folder / str(seed)  # another day is another exchange, and has other tokens
        alone.mkdir()
        day = Day(seed, alone)
        run(day.run())
        assert not list(findings(day)), seed
        assert len(day.exchange.valid_s) > 1, "one token does not show that any was renewed"
    total = _days(TOKENS)
    assert total["strikes"]["D2"] > 0


def walk_a_restart(folder: Path) -> None:
    """Decision 10: the next process goes on with the tokens of the last."""
    with box("--latency", "loopback") as exchange, daemon(folder, exchange.port) as bot:
        for _ in range(2):
            bot.start()
            until(lambda: bot.status.get("stream", {}).get("private"), 20, "the stream is up")
            bot.stop()
        assert exchange.record["requests"]["by_route"]["POST /auth/login"] == 1


def walk_governor(folder: Path) -> None:
    """429 of the account and of one route; and the shares of two processes on one account."""
    total = _days(BUDGET)
    assert total["strikes"]["D10"] > 0
    for share in SHARES:
        parts = int(1 / share)
        assert parts * Rates.of_share(45, share).per_second_max <= 45
    config = folder / "share.toml"
    for given, code in (("0.5", 0), ("0.01", 2), ("1.5", 2)):
        text = Path("config/simulator.toml").read_text(encoding="utf-8")
        changed = text.replace("account_share = 1.0", f"account_share = {given}")
        assert changed != text
        config.write_text(changed, encoding="utf-8")
        done = mmbot("check", "--config", str(config))
        assert done.returncode == code, done.stdout + done.stderr
        assert code == 0 or "account_share" in done.stdout + done.stderr


def _days(faults: str) -> dict[str, Any]:
    seeds = "51..70" if FULL else "51..52"
    done = mmbot("simulate", "--seeds", seeds, "--faults", faults, "--json", timeout_s=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    total: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert total["violations"] == 0
    return total
