"""Every code of the error table, its status, its older word and its forms."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.sim.dialects.errors import ERRORS, SAID_AS, WAGER_CODES, wager_code
from mmbot.sim.rules import Rules
from tests.sim.builders import Client, a_box, a_line
from tests.sim.callers import Caller, a_caller


def test_error_words_and_forms_are_switches() -> None:
    wrong = {"external_id": "a", "strike_id": "?", "price": 150, "quantity": 5.0}
    path = "/v4/mm/submit_order"
    assert a_caller().ask("POST", path, wrong)[1]["error"] == "invalid_strike_id"
    older = a_caller(error_words="legacy")
    assert older.ask("POST", path, wrong)[1]["error"] == "invalid_line_id"
    batch = older.ask("POST", "/v4/mm/submit_multiple_orders", {"data": [wrong]})[1]["data"]
    assert batch["failed_orders"][0]["error"] == "invalid_line_id"
    missing = {"data": [{"order_id": "?", "external_id": "a"}]}
    canceled = older.ask("POST", "/v4/mm/cancel_multiple_orders", missing)[1]["data"]
    assert canceled[0]["error"]["error_code"] == "invalid_wager_id"
    nested = a_caller(error_form="object").ask("POST", path, wrong)[1]
    assert nested["error"]["error_code"] == "invalid_strike_id"
    numbered = a_caller(error_form="number").ask("POST", path, wrong)[1]
    assert (numbered["error"], numbered["code"]) == (400, "invalid_strike_id")


def test_every_wager_code_has_an_order_code_of_the_table() -> None:
    assert set(WAGER_CODES) <= set(ERRORS)
    assert wager_code("order_limit_exceeded") == "wager_limit_exceeded"
    assert wager_code("invalid_cursor") == "invalid_cursor"


@pytest.mark.parametrize("code", ERRORS)
def test_every_code_of_the_table_can_be_said_with_its_status(code: str) -> None:
    caller = a_caller()
    status, text = ERRORS[code]
    word = SAID_AS.get(code, code)
    order = caller.order(a_line(caller.box).strikes[0].strike_id, 150, 5.0)
    caller.call("POST", "/_box/faults", {"refuse_code": code})
    said = caller.ask("POST", "/v4/mm/submit_order", order)
    assert said == (status, {"error": word, "message": text})
    status, answer = caller.ask("POST", "/mm/place_multiple_wagers", {"data": [order]})
    assert (status, answer["data"]["failed_wagers"][0]["error"]) == (200, wager_code(word))
    caller.call("POST", "/_box/faults", {"refuse_what": "cancel"})
    assert caller.ask("POST", "/mm/cancel_order", {})[1]["error"] == word
    caller.call("POST", "/_box/faults", {"refuse_what": "read"})
    assert caller.ask("GET", "/v4/mm/get_balance")[1]["error"] == word


def test_a_code_that_is_in_no_table_cannot_be_asked_for() -> None:
    caller = a_caller()
    assert caller.call("POST", "/_box/faults", {"refuse_code": "no_such_code"})[0] == 400


@pytest.mark.parametrize("rule", ["invalid_price", "30010"])
def test_the_code_of_a_price_that_is_no_american_price(rule: Any) -> None:
    caller = Caller(a_box(rules=Rules(illegal_price=rule)))
    strike_id = a_line(caller.box).strikes[0].strike_id
    order = caller.order(strike_id, -100, 5.0)
    assert caller.ask("POST", "/v4/mm/submit_order", order)[1]["error"] == rule
    off_ladder = caller.order(strike_id, 151, 5.0)
    assert caller.ask("POST", "/v4/mm/submit_order", off_ladder)[1]["error"] == "invalid_price"


@pytest.mark.parametrize("rows", ["as_asked", "refused_last"])
def test_rows_of_a_batch_cancel_come_in_the_order_of_the_rule(rows: Any) -> None:
    client = Client(a_box(rules=Rules(first_pass_ms=0, batch_cancel_rows=rows)))
    placed = client.place(a_line(client.box).strikes[0].strike_id, 900, 5.0)
    ids = {name: placed[name] for name in ("order_id", "external_id")}
    _, answer = client.api("POST", "/v4/mm/cancel_multiple_orders", {"data": [{}, ids]})
    said = [row["success"] for row in answer["data"]]
    assert said == ([False, True] if rows == "as_asked" else [True, False])
