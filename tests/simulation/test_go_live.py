"""Nothing is quoted in play, by the record of the box: when each order of a game came and went."""

from __future__ import annotations

import json
from typing import Any

from mmbot.engine.limits import START_MARGIN_NS
from tests.simulation.still_market import NS, Still, still

MARGIN_S = START_MARGIN_NS / NS
SOON_S = 1.5  # the round of a line, and a request
QUOTED = 4  # strikes of a game
RESEEDED_S = 80.0  # at most each minute


async def games(market: Still) -> list[int]:
    """Event ids, in the order in which actions count them."""
    _, _, body = await market.box.http_request("GET", "/_box/state", {}, b"")
    return [event["event_id"] for event in json.loads(body)["events"]]


def rows(market: Still, game: int) -> list[dict[str, Any]]:
    return [row for row in market.record()["orders"] if row["event_id"] == game]


def resting(market: Still, game: int) -> int:
    return sum(row["open_cents"] > 0 for row in rows(market, game))


def last_end_s(market: Still, game: int, since_ns: int) -> float:
    """When the last order of a game ended, after `since_ns`; none may rest any more."""
    assert not resting(market, game)
    ended_ns = max(int(row["history"][-1][0]) for row in rows(market, game))
    return (ended_ns - since_ns) / NS


def came_since(market: Still, game: int, since_ns: int) -> int:
    return sum(row["created_ns"] > since_ns for row in rows(market, game))


def test_a_game_is_left_before_its_start_and_not_entered_again() -> None:
    # faults: F1 F2 F3
    async def evening(market: Still) -> None:
        on_time, forward, at_once, other = await games(market)
        began_ns = market.box.now_ns()
        others = {row["external_id"] for row in rows(market, other)}
        await market.do("move_start", event=1, by_s=30 + MARGIN_S - (86_400 - 40))
        await market.do("move_start", event=2, by_s=5 - (86_400 - 40))  # with 5 s notice
        await market.do("go_live", event=3)  # with none: the exchange wipes
        await market.wait(3)
        assert last_end_s(market, forward, began_ns) < SOON_S
        assert last_end_s(market, at_once, began_ns) < SOON_S
        assert resting(market, on_time) == QUOTED
        await market.wait(30)
        assert last_end_s(market, on_time, began_ns) < 30 + SOON_S
        await market.wait(MARGIN_S + 30)  # all three have begun
        for game in (forward, at_once):
            assert came_since(market, game, began_ns) == 0
        assert came_since(market, on_time, began_ns + 30 * NS) == 0
        assert {row["external_id"] for row in rows(market, other)} == others
        assert resting(market, other) == QUOTED

    still(evening)


def test_what_leaves_the_listing_waits_when_it_comes_back() -> None:
    # faults: F5 F6 F8
    async def evening(market: Still) -> None:
        same, renamed, flaps, moves = await games(market)
        began_ns = market.box.now_ns()
        await market.do("unlist", event=1)
        await market.do("relist", event=2, new_id=True)
        for _ in range(50):
            await market.do("suspend", event=3)
            await market.wait(0.1)
            await market.do("reopen", event=3)
            await market.wait(0.1)
        old = {row["strike_id"] for row in rows(market, moves)}
        await market.do("move_line", event=4, by=1.0)
        await market.do("relist", event=1)
        back_ns = market.box.now_ns()
        await market.wait(15)
        assert came_since(market, same, began_ns) == 0
        assert resting(market, renamed) == 0
        assert came_since(market, flaps, began_ns) == QUOTED  # once, after fifty openings
        await market.wait(RESEEDED_S)
        assert resting(market, flaps) == came_since(market, flaps, began_ns) == QUOTED
        assert resting(market, same) == QUOTED
        assert came_since(market, same, back_ns + 29 * NS) == QUOTED
        assert came_since(market, renamed, began_ns) == 0
        alive = {row["strike_id"] for row in rows(market, moves) if row["open_cents"]}
        assert len(alive & old) == QUOTED - 2  # those of the dead strikes have gone

    still(evening)
