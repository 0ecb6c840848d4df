"""The box and the daemon as two processes: quotes, fills, a stop, and two books that agree."""

# faults: H1

from __future__ import annotations

import signal
from pathlib import Path

from mmbot.sim.scenario import DEMO_ACCESS_KEY, DEMO_SECRET_KEY
from mmbot.sim.witness.observer import Evidence, check_invariants, compare_orders, duplicates
from mmbot.store.journal import pnl_cents
from tests.app.stage import box, daemon, one_line, until

FILLS_WANTED = 3


def test_it_quotes_is_filled_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with box() as exchange, daemon(tmp_path, exchange.port) as bot:
        bot.start()
        bot.until_quoting(20)
        until(lambda: exchange.record["fills"][FILLS_WANTED - 1 :], 20, "fills at the exchange")
        until(lambda: bot.status["fills"] >= FILLS_WANTED, 3, "the daemon counts them")
        assert bot.ask("/readyz") == (200, "ok\n")
        assert bot.ask("/healthz") == (200, "ok\n")
        shown = bot.ask("/metrics")[1] + bot.ask("/status")[1]
        assert bot.stop() == 0, bot.said[-2000:]
        record = exchange.record
        limit_cents = int(bot.settings["risk"]["total_loss_max_usd"]) * 100
        evidence = Evidence(
            record,
            [dict(order) for order in bot.ledger],
            worst_case_limit_cents=limit_cents,
            prefix=bot.settings["ledger"]["prefix"],
            outputs={"log": bot.said, "admin": shown},
            secrets={"access key": DEMO_ACCESS_KEY, "secret key": DEMO_SECRET_KEY},
        )
        assert record["open_orders_now"] == 0
        assert compare_orders(record["orders"], bot.ledger) == []
        assert duplicates(record, bot.ledger) == 0
        assert check_invariants(evidence) == []
        assert record["requests"]["per_second_max"] <= 50


def test_the_money_of_the_exchange_is_the_money_of_the_ledger(tmp_path: Path) -> None:
    with box() as exchange, daemon(tmp_path, exchange.port) as bot:
        bot.start()
        bot.until_quoting(20)
        until(lambda: bot.status["fills"] >= 1, 20, "a fill")
        bot.ask("/pause", "POST")
        until(lambda: exchange.open_orders == 0, 20, "a pause pulls everything")
        exchange.post("settle")
        until(lambda: bot.status["unsettled"] == 0 and bot.status["money_booked"], 20, "settled")
        assert bot.stop() == 0
        assert pnl_cents(bot.state_dir / "ledger.sqlite3") == exchange.record["pnl_cents"] != 0


def test_observe_mode_watches_and_writes_nothing(tmp_path: Path) -> None:
    with box() as exchange, daemon(tmp_path, exchange.port) as bot:
        bot.settings["run_mode"] = "observe"
        bot.start()
        until(lambda: bot.status.get("book_age_s") is not None, 20, "books are read")
        until(lambda: bot.status["stream"]["private"], 20, "the stream is up")
        bot.ask("/halt", "POST")
        until(lambda: bot.status["mode"] == "HALTED", 5, "halted")
        assert bot.stop() == 0
        routes = exchange.record["requests"]["by_route"]
        assert routes
        assert [r for r in routes if "submit" in r or "cancel" in r] == []
        assert bot.ledger == []


def test_a_second_signal_ends_it_at_once_and_says_what_may_be_open(tmp_path: Path) -> None:
    with box() as exchange, daemon(tmp_path, exchange.port) as bot:
        bot.start()
        bot.until_quoting(10)
        exchange.kill()
        bot.signal(signal.SIGTERM)
        until(lambda: '"stopping"' in bot.said, 10, "it is stopping")
        bot.signal(signal.SIGTERM)
        assert bot.wait(5) == 1
        line = one_line(bot.said)
        assert "told twice to stop" in line
        assert "orders of ours may be open" in line
