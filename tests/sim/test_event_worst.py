"""The judge's worst case of a sport event: the design's vector, scores that cannot be, fees."""

# faults: G5 G6

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from mmbot.sim.witness.event_worst import MARGIN, TOTAL, Held, worst_cents
from mmbot.sim.witness.record import LineRisk

USD = 100


def held(
    axis: str,
    threshold: float,
    market_id: int = 1,
    *,
    filled: tuple[int, int] = (0, 0),
    winnings: tuple[int, int] = (0, 0),
    resting: tuple[int, int] = (0, 0),
) -> Held:
    return Held(axis, market_id, threshold, LineRisk(list(filled), list(winnings), list(resting)))


def test_the_vector_of_the_design() -> None:
    """Home -3.5 110 @ -110; away ML 100 @ +150; home -7 50 @ +180; then two that rest."""
    usd = {
        "spread": held(MARGIN, 3.5, 223, filled=(110 * USD, 0), winnings=(100 * USD, 0)),
        "moneyline": held(MARGIN, 0.0, 219, filled=(0, 100 * USD), winnings=(0, 150 * USD)),
        "seven": held(MARGIN, 7.0, 223, filled=(50 * USD, 0), winnings=(90 * USD, 0)),
    }
    assert worst_cents(list(usd.values()), 0) == 260 * USD
    usd["spread"].risk.open[1] = 210 * USD
    usd["moneyline"].risk.open[0] = 120 * USD
    assert worst_cents(list(usd.values()), 0) == 260 * USD


@pytest.mark.parametrize(
    ("total", "usd"),
    [
        (7.5, 100),  # a margin above 7.5 has a total above it
        (8.5, 200),  # 8-0
        (8.0, 100),  # at 8-0 a total of 8 is a push; 9 has no margin of 8, and 9-0 is over
    ],
)
def test_scores_that_cannot_be_release_risk(total: float, usd: int) -> None:
    lines = [
        held(MARGIN, 7.5, 223, filled=(0, 100 * USD)),
        held(TOTAL, total, 225, filled=(100 * USD, 0)),
    ]
    assert worst_cents(lines, 0) == usd * USD


def test_margin_and_total_are_both_even_or_both_odd() -> None:
    """Each pair loses twice at one result: a margin of 3, and a total of 4."""
    lines = []
    for axis, number, market_id in ((MARGIN, 3, 223), (TOTAL, 4, 225)):
        lines.append(held(axis, number - 0.5, market_id, filled=(0, 100)))
        lines.append(held(axis, number + 0.5, market_id, filled=(100, 0)))
    assert worst_cents(lines, 0) == 300


def test_a_market_of_its_own_adds_its_worst() -> None:
    lines = [
        held(MARGIN, 0.0, 219, filled=(100, 0), winnings=(300, 0)),
        held("market 7", 55.5, 7, filled=(50, 0), winnings=(900, 0)),
    ]
    assert worst_cents(lines, 0) == 150


def test_a_win_in_one_market_offsets_less_after_its_fee() -> None:
    lines = [
        held(MARGIN, 0.0, 219, filled=(0, 10_000), winnings=(0, 0)),
        held(MARGIN, 3.5, 223, winnings=(10_000, 10_000)),
    ]
    assert worst_cents(lines, 0) == 0
    assert worst_cents(lines, 200) == 200
    of_one_market = [held(MARGIN, line.threshold, 1, winnings=(0, 0)) for line in lines]
    for line, other in zip(of_one_market, lines, strict=True):
        line.risk.filled[:], line.risk.winnings[:] = other.risk.filled, other.risk.winnings
    assert worst_cents(of_one_market, 200) == 0  # the fee is on the market's net


def test_equal_to_every_score_and_every_subset_of_fills() -> None:
    chance = Random(5)
    for _ in range(6):
        lines = [_drawn(chance, number) for number in range(3)]
        fee_bps = chance.choice((0, 200, 1000))
        assert worst_cents(lines, fee_bps) == _by_force(lines, fee_bps)


def _drawn(chance: Random, number: int) -> Held:
    axis = chance.choice((MARGIN, TOTAL, TOTAL, MARGIN, f"market {number}"))
    low, high = (0, 8) if axis == TOTAL else (-4, 4)
    market_id = chance.choice((1, 2)) if axis == MARGIN else 3 if axis == TOTAL else 10 + number
    threshold = chance.randint(2 * low, 2 * high) / 2
    filled, winnings, resting = ([chance.choice((0, 70, 310)) for _ in "ab"] for _ in range(3))
    return Held(axis, market_id, threshold, LineRisk(filled, winnings, resting))


def _by_force(lines: list[Held], fee_bps: int) -> int:
    own = [line for line in lines if line.axis not in (MARGIN, TOTAL)]
    worst = 0
    for home, away in product(range(9), repeat=2):
        for sides in product((0, 1, None), repeat=len(own)):
            for fills in product((False, True), repeat=2 * len(lines)):
                by_market: dict[int, int] = {}
                for number, line in enumerate(lines):
                    result = home - away if line.axis == MARGIN else home + away
                    won: int | None = int(result < line.threshold)
                    won = None if result == line.threshold else won
                    if line in own:
                        won = sides[own.index(line)]
                    cents = _paid(line, won, fills[2 * number : 2 * number + 2])
                    by_market[line.market_id] = by_market.get(line.market_id, 0) + cents
                net = sum(v - max(0, v) * fee_bps // 10_000 for v in by_market.values())
                worst = max(worst, -net)
    return worst


def _paid(line: Held, won: int | None, fills: tuple[bool, ...]) -> int:
    """An open order that fills is taken to win nothing: the least that it can."""
    if won is None:
        return 0
    risk = line.risk
    lost = risk.filled[1 - won] + (risk.open[1 - won] if fills[1 - won] else 0)
    return risk.winnings[won] - lost
