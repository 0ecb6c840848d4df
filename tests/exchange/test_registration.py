"""Registration: what is granted, cut, rejected or refused, and what that means for us."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mmbot.domain.errors import SetUpError
from mmbot.domain.events import SportEventUnlisted
from mmbot.exchange.feed import Feed, FeedSettings
from mmbot.exchange.http import HttpReply, ReplyLate, ReplyLost
from mmbot.exchange.link import LinkPorts
from mmbot.runtime.limiter import Priority
from tests.exchange.grants import Grants
from tests.exchange.parts import (
    EVENT_ID,
    FakeServer,
    a_client,
    example,
    example_json,
    refused,
    reply,
    run,
    unheard,
)
from tests.exchange.stage import (
    DOWN,
    EVENT_CHANNEL,
    PRIVATE,
    REGISTER,
    UP,
    Stage,
    more,
    nothing,
    staged,
)

# --- registration ---------------------------------------------------------------------------


@pytest.mark.parametrize(("told", "kept"), [(60, 60), (400, 50), (0, 50)])
def test_over_the_cap_the_nearest_events_are_kept_on_one_socket(told: int, kept: int) -> None:
    # faults: E8
    async def start(stage: Stage) -> None:
        stage.parts.http.on(REGISTER, Grants(60, told))
        stage.feed.watch(more(*range(1, 100)))
        await stage.wait(10)

    stage = staged(start, sockets_max=1)
    assert stage.states == [UP, (True, True, "stream-2"), DOWN]
    assert "exceed_subscription_count" in stage.parts.alarms
    last = stage.parts.http.asked[-1]
    assert Grants.ids(last) == [str(EVENT_ID), *map(str, range(1, kept))]
    assert stage.parts.listing.unstreamed == set(range(kept, 100))


def test_an_exchange_that_takes_no_channel_still_tells_of_our_orders() -> None:
    # faults: E8
    async def look(stage: Stage) -> None:
        await stage.wait(60)
        assert stage.states == [UP]
        assert stage.parts.listing.unstreamed == {EVENT_ID, *range(1, 400)}
        assert stage.parts.http.count(REGISTER) < 30

    staged(look, more(*range(1, 400)), Grants(0), sockets_max=1)


def test_rejected_subscriptions_are_counted_and_the_rest_works() -> None:
    # faults: E9
    async def start(stage: Stage) -> None:
        body = reply(example("websocket_register.response.v4.rejected.json"))
        stage.parts.http.on(REGISTER, body)
        stage.last.hang_up(4200)
        await stage.wait(1)

    stage = staged(start)
    assert stage.states[2] == (True, True, "stream-2")
    assert stage.parts.notices.counts["subscription_rejected:unknown_type"] == 1


def test_an_event_whose_channel_is_not_granted_counts_as_unlisted_until_it_is() -> None:
    # faults: E8 E9
    async def widen(stage: Stage) -> None:
        stage.feed.watch(more(7, 8))
        await stage.wait(1)
        listing = stage.parts.listing
        assert listing.unstreamed == {7, 8}
        assert not listing.reseed_wanted

        def grant(data: dict[str, Any]) -> None:
            channel = data["authorized_channel"][2]
            data["authorized_channel"].append(
                {**channel, "channel_name": "event 7", "scope": {"event_id": "7"}}
            )

        stage.parts.http.on(REGISTER, registration(grant))
        stage.last.hang_up(4200)
        await stage.wait(1)
        assert listing.unstreamed == {8}
        assert listing.reseed_wanted

    stage = staged(widen)
    unlisted = [one.event_id for one in stage.events if isinstance(one, SportEventUnlisted)]
    assert unlisted == [7, 8]
    assert "events_without_channel" in stage.parts.alarms


def registration(change: Callable[[dict[str, Any]], None]) -> HttpReply:
    body = example_json("websocket_register.response.v4.json")
    change(body["data"])
    return reply(body)


def test_channels_may_come_in_any_order_and_with_any_names() -> None:
    # faults: E10
    def shuffle(data: dict[str, Any]) -> None:
        data["authorized_channel"].reverse()
        for one in data["authorized_channel"]:
            one["binding_events"] = [b["name"] for b in one["binding_events"]]

    async def start(stage: Stage) -> None:
        stage.parts.http.on(REGISTER, registration(shuffle))
        stage.last.hang_up(4200)
        await stage.wait(20)

    stage = staged(start)
    assert stage.states[2] == (True, True, "stream-2")


def test_a_health_check_on_the_public_channel_does_not_make_it_private() -> None:
    # faults: E10
    def to_all(data: dict[str, Any]) -> None:
        beat = {"name": "health_check", "type": "private_system_signal"}
        data["authorized_channel"][0]["binding_events"].insert(0, beat)

    async def start(stage: Stage) -> None:
        stage.parts.http.on(REGISTER, registration(to_all))
        stage.last.hang_up(4200)
        await stage.wait(20)
        stage.server.refused_channels = {PRIVATE}
        stage.last.hang_up(4200)
        await stage.wait(5)

    stage = staged(start)
    assert stage.states == [UP, DOWN, (True, True, "stream-2"), DOWN]


def test_no_event_channel_at_all_is_not_public() -> None:
    # faults: E3
    def strip(data: dict[str, Any]) -> None:
        data["authorized_channel"] = data["authorized_channel"][:2]

    async def start(stage: Stage) -> None:
        stage.parts.http.on(REGISTER, registration(strip))
        stage.last.hang_up(4200)
        await stage.wait(1)

    stage = staged(start)
    assert stage.states[2] == (True, False, "stream-2")
    assert "no_event_channel" in stage.parts.alarms


def test_a_refused_event_channel_is_not_public_and_a_refused_private_one_not_live() -> None:
    # faults: E16
    async def refuse(stage: Stage) -> None:
        stage.server.refused_channels = {EVENT_CHANNEL}
        stage.last.hang_up(4200)
        await stage.wait(1)
        stage.server.refused_channels = {PRIVATE}
        stage.last.hang_up(4200)
        await stage.wait(5)

    stage = staged(refuse)
    assert stage.states[:4] == [UP, DOWN, (True, False, "stream-2"), DOWN]
    assert len(stage.states) == 4


@pytest.mark.parametrize(
    ("steps", "name"),
    [
        ([ReplyLost("reset")], "stream-2"),
        ([refused(500, "internal_error")], "stream-2"),
        ([ReplyLost("reset"), refused(502, "")], "stream-3"),
        ([reply(b"<html>")], "stream-3"),
        ([reply({})], "stream-3"),
    ],
)
def test_a_registration_that_fails_is_tried_again(steps: list[Any], name: str) -> None:
    """Once on its socket where there was no answer, else on another."""

    async def start(stage: Stage) -> None:
        good = reply(example("websocket_register.response.v4.json"))
        stage.parts.http.on(REGISTER, *steps, good)
        stage.last.hang_up(4200)
        await stage.wait(5)

    assert staged(start).states[:3] == [UP, DOWN, (True, True, name)]


@pytest.mark.parametrize(
    ("lost", "waits_s"),
    [
        ([ReplyLate("8 s")], [8, 16]),  # it may only be slow
        ([ReplyLate("8 s"), ReplyLate("16 s")], [8, 16, 30]),
        ([ReplyLost("reset"), ReplyLost("reset")], [8, 8, 8]),
        ([ReplyLate("8 s"), refused(502, "")], [8, 16, 8]),
    ],
)
def test_only_who_was_kept_waiting_waits_longer_the_next_time(
    lost: list[Any], waits_s: list[float]
) -> None:
    async def start(stage: Stage) -> None:
        good = reply(example("websocket_register.response.v4.json"))
        stage.parts.http.on(REGISTER, *lost, good)
        stage.last.hang_up(4200)
        await stage.wait(10)

    asked = [one for one in staged(start).parts.http.asked if one.path == REGISTER]
    assert [one.timeout_s for one in asked[1:]] == waits_s


def test_a_429_says_nothing_of_the_socket_and_the_next_turn_comes_after_the_pause() -> None:
    # faults: D7
    async def start(stage: Stage) -> None:
        good = reply(example("websocket_register.response.v4.json"))
        stage.parts.http.on(REGISTER, *[refused(429, "rate_limit_reached")] * 3, good)
        stage.last.hang_up(4200)
        await stage.wait(20)

    stage = staged(start)
    assert stage.states[:3] == [UP, DOWN, (True, True, "stream-2")]
    assert 7 <= stage.told[2][0] - stage.told[1][0] < 7.2  # 1 + 2 + 4 s


def test_a_socket_on_which_429s_do_not_end_is_left() -> None:
    async def start(stage: Stage) -> None:
        stage.parts.http.on(REGISTER, refused(429, "rate_limit_reached"))
        stage.last.hang_up(4200)
        await stage.wait(20)
        assert stage.server.sockets[1].closed

    assert staged(start).states == [UP, DOWN]


@pytest.mark.parametrize("code", [4200, 4001])
def test_registration_and_config_go_before_the_reads_that_end_doubts(code: int) -> None:
    async def start(stage: Stage) -> None:
        rest = stage.parts.rest
        stage.parts.http.on("/v4/mm/get_order/", reply({"data": {}}))
        async with asyncio.TaskGroup() as group:
            for n in range(125):  # five seconds' worth
                group.create_task(rest.call(rest.routes.order, Priority.DOUBT, item=f"o-{n}"))
            await stage.wait(0.5)
            stage.last.hang_up(code)

    stage = staged(start)
    assert stage.states[:3] == [UP, DOWN, (True, True, "stream-2")]
    assert stage.told[2][0] - stage.told[1][0] < 2


def test_a_token_that_changed_while_the_socket_was_down_is_the_one_used() -> None:
    # faults: D6
    async def rotate(stage: Stage) -> None:
        await stage.wait(10)
        stage.last.hang_up(1006)
        await stage.parts.session.renewed("t1")
        await stage.wait(5)

    stage = staged(rotate)
    assert [one.token for one in stage.parts.http.asked if one.path == REGISTER] == ["t1", "t2"]


def test_wrong_keys_come_out_as_they_are() -> None:
    async def main() -> None:
        parts = a_client()
        parts.http.on("/auth/login", refused(401, "unauthorized"))
        ports = LinkPorts(parts.rest, FakeServer(), parts.listing, parts.notices)
        feed = Feed(ports, FeedSettings(), lambda: 0.5)
        with pytest.raises(SetUpError, match="refused the log-in"):
            await feed.run(lambda event: None, unheard)

    run(main())


def test_the_feed_ends_when_it_is_cancelled_and_says_so() -> None:
    stage = staged(nothing)
    assert stage.states[-1] == DOWN
    assert all(socket.closed for socket in stage.server.sockets)
