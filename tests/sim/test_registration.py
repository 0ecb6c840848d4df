"""Registrations of a socket: the declarative model, the older one, and connection-config."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.sim.core.orders import Refusal
from mmbot.sim.faults.switches import Switches
from mmbot.sim.http.pusher_auth import authorize
from mmbot.sim.http.registration import canonical_sub_type, connection_config, register
from mmbot.sim.stream.channels import event_channel, main_channel, user_channel
from mmbot.sim.stream.hub import StreamHub
from tests.sim.streaming import APP, a_hub, a_socket, an_account, said, send

OURS = an_account()
LIMIT = 400


def asked(hub: StreamHub, socket_id: str, *wish: object, limit: int = LIMIT) -> Any:
    body = {"socket_id": socket_id, "subscriptions": list(wish)}
    return register(hub, OURS, body, limit, 5)


def names(answer: Any) -> list[str]:
    return [one["channel_name"] for one in answer["data"]["authorized_channel"]]


def test_every_authorised_channel_opens_with_its_own_auth_and_only_there() -> None:
    hub = a_hub()
    connection, other = a_socket(hub), a_socket(hub)
    answer = asked(hub, connection.socket_id, {"type": "event", "ids": ["11", 12]})
    signin = answer["data"]["authenticated"]
    assert send(hub, connection, "pusher:signin", signin)[0]["event"] == "pusher:signin_success"
    for one in answer["data"]["authorized_channel"]:
        data = {"channel": one["channel_name"], "auth": one["auth"]}
        assert "error" in send(hub, other, "pusher:subscribe", data)[0]["event"]
        assert "succeeded" in send(hub, connection, "pusher:subscribe", data)[0]["event"]
    assert names(answer)[2:] == [event_channel(11), event_channel(12)]
    assert answer["data"]["authorized_channel"][2]["scope"] == {"event_id": 11}
    assert answer["auth"] == APP.channel_auth(connection.socket_id, user_channel(OURS.user_id))


def test_one_id_may_be_rejected_and_sub_types_may_come_back_in_capitals() -> None:
    # faults: E9
    hub, socket_id = a_hub(), "1.1"
    wish = [
        {"type": "tournament", "ids": ["31"]},
        {"type": "event", "ids": ["7", "8"]},
        {"type": "event_subtype", "ids": ["8:player_hits"]},
    ]
    body = {"socket_id": socket_id, "subscriptions": wish}
    odd = Switches(first_rejected=True, scopes_in_capitals=True)
    answer: Any = register(hub, OURS, body, LIMIT, 5, odd)
    assert answer["data"]["rejected"] == [{"type": "event", "id": "7", "reason": "malformed_id"}]
    assert names(answer)[2:] == [event_channel(8), event_channel(8, "player_hits")]
    scopes = [one["scope"] for one in answer["data"]["authorized_channel"][2:]]
    assert scopes == [{"event_id": 8}, {"event_id": 8, "sub_type": "PLAYER_HITS"}]


def test_each_bad_id_is_rejected_with_its_reason_and_the_rest_stays() -> None:
    # faults: E9
    hub = a_hub()
    answer = asked(
        hub,
        "1.1",
        {"type": "event", "ids": ["all", "x", "0", "2147483648", "9" * 5000, "٣", "7"]},
        {"type": "event_subtype", "ids": ["7:Player Total/Hits!", "7", "7:!!", "7:" + "a" * 500]},
        {"type": "league", "ids": ["31"]},
        "nonsense",
        {"type": "event", "ids": "7"},
    )
    reasons = [one["reason"] for one in answer["data"]["rejected"]]
    assert reasons == ["wildcard_not_allowed"] + ["malformed_id"] * 8 + ["unknown_type"]
    assert names(answer)[2:] == [event_channel(7), event_channel(7, "player_total_hits")]
    assert answer["data"]["channel_count"] == 2


@pytest.mark.parametrize("where", ["private", "all"])
def test_a_channel_names_health_check_where_it_is_sent(where: str) -> None:
    # faults: E2
    hub = a_hub(health_check_on=where)
    main, own = asked(hub, a_socket(hub).socket_id)["data"]["authorized_channel"]
    beat = {"name": "health_check", "type": "private_system_signal"}
    assert beat in own["binding_events"]
    assert (beat in main["binding_events"]) is (where == "all")


def test_the_count_is_the_union_over_the_life_of_the_socket() -> None:
    # faults: E8
    hub = a_hub()
    socket_id = a_socket(hub).socket_id
    counts = [
        asked(hub, socket_id, {"type": "event", "ids": [i]}, limit=2)["data"]["channel_count"]
        for i in ("1", "2", "1")
    ]
    assert counts == [1, 2, 2]
    refused = asked(hub, socket_id, {"type": "event", "ids": ["3"]}, limit=2)
    assert (refused.status, refused.code) == (400, "exceed_subscription_count")
    assert asked(hub, socket_id, {"type": "event", "ids": ["2"]}, limit=2)["data"]["success"]
    new = a_socket(hub).socket_id
    assert asked(hub, new, {"type": "event", "ids": ["3"]}, limit=2)["data"]["channel_count"] == 1


def test_ten_thousand_ids_are_over_the_limit() -> None:
    many = {"type": "event", "ids": [str(i) for i in range(1, 10_001)]}
    assert asked(a_hub(), "1.1", many).code == "exceed_subscription_count"
    assert asked(a_hub(ids_per_registration_max=9_999), "1.1", many, limit=20_000).status == 400
    assert asked(a_hub(), "1.1", many, limit=20_000)["data"]["channel_count"] == 10_000


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        (
            {"channel_service": 3},
            lambda data: "service=3" in data["authorized_channel"][0]["channel_name"],
        ),
        (
            {"private_event": "order"},
            lambda data: data["authorized_channel"][1]["binding_events"][0]["name"] == "order",
        ),
        (
            {"binding_events": "strings"},
            lambda data: (
                data["authorized_channel"][1]["binding_events"] == ["orders", "health_check"]
            ),
        ),
        ({"channel_count": "all"}, lambda data: data["channel_count"] == 3),
        ({"rejected_when_none": "null"}, lambda data: data["rejected"] is None),
        ({}, lambda data: "rejected" not in data),
        ({"signin_block": False}, lambda data: "authenticated" not in data),
        (
            {"user_data_key": "user_id"},
            lambda data: (
                json.loads(data["authenticated"]["user_data"]) == {"user_id": OURS.user_id}
            ),
        ),
        (
            {"tournament_entry": "unknown_type"},
            lambda data: data["rejected"][0]["reason"] == "unknown_type",
        ),
    ],
)
def test_the_answer_follows_each_reading(rules: Any, found: Any) -> None:
    wish: list[Any] = [{"type": "event", "ids": ["11"]}]
    if "tournament_entry" in rules:
        wish.append({"type": "tournament", "ids": ["31"]})
    assert found(asked(a_hub(**rules), "1.1", *wish)["data"])


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Player Total / Hits", "player_total_hits"),
        ("1st-5th inning_spread", "1st_5th_inning_spread"),
        ("  ! ", ""),
        ("__a__", "a"),
    ],
)
def test_sub_types_have_one_canonical_form(text: str, canonical: str) -> None:
    assert canonical_sub_type(text) == canonical


# -- the older model ----------------------------------------------------------------------------


def test_a_form_registers_all_tournaments_and_speaks_of_wagers() -> None:
    hub = a_hub()
    connection = a_socket(hub)
    header = '[{"type":"tournament","ids":[]}]'
    answer: Any = authorize(hub, OURS, {"socket_id": connection.socket_id}, header)
    main, own = answer["data"]["authorized_channel"]
    assert (main["channel_name"], own["channel_name"]) == (
        main_channel(3),
        user_channel(OURS.user_id, 3),
    )
    assert [one["name"] for one in main["binding_events"]] == ["tournament_31", "general"]
    assert [one["name"] for one in own["binding_events"]] == ["wagers", "health_check"]
    assert answer["auth"] == main["auth"]
    for one in (main, own):
        data = {"channel": one["channel_name"], "auth": one["auth"]}
        assert "succeeded" in send(hub, connection, "pusher:subscribe", data)[0]["event"]


def test_a_library_gets_the_auth_of_the_channel_it_names() -> None:
    hub = a_hub()
    socket_id = a_socket(hub).socket_id
    for name in (user_channel(OURS.user_id, 3), main_channel(6), event_channel(11, "a_b")):
        answer: Any = authorize(hub, OURS, {"socket_id": socket_id, "channel_name": name})
        assert answer["auth"] == APP.channel_auth(socket_id, name)


def test_nobody_gets_the_private_channel_of_somebody_else() -> None:
    theirs = user_channel(an_account("b").user_id, 3)
    found = authorize(a_hub(), OURS, {"socket_id": "1.1", "channel_name": theirs})
    assert isinstance(found, Refusal)
    assert found.status == 403


def test_a_json_wish_names_its_tournaments_and_new_words_come_on_demand() -> None:
    hub = a_hub()
    connection = a_socket(hub)
    fields = {
        "socket_id": connection.socket_id,
        "subscriptions": [{"type": "tournament", "ids": ["132", "31"]}],
    }
    answer: Any = authorize(hub, OURS, fields, words="order")
    main, own = answer["data"]["authorized_channel"]
    assert [one["name"] for one in main["binding_events"]] == [
        "tournament_132",
        "tournament_31",
        "general",
    ]
    assert own["binding_events"][0]["name"] == "orders"
    answer = authorize(hub, OURS, fields, service=6)
    assert "service=6" in answer["data"]["authorized_channel"][0]["channel_name"]


@pytest.mark.parametrize(
    ("fields", "header"),
    [
        (None, ""),
        ({}, ""),
        ({"socket_id": "1"}, ""),
        ({"socket_id": "1.1"}, "{"),
        ({"socket_id": "1.1"}, '{"a":1}'),
        ({"socket_id": "1.1", "subscriptions": 5}, ""),
        ({"socket_id": ["1.1"]}, ""),
    ],
)
def test_a_malformed_request_is_refused(fields: object, header: str) -> None:
    found = authorize(a_hub(), OURS, fields, header)
    assert isinstance(found, Refusal)
    assert found.status == 400


def test_connection_config_in_each_form() -> None:
    hub = a_hub()
    config = connection_config(hub, "127.0.0.1:9")
    assert (config["ws_host"], config["key"], config["cluster"]) == ("127.0.0.1:9", APP.key, "mt1")
    hub.move(host="localhost", cluster="us2")
    assert connection_config(hub, "127.0.0.1:9")["ws_host"] == "localhost:9"
    assert "ws_host" not in connection_config(a_hub(ws_host_shown=False), "h")
    assert (
        "key" in json.loads(json.dumps(connection_config(a_hub(config_wrapped=True), "h")))["data"]
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
ENTRY = st.fixed_dictionaries(
    {"type": st.sampled_from(["event", "event_subtype", "tournament", "x"]) | JSON, "ids": JSON}
)


@settings(max_examples=200, deadline=None)
@given(
    JSON
    | st.fixed_dictionaries(
        {
            "socket_id": st.just("1.1") | JSON,
            "subscriptions": st.lists(ENTRY | JSON, max_size=4) | JSON,
        }
    )
)
def test_any_body_is_answered_or_refused(body: Any) -> None:
    hub = a_hub()
    for found in (register(hub, OURS, body, LIMIT, 0), authorize(hub, OURS, body)):
        assert found.status in (400, 403) if isinstance(found, Refusal) else "auth" in found


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.text(max_size=60)
        | st.builds(
            json.dumps,
            st.fixed_dictionaries(
                {
                    "event": st.sampled_from(
                        [
                            "pusher:subscribe",
                            "pusher:signin",
                            "pusher:unsubscribe",
                            "pusher:ping",
                            "client-x",
                        ]
                    )
                    | JSON,
                    "data": JSON,
                }
            ),
        ),
        max_size=5,
    )
)
def test_any_frame_is_answered_or_ignored(texts: list[str]) -> None:
    hub = a_hub()
    connection = a_socket(hub)
    for text in texts:
        hub.receive(connection, text, 1)
    for frame in said(connection):
        assert getattr(frame, "code", None) == 4009 or frame["event"].startswith("pusher:")
    hub.disconnect(connection)
    assert hub.channel_count == 0
