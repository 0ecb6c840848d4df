"""Actions of a timeline, each seen through the exchange's own doors."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.sim.box import Box
from mmbot.sim.core.messages import Json
from mmbot.sim.core.orders import Refusal
from mmbot.sim.market.options import EventOptions
from mmbot.sim.timeline.entries import read_action, read_timeline
from tests.sim.builders import Client, a_box

GAMES = EventOptions(count=3, lines=9, props=6)


def _do(client: Client, **row: object) -> Json | Refusal:
    answer = client.box.moves.perform(read_action(row, "row"), client.now_ns)
    client.wait(0.1)
    return answer


def _scene() -> tuple[Box, Client]:
    box = a_box(events=GAMES)
    client = Client(box)
    client.login()
    return box, client


def _event(box: Box, place: int = 1) -> Any:
    return list(box.exchange.listing.events.values())[place - 1]


def _listed(client: Client) -> dict[int, dict[str, Any]]:
    tournament = _event(client.box).tournament.id
    _, answer = client.api("GET", f"/mm/get_sport_events?tournament_id={tournament}")
    return {one["event_id"]: one for one in answer["data"]["sport_events"] or ()}


def _filled(client: Client, strike_id: str) -> dict[str, Any]:
    """Rest an order and let somebody take it whole."""
    order = client.place(strike_id, 300, 10.0)
    _do(client, action="take")
    return client.read(order["order_id"])


def test_a_kick_off_wipes_and_a_moved_start_is_shown() -> None:
    # faults: F1 F2 F3
    box, client = _scene()
    event = _event(box)
    order = client.place(event.lines[0].strikes[0].strike_id, 900, 5.0)
    before = _listed(client)[event.event_id]["scheduled"]
    _do(client, action="move_start", event=1, by_s=-3600)
    assert _listed(client)[event.event_id]["scheduled"] < before
    _do(client, action="go_live", event=1)
    assert client.read(order["order_id"])["status"] == "wiped"
    assert _listed(client)[event.event_id]["status"] == "live"
    _do(client, action="end", event=1)
    assert event.status == "finished"
    again = _do(client, action="go_live", event=1)
    assert isinstance(again, Refusal)
    assert (again.code, event.status) == ("event_not_available", "finished")


def test_an_event_goes_comes_back_and_comes_back_as_another() -> None:
    # faults: F5
    box, client = _scene()
    first = _event(box).event_id
    _do(client, action="unlist", event=1)
    assert first not in _listed(client)
    _do(client, action="relist", event=1)
    assert first in _listed(client)
    answer = _do(client, action="relist", event=1, new_id=True)
    assert isinstance(answer, dict)
    assert answer["event_id"] != first
    assert answer["event_id"] in _listed(client)
    assert first not in _listed(client)
    # its place stays its own
    _do(client, action="go_live", event=1)
    assert _listed(client)[answer["event_id"]]["status"] == "live"


def test_new_games_are_listed_with_their_props() -> None:
    box, client = _scene()
    answer = _do(client, action="list", lines=3, props=2, start_after_s=600)
    assert isinstance(answer, dict)
    assert answer["lines"] == 5
    assert answer["event_id"] in _listed(client)
    order = client.place(_event(box, 4).lines[4].strikes[0].strike_id, 900, 5.0)
    assert order["status"] == "open"
    status, feed = client.call("GET", "/_feed/odds")
    assert status == 200
    assert len(feed) == 4
    assert client.record()["quoted_share"]


def test_a_line_moves_and_its_strike_ids_die() -> None:
    # faults: F8
    box, client = _scene()
    event = _event(box)
    line = next(line for line in event.lines if line.kind == "spread")
    old = line.strikes[0].strike_id
    answer = _do(client, action="move_line", event=1, kind="spread", by=-0.5)
    assert isinstance(answer, dict)
    assert answer["number"] == line.number - 0.5
    status, said = client.api("POST", "/v4/mm/submit_order", client.order(old, 900, 5.0))
    assert (status, said["error"]) == (400, "strike_id_invalid")
    moved = next(one for one in event.lines if one.number == line.number - 0.5)
    assert client.place(moved.strikes[0].strike_id, 900, 5.0)["status"] == "open"


def test_one_market_is_suspended_and_reopened() -> None:
    # faults: F6
    box, client = _scene()
    total = next(line for line in _event(box).lines if line.kind == "total")
    money = next(line for line in _event(box).lines if line.kind == "moneyline")
    _do(client, action="suspend", event=1, market="total")
    body = client.order(total.strikes[0].strike_id, 900, 5.0)
    assert client.api("POST", "/v4/mm/submit_order", body)[0] >= 400
    assert client.place(money.strikes[0].strike_id, 900, 5.0)["status"] == "open"
    _do(client, action="reopen", event=1, market="total")
    assert client.place(total.strikes[0].strike_id, 900, 5.0)["status"] == "open"


def test_results_void_push_reversal_and_bust_move_the_cents() -> None:
    # faults: F11
    box, client = _scene()
    cash = client.account.cash_cents
    lines = _event(box).lines
    order = _filled(client, lines[0].strikes[0].strike_id)
    assert order["filled_quantity"] == 10.0
    _do(client, action="settle", event=1)
    after = client.account.cash_cents
    assert after != cash
    assert client.read(order["order_id"])["status"] == "closed"
    _do(client, action="reverse", event=1)
    assert client.account.cash_cents == cash - 1000
    _do(client, action="push", event=1, line=1)
    assert client.account.cash_cents == cash
    _do(client, action="void", event=1)
    assert client.account.cash_cents == cash
    again = _filled(client, _event(box, 2).lines[0].strikes[0].strike_id)
    assert client.account.cash_cents == cash - 1000
    _do(client, action="bust")
    assert client.account.cash_cents == cash
    assert client.read(again["order_id"])["filled_quantity"] == 0


def test_accounts_lose_cash_tokens_and_the_right_to_place() -> None:
    # faults: D1 D3 G2
    box, client = _scene()
    _do(client, action="cash", usd=12.5)
    assert client.api("GET", "/v4/mm/get_balance")[1]["data"]["balance"] == 12.5
    _do(client, action="expire_tokens")
    assert client.api("GET", "/v4/mm/get_balance")[0] == 401
    client.login()
    _do(client, action="suspend_account")
    body = client.order(_event(box).lines[0].strikes[0].strike_id, 900, 5.0)
    assert client.api("POST", "/v4/mm/submit_order", body)[0] >= 400
    _do(client, action="suspend_account", on=False)
    assert client.api("POST", "/v4/mm/submit_order", body)[0] == 200


def test_sockets_are_closed_muted_and_refused() -> None:
    # faults: E1 E14 E16
    box, client = _scene()
    stream = client.listen()
    _do(client, action="mute_sockets")
    client.wait(20)
    assert not stream.frames()
    _do(client, action="mute_sockets", on=False)
    client.wait(6)
    assert stream.payloads("health_check")
    _do(client, action="close_sockets", code=4100)
    assert stream.connection.closed
    _do(client, action="refuse_sockets", code=4004)
    refused = box.connect(box.hub.app.key, {"protocol": "7"}, client.now_ns)
    assert refused.closed
    _do(client, action="refuse_sockets")
    assert not box.connect(box.hub.app.key, {"protocol": "7"}, client.now_ns).closed


def test_the_stream_moves_to_another_key() -> None:
    # faults: E6
    _, client = _scene()
    before = client.api("GET", "/websocket/connection-config")[1]
    _do(client, action="move_stream", key="another", cluster="mt2")
    after = client.api("GET", "/websocket/connection-config")[1]
    assert (after["key"], after["cluster"]) == ("another", "mt2") != (before["key"], "mt1")


def test_numbers_count_in_another_unit_where_the_stream_moves() -> None:
    # faults: J5
    box, client = _scene()
    bulletin = box.exchange.bulletin
    digits = []
    for unit in ("ns", "us", ""):
        _do(client, action="move_stream", key=f"key-{unit}", sequence_unit=unit)
        digits.append(len(str(bulletin.sequence(client.now_ns))))
    assert digits == [19, 16, 16]


def test_switches_and_faults_begin_and_end() -> None:
    # faults: A4 D13
    box, client = _scene()
    strike = _event(box).lines[0].strikes[0].strike_id
    _do(client, action="switch", set={"placement_disabled": True})
    assert client.api("POST", "/v4/mm/submit_order", client.order(strike, 900, 5.0))[0] == 403
    _do(client, action="switch", set={"placement_disabled": False})
    _do(client, action="faults", rules=[{"fault": "error_before", "rate": 1, "on": ["place"]}])
    assert client.api("POST", "/v4/mm/submit_order", client.order(strike, 900, 5.0))[0] == 500
    _do(client, action="faults")
    assert client.api("POST", "/v4/mm/submit_order", client.order(strike, 900, 5.0))[0] == 200


@pytest.mark.parametrize(
    "row",
    [
        {"action": "go_live", "event": 77},
        {"action": "void", "event": 1, "line": 77},
        {"action": "move_line", "event": 1, "line": 1, "by": 0.5},
        {"action": "suspend", "event": 77},
    ],
)
def test_what_cannot_be_done_is_refused_and_noted(row: dict[str, object]) -> None:
    box, client = _scene()
    assert isinstance(_do(client, **row), Refusal)
    assert box.moves.done[-1]["refused"]


def test_a_step_is_repeated_at_its_times() -> None:
    rows = [{"at_s": 1, "every_s": 2, "times": 3, "action": "news", "shift_logit": 0.2}]
    box = a_box(timeline=read_timeline(rows))
    Client(box).wait(10)
    assert [int(str(one["at_ns"])) - box.started_ns for one in box.moves.done] == [
        1_000_000_000,
        3_000_000_000,
        5_000_000_000,
    ]


def test_a_game_begins_so_long_from_now_or_not_at_all_and_then_after_all() -> None:
    # faults: F2
    box, client = _scene()
    event = _event(box)
    strike = event.lines[0].strikes[0].strike_id
    order = client.place(strike, 900, 5.0)
    now_ns = client.now_ns
    _do(client, action="move_start", event=1, in_s=7200)
    assert event.start_ns == now_ns + 7200 * 10**9
    _do(client, action="change_status", event=1, status="postponed")
    assert client.read(order["order_id"])["status"] == "wiped"
    assert _listed(client)[event.event_id]["status"] == "postponed"
    _do(client, action="change_status", event=1, status="not_started")
    assert client.read(client.place(strike, 900, 5.0)["order_id"])["status"] == "open"
    _do(client, action="go_live", event=1)
    refused = _do(client, action="change_status", event=1, status="not_started")
    assert isinstance(refused, Refusal)
    assert event.status == "live"


def test_a_void_of_all_lines_is_one_of_those_that_moved_away_too() -> None:
    # faults: F8 F11
    box, client = _scene()
    total = next(line for line in _event(box).lines if line.kind == "total" and line.favourite)
    filled = _filled(client, total.strikes[0].strike_id)
    _do(client, action="move_line", event=1, kind="total", by=30.0)
    _do(client, action="void", event=1)
    assert client.read(filled["order_id"])["winning_status"] == "no_result"
