"""A start whose listing does not come: a stop is obeyed, and what rests is cancelled."""
# faults: D14 H1 H2

from __future__ import annotations

from pathlib import Path

import pytest

from mmbot.sim.witness.observer import duplicates
from tests.app.stage import box, daemon, until

NO_LISTING = {"fault": "html_before", "rate": 1, "on": ["read"], "route": "get_multiple_markets"}


@pytest.mark.timeout(300)
def test_told_to_stop_it_cancels_what_rests_and_proves_it(tmp_path: Path) -> None:
    with box() as exchange, daemon(tmp_path, exchange.port) as bot:
        bot.start()
        bot.until_quoting(10)
        bot.kill()
        exchange.faults(NO_LISTING)
        bot.start()
        until(lambda: bot.status.get("recovered"), 30, "recovered")
        assert exchange.open_orders >= 10
        assert bot.stop(30) == 0, bot.said[-2000:]
        assert "ListingDelayed" in bot.said
        assert exchange.open_orders == 0
        assert duplicates(exchange.record, bot.ledger) == 0
