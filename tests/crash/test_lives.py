"""How long a life took is read from what it asked for, between one kill and the next."""

from __future__ import annotations

from tests.crash.lives import Life, lives, table
from tests.crash.record import Request

S = 10**9
ALIVE = "/partner/v4/mm/get_order_history?matching_status=partially_matched"
MARKETS = "/partner/v4/mm/get_multiple_markets?event_ids=1"
STREAM = "/partner/v4/mm/websocket"
PLACE = "/partner/v4/mm/submit_multiple_orders"


def asked(path: str, at_s: float, answered_s: float | None = None, status: int = 200) -> Request:
    answered_ns = None if answered_s is None else round(answered_s * S)
    return Request(path, round(at_s * S), answered_ns, status if answered_ns else None)


WHOLE = [
    asked(ALIVE, 100.5, 100.75),
    asked(MARKETS, 101.0, 101.25, status=503),
    asked(MARKETS, 102.0, 102.5),
    asked(STREAM, 103.0, 103.25),
    asked(PLACE, 104.0),
]
CUT = [asked(ALIVE, 110.25), asked(STREAM, 110.5, 110.75)]


def test_each_step_counts_from_the_kill_to_its_first_good_answer() -> None:
    told = lives([*WHOLE, *CUT], [100 * S, 110 * S], 120 * S)
    assert told == [Life(0.5, 0.75, 2.5, 3.25, 4.0), Life(0.25, None, None, 0.75, None)]


def test_a_life_that_was_killed_before_it_asked_for_anything_tells_nothing() -> None:
    assert lives([], [100 * S], 120 * S) == [Life(None, None, None, None, None)]


def test_the_table_leaves_out_the_lives_that_never_came_to_a_step() -> None:
    told = lives([*WHOLE, *CUT], [100 * S, 110 * S], 120 * S)
    lines = dict(table(told))
    assert lines["first request after"] == "median 0.38 s, longest 0.50 s, 2 lives"
    assert lines["markets known after"] == "median 2.50 s, longest 2.50 s, 1 lives"
    assert list(table(lives([], [100 * S], 120 * S))) == []
