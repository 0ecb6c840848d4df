"""A scenario is squeezed into a short run, and its faults last through a long one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.crash.fitting import fit, moves_until_s

DAY: dict[str, Any] = {
    "faults": [
        {"fault": "slow", "rate": 0.1, "until_s": 50},
        {"fault": "too_many", "rate": 0.1},
        {"fault": "truncated", "rate": 0.1, "until_s": 900},
    ],
    "timeline": [
        {"action": "news", "at_s": 500.0},
        {"action": "settle", "at_s": 40.0, "every_s": 20.0, "times": 3},
    ],
}


def test_the_last_move_is_that_of_a_result_and_not_of_the_news() -> None:
    assert moves_until_s(DAY) == 83.0
    assert moves_until_s({"timeline": DAY["timeline"][:1]}) == 0.0
    assert moves_until_s({}) == 0.0


def test_where_the_run_is_longer_the_faults_go_on_until_its_end() -> None:
    day = deepcopy(DAY)
    assert fit(day, 200.0, 30.4)
    assert [rule.get("until_s") for rule in day["faults"]] == [230, None, 900]
    assert day["timeline"] == DAY["timeline"]


def test_where_the_run_is_shorter_every_step_comes_sooner_and_the_last_before_its_end() -> None:
    day = deepcopy(DAY)
    assert fit(day, 41.5, 10.0)
    assert day["timeline"][1] == {"action": "settle", "at_s": 20.0, "every_s": 10.0, "times": 3}
    assert moves_until_s(day) <= 43.0


def test_a_day_that_fits_is_left_alone() -> None:
    day = deepcopy(DAY)
    del day["faults"][0]
    assert not fit(day, 83.0, 10.0)
    assert day["timeline"] == DAY["timeline"]
