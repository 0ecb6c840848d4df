"""Queue position is kept while it is safe, and given up at once when it is not."""

from __future__ import annotations

import pytest

from mmbot.domain.price import Price
from mmbot.pricing.keeping import KeepRules, LiveOrder, Verdict, keep_verdict
from mmbot.pricing.quoting import Wanted
from tests.pricing.vectors import fallback_ladder

LADDER = fallback_ladder()
RULES = KeepRules()
SECOND = 10**9
TARGET = Wanted(Price(107), 5_000)


@pytest.mark.parametrize(
    ("live", "age_s", "verdict"),
    [
        (LiveOrder(Price(107), 5_000), 60, "keep"),
        (LiveOrder(Price(107), 2_500), 60, "keep"),
        (LiveOrder(Price(107), 2_499), 0, "replace"),  # too little left
        (LiveOrder(Price(109), 5_000), 4, "keep"),  # two ticks cheaper, target just moved
        (LiveOrder(Price(109), 5_000), 5, "replace"),  # had its time
        (LiveOrder(Price(110), 5_000), 0, "replace"),  # three ticks
        (LiveOrder(Price(106), 5_000), 0, "replace"),  # dearer than wanted, still with edge
        (LiveOrder(Price(100), 5_000), 0, "pull"),  # no edge at a fair half
        (LiveOrder(Price(2200), 5_000), 0, "replace"),  # left the ladder
    ],
)
def test_verdict(live: LiveOrder, age_s: int, verdict: Verdict) -> None:
    assert keep_verdict(live, TARGET, (0.5, age_s * SECOND), LADDER, RULES) == verdict


def test_what_nobody_wants_is_pulled() -> None:
    live = LiveOrder(Price(107), 5_000)
    assert keep_verdict(live, None, (0.5, 0), LADDER, RULES) == "pull"
