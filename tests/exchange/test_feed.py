"""The stream as a service: what the engine is told, and how often the exchange is bothered."""

from __future__ import annotations

import pytest

from mmbot.domain.events import BookUpdated, Lagged, StreamStateChanged
from mmbot.exchange.http import ReplyLost
from mmbot.exchange.listing import Wish
from tests.exchange.grants import Grants, name_of
from tests.exchange.parts import (
    EVENT_ID,
    S,
    Step,
    example,
    refused,
)
from tests.exchange.stage import (
    CONFIG,
    DOWN,
    PRIVATE,
    REGISTER,
    UP,
    Stage,
    config,
    more,
    nothing,
    staged,
)


def test_the_handshake_in_its_order() -> None:
    stage = staged(nothing)
    assert stage.states[0] == UP
    paths = [one.path for one in stage.parts.http.asked]
    assert paths == ["/auth/login", CONFIG, REGISTER]
    body = stage.parts.http.asked[-1].body
    assert body["socket_id"] == "1.1"
    assert body["subscriptions"] == [
        {"type": "tournament", "ids": ["31"]}, {"type": "event", "ids": [str(EVENT_ID)]}
    ]  # fmt: skip
    frames = [frame["event"] for frame in stage.last.heard]
    assert frames == ["pusher:signin"] + ["pusher:subscribe"] * 4
    assert stage.last.url.startswith("wss://ws.talaria.example/app/a1b2c3d4e5f6a7b8c9d0?")


def test_a_quiet_market_with_health_checks_is_fine() -> None:
    # faults: E2
    async def quiet(stage: Stage) -> None:
        await stage.wait(600)

    assert staged(quiet).states == [UP, DOWN]  # the last is the end of the test


def test_missing_health_checks_blind_us_after_eleven_seconds_and_reconnect_after_thirty() -> None:
    # faults: E1 E16
    async def half_open(stage: Stage) -> None:
        await stage.wait(3.1)  # a beat at 5 s has been heard
        stage.beating = False
        for _ in range(40):
            await stage.wait(1)
            stage.last.say("pusher:ping")
        stage.beating = True
        await stage.wait(10)

    stage = staged(half_open)
    assert stage.states[:4] == [UP, (False, True, "stream-1"), DOWN, (True, True, "stream-2")]
    blind_s, dead_s = stage.told[1][0] - 5, stage.told[2][0] - 5
    assert 11 <= blind_s <= 11.5
    assert 30 <= dead_s <= 31
    assert stage.server.sockets[0].closed


def test_a_late_health_check_ends_the_blindness() -> None:
    async def pause(stage: Stage) -> None:
        stage.beating = False
        await stage.wait(15)
        stage.beating = True
        await stage.wait(10)
        assert stage.parts.listing.missed  # nobody knows what it would have told

    assert staged(pause).states[:3] == [UP, (False, True, "stream-1"), UP]


@pytest.mark.parametrize(
    ("code", "least_s", "most_s"),
    [(4200, 0, 0.01), (4201, 0, 0.01), (4100, 1, 2), (1006, 0.2, 1), (4001, 0.4, 2)],
)
def test_how_soon_it_comes_back(code: int, least_s: float, most_s: float) -> None:
    # faults: E14
    async def cut(stage: Stage) -> None:
        assert not stage.parts.listing.missed
        stage.last.hang_up(code)
        await stage.wait(5)
        assert stage.parts.listing.missed

    stage = staged(cut)
    assert stage.states[:3] == [UP, DOWN, (True, True, "stream-2")]
    assert stage.told[1][0] == pytest.approx(2, abs=0.01)
    assert least_s <= stage.told[2][0] - stage.told[1][0] <= most_s


def test_after_a_4001_the_config_and_the_token_are_fetched_again() -> None:
    # faults: E14
    async def cut(stage: Stage) -> None:
        await stage.wait(10)
        stage.last.hang_up(4009)
        await stage.wait(5)

    stage = staged(cut)
    assert stage.parts.http.count(CONFIG) == 2
    assert stage.parts.http.count("/auth/refresh") == 1
    assert stage.parts.http.asked[-1].token == "t2"


def test_a_second_refusal_in_a_row_alarms_and_is_tried_slowly_for_ever() -> None:
    async def refuse(stage: Stage) -> None:
        stage.server.refuse_next = [4001] * 5
        stage.last.hang_up(4001)
        await stage.wait(200)

    stage = staged(refuse)
    assert "stream_refused" in stage.parts.alarms
    assert stage.parts.http.count(CONFIG) <= 8
    assert stage.states[-2][:2] == (True, True)


