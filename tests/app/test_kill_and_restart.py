"""kill -9 at random moments: after the restart nothing is lost and nothing is doubled."""

# faults: H1 H3

from __future__ import annotations

import random
import select
from pathlib import Path

import pytest

from mmbot.sim.witness.observer import compare_orders, duplicates
from tests.app.stage import box, daemon, until

KILLS = 1  # more of them in `make crash`
LIFE_MIN_S, LIFE_MAX_S = 1.0, 2.5


@pytest.mark.parametrize("seed", [11])
def test_a_killed_daemon_finds_its_orders_again(tmp_path: Path, seed: int) -> None:
    moments = random.Random(seed)
    with box() as exchange, daemon(tmp_path, exchange.port) as bot:
        bot.start()
        bot.until_quoting(10)
        for _ in range(KILLS):
            select.select([], [], [], moments.uniform(LIFE_MIN_S, LIFE_MAX_S))
            bot.kill()
            bot.start()
            until(lambda: bot.status.get("recovered"), 30, "recovered")
        bot.until_quoting(10)
        assert bot.stop(90) == 0, bot.said[-2000:]
        record = exchange.record
        assert record["open_orders_now"] == 0
        assert compare_orders(record["orders"], bot.ledger) == []
        assert duplicates(record, bot.ledger) == 0
        logins = record["requests"]["by_route"]
        assert sum(count for route, count in logins.items() if "login" in route) == 1, logins
