"""One connection of the stream: what it makes of channels that are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mmbot.exchange.http import HttpReply
from mmbot.sim.stream.channels import main_channel
from tests.exchange.grants import Grants, name_of
from tests.exchange.parts import EVENT_ID, reply
from tests.exchange.stage import DOWN, PRIVATE, REGISTER, UP, Stage, more, staged


def test_a_refused_channel_is_asked_for_again_and_then_all_is_well() -> None:
    # faults: E3
    async def refused_for_a_while(stage: Stage) -> None:
        stage.server.refused_channels.add(main_channel())
        stage.last.hang_up(4200)
        await stage.wait(20)
        stage.server.refused_channels.clear()
        await stage.wait(20)

    stage = staged(refused_for_a_while)
    second = "stream-2"
    assert stage.states == [UP, DOWN, (True, False, second), (True, True, second), DOWN]
    in_part_s, whole_s = stage.told[2][0], stage.told[3][0]
    assert 30 <= whole_s - in_part_s <= 31


def test_what_is_odd_is_counted_by_its_kind_and_the_connection_goes_on() -> None:
    async def odd(stage: Stage) -> None:
        for _ in range(3):
            stage.last.say_raw(b'{"event":"\xff"}')
        stage.last.say("pusher:hologram")
        stage.last.say("pusher:error", {"code": 4301, "message": "slow down"})
        await stage.wait(10)

    stage = staged(odd)
    assert stage.states == [UP, DOWN]
    counts = stage.parts.notices.counts
    assert counts["stream_odd:unreadable frame"] == 3
    assert counts["stream_odd:pusher:error that leaves the connection open"] == 1
    shown = {row["field"]: row["sample"] for row in stage.parts.notices.drift.rows()}
    assert shown["unknown control event"] == '"pusher:hologram"'
    assert "unreadable frame" in shown
    assert "pusher:error that leaves the connection open" not in shown


@pytest.mark.parametrize(
    "lie", [reply({}), reply({"data": {"authorized_channel": None, "channel_limit": 400}})]
)
def test_an_answer_that_takes_every_channel_away_is_not_believed(lie: HttpReply) -> None:
    # Found by the fuzz: the events were left, and nothing ever asked for them again.
    async def watch_more(stage: Stage) -> None:
        stage.parts.http.on(REGISTER, lie, Grants())
        stage.feed.watch(more(7))
        await stage.wait(10)
        assert stage.parts.listing.unstreamed == frozenset()

    stage = staged(watch_more, registration=Grants())
    assert [state[:2] for state in stage.states[:-1]] == [(True, True)] * (len(stage.states) - 1)


def test_a_channel_that_is_taken_away_is_missed_at_once_though_another_has_not_answered() -> None:
    # faults: E3
    async def watch_more(stage: Stage) -> None:
        stage.server.silent_channels.add(name_of("7"))
        stage.feed.watch(more(7))
        await stage.wait(2)
        assert stage.parts.listing.unstreamed == {7}
        stage.last.say("pusher:subscription_error", {"error": "gone"}, name_of(str(EVENT_ID)))
        await stage.wait(1)
        assert stage.parts.listing.unstreamed == {7, EVENT_ID}

    staged(watch_more, registration=Grants())


@pytest.mark.parametrize("timestamp", [{}, [], "soon", True, 1e300, None])
def test_a_health_check_with_a_broken_time_is_still_a_sign_of_life(timestamp: Any) -> None:
    # Found by the fuzz: the one with a broken time ended the feed.
    async def beats(stage: Stage) -> None:
        stage.beating = False
        for _ in range(4):
            await stage.wait(5)
            frame = {"event": "health_check", "channel": PRIVATE}
            stage.last.say_raw(json.dumps(frame | {"data": {"timestamp": timestamp}}))

    assert staged(beats).states == [UP, DOWN]
