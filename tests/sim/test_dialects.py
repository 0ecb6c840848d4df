"""One exchange in three wordings at the same time."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from mmbot.sim.box import Box
from mmbot.sim.dialects.errors import ERRORS, WAGER_CODES
from mmbot.sim.dialects.table import ROUTES
from mmbot.sim.rules import Rules
from tests.sim.builders import AT_ONCE, a_box, a_line, a_second_client
from tests.sim.callers import NEW_WORDS, Caller, a_caller


def keys_of(value: Any) -> set[str]:
    if isinstance(value, list):
        return {key for one in value for key in keys_of(one)}
    if isinstance(value, dict):
        return set(value) | {key for one in value.values() for key in keys_of(one)}
    return set()


def a_body(box: Box, operation: str) -> dict[str, object]:
    """Something that every write route answers with a documented code at least."""
    strike_id = a_line(box).strikes[0].strike_id
    order = {"external_id": f"x-{operation}", "strike_id": strike_id, "price": 150, "quantity": 5.0}
    return order | {"line_id": strike_id, "odds": 150, "stake": 5.0, "event_id": 1, "data": []}


@pytest.mark.parametrize("route", ROUTES, ids=lambda one: f"{one.method}{one.path}")
def test_every_route_of_the_table_answers(route: Any) -> None:
    caller = a_caller()
    query = {
        "event_id": a_line(caller.box).event_id,
        "event_ids": a_line(caller.box).event_id,
        "strike_ids": a_line(caller.box).strikes[0].strike_id,
        "tournament_id": 31,
        "from": caller.now_ns // 1_000_000_000,
    }
    path = route.path + ("0" * 8 if route.path.endswith("/") else "")
    body = a_body(caller.box, route.operation) if route.method == "POST" else None
    shown = f"{path}?{urlencode(query)}" if route.method == "GET" else path
    status, answer = caller.ask(route.method, shown, body)
    refused = answer.get("error")
    assert refused is None or refused in ERRORS or refused in WAGER_CODES.values()
    assert (status, refused) != (404, "data_not_found") or route.path.endswith("/")
    other = "GET" if route.method == "POST" else "POST"
    if route.path not in {one.path for one in ROUTES if one.method == other}:
        assert caller.ask(other, path)[0] in {404, 401 if "/auth/" in path else 404}


def test_the_same_order_is_known_in_every_wording() -> None:
    caller = Caller(a_box(rules=AT_ONCE))
    strike_id = a_line(caller.box).strikes[0].strike_id
    v4 = caller.ask("POST", "/v4/mm/submit_order", caller.order(strike_id, 150, 5.0))[1]
    seed = caller.ask("POST", "/mm/place_order", caller.order(strike_id, 150, 5.0))[1]
    legacy = caller.ask("POST", "/mm/place_wager", caller.wager(strike_id, 150, 5.0))[1]
    ids = [
        v4["data"]["order"]["order_id"],
        seed["data"]["order"]["id"],
        legacy["data"]["wager"]["id"],
    ]
    assert "order_id" not in seed["data"]["order"]
    assert not keys_of(legacy) & {"order_id", "price", "quantity", "strike_id", "order"}
    for order_id in ids:
        assert caller.get(f"/v4/mm/get_order/{order_id}")["order_id"] == order_id
        assert caller.get(f"/mm/get_order/{order_id}")["id"] == order_id
        wager = caller.get(f"/mm/get_wager/{order_id}")
        assert (wager["wager_id"], wager["odds"], wager["stake"]) == (order_id, 150, 5.0)
    window = f"from={caller.now_ns // 10**9 - 60}"
    assert len(caller.get(f"/v4/mm/get_order_history?{window}")["orders"]) == 3
    assert len(caller.get(f"/mm/get_order_histories?{window}")["orders"]) == 3
    assert len(caller.get(f"/v2/mm/get_wager_histories?{window}")["wagers"]) == 3


def test_orders_of_each_wording_are_cancelled_in_each_wording() -> None:
    caller = Caller(a_box(rules=AT_ONCE))
    strike_id = a_line(caller.box).strikes[0].strike_id
    batch = {"data": [caller.wager(strike_id, 150, 5.0) for _ in range(4)]}
    placed = caller.ask("POST", "/mm/place_multiple_wagers", batch)[1]["data"]["succeed_wagers"]
    first, second, third, fourth = ((one["id"], one["external_id"]) for one in placed)
    pair = {"order_id": first[0], "external_id": first[1]}
    assert caller.ask("POST", "/v4/mm/cancel_order", pair) == (200, {"data": {"success": True}})
    pair = {"order_id": second[0], "external_id": second[1]}
    answer = caller.ask("POST", "/mm/cancel_batch_orders", {"data": [pair]})[1]
    assert answer["data"][0]["order"]["id"] == second[0]
    pair = {"wager_id": third[0], "external_id": third[1]}
    assert caller.ask("POST", "/mm/cancel_wager", pair) == (200, {"data": {"Success": True}})
    assert caller.ask("POST", "/mm/cancel_wager", pair)[1]["error"] == "wager_already_cancelled"
    assert caller.ask("POST", "/mm/cancel_all_wagers")[0] == 200
    assert caller.ask("POST", "/mm/cancel_all_wagers")[1]["error"] == "no_cancellable_wagers"
    assert caller.read(fourth[0])["status"] == "canceled"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v4/mm/get_markets", {"strike_id", "price", "quantity"}),
        ("/v3/mm/get_markets", {"line_id", "odds", "stake"}),
        ("/v2/mm/get_markets", {"line_id", "odds", "stake"}),
        ("/mm/get_markets", {"strike_id", "price", "quantity", "line_id", "odds", "stake"}),
    ],
)
def test_markets_speak_the_words_of_their_version(path: str, words: set[str]) -> None:
    caller = a_caller()
    every = {"strike_id", "price", "quantity", "line_id", "odds", "stake"}
    event_id = a_line(caller.box).event_id
    one = caller.get(f"{path}?event_id={event_id}")
    many = caller.get(path.replace("get_m", "get_multiple_m") + f"?event_ids={event_id}")
    assert keys_of(one) & every == words
    assert keys_of(many) & every == words


def test_version_two_is_flat_and_one_and_three_are_nested() -> None:
    def level(caller: Caller, path: str) -> Any:
        event_id = a_line(caller.box).event_id
        markets = caller.get(f"{path}?event_id={event_id}")["markets"]
        return next(one for one in markets if one["type"] == "moneyline")["selections"][0]

    assert isinstance(level(a_caller(), "/v2/mm/get_markets"), dict)
    assert isinstance(level(a_caller(), "/v3/mm/get_markets"), list)
    assert isinstance(level(a_caller(), "/mm/get_markets"), list)
    assert isinstance(level(a_caller(v1_selections="flat"), "/mm/get_markets"), dict)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("both", {"unmatched_order_balance", "unmatched_wager_balance"}),
        ("seed", {"unmatched_order_balance"}),
        ("legacy", {"unmatched_wager_balance"}),
    ],
)
def test_the_words_of_the_shared_path_are_a_switch(words: str, shown: set[str]) -> None:
    every = {"unmatched_order_balance", "unmatched_wager_balance"}
    assert keys_of(a_caller(unversioned_words=words).get("/mm/get_balance")) & every == shown


def test_the_header_turns_the_words_but_not_in_the_first_history() -> None:
    caller = a_caller(unversioned_words="legacy")
    strike_id = a_line(caller.box).strikes[0].strike_id
    caller.ask("POST", "/mm/place_wager", caller.wager(strike_id, 150, 5.0))
    window = f"from={caller.now_ns // 10**9 - 60}"
    history = f"/v2/mm/get_wager_histories?{window}"
    assert "line_id" in keys_of(caller.get(history))
    renamed = keys_of(caller.get(history, NEW_WORDS))
    assert "strike_id" in renamed
    assert "line_id" not in renamed
    deaf = caller.get(f"/mm/get_wager_histories?{window}", NEW_WORDS)
    assert "line_id" in keys_of(deaf)
    assert "matched_order_balance" in caller.get("/mm/get_balance", NEW_WORDS)
    said = caller.ask("POST", "/mm/cancel_all_wagers")
    assert said[0] == 200
    again = caller.ask("POST", "/mm/cancel_all_wagers", headers=NEW_WORDS)
    assert again[1]["error"] == "no_cancellable_orders"
    ignoring = a_caller(unversioned_words="legacy", terminology_header="ignored")
    assert "matched_wager_balance" in ignoring.get("/mm/get_balance", NEW_WORDS)


def test_a_legacy_route_reads_wager_words_only_unless_the_header_says_otherwise() -> None:
    caller = a_caller()
    strike_id = a_line(caller.box).strikes[0].strike_id
    order = caller.order(strike_id, 150, 5.0)
    refused = caller.ask("POST", "/mm/place_wager", order)
    assert (refused[0], refused[1]["error"]) == (400, "invalid_line_id")
    assert caller.ask("POST", "/mm/place_wager", order, NEW_WORDS)[0] == 200
    wager = caller.wager(strike_id, 150, 5.0)
    refused = caller.ask("POST", "/v4/mm/submit_order", wager)
    assert (refused[0], refused[1]["error"]) == (400, "invalid_strike_id")


def test_trades_and_money_in_both_wordings() -> None:
    box = a_box()
    caller, taker = Caller(box), a_second_client(box)
    home, away = a_line(box).strikes
    order = caller.place(home.strike_id, -117, 117.0)
    taker.wait(1)
    taker.place(away.strike_id, 114, 50.0)
    caller.wait(2)
    window = f"from={caller.now_ns // 10**9 - 60}"
    [trade] = caller.get(f"/v4/mm/get_trades?{window}")["trades"]
    [bet] = caller.get(f"/mm/get_matched_bets?{window}")["matched_bets"]
    assert (bet["wager_id"], bet["stake"], bet["odds"]) == (order["order_id"], 58.5, -117)
    assert (trade["order_id"], trade["quantity"]) == (order["order_id"], 58.5)
    path = f"/mm/get_wager_matching_detail?wager_ids={order['order_id']}"
    [detail] = caller.get(path)["matching_details"]
    assert detail["wager_id"] == order["order_id"]
    path = f"/v2/mm/get_wager_matching_detail?wager_id={order['order_id']}"
    assert caller.get(path)["matching_details"] == [detail]
    kinds = [
        caller.get(f"{path}?{window}")["transactions"][0]["transaction_type"]
        for path in ("/v4/mm/get_transactions", "/v2/mm/get_transactions")
    ]
    assert kinds == ["TRADE", "BET"]


@pytest.mark.parametrize(
    ("paths", "answering"),
    [
        ("all", {"/v4/mm/get_price_ladder", "/mm/get_price_ladder", "/mm/get_odds_ladder"}),
        ("v4", {"/v4/mm/get_price_ladder"}),
        ("seed", {"/mm/get_price_ladder"}),
        ("legacy", {"/mm/get_odds_ladder"}),
    ],
)
def test_an_exchange_may_know_one_dialect_only(paths: str, answering: set[str]) -> None:
    caller = a_caller(paths=paths)
    every = {"/v4/mm/get_price_ladder", "/mm/get_price_ladder", "/mm/get_odds_ladder"}
    found = {path for path in every if caller.ask("GET", path)[0] == 200}
    assert found == answering


@pytest.mark.parametrize(
    ("path", "answering"),
    [
        ("both", {"/v4/mm/websocket", "/mm/websocket"}),
        ("v4", {"/v4/mm/websocket"}),
        ("unversioned", {"/mm/websocket"}),
    ],
)
def test_the_registration_has_two_spellings(path: str, answering: set[str]) -> None:
    caller = a_caller(registration_path=path)
    body = {"socket_id": "1.2"}
    every = {"/v4/mm/websocket", "/mm/websocket"}
    assert {one for one in every if caller.ask("POST", one, body)[0] == 200} == answering


def test_names_without_a_version_and_names_that_do_not_exist() -> None:
    caller = a_caller()
    strike_id = a_line(caller.box).strikes[0].strike_id
    for path in ("/mm/submit_order", "/v4/submit_order"):
        assert caller.ask("POST", path, caller.order(strike_id, 150, 5.0))[0] == 200
    assert caller.ask("POST", "/mm/cancel_all_orders")[0] == 200
    for path in (
        *("/v4/mm/submit_orders", "/v4/mm/get_tournaments", "/v4/mm/get_sport_events"),
        *("/mm/get_positions", "/exposure/get_balance", "/exposure/get_credits"),
        *("/v4/mm/get_odds_ladder", "/mm", "//", "/mm/get_order/a/b", "/auth/extend"),
    ):
        assert caller.ask("GET", path)[0] in {400, 404}, path


def test_wrong_methods_are_not_found_or_not_allowed() -> None:
    assert a_caller().ask("GET", "/v4/mm/submit_order")[0] == 404
    caller = a_caller(wrong_method="not_allowed")
    assert caller.ask("GET", "/v4/mm/submit_order")[0] == 405
    assert caller.ask("GET", "/v4/mm/submit_orders")[0] == 404


def test_a_form_is_read_where_the_contract_says_so_and_nowhere_else() -> None:
    caller = a_caller()
    caller.login()
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    fields = urlencode({"socket_id": "1.2"}).encode()
    status, answer = caller.ask("POST", "/mm/pusher", fields, form)
    assert (status, answer["data"]["success"]) == (200, True)
    assert caller.ask("POST", "/mm/pusher", {"socket_id": "1.2"})[0] == 200
    status, answer = caller.ask("POST", "/v4/mm/submit_order", b"external_id=a", form)
    assert (status, answer["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(("rule", "placed"), [("one_fails", 1), ("refuse_all", 0)])
def test_batches_with_a_repeated_id(rule: Any, placed: int) -> None:
    caller = Caller(a_box(rules=Rules(batch_repeated_id=rule)))
    order = caller.order(a_line(caller.box).strikes[0].strike_id, 150, 5.0)
    body = {"data": [order, order]}
    status, answer = caller.ask("POST", "/v4/mm/submit_multiple_orders", body)
    assert (len(answer["data"]["succeed_orders"]) if status == 200 else 0) == placed


def test_players_and_search_by_tournament() -> None:
    caller = a_caller()
    tournament = caller.box.exchange.listing.events[a_line(caller.box).event_id].tournament.id
    assert caller.ask("GET", "/mm/search_markets")[1]["error"] == "invalid_param"
    markets = caller.get(f"/mm/search_markets?tournament_id={tournament}")["markets"]
    assert "line_id" in keys_of(markets)
    assert caller.get("/mm/search_markets?tournament_id=5")["markets"] is None
    assert caller.get(f"/mm/get_players?tournament_id={tournament}")["players"] is None
    assert caller.ask("GET", "/mm/get_players/5?tournament_id=31")[0] == 404
