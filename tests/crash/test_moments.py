"""The moments of the kills come from the seed, and every kind is among them."""

from __future__ import annotations

from tests.crash.moments import AIMED_DELAY_S, kills


def test_the_same_seed_kills_at_the_same_moments() -> None:
    assert kills(7, 100) == kills(7, 100)
    assert kills(7, 100) != kills(8, 100)


def test_ten_kills_strike_each_moment_at_least_once() -> None:
    for seed in range(50):
        drawn = kills(seed, 10)
        assert {kill.kind for kill in drawn} == {"commit", "anywhere", "sent", "write", "again"}
        assert drawn[0].kind == "commit"


def test_some_kills_come_within_a_millisecond_of_the_commit_and_some_later() -> None:
    low_s, high_s = AIMED_DELAY_S
    delays = [kill.after_s for kill in kills(1, 500) if kill.kind == "commit"]
    assert all(delay == 0 or low_s <= delay <= high_s for delay in delays)
    assert min(delays) < 0.001
    assert max(delays) > 0.01
