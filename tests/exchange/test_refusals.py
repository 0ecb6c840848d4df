"""Every code of the contract's error table has a meaning of its own here."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mmbot.exchange.http import HttpReply
from mmbot.exchange.refusals import (
    ELSEWHERE,
    MEANINGS,
    OnCancel,
    OnPlace,
    Refusal,
    asked_wait_s,
    code_of,
    refusal_of,
)
from tests.exchange.parts import EPOCH_NS, S, example, reply

ERRORS = Path(__file__).parent / "errors.csv"


def test_every_published_code_is_known() -> None:
    with ERRORS.open(encoding="utf-8") as file:
        codes = {row["code"] for row in csv.DictReader(file)}
    assert len(codes) > 90
    known = MEANINGS.keys() | ELSEWHERE
    assert {code for code in codes if not code.startswith("pusher_")} == known


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("wager_already_matched", "order_already_filled"),
        ("wager_external_id_existed", "order_external_id_existed"),
        ("wager_is_placing", "order_is_placing"),
        ("invalid_line_id", "invalid_strike_id"),
        ("err_wager_placement_disabled", "err_order_placement_disabled"),
        ("wager_unable_place", "order_unable_to_place"),
    ],
)
def test_both_vocabularies_mean_the_same(older: str, newer: str) -> None:
    assert MEANINGS[older] == MEANINGS[newer]


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("order_external_id_existed", OnPlace.LOST),  # faults: A3
        ("order_balance_check_timeout", OnPlace.LOST),  # faults: A4
        ("order_unable_to_place", OnPlace.LOST),
        ("invalid_price", OnPlace.REFUSED),
        ("self_match", OnPlace.REFUSED),
        ("err_order_placement_disabled", OnPlace.REQUEST_REFUSED),  # faults: D13
        ("unauthorized", OnPlace.NOT_ASKED),
        ("rate_limit_reached", OnPlace.NOT_ASKED),
        ("a_code_of_tomorrow", OnPlace.LOST),
        ("", OnPlace.LOST),
    ],
)
def test_what_a_code_means_for_a_placement(code: str, place: OnPlace) -> None:
    assert Refusal(500, code, "").meaning.place is place


@pytest.mark.parametrize(
    ("status", "code", "cancel", "retry_ms"),
    [
        (400, "order_already_filled", OnCancel.SEEMS_DONE, None),  # faults: B1
        (400, "order_already_cancelled", OnCancel.SEEMS_DONE, None),  # faults: B2
        (404, "", OnCancel.SEEMS_DONE, None),
        (409, "order_is_placing", OnCancel.AGAIN, 500),  # faults: B3
        (425, "order_opened_retry", OnCancel.AGAIN, 300),
        (500, "opened_retry", OnCancel.AGAIN, 300),
        (425, "", OnCancel.AGAIN, 300),
        (404, "no_cancellable_orders", OnCancel.SEEMS_DONE, None),  # faults: B10
        (500, "internal_error", OnCancel.LOST, None),
        (502, "", OnCancel.LOST, None),
    ],
)
def test_what_a_code_means_for_a_cancel(
    status: int, code: str, cancel: OnCancel, retry_ms: int | None
) -> None:
    meaning = Refusal(status, code, "").meaning
    assert meaning.cancel is cancel
    assert retry_ms is None or meaning.retry_after_ms == retry_ms


def test_a_fill_in_progress_is_known_by_its_words() -> None:
    found = refusal_of(HttpReply(422, {}, example("error.422.cancel_fill_in_progress.json")))
    assert found.code == "cancel_fill_in_progress"
    assert found.meaning.cancel is OnCancel.AGAIN


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"error": "invalid_price"}, "invalid_price"),
        ({"error": {"error_code": "invalid_price", "message": "x"}}, "invalid_price"),
        ({"error_code": "invalid_price"}, "invalid_price"),
        ({"code": 30010, "message": "odds"}, "30010"),
        ({"error": None, "code": "invalid_price"}, "invalid_price"),
        ({"error": 400}, ""),
        ([], ""),
    ],
)
def test_a_code_is_found_wherever_it_stands(body: object, code: str) -> None:
    assert refusal_of(reply(body, 400)).code == code


@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"", b'{"data": {"order', b"\xff"])
def test_a_body_of_any_kind_is_an_unknown_outcome(body: bytes) -> None:
    # faults: A5
    assert refusal_of(HttpReply(502, {}, body)).meaning.place is OnPlace.LOST


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("7", 7),
        (" 1.5 ", 1.5),
        ("Sun, 22 Nov 2026 15:00:20 GMT", 20),
        ("Sun, 22 Nov 2026 14:00:00 GMT", 0.1),
        ("1e9", None),
        ("999999999", 60),
        ("²", None),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_429_says_in_its_header_how_long_to_wait(header: str, wait_s: float | None) -> None:
    # faults: D7
    plain = refusal_of(HttpReply(429, {}, b"{}"))
    assert asked_wait_s(HttpReply(429, {"retry-after": header}, b""), plain, EPOCH_NS) == wait_s


def test_a_429_says_in_its_body_how_long_to_wait() -> None:
    # faults: D7
    body = example("error.429.rate_limit_reached.json")
    detailed, now_ns = refusal_of(HttpReply(429, {}, body)), EPOCH_NS + S // 2
    assert asked_wait_s(HttpReply(429, {}, body), detailed, now_ns) == pytest.approx(0.5)
    assert asked_wait_s(HttpReply(429, {"retry-after": "7"}, body), detailed, now_ns) == 7
    assert asked_wait_s(HttpReply(429, {}, body), detailed, 0) == 60


def test_codes_are_looked_for_no_deeper_than_they_stand() -> None:
    assert code_of(True, None, {"error": {"code": ""}}) == ""
