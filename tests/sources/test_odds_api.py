"""The Odds API v4 form: what is kept, what is refused, and that no bad row costs a good one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbot.domain.price import Price, implied
from mmbot.sources.feed import Feed, FeedLine, UnreadableFeed
from mmbot.sources.odds_api import is_half, parse, time_ns
from tests.sources.listings import (
    NOW,
    SECOND,
    START,
    a_document,
    a_feed_event,
    totals,
    two_way,
)

SAMPLE = (
    Path(__file__).resolve().parents[2]
    / "mmbot" / "data" / "odds" / "odds_api_v4_worldcup_sample.json"
)  # fmt: skip


def lines_of(*bookmakers: dict[str, Any]) -> tuple[FeedLine, ...]:
    return parse(a_document(a_feed_event(*bookmakers)), NOW).events[0].lines


def read(*bookmakers: dict[str, Any]) -> Feed:
    return parse(a_document(a_feed_event(*bookmakers)), NOW)


def test_a_total_is_kept_with_over_first_whatever_the_order() -> None:
    (line,) = lines_of(
        two_way("pinnacle", "totals", ("Under", -150, 2.5), ("Over", 130, 2.5)),
        totals("novig", 132, -140),
    )
    assert (line.family, line.number, line.sides) == ("total", 2.5, ("over", "under"))
    assert isinstance(line.said, tuple)
    assert [pair.bookmaker for pair in line.said] == ["pinnacle", "novig"]
    assert line.said[0].implied == (implied(Price(130)), implied(Price(-150)))
    assert line.said[0].updated_ns == (NOW - 2 * SECOND, NOW - 2 * SECOND)


def test_a_spread_is_one_line_with_the_number_of_the_home_team() -> None:
    (line,) = lines_of(
        two_way("a", "spreads", ("Argentina", -110, -4.5), ("England", -108, 4.5)),
        two_way("b", "alternate_spreads", ("England", -105, 4.5), ("Argentina", -115, -4.5)),
    )
    assert (line.family, line.number, line.sides) == ("spread", 4.5, ("england", "argentina"))
    assert isinstance(line.said, tuple)
    assert [pair.implied[0] for pair in line.said] == [implied(Price(-108)), implied(Price(-105))]


def test_mirrored_spreads_are_two_lines() -> None:
    found = lines_of(
        two_way(
            "a",
            "alternate_spreads",
            ("England", 150, -1.5),
            ("Argentina", -170, 1.5),
            ("England", -300, 1.5),
            ("Argentina", 240, -1.5),
        )
    )
    assert sorted((line.number or 0) for line in found) == [-1.5, 1.5]


@pytest.mark.parametrize("point", [2.0, 2.25, 2.75, 3, 0, "2.5", None, True])
def test_lines_that_can_push_or_split_are_refused(point: Any) -> None:
    feed = read(two_way("a", "totals", ("Over", -110, point), ("Under", -110, point)))
    assert feed.events[0].lines == ()
    assert sum(feed.skipped.values()) >= 2


def test_a_three_way_market_is_read_but_not_traded() -> None:
    three = two_way(
        "a", "h2h", ("England", 163, None), ("Draw", 190, None), ("Argentina", 210, None)
    )
    assert lines_of(three) == ()
    two = two_way("b", "h2h", ("England", -110, None), ("Argentina", -110, None))
    assert len(lines_of(two)) == 1
    # A bookmaker that leaves the draw out does not make it a two-way market.
    assert lines_of(three, two) == ()


@pytest.mark.parametrize(
    "outcomes",
    [
        [("Over", 110, 2.5)],
        [("Over", 110, 2.5), ("Under", -120, 3.5)],
        [("Over", 110, 2.5), ("Over", 110, 2.5), ("Under", -120, 2.5)],  # which over?
        [("Over", 50, 2.5), ("Under", -120, 2.5)],
        [("Over", 1.91, 2.5), ("Under", 1.91, 2.5)],  # decimal odds
        [("Over", None, 2.5), ("Under", -120, 2.5)],
        [("Over", 10**400, 2.5), ("Under", -120, 2.5)],
        [("Over", 110, 10**400), ("Under", -120, 10**400)],
        [("Over", "110", 2.5), ("Under", -120, 2.5)],
        [("Yes", 110, 2.5), ("No", -120, 2.5)],
    ],
)
def test_half_a_pair_or_a_strange_price_is_no_pair(outcomes: list[tuple[str, Any, float]]) -> None:
    feed = read(two_way("a", "totals", *outcomes), totals("b", 110, -120, 4.5))
    assert [line.number for line in feed.events[0].lines] == [4.5]
    assert feed.skipped


def test_a_missing_stamp_falls_back_to_the_bookmaker_and_then_to_the_receipt() -> None:
    bare, half = totals("a", 110, -120), totals("b", 110, -120)
    del bare["markets"][0]["last_update"], bare["last_update"], half["markets"][0]["last_update"]
    (line,) = lines_of(bare, half)
    assert isinstance(line.said, tuple)
    assert [pair.updated_ns[0] for pair in line.said] == [NOW, NOW - 2 * SECOND]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"commence_time": None}, "event_without_start"),
        ({"commence_time": "soon"}, "event_without_start"),
        ({"home_team": ""}, "event_without_teams"),
        ({"away_team": 7}, "event_without_teams"),
    ],
)
def test_an_event_that_cannot_be_identified_costs_only_itself(
    changes: dict[str, Any], reason: str
) -> None:
    good = a_feed_event(totals("a", 110, -120))
    feed = parse(a_document(a_feed_event(**changes), "?", good), NOW)
    assert [event.teams for event in feed.events] == [("England", "Argentina")]
    assert feed.skipped == {reason: 1, "event_form": 1}
    assert feed.events[0].start_ns == START


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b'{"message":"quota"}', b"3", b"\xff"])
def test_what_is_no_feed_is_refused_whole(body: bytes) -> None:
    with pytest.raises(UnreadableFeed):
        parse(body, NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["bookmakers", "home_team", "commence_time"]), json_values))
def test_no_shape_of_event_breaks_the_reader(changes: dict[str, Any]) -> None:
    body = (
        json.dumps([a_feed_event() | changes], allow_nan=False, default=str)
        if _finite(changes)
        else b"[]".decode()
    )
    parse(body.encode(), NOW)


@given(json_values)
def test_no_shape_of_market_breaks_the_reader(value: object) -> None:
    if not _finite(value):
        return
    market = {"key": "totals", "last_update": value, "outcomes": value}
    outcome = {"key": "totals", "outcomes": [{"name": "Over", "price": value, "point": value}]}
    parse(a_document(a_feed_event({"key": "a", "markets": [market, outcome, value]})), NOW)


def _finite(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def test_the_real_sample_gives_the_half_line_totals_of_both_matches() -> None:
    if not SAMPLE.exists():
        pytest.skip("the sample of the odds feed is not bundled")
    feed = parse(SAMPLE.read_bytes(), NOW)
    found = {
        event.teams: sorted(line.number for line in event.lines if line.number is not None)
        for event in feed.events
    }
    assert found == {
        ("England", "Argentina"): [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
        ("France", "Spain"): [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
    }
    assert feed.skipped["not_a_half_line"] > 0
    assert feed.skipped["h2h_not_two_way"] > 0


def test_times_are_exact_and_utc_unless_they_say_otherwise() -> None:
    moment = datetime(2026, 7, 15, 1, 2, 3, 456789, UTC)
    expected = 1_784_077_323 * SECOND + 456_789_000
    assert time_ns("2026-07-15T01:02:03.456789Z") == expected
    assert time_ns("2026-07-15T03:02:03.456789+02:00") == expected
    assert time_ns("2026-07-15T01:02:03.456789") == expected
    assert int(moment.timestamp()) == expected // SECOND
    assert [time_ns(text) for text in ("yesterday", "", None, 5)] == [None] * 4


@given(st.integers(-400, 400))
def test_half_lines(quarters: int) -> None:
    assert is_half(quarters / 4) is (quarters % 4 == 2)
