"""The breakers in `/status`: each one's state, whom it pulls, for how long yet, and why."""

from __future__ import annotations

from typing import Any

from mmbot.app.breaker_rows import breaker_rows
from mmbot.domain.ids import SportEventId
from tests.engine.killed import Killed
from tests.engine.situations import S
from tests.engine.test_edge_loss import a_loss, rules


def shown(desk: Killed) -> dict[str, dict[str, Any]]:
    rows = breaker_rows(desk.engine.parts, desk.now_ns)
    assert len(rows) == 5
    return {str(row["breaker"]): row for row in rows}


def test_all_are_armed_and_the_losses_say_how_far_they_are() -> None:
    rows = shown(Killed(rules=rules))
    assert {row["state"] for row in rows.values()} == {"armed"}
    assert rows["edge loss"]["reason"] == "0.00 of 20.00 USD lost today"


def test_what_cools_off_says_whom_it_pulls_and_for_how_long_yet() -> None:
    desk = Killed()
    off = desk.ledger.cool_offs
    off.trip("price jump", SportEventId(7), "it jumped", desk.now_ns)
    off.trip("reject loop", None, "no and no", desk.now_ns)
    desk.now_ns += 42 * S
    rows = shown(desk)
    assert rows["price jump"] == {
        "breaker": "price jump", "state": "cooling off", "event": 7, "reason": "it jumped",
        "left_s": 18.0,
    }  # fmt: skip
    assert (rows["reject loop"]["event"], rows["reject loop"]["left_s"]) == (None, 18.0)
    assert rows["fill burst"]["state"] == "armed"
    desk.now_ns += 18 * S
    assert {row["state"] for row in shown(desk).values()} == {"armed"}


def test_a_loss_reduces_then_halts() -> None:
    for prob, state, reason in (
        (0.29, "reducing", "20.28 of 40.00 USD lost today"),
        (0.09, "halted", "40.78 of 40.00 USD lost today"),
    ):
        desk = Killed(rules=rules)
        a_loss(desk, prob)
        row = shown(desk)["edge loss"]
        assert (row["state"], row["reason"]) == (state, reason)
    desk.ledger.accounting.day.allowed_cents = 0
    assert shown(desk)["cash loss"]["state"] == "halted"
