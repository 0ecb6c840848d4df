"""The verdict: what the table says, and what makes the bench fail."""

from __future__ import annotations

from typing import Any

import pytest

from mmbot.domain.errors import SetUpError
from tests.bench.__main__ import Options, Taken, failures_of
from tests.bench.figures import STACKS, Figures, quantile

GOOD_FACTS: dict[str, Any] = {"orders": 5, "orders_in_ledger": 5, "daemon_exit_code": 0}


def taken(daemon_us: int, published_us: int, **more: Any) -> Taken:
    """Two rounds with these medians; `more` changes the daemon's answer."""
    found = Taken()
    speeds = {"daemon": daemon_us, "published": published_us, "repaired": published_us}
    for _ in range(2):
        answers = {
            name: {
                "place_ns": [us * 1000] * 5,
                "cancel_ns": [us * 1000] * 5,
                "orders": [["strike", -110]],
                "missed": 0,
                "unasked": 0,
            }
            for name, us in speeds.items()
        }
        answers["daemon"] |= more
        found.add(answers)
    return found


def verdict(found: Taken, **facts: Any) -> list[str]:
    return failures_of(found.section("one at a time"), (found,), GOOD_FACTS | facts)


def test_figures_are_the_median_of_rounds_and_the_tail_of_all_ticks() -> None:
    found = Figures.of([[1_000, 2_000, 90_000], [3_000, 4_000, 5_000], [5_000, 6_000, 7_000]])
    assert (found.ticks, found.p50_us, found.p99_us) == (9, 4.0, 90.0)
    assert (found.p50_low_us, found.p50_high_us) == (2.0, 6.0)


def test_a_quantile_is_one_of_the_values() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([1.0], 0.99) == 1.0


def test_three_times_faster_holds_the_claim() -> None:
    assert verdict(taken(1_000, 3_000)) == []


def test_less_than_three_times_faster_fails_it() -> None:
    assert verdict(taken(1_000, 2_990)) == ["the daemon is 2.99x faster, not 3x"]


def test_no_figures_fail_the_claim() -> None:
    assert verdict(taken(1_000, 3_000, place_ns=[]))


def test_a_missed_tick_fails_although_the_others_were_fast() -> None:
    assert verdict(taken(1_000, 9_000, missed=1)) == ["the daemon missed 2 ticks"]


def test_orders_that_differ_are_no_comparison() -> None:
    assert verdict(taken(1_000, 9_000, orders=[["strike", -111]])) == [
        "2 bursts got different orders"
    ]


def test_an_order_without_its_intent_fails() -> None:
    assert verdict(taken(1_000, 9_000), orders_in_ledger=4)


def test_a_daemon_that_does_not_end_flat_fails() -> None:
    assert verdict(taken(1_000, 9_000), daemon_exit_code=1)


def test_the_table_has_a_row_for_each_stack_and_its_ratio() -> None:
    rows = list(taken(1_000, 3_000).section("title").table())
    assert len(rows) == 1 + 2 * (1 + len(STACKS))
    assert rows[2].split()[-1] == "1.00"
    assert rows[3].split()[-2:] == ["3.00", "3.00"]


@pytest.mark.parametrize(
    "wrong", [Options(rounds=0), Options(ticks=0), Options(ticks=19), Options(load_rounds=-1)]
)
def test_options_that_cannot_be_run_are_wrong_use(wrong: Options) -> None:
    with pytest.raises(SetUpError, match="bench: rounds from 1"):
        wrong.check()
