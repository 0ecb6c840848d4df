"""Each claim of a crash run can fail: a story with one thing wrong is told for each."""

# faults: H1 H3

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.crash.claims import Outcome, Struck, claims, figures
from tests.crash.moments import Kill
from tests.crash.record import Truth, truth_of

S = 1_000_000_000
MINE = "maker"
Lines = list[dict[str, Any]]


def lines() -> Lines:
    """One order: arrived at 5 s, accepted at 6 s, filled in part, cancelled; then the money."""
    order = {"kind": "order", "account": MINE, "order_id": "o1"}
    body = '{"orders":[{"external_id":"mm-1"}]}'
    path = "/partner/v4/mm/submit_multiple_orders"
    return [
        {"kind": "account", "account": MINE, "at_ns": 0, "cash_cents": 1_000},
        {"kind": "account", "account": "noise", "at_ns": 0, "cash_cents": 9_000},
        {"n": 3, "kind": "request", "account": MINE, "at_ns": S, "path": "/partner/auth/login"},
        {"n": 4, "kind": "request", "account": MINE, "at_ns": 5 * S, "path": path, "body": body},
        order | {"at_ns": 6 * S, "what": "accepted", "external_id": "mm-1", "strike_id": "s1",
                 "price": 120, "quantity_cents": 500, "status": "open", "open_cents": 500,
                 "filled_cents": 0},
        {"kind": "answer", "account": MINE, "of": 4, "at_ns": 7 * S, "status": 200},
        {"kind": "fill", "at_ns": 8 * S, "fill_id": "f1", "maker": MINE, "taker": "noise",
         "maker_order_id": "o1", "taker_order_id": "t1", "maker_cents": 200, "taker_cents": 240},
        {"kind": "cash", "account": MINE, "at_ns": 8 * S, "amount_cents": -200},
        order | {"at_ns": 8 * S, "what": "filled 200", "status": "open", "open_cents": 300,
                 "filled_cents": 200},
        order | {"at_ns": 9 * S, "what": "canceled", "status": "open", "open_cents": 0,
                 "filled_cents": 200},
    ]  # fmt: skip


def told(story: Lines) -> Truth:
    return truth_of((json.dumps(line) for line in story), MINE)


def ledger_row(**changes: Any) -> dict[str, Any]:
    row = {
        "external_id": "mm-1", "order_id": "o1", "strike_id": "s1", "price": 120,
        "quantity_cents": 500, "filled_cents": 200, "state": "CANCELLED",
    }  # fmt: skip
    return row | changes


def outcome(story: Lines | None = None, **changes: Any) -> Outcome:
    truth = told(lines() if story is None else story)
    record = {
        "orders": truth.orders, "same_price_twice": 0, "worst_case_cents_max": 500,
        "pnl_cents": truth.pnl_cents, "requests": {"per_second_max": 3}, "open_orders_at_end": 0,
    }  # fmt: skip
    good = Outcome(
        kills=1,
        struck=(Struck(Kill("commit", 0.001, 1), 5 * S + 1),),
        truth=truth,
        record=record,
        ledger_orders=[ledger_row()],
        ledger_pnl_cents=-200,
        intended_ns={"mm-1": 5 * S - 1},
        worst_case_limit_cents=1_000,
        stopped_ns=20 * S,
        exit_code=0,
        left_running=0,
        outputs={"daemon.log": "nothing secret"},
        secrets={"key": "0123456789"},
    )
    return dataclasses.replace(good, **changes)


def broken(seen: Outcome) -> set[str]:
    return {claim.what for claim in claims(seen) if not claim.held}


def test_a_run_in_which_all_is_well_holds_every_claim() -> None:
    assert broken(outcome()) == set()


def twice(story: Lines) -> None:
    story.append(story[4] | {"order_id": "o2", "open_cents": 0, "status": "canceled"})


def resting(story: Lines) -> None:
    story[-1]["open_cents"] = 300


def unheard_fill(story: Lines) -> None:
    story.append(story[6] | {"fill_id": "f2", "maker_cents": 50})


def undone_fill(story: Lines) -> None:
    story.append({"kind": "fill_taken_back", "at_ns": 10 * S, "fill_id": "f1"})


def another_cent(story: Lines) -> None:
    story.append({"kind": "cash", "account": MINE, "at_ns": 10 * S, "amount_cents": 1})


def more_logins(story: Lines) -> None:
    story += [story[2] | {"n": 100 + n} for n in range(2)]


@pytest.mark.parametrize(
    ("spoil", "claim"),
    [
        (twice, "intents with more than one order"),
        (resting, "orders that still rest"),
        (resting, "open sets that differ"),
        (unheard_fill, "fills that differ"),
        (undone_fill, "fills that differ"),
        (another_cent, "cents in the ledger"),
        (more_logins, "log-ins"),
    ],
)
def test_what_the_exchange_saw_and_the_ledger_did_not_is_found(
    spoil: Callable[[Lines], None], claim: str
) -> None:
    story = lines()
    spoil(story)
    assert claim in broken(outcome(story))


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"ledger_orders": [ledger_row(filled_cents=100)]}, "orders that differ"),
        ({"ledger_orders": [ledger_row(state="IN_DOUBT")]}, "open sets that differ"),
        ({"ledger_orders": []}, "orders that differ"),
        ({"intended_ns": {}}, "orders without an intent of their own"),
        ({"ledger_pnl_cents": -199}, "cents in the ledger"),
        ({"struck": ()}, "kills"),
        ({"exit_code": 1}, "exit code"),
        ({"exit_code": None}, "exit code"),
        ({"left_running": 1}, "processes left behind"),
        ({"outputs": {"daemon.log": "key 0123456789"}}, "invariants broken"),
        ({"worst_case_limit_cents": 499}, "invariants broken"),
    ],
)
def test_what_the_daemon_did_wrong_is_found(changes: dict[str, Any], claim: str) -> None:
    assert claim in broken(outcome(**changes))


@pytest.mark.parametrize(
    ("at_ns", "unsent", "unanswered"),
    [
        (5 * S - 2, 0, 0),  # before the intent
        (5 * S - 1, 1, 0),  # durable, and nothing has arrived
        (5 * S, 0, 1),  # arrived
        (7 * S - 1, 0, 1),
        (7 * S, 0, 0),  # answered
    ],
)
def test_a_kill_is_told_by_what_it_struck(at_ns: int, unsent: int, unanswered: int) -> None:
    seen = figures(outcome(struck=(Struck(Kill("anywhere", 1.0), at_ns),)))
    assert seen["kills_between_commit_and_arrival"] == unsent
    assert seen["kills_between_arrival_and_reply"] == unanswered


def test_kills_that_struck_no_placement_prove_nothing() -> None:
    idle = tuple(Struck(Kill("anywhere", 1.0), 15 * S) for _ in range(10))
    assert "kills amid a placement" in broken(outcome(kills=10, struck=idle))
