"""More channels than a socket takes: what a refusal costs, and that it is forgotten in the end."""

from __future__ import annotations

from mmbot.exchange.channels import REFUSED_FOR_NS
from mmbot.exchange.feed import FeedSettings
from tests.exchange.grants import Grants, carried, names, nothing_goes
from tests.exchange.parts import EVENT_ID, S
from tests.exchange.stage import REGISTER, Stage, more, staged, unlisted

REFUSED_S = REFUSED_FOR_NS // S
AGAIN_S = FeedSettings().ask_again_s


def test_a_limit_that_the_answer_tells_is_kept() -> None:
    async def look(stage: Stage) -> None:
        assert stage.parts.listing.unstreamed == frozenset()
        assert "exceed_subscription_count" in stage.parts.alarms

    stage = staged(look, more(1, 2, 3, 4), Grants(3))
    assert [carried(one) for one in stage.server.sockets] == [names(EVENT_ID, 1, 2), names(3, 4)]


def test_a_refusal_that_was_wrong_is_forgotten_and_all_is_carried_again() -> None:
    # faults: E8
    grants = Grants()

    async def refuse_once(stage: Stage) -> None:
        wrong = Grants(5, told=400)
        stage.parts.http.on(REGISTER, wrong)
        stage.last.hang_up(4200)
        await stage.wait(5)
        assert stage.parts.listing.unstreamed == {4, 5, 6, 7, 8}
        stage.parts.http.on(REGISTER, grants)
        await stage.wait(REFUSED_S - 60)
        assert stage.parts.listing.unstreamed == {4, 5, 6, 7, 8}
        stage.events.clear()
        await stage.wait(70)
        assert stage.parts.listing.unstreamed == frozenset()

    stage = staged(refuse_once, more(*range(1, 9)), sockets_max=1)
    assert unlisted(stage) == []


def test_a_refusal_that_was_right_costs_nothing_when_it_is_tried_again() -> None:
    # faults: E8
    grants = Grants(4, told=400)

    async def look(stage: Stage) -> None:
        asked = stage.parts.http.count(REGISTER)
        for _ in range(3):
            stage.events.clear()
            await stage.wait(REFUSED_S + 30)
            assert unlisted(stage) == []
            assert stage.parts.listing.unstreamed == {8}
            open_ones = [one for one in stage.server.sockets if not one.closed]
            assert [len(carried(one)) for one in open_ones] == [4, 4]
        assert stage.parts.http.count(REGISTER) - asked <= 3 * 8

    stage = staged(look, more(*range(1, 9)), grants, sockets_max=2)
    assert all(private and public for private, public, _ in stage.states[:-1])


def test_what_is_carried_stays_where_a_larger_wish_is_refused() -> None:
    # faults: E8
    async def widen(stage: Stage) -> None:
        stage.feed.watch(more(4, 5, 1, 2, 3))
        await stage.wait(2)
        assert stage.parts.listing.unstreamed == frozenset()

    stage = staged(widen, more(1, 2, 3), Grants(4, told=400))
    assert unlisted(stage) == [4, 5]  # until they have a socket
    assert [carried(one) for one in stage.server.sockets[1:]] == [
        names(EVENT_ID, 1, 2, 3),
        names(4, 5),
    ]


def test_a_channel_that_was_withheld_is_asked_for_again() -> None:
    # faults: E9
    grants = Grants(withheld={"7", "8"})

    async def withhold(stage: Stage) -> None:
        stage.feed.watch(more(7, 8))
        await stage.wait(5)
        assert stage.parts.listing.unstreamed == {7, 8}
        grants.withheld = {"8"}
        asked = stage.parts.http.count(REGISTER)
        await stage.wait(AGAIN_S + 5)
        assert stage.parts.listing.unstreamed == {8}
        assert stage.parts.listing.reseed_wanted
        assert stage.parts.http.count(REGISTER) == asked + 1
        assert len(stage.server.sockets) == 1

    staged(withhold, more(), grants)


def test_where_asking_again_fails_another_socket_is_tried_the_next_time() -> None:
    # faults: E9
    grants = Grants(withheld={"7"})

    async def withhold(stage: Stage) -> None:
        stage.parts.http.on(REGISTER, nothing_goes)
        grants.withheld = set()
        await stage.wait(AGAIN_S + 5)
        assert stage.parts.listing.unstreamed == {7}
        stage.parts.http.on(REGISTER, grants)
        await stage.wait(AGAIN_S)
        assert stage.parts.listing.unstreamed == frozenset()
        assert len(stage.server.sockets) == 2

    stage = staged(withhold, more(7), grants)
    assert all(private and public for private, public, _ in stage.states[:-1])


def test_a_limit_that_leaves_something_out_is_asked_for_again() -> None:
    # faults: E8
    grants = Grants(2)

    async def widen(stage: Stage) -> None:
        assert stage.parts.listing.unstreamed == {4, 5}
        asked = stage.parts.http.count(REGISTER)
        await stage.wait(AGAIN_S)
        assert stage.parts.http.count(REGISTER) == asked + 1  # of one socket, and it stays
        assert len(stage.server.sockets) == 2
        grants.limit = 400
        await stage.wait(AGAIN_S + 5)
        assert stage.parts.listing.unstreamed == frozenset()

    stage = staged(widen, more(1, 2, 3, 4, 5), grants, channels_max=2, sockets_max=2)
    assert all(private and public for private, public, _ in stage.states[:-1])
    assert unlisted(stage) == [4, 5]


def test_who_asks_for_the_limit_again_loses_nothing_where_it_has_shrunk() -> None:
    # faults: E8
    grants = Grants(3)

    async def shrink(stage: Stage) -> None:
        grants.limit = 1
        stage.events.clear()
        await stage.wait(3 * AGAIN_S)
        assert unlisted(stage) == []
        assert [carried(one) for one in stage.server.sockets] == [names(EVENT_ID, 1, 2)]
        grants.limit = 400
        await stage.wait(AGAIN_S + 5)
        assert stage.parts.listing.unstreamed == frozenset()

    staged(shrink, more(1, 2, 3, 4), grants, channels_max=3, sockets_max=1)
