"""What a flood measures is what it says: frames, lags, lines."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Final

import pytest

from tests.bench.claim import Claim
from tests.bench.flood_daemon import LAG_MS_MAX, Lags
from tests.bench.flood_listing import Flood, frames
from tests.bench.stream_bench import FloodRate, Watched, flood_claims
from tests.bench.stream_frames import Reader, Trader, frame_claims, growth_claims

NOW_NS: Final = 1_795_359_600 * 10**9
MS: Final = 1_000_000
SMALL: Final = Flood(channels=4, strikes=20)


def test_a_frame_is_as_large_as_the_claim_says() -> None:
    text = next(frames(SMALL, iter([3]), 7, NOW_NS))
    payload = base64.b64decode(json.loads(json.loads(text)["data"])["payload"])
    assert 5_650 <= len(payload) <= 5_750
    assert 7_750 <= len(text) <= 7_850


def test_every_frame_becomes_the_book_of_its_line() -> None:
    reader = Reader(SMALL, NOW_NS)
    books = [reader.book(text).book for text in frames(SMALL, iter(range(10)), 7, NOW_NS)]
    assert {book.line_id for book in books} == set(reader.catalog.lines)
    sides = [side for book in books for side in book.levels]
    assert all(len(side) == 10 for side in sides)
    assert len({level for side in sides for level in side}) > 190  # of 200: none is known before


def test_two_images_of_a_line_differ() -> None:
    first, second = frames(SMALL, iter([3, 3]), 7, NOW_NS)
    assert first != second


def test_a_frame_costs_a_decision() -> None:
    trader = Trader(SMALL, NOW_NS)
    trader.update(next(frames(SMALL, iter([0]), 7, NOW_NS)))  # asserts that it may trade


def test_lags_count_from_when_a_frame_was_due() -> None:
    lags = Lags(at_ns=0, period_ns=10.0 * MS)
    lags.decided(2, now_ns=12 * MS)  # due at 0 and at 10
    lags.decided(1, now_ns=25 * MS)  # due at 20
    assert lags.frames == 3
    assert [ms for ms, count in enumerate(lags.counts) if count] == [2, 5, 12]
    assert lags.quantile_ms(0.5) == 6
    assert lags.quantile_ms(1.0) == 13


def test_a_lag_beyond_the_scale_counts_as_the_worst() -> None:
    lags = Lags(at_ns=0, period_ns=1.0)
    lags.decided(1, now_ns=10 * LAG_MS_MAX * MS)
    assert lags.quantile_ms(0.99) == LAG_MS_MAX + 1


def test_growth_counts_from_when_memory_has_settled() -> None:
    watched = Watched(0, [50.0, *[90.0] * 9, 92.5])
    assert watched.growth_mib == 2.5


@pytest.mark.parametrize(("value", "kept"), [(1.2, True), (1.21, False)])
def test_a_limit_is_kept_up_to_itself(value: float, kept: bool) -> None:
    claim = Claim("growth", value, "x", 1.2, False, "")
    assert claim.kept is kept
    assert "<= 1.2 " in claim.line


def test_the_claims_of_the_hot_loop_are_made() -> None:
    claims = [*frame_claims(7, NOW_NS, rounds=1), *growth_claims(7, NOW_NS, 20, rounds=1)]
    assert [claim.name for claim in claims] == ["frame to book", "one update, many lines / few"]
    assert all(claim.value > 0 for claim in claims)


def test_a_short_flood_goes_through_the_whole_daemon(tmp_path: Path) -> None:
    rate = FloodRate(seconds=0.5, per_s=200.0, warm_up_s=0.1)
    flood, lag, _, memory, _ = flood_claims(tmp_path, SMALL, rate)
    assert "100 frames of 100" in flood.spread
    assert lag.value > 0
    assert memory.value > 20
