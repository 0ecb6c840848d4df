"""Ended orders that lie in a file: asked for as before, by every route, and never used twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mmbot.sim.archive import Marks, archived
from mmbot.sim.core import shelf
from tests.sim.builders import NS, START_NS, Client, a_box


def a_day(client: Client) -> list[dict[str, Any]]:
    """Orders one after the other, most of them cancelled; the exchange's answers."""
    answers = []
    for number in range(15):
        strike = client.box.exchange.listing.lines[number % 3].strikes[number % 2]
        order = client.place(strike.strike_id, 130 + 2 * (number % 4), 10.0 + number)
        if number % 5:
            client.cancel(order)
        answers.append(order)
    client.wait(1)
    return answers


def seen(client: Client) -> dict[str, Any]:
    """Whatever can be asked about the orders of the account."""
    record = client.record()
    window = f"from={START_NS // NS}&to={client.now_ns // NS + 1}&limit=4"
    _, page = client.api("GET", f"/v4/mm/get_order_history?{window}")
    pages = [page]
    while cursor := page["data"]["next_cursor"]:
        _, page = client.api("GET", f"/v4/mm/get_order_history?{window}&next_cursor={cursor}")
        pages.append(page)
    return {
        "record": record["orders"],
        "pages": pages,
        "each": [client.read(order["order_id"]) for order in record["orders"]],
    }


def test_what_was_put_away_answers_as_if_it_had_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "AT_HAND_MAX", 4)
    monkeypatch.setattr(shelf, "PUT_AWAY", 2)
    plain, stored = Client(a_box()), Client(a_box())
    a_day(plain)
    with archived(stored.box.exchange):
        orders = a_day(stored)
        archive = stored.account.orders.archive
        assert archive is not None
        assert len(archive) >= 6
        assert len(stored.account.orders) == 15
        assert json.dumps(seen(stored)) == json.dumps(seen(plain))
        again = stored.order("", 130, 10.0) | {
            "external_id": orders[1]["external_id"],
            "strike_id": orders[1]["strike_id"],
        }
        status, answer = stored.api("POST", "/v4/mm/submit_order", again)
        assert (status, answer["error"]) == (400, "order_external_id_existed"), answer
        status, answer = stored.cancel(orders[1])
        assert status in (400, 404), answer


def test_an_id_is_looked_up_in_the_file_only_when_it_may_be_there() -> None:
    marks = Marks()
    for number in range(2000):
        marks.add(f"mine-{number}")
    assert all(marks.may_have(f"mine-{number}") for number in range(2000))
    assert sum(marks.may_have(f"other-{number}") for number in range(2000)) < 100


def test_an_account_keeps_nothing_of_a_strike_on_which_nothing_rests() -> None:
    client = Client(a_box())
    for line in client.box.exchange.listing.lines[:5]:
        order = client.place(line.strikes[0].strike_id, 150, 10.0)
        assert set(client.account.at_strike) == {line.strikes[0].strike_id}
        client.cancel(order)
    assert not client.account.at_strike
