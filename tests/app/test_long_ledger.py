"""A ledger that has grown for a long time: the daemon starts with it, and is right."""
# faults: H4 H16

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mmbot.sim.witness.observer import compare_orders
from tests.app.stage import box, daemon, until
from tests.bench.ledger_days import write_closed
from tests.builders import PREFIX

FULL = os.environ.get("FULL") == "1"
START_MAX_S = 10.0 if FULL else 30.0  # the short one is about being right, not about time


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "closed",
    [
        3_000,
        pytest.param(
            100_000, marks=pytest.mark.skipif(not FULL, reason="a long one: FULL=1 runs it")
        ),
    ],
)
def test_a_start_with_many_closed_orders(tmp_path: Path, closed: int) -> None:
    with box() as exchange, daemon(tmp_path, exchange.port) as bot:
        bot.state_dir.mkdir()
        write_closed(bot.state_dir / "ledger.sqlite3", closed)
        for start in range(2):  # the first one compacts, the second finds it done
            began = time.monotonic()
            bot.start()
            until(lambda: bot.status.get("recovered"), START_MAX_S, f"started with {closed}")
            assert time.monotonic() - began < START_MAX_S
            bot.until_quoting(5)
            if start == 0:
                bot.kill()
        assert bot.stop(90) == 0, bot.said[-2000:]
        ours = [row for row in bot.ledger if not row["external_id"].startswith(f"{PREFIX}-")]
        assert len(bot.ledger) == len(ours) + closed
        assert compare_orders(exchange.record["orders"], ours) == []
