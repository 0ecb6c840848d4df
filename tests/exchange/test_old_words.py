"""The wager generation's words, read as today's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mmbot.domain.events import BookUpdated, MarketStatusChanged, OrderSeen
from mmbot.domain.ids import MarketId, StrikeId
from mmbot.exchange import codec, old_words, wire
from mmbot.exchange.books import leaves
from mmbot.exchange.contract import contract
from mmbot.exchange.drift import DriftLog, Shield
from mmbot.exchange.frames import Frame
from mmbot.exchange.listing import Listing
from mmbot.exchange.notices import Notices
from mmbot.exchange.pusher import AppMessage
from mmbot.exchange.stream import Kind, StreamReader
from tests.exchange.parts import EVENT_ID, example, example_json, seeded


def heard(name: str) -> tuple[Kind, tuple[Any, ...], Notices]:
    frame, notices = wire.decode(example(f"{name}.wire.json"), Frame), Notices()
    reader = StreamReader(seeded(Listing()), notices)
    return (
        *reader.read(AppMessage(frame.event, frame.channel or "", frame.data), 7),
        notices,
    )


def test_the_old_shared_channel_brings_the_same_book() -> None:
    kind, (event,), notices = heard("ws_market_selections.legacy_shared")
    assert kind is Kind.BOOK
    assert isinstance(event, BookUpdated)
    assert event.book.line_id == "10079123/219/0"
    assert [[one.price for one in side] for side in event.book.levels] == [[-117], [122]]
    assert [[one.stake_cents for one in side] for side in event.book.levels] == [[11_700], [50_000]]
    assert notices.counts == {}


def test_an_old_private_message_is_an_order() -> None:
    _, (event,), notices = heard("ws_wager.activated.legacy")
    _, (today,), _ = heard("ws_order.activated")
    assert isinstance(event, OrderSeen)
    assert event == today
    assert notices.counts == {}


def test_an_old_line_is_a_strike_and_an_old_print_is_counted() -> None:
    _, (event,), _ = heard("ws_market_line.update.legacy")
    strike_id = StrikeId("b9d4746a004a221364c762e0bc3c692e")
    assert event == MarketStatusChanged(EVENT_ID, MarketId(223), strike_id, "active")
    assert heard("ws_matched_bet.legacy")[0] is Kind.PRINT


@pytest.mark.parametrize("form", ["legacy_v3", "legacy_v1_flat"])
def test_old_markets_are_the_same_lines(form: str) -> None:
    def lines(body: bytes) -> dict[str, Any]:
        raws = wire.rows_of(body, "markets")
        found = [leaf for raw in raws for leaf in leaves(raw, EVENT_ID, Notices())]
        return {leaf.line.line_id: leaf.line.strikes for leaf in found}

    old = lines(old_words.newer(example(f"get_markets.response.{form}.json")))
    today = lines(example("get_markets.response.v4.json"))
    assert old == {"10079123/219/0": today["10079123/219/0"]}


def test_the_lines_of_an_old_spread_lie_below_it_and_have_a_sign() -> None:
    def level(line_id: str, outcome_id: int, line: float) -> dict[str, Any]:
        return {
            "outcome_id": outcome_id,
            "line_id": line_id,
            "line": line,
            "odds": -110,
            "value": 5,
        }

    sides = [[level("a", 1, -2.5)], [level("b", 2, 2.5)]]
    child = {"id": 223, "line": -2.5, "status": "active", "selections": sides}
    market = {"id": 223, "type": "spread", "status": "active", "market_lines": [child]}
    raw = wire.Raw(old_words.newer(json.dumps(market).encode()))
    (leaf,) = leaves(raw, EVENT_ID, Notices())
    assert [one.number for one in leaf.line.strikes] == [-2.5, 2.5]


def test_an_old_balance_is_a_balance() -> None:
    seen = codec.balance_seen(old_words.newer(example("get_balance.response.legacy.json")), 7)
    assert (seen.cash_cents, seen.balance_cents) == (9_764_925, 10_000_000)


@pytest.mark.parametrize(("old", "newer"), [("won", "profit"), ("lost", "loss"), ("push", "push")])
def test_old_results_are_todays(old: str, newer: str) -> None:
    order = example_json("get_order.response.v4.flat.json")["data"] | {"winning_status": old}
    assert codec.order_report(json.dumps(order).encode(), Notices()).winning_status == newer


def test_where_both_words_stand_the_newer_one_counts() -> None:
    said = b'{"price":-110,"odds":1.91,"rows":[{"stake":3,"b":null}],"line_id":"x"}'
    assert json.loads(old_words.newer(said)) == {
        "price": -110,
        "rows": [{"quantity": 3, "b": None}],
        "strike_id": "x",
    }


def test_what_is_no_json_is_unreadable() -> None:
    for body in (b"", b"<html>", b'{"a":', b"[" * 100_000, b"\xff"):
        with pytest.raises(wire.Unreadable):
            old_words.newer(body)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("ws_wager.activated.legacy", "stream.orders"),
        ("ws_matched_bet.legacy", "stream.matched_order"),
    ],
)
def test_an_old_message_is_no_difference_from_the_contract(name: str, place: str) -> None:
    assert heard(name)[2].drift.rows() == []
    payload = example_json(f"{name}.decoded.json")["payload"]
    assert differences(place, old_words.newer(json.dumps(payload).encode())) == []
    payload["info"]["odds"] = "-117"  # what differs is told all the same
    changed = old_words.newer(json.dumps(payload).encode())
    assert differences(place, changed) == [f"changed type: {place} info.price"]


def test_an_order_in_seed_has_its_own_id_and_is_no_difference() -> None:
    """4.7: seed and demo code read `data.order.id`; the example of its batch shows it so."""
    (taken,) = example_json("place_batch_orders.response.seed.json")["data"]["succeed_orders"]
    shown = example_json("get_order.response.v4.flat.json")
    del shown["data"]["order_id"]
    shown["data"] |= {"id": taken["id"], "winning_status": "lost"}
    body = old_words.newer(json.dumps(shown).encode())
    assert differences("get_order", body) == []
    read = codec.order_report(json.dumps(json.loads(body)["data"]).encode(), Notices())
    assert (read.order_id, read.winning_status) == (taken["id"], "loss")


def differences(place: str, body: bytes) -> list[str]:
    found: list[str] = []
    Shield(contract(), DriftLog(lambda one, _: found.append(str(one)))).body(place, body)
    return found
