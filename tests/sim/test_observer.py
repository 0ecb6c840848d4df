"""The judge: it finds each kind of disagreement, names the order, and is silent otherwise."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mmbot.sim.witness.observer import (
    CHECKS,
    Evidence,
    check_invariants,
    compare_orders,
    duplicates,
)

S = 1_000_000_000


def box_order(external_id: str = "mm-1", **changes: Any) -> dict[str, Any]:
    order = {
        "external_id": external_id,
        "order_id": f"order-of-{external_id}",
        "strike_id": "strike-a",
        "price": 105,
        "quantity_cents": 2500,
        "filled_cents": 0,
        "open_cents": 2500,
        "status": "open",
        "created_ns": 10 * S,
        "history": [[10 * S, "accepted"], [11 * S, "open"]],
    }
    return order | changes


def ledger_order(external_id: str = "mm-1", **changes: Any) -> dict[str, Any]:
    order = {
        "external_id": external_id,
        "order_id": f"order-of-{external_id}",
        "strike_id": "strike-a",
        "price": 105,
        "quantity_cents": 2500,
        "filled_cents": 0,
        "state": "OPEN",
    }
    return order | changes


def record(*orders: dict[str, Any], **changes: Any) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "orders": list(orders),
        "same_price_twice": 0,
        "worst_case_cents_max": 2500,
        "pnl_cents": 0,
        "requests": {"per_second_max": 45},
        "open_orders_at_end": 0,
    }
    return figures | changes


GONE: dict[str, Any] = {"open_cents": 0, "status": "canceled"}
PAIRS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {}, ""),
    (GONE, {"state": "CANCELLED"}, ""),
    (GONE | {"status": "wiped"}, {"state": "CLOSED"}, ""),
    (GONE | {"status": "invalid"}, {"state": "REJECTED"}, ""),
    ({}, {"state": "IN_DOUBT", "order_id": ""}, ""),
    (GONE, {"state": "IN_DOUBT"}, ""),
    # a partly filled, cancelled order keeps status open
    (
        {"open_cents": 0, "filled_cents": 900},
        {"state": "CANCELLED", "filled_cents": 900},
        "",
    ),
    (
        {"open_cents": 0, "filled_cents": 2500, "status": "settled"},
        {"state": "FILLED", "filled_cents": 2500},
        "",
    ),
    ({}, {"state": "CANCELLED"}, "alive at the box"),
    ({"status": "inactive"}, {"state": "REJECTED"}, "alive at the box"),
    (GONE, {"state": "OPEN"}, "ended at the box"),
    (GONE, {"state": "CANCELLING"}, "ended at the box"),
    (GONE, {"state": "REJECTED"}, "accepted by the box"),
    (GONE | {"filled_cents": 900}, {"state": "FILLED", "filled_cents": 900}, "not in full"),
    ({"price": 106}, {}, "price 105 is not 106"),
    ({"quantity_cents": 2600}, {}, "quantity_cents 2500 is not 2600"),
    ({"filled_cents": 1}, {}, "filled_cents 0 is not 1"),
    ({"strike_id": "strike-b"}, {}, "strike_id strike-a is not strike-b"),
    ({"order_id": "another"}, {}, "order_id order-of-mm-1 is not another"),
]


@pytest.mark.parametrize(("at_box", "in_ledger", "finding"), PAIRS)
def test_one_order_is_compared_field_by_field(
    at_box: dict[str, Any], in_ledger: dict[str, Any], finding: str
) -> None:
    findings = compare_orders([box_order(**at_box)], [ledger_order(**in_ledger)])
    assert len(findings) == bool(finding)
    assert all(finding in text and "mm-1 (+105 x $25.00)" in text for text in findings)


# faults: A15
def test_what_came_late_and_went_without_a_fill_nobody_need_know() -> None:
    rejected = [ledger_order(state="REJECTED")]
    assert compare_orders([box_order(**GONE)], rejected, {"mm-1"}) == []
    assert "alive" in compare_orders([box_order(status="inactive")], rejected, {"mm-1"})[0]
    (finding,) = compare_orders([box_order(**GONE, filled_cents=5)], rejected, {"mm-1"})
    assert "filled_cents 0 is not 5" in finding


def test_orders_that_only_one_side_knows() -> None:
    assert "unknown to the ledger" in compare_orders([box_order()], [])[0]
    assert "never saw it" in compare_orders([], [ledger_order()])[0]
    for state in ("INTENDED", "IN_DOUBT", "REJECTED"):
        assert compare_orders([], [ledger_order(state=state)]) == []
        filled = ledger_order(state=state, filled_cents=1)
        assert "never saw it" in compare_orders([], [filled])[0]


def test_an_external_id_occurs_once_on_each_side() -> None:
    twice = compare_orders([box_order(), box_order()], [ledger_order(), ledger_order()])
    assert [text for text in twice if "2 orders" in text] == [
        "mm-1: 2 orders with this external_id in the box",
        "mm-1: 2 orders with this external_id in the ledger",
    ]


def test_duplicates_are_pairs_at_one_price_and_zombies() -> None:
    zombie = ledger_order(state="CANCELLED")
    assert duplicates(record(box_order()), [ledger_order()]) == 0
    assert duplicates(record(box_order()), [zombie]) == 1
    assert duplicates(record(box_order(**GONE)), [zombie]) == 0
    assert duplicates(record(box_order(), same_price_twice=2), [zombie]) == 3


def evidence(**changes: Any) -> Evidence:
    fields: dict[str, Any] = {
        "record": record(box_order()),
        "ledger_orders": [ledger_order()],
        "worst_case_limit_cents": 2500,
        "ledger_pnl_cents": 0,
        "positions": {},
    }
    return Evidence(**(fields | changes))


def found(invariant: str, **changes: Any) -> list[str]:
    findings = check_invariants(evidence(**changes))
    return [text for text in findings if text.startswith(invariant)]


def test_when_all_is_well_the_judge_is_silent() -> None:
    assert check_invariants(evidence()) == []
    assert list(CHECKS) == ["I1", "I2", "I3", "I4", "I5", "I6", "I7"]


def test_i1_an_order_without_intent_and_two_for_one() -> None:
    assert "no intent" in found("I1", record=record(box_order(), box_order("mm-2")))[0]
    manual = record(box_order(), box_order("by-hand-1"))
    assert found("I1", record=manual, prefix="mm-") == []
    first = box_order(open_cents=0, history=[[10 * S, "accepted"], [30 * S, "canceled"]])
    second = box_order("mm-2", created_ns=20 * S)
    third = box_order("mm-3", created_ns=40 * S, price=106)
    orders = [ledger_order(f"mm-{n}") for n in (1, 2, 3)]
    twice = record(first, second, third, same_price_twice=1)
    assert "mm-1 and mm-2" in found("I1", record=twice, ledger_orders=orders)[0]


def test_i1_does_not_name_orders_that_only_followed_each_other() -> None:
    filled = box_order(
        open_cents=0, filled_cents=2500, status="settled",
        history=[[10 * S, "accepted"], [12 * S, "filled 2000"], [13 * S, "filled 500"],
                 [90 * S, "settled"]],
    )  # fmt: skip
    after = record(filled, box_order("mm-2", created_ns=20 * S), same_price_twice=1)
    finding = found("I1", record=after, ledger_orders=[ledger_order(), ledger_order("mm-2")])[0]
    assert "does not say where" in finding


def test_i2_open_sets_differ() -> None:
    assert "mm-1" in found("I2", ledger_orders=[ledger_order(state="CANCELLED")])[0]
    assert "mm-1" in found("I2", record=record(box_order(**GONE)))[0]
    assert "never saw" in found("I2", record=record())[0]
    assert found("I2", ledger_orders=[ledger_order(state="IN_DOUBT")]) == []


def test_i2_excuses_what_changed_within_the_audit_interval() -> None:
    ended = box_order(**GONE, history=[[10 * S, "accepted"], [100 * S, "canceled"]])
    assert found("I2", record=record(ended), excused_ns=99 * S) == []
    assert len(found("I2", record=record(ended), excused_ns=101 * S)) == 1


def test_i6_excuses_in_mid_run_what_the_ledger_itself_disputes() -> None:
    # faults: B13
    undone = record(box_order(filled_cents=1000))
    ours = [ledger_order(filled_cents=3000)]
    for disputed, findings in ((2000, 0), (2500, 0), (1999, 1), (0, 1)):
        known = {"mm-1": disputed}
        told = {"record": undone, "ledger_orders": ours, "disputed": known}
        assert len(found("I6", **told, excused_ns=99 * S)) == findings, disputed
        assert len(found("I6", **told)) == 2  # at the end nothing is in dispute any more
    more = {"record": record(box_order(filled_cents=3001)), "ledger_orders": ours}
    assert len(found("I6", **more, disputed={"mm-1": 3000}, excused_ns=99 * S)) == 1


def test_i3_worst_case_above_the_limit() -> None:
    assert found("I3", worst_case_limit_cents=2499) == [
        "I3: the worst case reached $25.00, the limit is $24.99"
    ]


# faults: H2
def test_i4_after_the_stop_nothing_rests_and_nothing_comes() -> None:
    gone = record(box_order(**GONE))
    assert found("I4", record=gone, stopped_ns=10 * S) == []
    assert "still open" in found("I4", stopped_ns=10 * S)[0]
    assert "1.000 s after" in found("I4", record=gone, stopped_ns=9 * S)[0]
    late = found("I4", record=gone, stopped_ns=10 * S, last_placement_ns=12 * S)
    assert late == ["I4: a placement left the process 2.000 s after the stop"]
    at_end = record(box_order(**GONE), open_orders_at_end=3)
    assert "3 orders" in found("I4", record=at_end, stopped_ns=10 * S)[0]
    assert found("I4", record=at_end) == []


# faults: H17
def test_i5_secrets_in_any_spelling_are_found_and_not_repeated() -> None:
    secret = "s3cret/key+value=="
    spellings = [
        secret,
        "s3cret%2Fkey%2Bvalue%3D%3D",
        base64.b64encode(secret.encode()).decode(),
        secret.encode().hex(),
    ]
    for spelling in spellings:
        findings = found(
            "I5", secrets={"secret_key": secret}, outputs={"log": f"line one\nx {spelling} y"}
        )
        assert len(findings) == 1
        assert "secret_key is in log, line 2" in findings[0]
        assert spelling not in findings[0]
    assert secret not in repr(evidence(secrets={"secret_key": secret}))
    assert found("I5", secrets={"secret_key": secret}, outputs={"log": "s3cret"}) == []


def test_i6_money_to_the_cent() -> None:
    assert "PnL -$0.01 in the ledger, $0.00 at the box" in found("I6", ledger_pnl_cents=-1)[0]
    part = record(box_order(filled_cents=100, open_cents=2400))
    assert "filled $0.00 in the ledger" in found("I6", record=part, positions=None)[0]
    knows = [ledger_order(filled_cents=100)]
    assert found("I6", record=part, ledger_orders=knows, positions={"strike-a": 100}) == []
    wrong = found("I6", record=part, ledger_orders=knows, positions={"strike-a": 99})
    assert wrong == ["I6: position on strike-a $0.99, at the box $1.00"]


def test_i7_too_many_requests() -> None:
    assert found("I7", record=record(box_order(), requests={"per_second_max": 51})) == [
        "I7: 51 requests within one second, at most 50"
    ]
