"""The closing words of a demo: what is compared, and which claims may fail."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.app.demo_verdict import Evidence, Run, Verdict, judge, side_by_side, waits_for

SUMMARY_KEYS = {
    "seed", "duration_s", "latency_profile", "strikes", "quoted_share_min", "orders_placed",
    "fills", "open_orders_at_end", "ledger_mismatches", "duplicate_orders",
    "pnl_cents_exchange", "pnl_cents_ledger", "worst_case_cents_max", "worst_case_limit_cents",
    "requests_per_second_max", "daemon_restarts", "tick_to_trade_us", "exit_reason",
}  # fmt: skip


def a_box_order(**changes: Any) -> dict[str, Any]:
    order = {
        "external_id": "mm-r-1", "order_id": "o1", "strike_id": "s1", "price": -110,
        "quantity_cents": 5_000, "filled_cents": 5_000, "open_cents": 0, "status": "closed",
        "created_ns": 1, "history": [[1, "accepted"], [2, "open"], [3, "filled 5000"]],
    }  # fmt: skip
    return order | changes


def a_ledger_order(**changes: Any) -> dict[str, Any]:
    order = {
        "external_id": "mm-r-1", "order_id": "o1", "strike_id": "s1", "price": -110,
        "quantity_cents": 5_000, "filled_cents": 5_000, "state": "FILLED",
    }  # fmt: skip
    return order | changes


def some_evidence(ledger: list[dict[str, Any]] | None = None, **record: Any) -> Evidence:
    seen = {
        "started_ns": 0, "strikes": 26, "quoted_share_min": 0.97, "first_quote_s": 1.5,
        "orders_placed": 1, "fills_count": 25, "open_orders_at_end": 0, "open_orders_now": 0,
        "pnl_cents": -310,
        "worst_case_cents_max": 90_000, "same_price_twice": 0,
        "requests": {"per_second_max": 31}, "orders": [a_box_order()],
    }  # fmt: skip
    status = {"worst_case_limit_cents": 800_000, "tick_to_trade_us": {"p50": 900, "p99": 2_000}}
    return Evidence(seen | record, ledger or [a_ledger_order()], -310, status)


def judged(
    evidence: Evidence, duration_s: float = 60, kills: int = 0, end: str = "duration"
) -> Verdict:
    return judge(Run(7, duration_s, "loopback", kills, kills > 0, end), evidence)


def test_the_summary_has_every_promised_key_and_a_good_run_is_good() -> None:
    verdict = judged(some_evidence())
    assert set(verdict.summary) >= SUMMARY_KEYS
    assert verdict.good


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"quoted_share_min": 0.89}, "quoted_share_min 0.890 is below 0.9"),
        ({"fills_count": 19}, "19 fills"),
        ({"open_orders_at_end": 1}, "open_orders_at_end is 1"),
        ({"same_price_twice": 2}, "duplicate_orders is 2"),
        ({"pnl_cents": -311}, "the exchange says -311 cents"),
        ({"worst_case_cents_max": 800_001}, "worst case 800001"),
        ({"requests": {"per_second_max": 51}}, "51 requests within a second"),
        ({"orders": []}, "ledger_mismatches is 1"),
    ],
)
def test_each_claim_can_fail(record: dict[str, Any], said: str) -> None:
    verdict = judged(some_evidence(**record))
    assert not verdict.good
    assert any(said in line for line in verdict.broken)


def test_an_order_open_at_the_box_and_ended_in_the_ledger_is_a_duplicate() -> None:
    order = a_box_order(status="open", open_cents=5_000, filled_cents=0)
    verdict = judged(
        some_evidence([a_ledger_order(state="CANCELLED", filled_cents=0)], orders=[order])
    )
    assert verdict.summary["duplicate_orders"] == 1


def test_fills_are_promised_for_a_minute_and_presence_for_an_unbroken_run() -> None:
    assert judged(some_evidence(fills_count=3), duration_s=30).good
    assert judged(some_evidence(quoted_share_min=0.5), kills=3).good


def test_at_the_venue_s_latency_presence_is_shown_but_not_promised() -> None:
    verdict = judge(Run(7, 60, "venue", 0, False, "duration"), some_evidence(quoted_share_min=0.3))
    assert verdict.good
    assert verdict.summary["quoted_share_min"] == 0.3


def test_a_daemon_that_did_not_end_well_is_a_broken_claim() -> None:
    verdict = judged(some_evidence(), end="the daemon ended with exit code 1")
    assert verdict.broken == ("exit reason: the daemon ended with exit code 1",)


def test_side_by_side_shows_each_strike_and_the_totals() -> None:
    never_sent = a_ledger_order(
        external_id="mm-r-2", order_id=None, state="REJECTED", filled_cents=0
    )
    rows = side_by_side(some_evidence([a_ledger_order(), never_sent]), {"s1": "A at B, over 2.5"})
    assert [row.what for row in rows] == ["A at B, over 2.5", "open orders", "PnL, USD"]
    assert rows[0].exchange == "1 orders, 50.00 filled"
    assert all(row.equal for row in rows)


def test_side_by_side_shows_a_difference() -> None:
    rows = side_by_side(some_evidence([a_ledger_order(filled_cents=100)]), {})
    assert not rows[0].equal


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, ["does not answer"]),
        ({"mode": "CANCEL_ONLY", "why": "recovering", "uptime_s": 28.2, "lines": [1]},
         ["up for 28 s", "CANCEL_ONLY (recovering)", "private stream is down"]),
        ({"mode": "ENABLED", "why": "", "stream": {"private": True, "public": True}},
         ["ENABLED (no strategy wants a quote)", "no line is listed"]),
    ],
)  # fmt: skip
def test_a_demo_that_quotes_nothing_says_what_it_waits_for(
    status: dict[str, Any] | None, words: list[str]
) -> None:
    said = waits_for(status)
    assert [word for word in words if word not in said] == []
    assert ("stream is down" in said) == any("down" in word for word in words)
