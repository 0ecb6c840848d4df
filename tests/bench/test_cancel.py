"""The bench of cancels measures what it says; the claims are judged where there is time."""

from __future__ import annotations

from tests.bench.cancel_bench import QUICK, goes_live, measure
from tests.bench.claim import Claim


async def test_a_game_with_more_than_a_batch_leaves_by_one_request() -> None:
    rested, taken = await measure(QUICK, True, goes_live)
    assert rested == 2 * 4 * 2 * 3
    assert taken.requests == 1
    assert taken.wall_ms > 0
    assert taken.worked_ms > 0


def test_a_claim_that_is_missed_says_so() -> None:
    assert not Claim("bad news", 5.1, "ms", 5.0, False, "").kept
