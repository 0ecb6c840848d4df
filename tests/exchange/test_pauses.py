"""How long the next connection waits: by the close code, longer after each failure."""

from __future__ import annotations

import pytest

from mmbot.exchange.pauses import Pauses, PauseSettings


@pytest.mark.parametrize(
    ("code", "waits_s"),
    [
        (4001, [0.5, 30, 30, 30]),  # something is changed first, then slowly
        (4100, [1, 1, 2, 4]),  # a second at least
        (4200, [0, 1, 2, 4]),  # at once
        (1006, [0.5, 1, 2, 4]),
        (None, [0.5, 1, 2, 4]),
    ],
)
def test_by_the_class_of_the_code_and_longer_each_time(
    code: int | None, waits_s: list[float]
) -> None:
    pauses = Pauses(PauseSettings(), lambda: 1.0)
    for _ in range(2):
        assert [pauses.after(code) for _ in waits_s] == waits_s
        pauses.over()


def test_jitter_takes_half_of_it_at_most_and_there_is_a_longest() -> None:
    assert Pauses(PauseSettings(), lambda: 0.0).after(1006) == 0.25
    pauses = Pauses(PauseSettings(), lambda: 1.0)
    assert max(pauses.after(1006) for _ in range(2000)) == 10


@pytest.mark.parametrize(
    ("code", "waits_s"), [(4200, [0, 1, 0.5, 1]), (1006, [0.5, 1, 0.5, 1]), (4100, [1, 1, 1, 1])]
)
def test_the_time_that_the_last_one_lived_is_waited_already(
    code: int, waits_s: list[float]
) -> None:
    pauses = Pauses(PauseSettings(), lambda: 1.0)
    assert [pauses.after(code, lived_s) for lived_s in (0, 0, 60, 3)] == waits_s


def test_whoever_lives_shortly_comes_no_more_often_than_the_pauses_say() -> None:
    pauses = Pauses(PauseSettings(), lambda: 1.0)
    assert [pauses.after(4200, 2.0) + 2.0 for _ in range(7)] == [2, 2.5, 2.5, 4, 8, 10, 10]
