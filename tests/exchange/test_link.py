"""One connection of the stream: what it makes of channels that are refused."""

from __future__ import annotations

from mmbot.sim.stream.channels import main_channel
from tests.exchange.stage import DOWN, UP, Stage, staged


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
        stage.last.say("pusher:error", {"code": 4301, "message": "slow down"})
        await stage.wait(10)

    stage = staged(odd)
    assert stage.states == [UP, DOWN]
    counts = stage.parts.notices.counts
    assert counts["stream_odd:unreadable frame"] == 3
    assert counts["stream_odd:pusher:error that leaves the connection open"] == 1
