"""Both subscription models and every planned move: a daemon and the box on the virtual clock."""

from __future__ import annotations

from itertools import cycle
from random import Random
from typing import Any, Final

from tests.acceptance.doors import FULL
from tests.simulation.still_market import Still, still

GAMES: Final = 4
STRIKES_PER_GAME: Final = 4
SOCKETS_MAX: Final = 4
SHARED: Final = 2  # channels that every socket has: the main and the private one
DIALECTS: Final = ("v4", "seed")
MOVES: Final = 100 if FULL else 4
POLLED_S: Final = 25.0  # a config poll, the move, and the overlap
SEEDED_S: Final = 100.0


def walk_subscription_models() -> None:
    """What the box granted, and what was quoted of it."""
    for limit, channels, games in (
        (400, [4], 4),
        (3, [3, 1], 4),  # one socket is not enough
        (1, [1, 1, 1, 1], 4),
        (0, [0], 0),  # nothing is streamed, so nothing is quoted
    ):
        market = still(_nothing, session={"channel_limit": limit})
        assert [one - SHARED for one in market.seen["channels"]] == channels, limit
        assert market.seen["quoted"] == games * STRIKES_PER_GAME, limit
    six = {"count": GAMES + 2, "lines": 2 * (GAMES + 2)}
    market = still(_nothing, session={"channel_limit": 1}, events=six)
    assert len(market.seen["channels"]) == SOCKETS_MAX
    assert market.seen["quoted"] == SOCKETS_MAX * STRIKES_PER_GAME
    market = still(_nothing, dialect="seed", session={"channel_limit": 1})
    assert market.seen == {"channels": [SHARED], "quoted": GAMES * STRIKES_PER_GAME}


def walk_make_before_break() -> None:
    """Moves in a random order; with FULL=1 many of them, on three sockets."""
    for dialect in DIALECTS:
        market = still(_moves, dialect=dialect, session={"channel_limit": 3})
        assert len(market.filled()) == GAMES * STRIKES_PER_GAME
        assert market.booked() == market.filled()


async def _nothing(market: Still) -> None:
    market.seen = {"channels": market.channels, "quoted": len(market.quoted())}


async def _moves(market: Still) -> None:
    chance, hosts = Random("moves"), cycle(("localhost", "127.0.0.1"))
    for number in range(MOVES):
        before = set(market.sockets)
        keys: dict[str, Any] = {"key": f"key-{number}", "cluster": f"mt{number}"}
        whither = {"host": next(hosts)} if chance.random() < 0.5 else keys

        async def move(whither: dict[str, Any] = whither) -> None:
            await market.do("move_stream", **whither)
            await market.wait(POLLED_S)

        assert await market.gap_s(move) == 0, number
        assert not before & set(market.sockets), number
    assert await market.gap_s(lambda: _one_game_more(market)) == 0
    assert len(market.quoted()) == (GAMES + 1) * STRIKES_PER_GAME
    await market.do("unlist", event=GAMES + 1)
    await market.wait(5)
    await market.do("move_stream", host="127.0.0.2")
    while len(market.sockets) < 2:
        await market.wait(0.5)
    await market.do("take", usd=20.0)
    await market.wait(30)


async def _one_game_more(market: Still) -> None:
    await market.do("list", lines=2)
    await market.wait(SEEDED_S)
