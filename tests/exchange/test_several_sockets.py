"""A wish that one socket cannot carry: what is spread, what falls, moves and is renewed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from mmbot.domain.events import BookUpdated, OrderSeen, SportEventChanged
from mmbot.domain.ids import SportEventId
from mmbot.exchange.channels import Topic, Worth
from mmbot.exchange.http import HttpReply
from mmbot.exchange.listing import Wish
from tests.exchange.grants import Grants, carried, name_of, names, nothing_goes
from tests.exchange.parts import EVENT_ID, Asked, example
from tests.exchange.stage import (
    CONFIG,
    DOWN,
    REGISTER,
    UP,
    Stage,
    config,
    more,
    staged,
    unlisted,
)


def on(limit: int, scenario: Callable[[Stage], Awaitable[None]], wish: Wish, **kw: Any) -> Stage:
    """On an exchange that grants so many channels per socket, from two seconds after the start."""
    grants = Grants(limit)
    return staged(scenario, wish, grants, channels_max=limit, **kw)


def test_it_is_spread_over_as_many_sockets_as_it_needs() -> None:
    async def look(stage: Stage) -> None:
        assert stage.parts.listing.unstreamed == frozenset()

    stage = on(3, look, more(1, 2, 3, 4, 5))
    assert [carried(one) for one in stage.server.sockets] == [names(EVENT_ID, 1, 2), names(3, 4, 5)]
    assert stage.states == [UP, DOWN]


def test_a_limit_that_is_known_is_not_run_into() -> None:
    async def widen(stage: Stage) -> None:
        stage.feed.watch(more(1, 2, 3, 4))
        await stage.wait(2)
        assert stage.parts.listing.unstreamed == frozenset()
        assert stage.parts.alarms == []  # all was being asked for

    stage = staged(widen, more(1), Grants(5, fixed=2))
    assert [carried(one) for one in stage.server.sockets] == [names(EVENT_ID, 1, 2), names(3, 4)]


def test_what_finds_no_room_counts_as_unlisted() -> None:
    # faults: E8
    async def look(stage: Stage) -> None:
        assert stage.parts.listing.unstreamed == {4, 5}

    assert unlisted(on(2, look, more(1, 2, 3, 4, 5), sockets_max=2)) == [4, 5]


def test_where_not_all_fits_what_is_worth_more_drives_out_what_is_carried() -> None:
    # faults: E8
    worth: dict[Topic, Worth] = {}

    async def trade(stage: Stage) -> None:
        assert carried(stage.last) == names(EVENT_ID, 1)
        worth[Topic(SportEventId(3))] = Worth.AT_RISK
        stage.feed.watch(more(1, 2, 3, 4))
        await stage.wait(2)
        assert carried(stage.last) == names(EVENT_ID, 3)
        assert stage.parts.listing.unstreamed == {1, 2, 4}

    stage = on(2, trade, more(1, 2, 3), worth=worth, sockets_max=1)
    assert all(private and public for private, public, _ in stage.states[:-1])


def test_a_socket_without_the_main_channel_is_not_public() -> None:
    async def refuse(stage: Stage) -> None:
        stage.server.refused_channels = {"private-broadcast-service=6-device_type=5"}
        stage.server.sockets[1].hang_up(4200)
        await stage.wait(1)

    assert on(2, refuse, more(1, 2, 3)).states == [UP, (True, False, "stream-1"), DOWN]


def test_up_again_waits_for_every_socket_that_is_on_its_way() -> None:
    grants = Grants(2)

    def second_comes_late(asked: Asked) -> HttpReply:
        return nothing_goes(asked) if asked.body["socket_id"] == "1.2" else grants(asked)

    async def cut(stage: Stage) -> None:
        await stage.wait(10)
        stage.events.clear()
        for socket in list(stage.server.sockets):
            socket.hang_up(4200)
        await stage.wait(5)

    assert unlisted(staged(cut, more(1, 2, 3), second_comes_late, channels_max=2)) == []


def test_a_socket_that_is_not_needed_before_it_came_is_closed() -> None:
    async def shrink(stage: Stage) -> None:
        stage.server.silent_channels = names(3)
        stage.feed.watch(more(1, 2, 3))
        await stage.wait(1)
        assert len(stage.server.sockets) == 2
        stage.feed.watch(more(1))
        await stage.wait(1)
        assert [one.closed for one in stage.server.sockets[:2]] == [False, True]

    on(3, shrink, more(1))


def test_no_socket_waits_for_one_that_is_given_up_on_its_way() -> None:
    async def shrink(stage: Stage) -> None:
        stage.server.sockets[0].hang_up(4100)  # it waits for its next try
        await stage.wait(0.1)
        stage.feed.watch(Wish((SportEventId(4),), (), (31,)))
        await stage.wait(2)
        assert carried(stage.last) == names(4)
        assert stage.parts.listing.unstreamed == frozenset()

    on(2, shrink, more(1, 2, 3))


def test_one_that_does_not_come_at_the_start_does_not_hold_up_the_others() -> None:
    grants = Grants(2)

    def second_comes_late(asked: Asked) -> HttpReply:
        late = asked.body["socket_id"] in {"1.2", "1.3", "1.4"}
        return nothing_goes(asked) if late else grants(asked)

    async def look(stage: Stage) -> None:
        assert stage.states == [UP]
        assert stage.parts.listing.unstreamed == {2, 3}
        await stage.wait(10)
        assert stage.parts.listing.unstreamed == frozenset()

    assert unlisted(staged(look, more(1, 2, 3), second_comes_late, channels_max=2)) == [2, 3]


def test_one_socket_that_falls_takes_only_its_own_events_with_it() -> None:
    # faults: E16
    async def cut(stage: Stage) -> None:
        stage.events.clear()
        stage.server.sockets[1].hang_up(4100)
        await stage.wait(0.5)
        assert stage.parts.listing.unstreamed == {2, 3}
        assert not stage.parts.listing.reseed_wanted
        await stage.wait(2)
        assert stage.parts.listing.unstreamed == frozenset()
        assert stage.parts.listing.reseed_wanted

    stage = on(2, cut, more(1, 2, 3))
    assert unlisted(stage) == [2, 3]
    assert stage.states == [UP, DOWN]
    assert carried(stage.last) == names(2, 3)


def test_the_private_channel_is_up_while_one_socket_has_it() -> None:
    async def cut(stage: Stage) -> None:
        stage.events.clear()
        stage.server.sockets[0].hang_up(4100)
        await stage.wait(3)

    stage = on(2, cut, more(1, 2, 3))
    assert stage.states == [UP, (True, True, "stream-2"), DOWN]
    assert unlisted(stage) == [1, EVENT_ID]


def test_without_any_socket_it_is_blind_and_nothing_is_singled_out() -> None:
    async def cut(stage: Stage) -> None:
        stage.events.clear()
        for socket in list(stage.server.sockets):
            socket.hang_up(4100)
        await stage.wait(0.5)
        assert stage.told[-1][1:] == DOWN
        await stage.wait(3)
        assert stage.told[-1][1:3] == (True, True)

    stage = on(2, cut, more(1, 2, 3))
    assert stage.parts.listing.unstreamed == frozenset()


def test_of_two_sockets_that_tell_of_a_thing_the_newest_teller_is_believed_while_it_is_open() -> (
    None
):
    async def tell(stage: Stage) -> None:
        old, new = stage.server.sockets
        frame = example("ws_sport_event.update_live.wire.json")
        for socket in (old, new, old):
            socket.say_raw(frame)
            await stage.wait(0.1)
        new.hang_up(4100)
        await stage.wait(0.1)
        old.say_raw(frame)
        await stage.wait(0.1)

    stage = on(2, tell, more(1, 2, 3))
    assert len([one for one in stage.events if isinstance(one, SportEventChanged)]) == 3


def test_an_order_is_told_by_every_socket() -> None:
    async def tell(stage: Stage) -> None:
        for socket in reversed(stage.server.sockets):
            socket.say_raw(example("ws_order.partial_fill.wire.json"))
            await stage.wait(0.1)

    stage = on(2, tell, more(1, 2, 3))
    assert len([one for one in stage.events if isinstance(one, OrderSeen)]) == 2


def test_a_socket_is_replaced_before_its_count_is_used_up() -> None:
    async def rotate(stage: Stage) -> None:
        for day in range(1, 8):
            stage.feed.watch(more(10 * day, 10 * day + 1))
            await stage.wait(20)
            assert stage.parts.listing.unstreamed == frozenset()
        assert [one.closed for one in stage.server.sockets] == [True, False]

    stage = on(10, rotate, more(1, 2))
    assert "exceed_subscription_count" not in stage.parts.alarms
    assert all(private and public for private, public, _ in stage.states[:-1])


def test_what_is_no_longer_wanted_is_given_up_with_the_next_change() -> None:
    async def rotate(stage: Stage) -> None:
        stage.feed.watch(more(2))
        await stage.wait(1)
        assert carried(stage.last) == names(EVENT_ID, 1, 2)
        stage.feed.watch(more(2, 3))
        await stage.wait(1)

    stage = on(10, rotate, more(1, 2))
    assert carried(stage.last) == names(EVENT_ID, 2, 3)


def test_a_socket_that_is_not_needed_any_more_closes_when_the_others_have_its_channels() -> None:
    async def shrink(stage: Stage) -> None:
        stage.parts.http.on(REGISTER, nothing_goes)
        stage.feed.watch(more(1, 12))
        await stage.wait(30)
        assert [one.closed for one in stage.server.sockets[:2]] == [False, False]
        assert stage.parts.listing.unstreamed == frozenset()
        stage.parts.http.on(REGISTER, Grants(10))
        await stage.wait(60)
        assert [one.closed for one in stage.server.sockets[:2]] == [True, True]
        assert stage.parts.listing.unstreamed == frozenset()

    stage = on(10, shrink, more(*range(1, 13)))
    assert unlisted(stage) == []
    assert all(private and public for private, public, _ in stage.states[:-1])


def test_a_changed_config_moves_one_socket_after_the_other() -> None:
    # faults: E6
    async def change(stage: Stage) -> None:
        stage.parts.http.on(CONFIG, config(ws_host="other.example"))
        stage.server.silent_channels = names(EVENT_ID)
        await stage.wait(65)
        assert len(stage.server.sockets) == 3
        await stage.wait(20)

    stage = on(2, change, more(1, 2, 3), config_poll_s=60)
    assert [one.closed for one in stage.server.sockets[:2]] == [True, True]
    assert [carried(one) for one in stage.server.sockets[2:]] == [names(EVENT_ID, 1), names(2, 3)]
    assert all(private and public for private, public, _ in stage.states[:-1])
    assert unlisted(stage) == [EVENT_ID]  # its channel did not answer


def test_quoted_props_have_channels_and_one_that_is_refused_takes_nothing_with_it() -> None:
    kind = "player_total_receiving_yards"
    wish = Wish((EVENT_ID,), ((EVENT_ID, kind), (EVENT_ID, "player_hits")), (31,))

    async def refuse(stage: Stage) -> None:
        stage.server.refused_channels = {name_of(f"{EVENT_ID}:{kind}")}
        stage.last.hang_up(4200)
        await stage.wait(5)
        assert stage.parts.listing.unstreamed == frozenset()
        stage.last.say_raw(example("ws_market_selections.event.wire.json"))
        await stage.wait(0.1)

    stage = on(10, refuse, wish, worth={Topic(EVENT_ID, kind): Worth.QUOTED})
    assert carried(stage.server.sockets[0]) == {
        name_of(str(EVENT_ID)),
        name_of(f"{EVENT_ID}:{kind}"),
    }
    assert stage.states[-2] == (True, True, "stream-2")
    assert [one for one in stage.events if isinstance(one, BookUpdated)]


def test_an_event_whose_channel_is_refused_counts_as_unlisted_and_the_rest_goes_on() -> None:
    # faults: E9
    async def refuse(stage: Stage) -> None:
        stage.server.refused_channels = {name_of("7")}
        stage.feed.watch(more(7))
        await stage.wait(5)
        assert stage.parts.listing.unstreamed == {7}

    stage = on(10, refuse, more())
    assert stage.states == [UP, DOWN]
