"""A backup of the ledger is put back: what it does not know was placed, and is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mmbot.sim.witness.observer import duplicates
from tests.app.stage import box, daemon, until


# faults: H1
@pytest.mark.timeout(300)
def test_a_ledger_restored_to_an_older_state_doubles_nothing_and_adopts_what_rests(
    tmp_path: Path,
) -> None:
    with box() as exchange, daemon(tmp_path, exchange.port) as bot:
        bot.start()
        bot.until_quoting(10)
        bot.kill()
        kept = tmp_path / "kept"
        shutil.copytree(bot.state_dir, kept)
        bot.start()
        until(lambda: bot.status.get("recovered"), 30, "recovered")
        exchange.post("news")
        placed = len(exchange.record["orders"])
        until(lambda: len(exchange.record["orders"]) > placed, 20, "orders that no backup knows")
        bot.kill()
        shutil.copytree(kept, bot.state_dir, dirs_exist_ok=True)
        bot.start()
        until(lambda: bot.status.get("recovered"), 30, "recovered")
        bot.until_quoting(10)
        alive = {o["external_id"] for o in exchange.record["orders"] if o["open_cents"] > 0}
        known = {row["external_id"] for row in bot.ledger}
        assert bot.stop(90) == 0, bot.said[-2000:]
        assert "adopted" in bot.said
        assert alive <= known | {row["external_id"] for row in bot.ledger}
        record = exchange.record
        assert record["open_orders_now"] == 0
        assert duplicates(record, bot.ledger) == 0
