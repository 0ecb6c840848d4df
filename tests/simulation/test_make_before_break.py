"""Every planned change of the stream, in a market that stands still: the gap in quoting is zero.

The box judges: how long each strike that was quoted before the change had a near enough open
order while it went on.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.still_market import Still, still

LIFE_S = 100  # of a token
POLLED_S = 20.0  # a config poll, the move, and the overlap
SEEDED_S = 100.0  # a seeding, and another for what has got its channel


@pytest.mark.parametrize(
    "where", [{"host": "localhost"}, {"key": "another-key", "cluster": "mt2"}], ids=["host", "key"]
)
def test_a_stream_that_moves_house(where: dict[str, Any]) -> None:
    # faults: E6
    async def move(market: Still) -> None:
        before = market.sockets

        async def moves() -> None:
            await market.do("move_stream", **where)
            await market.wait(POLLED_S)

        assert await market.gap_s(moves) == 0
        assert len(market.sockets) == 1
        assert market.sockets != before

    still(move)


def test_several_sockets_that_move_house() -> None:
    # faults: E6 E8
    async def move(market: Still) -> None:
        assert market.channels == [4, 4]  # main, private, and two games
        assert len(market.quoted()) == 16

        async def moves() -> None:
            await market.do("move_stream", host="localhost")
            await market.wait(POLLED_S)

        before = market.sockets
        assert await market.gap_s(moves) == 0
        assert market.channels == [4, 4]
        assert not {*before} & {*market.sockets}

    still(move, session={"channel_limit": 2})


def test_a_game_more_is_asked_for_on_the_same_socket() -> None:
    # faults: F5
    async def enlarge(market: Still) -> None:
        before, quoted = market.sockets, len(market.quoted())

        async def lists() -> None:
            await market.do("list", lines=2)
            await market.wait(SEEDED_S)

        assert await market.gap_s(lists) == 0
        assert market.sockets == before
        assert market.channels == [7]
        assert len(market.quoted()) == quoted + 4

    still(enlarge)


def test_a_socket_whose_count_is_used_up_is_replaced() -> None:
    # faults: E8
    async def rotate(market: Still) -> None:
        before = market.sockets
        await market.do("unlist", event=1)
        await market.wait(5)
        assert len(market.quoted()) == 12

        async def lists() -> None:
            await market.wait(SEEDED_S)
            await market.do("list", lines=2)
            await market.wait(SEEDED_S)

        assert await market.gap_s(lists) == 0
        assert market.channels == [6]
        assert not {*before} & {*market.sockets}
        assert len(market.quoted()) == 16

    still(rotate, session={"channel_limit": 4})


def test_sockets_that_end_with_their_token_are_replaced_before_once_that_was_seen() -> None:
    # faults: D6
    async def expire(market: Still) -> None:
        async def lives() -> None:
            await market.wait(4 * LIFE_S)

        await market.wait(LIFE_S)
        assert await market.gap_s(lives) == 0

    short = {"access_life_s": LIFE_S}
    still(expire, session=short, stream={"close_at_token_expiry": True})


def test_what_two_sockets_tell_is_booked_once() -> None:
    # faults: B2
    async def take(market: Still) -> None:
        await market.do("move_stream", host="localhost")
        while len(market.sockets) < 2:
            await market.wait(0.5)
        await market.do("take", usd=20.0)
        await market.wait(2)
        assert len(market.sockets) == 2
        await market.wait(30)

    market = still(take)
    assert len(market.filled()) == 16
    assert market.booked() == market.filled()