def test_a_server_that_sends_everybody_away_is_not_stormed() -> None:
    # faults: E14 D16
    async def torture(stage: Stage) -> None:
        for _ in range(600):
            if not stage.last.closed:
                stage.last.hang_up(4200)
            await stage.wait(0.1)

    stage = staged(torture)
    assert 3 <= len(stage.server.sockets) <= 12


def test_connections_that_end_now_and_then_come_back_at_once_each_time() -> None:
    # faults: E14
    async def now_and_then(stage: Stage) -> None:
        for _ in range(8):
            await stage.wait(12)
            stage.last.hang_up(4200)

    stage = staged(now_and_then)
    assert [state[:2] for state in stage.states[:16]] == [(True, True), (False, False)] * 8
    at_s = [told[0] for told in stage.told]
    assert max(up - down for down, up in zip(at_s[1:14:2], at_s[2:15:2], strict=True)) <= 0.6


def test_a_few_seconds_of_life_are_a_new_beginning() -> None:
    # faults: E14
    async def bad_then_good_then_bad(stage: Stage) -> None:
        for _ in range(60):
            stage.last.hang_up(4200)
            await stage.wait(0.5)
        await stage.wait(22)
        stage.server.refuse_next = [1006, 1006]
        stage.last.hang_up(4200)
        await stage.wait(20)

    stage = staged(bad_then_good_then_bad)
    (down_s, *_), (up_s, *_) = stage.told[-3:-1]
    assert up_s - down_s < 3.5  # at once, and after one and two seconds


# --- make before break ----------------------------------------------------------------------


def test_a_larger_wish_is_asked_for_on_the_socket_that_serves() -> None:
    async def widen(stage: Stage) -> None:
        stage.parts.http.on(REGISTER, Grants())
        stage.feed.watch(more(7))
        await stage.wait(1)
        assert stage.parts.listing.unstreamed == frozenset()

    stage = staged(widen)
    assert stage.states == [UP, DOWN]
    assert stage.parts.alarms == []
    assert len(stage.server.sockets) == 1
    body = stage.parts.http.asked[-1].body
    assert body["socket_id"] == "1.1"
    assert {"type": "event", "ids": [str(EVENT_ID), "7"]} in body["subscriptions"]
    asked = [frame["data"]["channel"] for frame in stage.last.frames("pusher:subscribe")]
    assert asked[-1] == name_of("7")


@pytest.mark.parametrize("step", [refused(500, "internal_error"), ReplyLost("reset")])
def test_when_that_fails_a_second_connection_opens_before_the_first_closes(step: Step) -> None:
    # faults: E6
    async def widen(stage: Stage) -> None:
        stage.parts.http.on(REGISTER, step, step, Grants())
        stage.feed.watch(more(7))
        await stage.wait(3)
        assert not stage.server.sockets[0].closed
        await stage.wait(4)
        assert stage.server.sockets[0].closed

    stage = staged(widen)
    assert stage.states == [UP, (True, True, "stream-2"), DOWN]
    first, second, over = (e for e in stage.events if isinstance(e, StreamStateChanged))
    apart_s = stage.told[1][0] - stage.told[0][0]
    assert second.live_since_ns - first.live_since_ns == pytest.approx(apart_s * S)
    assert over.live_since_ns == 0
    body = stage.parts.http.asked[-1].body
    assert body["socket_id"] == "1.2"
    assert {"type": "event", "ids": [str(EVENT_ID), "7"]} in body["subscriptions"]


def test_a_smaller_wish_changes_nothing() -> None:
    # faults: F7
    async def narrow(stage: Stage) -> None:
        stage.feed.watch(Wish((EVENT_ID,), (), (31,)))
        await stage.wait(20)

    stage = staged(narrow, wish=more(7))
    assert len(stage.server.sockets) == 1


def test_when_the_second_connection_fails_the_first_goes_on_and_it_is_tried_again() -> None:
    async def widen(stage: Stage) -> None:
        stage.server.refuse_next = [1006, 1006]
        stage.feed.renew()
        await stage.wait(20)

    stage = staged(widen)
    assert stage.states == [UP, (True, True, "stream-4"), DOWN]


def test_when_the_first_dies_meanwhile_nobody_waits_for_a_slow_retry() -> None:
    async def widen(stage: Stage) -> None:
        stage.server.refuse_next = [4001] * 2
        stage.feed.renew()
        await stage.wait(10)
        stage.last.hang_up(4200)
        await stage.wait(3)

    stage = staged(widen)
    downs = [at_s for at_s, private, _, _ in stage.told if not private]
    ups = [at_s for at_s, private, _, _ in stage.told if private]
    assert downs[0] == pytest.approx(12, abs=0.1)
    assert ups[1] - downs[0] < 1.5


