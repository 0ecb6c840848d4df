"""How frames look under each reading of the contract, in order words and in wager words."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from mmbot.sim.core.messages import Outgoing
from mmbot.sim.stream.channels import event_channel, main_channel, user_channel
from mmbot.sim.stream.connections import Connection
from mmbot.sim.stream.envelopes import Form
from mmbot.sim.stream.hub import StreamHub
from tests.sim.builders import NS
from tests.sim.streaming import (
    APP,
    TOURNAMENT,
    a_book,
    a_hub,
    a_socket,
    an_account,
    an_order_message,
    payload,
    said,
    send,
    subscribe,
)

OURS = an_account()
WAGERS = Form("wager", shared_books=True)


def a_listener(hub: StreamHub, *channels: str, form: Form | None = None) -> Connection:
    connection = a_socket(hub)
    if form is not None:
        connection.forms = {6: form, 3: form}
    for channel in channels:
        subscribe(hub, connection, channel)
    return connection


def heard(hub: StreamHub, connection: Connection, message: Outgoing) -> Any:
    hub.publish(message)
    return said(connection)


@pytest.mark.parametrize("name", ["orders", "order", "wagers", "wager"])
def test_the_private_event_has_the_name_of_the_rule(name: str) -> None:
    hub = a_hub(private_event=name)
    connection = a_listener(hub, user_channel(OURS.user_id))
    [frame] = heard(hub, connection, an_order_message(OURS))
    assert (frame["event"], json.loads(frame["data"])["change_type"]) == (name, name)


@pytest.mark.parametrize("name", ["wagers", "wager"])
def test_the_same_order_in_wager_words(name: str) -> None:
    hub = a_hub(private_event_legacy=name)
    connection = a_listener(hub, user_channel(OURS.user_id, 3), form=WAGERS)
    [frame] = heard(hub, connection, an_order_message(OURS, winning_status="profit"))
    assert frame["event"] == name
    assert payload(frame)["info"] == {
        "id": "o-1",
        "odds": -117,
        "stake": 5.0,
        "winning_status": "won",
    }


@pytest.mark.parametrize("field", ["update_type", "update_status"])
def test_the_kind_of_an_update_has_two_names(field: str) -> None:
    hub = a_hub(update_field=field)
    connection = a_listener(hub, user_channel(OURS.user_id))
    [frame] = heard(hub, connection, an_order_message(OURS, update_type="status"))
    assert [key for key in payload(frame)["info"] if key.startswith("update")] == [field]


def test_both_generations_hear_the_same_order_each_in_its_words() -> None:
    hub = a_hub()
    new = a_listener(hub, user_channel(OURS.user_id))
    old = a_listener(hub, user_channel(OURS.user_id, 3), form=WAGERS)
    other = a_listener(hub, user_channel(an_account("b").user_id))
    hub.publish(an_order_message(OURS))
    assert payload(said(new)[0])["info"]["order_id"] == "o-1"
    assert payload(said(old)[0])["info"]["id"] == "o-1"
    assert said(other) == []


def test_books_go_to_the_event_channel_or_to_the_shared_one() -> None:
    # faults: E4
    hub = a_hub()
    new = a_listener(hub, event_channel(11), main_channel())
    old = a_listener(hub, main_channel(3), form=WAGERS)
    silent = a_listener(hub, main_channel(3), form=Form("wager", shared_books=False))
    hub.publish(a_book(11))
    [frame] = said(new)
    assert (frame["event"], frame["channel"]) == ("market_selections", event_channel(11))
    [frame] = said(old)
    assert (frame["event"], frame["channel"]) == (f"tournament_{TOURNAMENT}", main_channel(3))
    assert json.loads(frame["data"])["change_type"] == "market_selections"
    assert payload(frame)["info"]["selections"][0][0]["line_id"] == "f8"
    assert said(silent) == []


def test_a_prop_goes_to_its_own_channel_only() -> None:
    hub = a_hub()
    event = a_listener(hub, event_channel(11))
    prop = a_listener(hub, event_channel(11, "player_total_hits"))
    hub.publish(a_book(11, "player_total_hits"))
    assert said(event) == []
    assert len(said(prop)) == 1


@pytest.mark.parametrize(
    ("words", "rules", "said_as"),
    [
        ("order", {}, "matched_order"),
        ("order", {"trade_print_name": "trade_execution"}, "trade_execution"),
        ("wager", {}, "matched_bet"),
    ],
)
def test_the_trade_print_has_its_names(words: Any, rules: Any, said_as: str) -> None:
    hub = a_hub(**rules)
    connection = a_listener(hub, main_channel(), form=Form(words))
    trade = Outgoing(1, "tournament_31", "matched_order", "c", {"info": {"fill_price": 117}})
    [frame] = heard(hub, connection, trade)
    assert json.loads(frame["data"])["change_type"] == said_as
    assert payload(frame)["info"] == {"matched_odds" if words == "wager" else "fill_price": 117}


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ("base64", lambda raw: json.loads(base64.b64decode(raw))),
        ("double", lambda raw: json.loads(json.loads(base64.b64decode(raw)))),
        ("text", json.loads),
        ("object", lambda raw: raw),
    ],
)
def test_a_payload_in_each_coding(form: str, read: Any) -> None:
    hub = a_hub(payload_form=form)
    connection = a_listener(hub, event_channel(11))
    [frame] = heard(hub, connection, a_book(11))
    assert read(json.loads(frame["data"])["payload"]) == a_book(11).payload


def test_data_can_be_an_object_everywhere() -> None:
    hub = a_hub(data_form="object")
    connection = hub.connect(APP.key, {"protocol": "7"}, 0)
    [hello] = said(connection)
    assert hello["data"]["socket_id"] == connection.socket_id
    subscribe(hub, connection, event_channel(11))
    [frame] = heard(hub, connection, a_book(11))
    assert frame["data"]["op"] == "u"
    assert payload(frame) == a_book(11).payload


def test_a_removed_event_may_carry_a_zero() -> None:
    removed = Outgoing(1, "tournament_31", "sport_event", "d", {"id": "11", "tournament_id": "31"})
    for form, info in (("id_only", None), ("zero_info", {"event_id": 0})):
        hub = a_hub(event_deleted=form)
        connection = a_listener(hub, main_channel())
        [frame] = heard(hub, connection, removed)
        assert payload(frame).get("info") == info
    assert "info" not in removed.payload


@pytest.mark.parametrize(("where", "frames"), [("private", 1), ("all", 3)])
def test_health_check_is_private_or_for_all_sessions(where: str, frames: int) -> None:
    hub = a_hub(health_check_on=where)
    connection = a_listener(
        hub, user_channel(OURS.user_id), main_channel(), main_channel(3), event_channel(11)
    )
    hub.health(5 * NS)
    found = said(connection)
    assert [frame["event"] for frame in found] == ["health_check"] * frames
    assert json.loads(found[0]["data"])["payload"] == "e30="


def test_an_image_comes_with_the_subscription_only_when_the_rule_says_so() -> None:
    for wanted, frames in ((False, 1), (True, 2)):
        hub = a_hub(initial_image=wanted)
        connection = a_socket(hub)
        found = subscribe(hub, connection, event_channel(11))
        assert len(found) == frames
        assert found[0]["event"] == "pusher_internal:subscription_succeeded"
        assert len(subscribe(hub, connection, main_channel())) == 1


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("error_frame", "pusher:subscription_error"),
        ("null_code", "pusher:error"),
        ("close_4009", "pusher:error"),
        ("silence", None),
    ],
)
def test_a_wrong_signature_is_refused_in_the_form_of_the_rule(
    rule: str, expected: str | None
) -> None:
    # faults: E3
    hub = a_hub(subscription_refusal=rule)
    connection = a_socket(hub)
    wrong = {"channel": main_channel(), "auth": APP.channel_auth("1.1", main_channel())}
    found = send(hub, connection, "pusher:subscribe", wrong)
    assert [frame["event"] for frame in found[:1]] == ([expected] if expected else [])
    assert connection.closed is (rule == "close_4009")
    assert hub.channel_count == 0


def test_a_second_subscription_is_an_error_or_a_success() -> None:
    for rule, event in (
        ("error", "pusher:error"),
        ("succeeded", "pusher_internal:subscription_succeeded"),
    ):
        hub = a_hub(duplicate_subscription=rule)
        connection = a_listener(hub, main_channel())
        assert subscribe(hub, connection, main_channel())[0]["event"] == event


def test_answers_may_leave_out_what_is_not_promised() -> None:
    hub = a_hub(subscribed_data="absent", signin_success="empty", activity_timeout_shown=False)
    connection = hub.connect(APP.key, {"protocol": "7"}, 0)
    assert json.loads(said(connection)[0]["data"]) == {"socket_id": connection.socket_id}
    assert "data" not in subscribe(hub, connection, main_channel())[0]
    user_data = '{"id":"1"}'
    signin = {"auth": APP.user_auth(connection.socket_id, user_data), "user_data": user_data}
    assert send(hub, connection, "pusher:signin", signin)[0]["data"] == "{}"


@pytest.mark.parametrize(
    "name", ["public", "private-" + "a" * 300, "private-ä", "private-a b", "presence-x", "None"]
)
def test_names_that_the_venue_does_not_have_are_refused(name: str) -> None:
    hub = a_hub()
    [frame] = subscribe(hub, a_socket(hub), name)
    assert frame["event"] == "pusher:subscription_error"
    assert len(frame["channel"]) <= 200