@pytest.mark.parametrize(
    "change", [{"key": "other"}, {"ws_host": "other.example"}, {"ws_host": ""}]
)
def test_a_changed_config_moves_the_stream_without_a_gap(change: dict[str, str]) -> None:
    # faults: E6
    async def change_config(stage: Stage) -> None:
        stage.parts.http.on(CONFIG, config(**change))
        await stage.wait(70)
        stage.parts.http.on(CONFIG, config())
        await stage.wait(70)
        assert not stage.parts.listing.missed

    stage = staged(change_config, config_poll_s=60)
    assert stage.states == [UP, (True, True, "stream-2"), (True, True, "stream-3"), DOWN]
    first, second, third = (socket.url for socket in stage.server.sockets)
    assert first == third != second


def test_while_both_are_open_a_line_belongs_to_the_newer_that_showed_it() -> None:
    async def overlap(stage: Stage) -> None:
        frame = example("ws_market_selections.event.wire.json")
        other = example("ws_market_selections.subtype.wire.json")
        stage.feed.renew()
        await stage.wait(1)
        old, new = stage.server.sockets
        old.say_raw(frame)
        await stage.wait(0.1)
        new.say_raw(frame)
        await stage.wait(0.1)
        old.say_raw(frame)
        old.say_raw(other)
        await stage.wait(0.1)

    books = [one.book.line_id for one in staged(overlap).events if isinstance(one, BookUpdated)]
    assert books == ["10079123/219/0", "10079123/219/0", "10079123/921/62.5"]


def test_config_polls_that_fail_keep_the_old_one_and_alarm() -> None:
    # faults: E7
    async def fail(stage: Stage) -> None:
        stage.parts.http.on(CONFIG, refused(500, "internal_error"))
        await stage.wait(700)

    stage = staged(fail, config_poll_s=60)
    assert stage.states == [UP, DOWN]
    assert stage.parts.alarms == ["config_poll_failed"]


def test_a_connection_that_loses_messages_is_replaced_without_a_gap_and_not_all_the_time() -> None:
    # faults: A14 A16 E4
    async def scenario(stage: Stage) -> None:
        stage.feed.renew()
        await stage.wait(10)
        stage.feed.renew()
        await stage.wait(10)
        assert len(stage.server.sockets) == 2
        await stage.wait(300)
        stage.feed.renew()
        await stage.wait(10)

    stage = staged(scenario)
    assert len(stage.server.sockets) == 3
    assert stage.states == [UP, (True, True, "stream-2"), (True, True, "stream-3"), DOWN]


# faults: E15
@pytest.mark.parametrize(("late_s", "told_s"), [(0.9, []), (4.0, [4.0, 0.0])])
def test_a_health_check_tells_how_late_the_stream_is(late_s: float, told_s: list[float]) -> None:
    async def scenario(stage: Stage) -> None:
        for lag_s in (late_s, 0.0, 0.0):
            sent_ns = stage.parts.clock.now_ns() - round(lag_s * S)
            body = {"timestamp": sent_ns, "change_type": "private_system_signal", "payload": "e30="}
            stage.last.say("health_check", body, PRIVATE)
            await stage.wait(1)

    seen = [one for one in staged(scenario).events if isinstance(one, Lagged)]
    assert [(one.where, round(one.lag_ns / S, 3)) for one in seen] == [
        ("stream", seconds) for seconds in told_s
    ]


def test_a_socket_that_ends_with_its_token_is_replaced_only_for_a_newer_token() -> None:
    # faults: D2 D6
    async def expire(stage: Stage) -> None:
        session, clock = stage.parts.session, stage.parts.clock

        async def until_near_the_end() -> None:
            await stage.wait((session.usable_until_ns - clock.now_ns()) / S - 1)

        await until_near_the_end()
        stage.last.hang_up(4200)
        await stage.wait(20)
        assert len(stage.server.sockets) == 2
        await session.renewed("t1")
        await stage.wait(10)
        assert len(stage.server.sockets) == 3
        await until_near_the_end()
        assert len(stage.server.sockets) == 3

    stage = staged(expire)
    assert stage.parts.notices.counts["stream_ends_with_its_token"] == 1
    assert stage.states[1:3] == [DOWN, (True, True, "stream-2")]
    assert stage.states[3] == (True, True, "stream-3")
