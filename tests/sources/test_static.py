"""Fair values from a file that a person writes."""

from __future__ import annotations

import json

import pytest

from mmbot.domain.ids import StrikeId
from mmbot.sources.feed import Feed, Stated, UnreadableFeed
from mmbot.sources.fetching import Document
from mmbot.sources.static import StaticRules, parse
from tests.sources.listings import NOW, SECOND, START, START_TEXT

HEADER = "strike_id,home,away,start,market,number,selection,prob,sd_logit,source_ts\n"
RULES = StaticRules(sd_logit_default=0.04, valid_for_s=3_600.0)


def read(text: str, age_s: int = 10) -> Feed:
    return parse(Document(text.encode(), "tag", NOW - age_s * SECOND), NOW, RULES)


def a_row(market: str, number: object, selection: str, prob: object, rest: str = ",") -> str:
    return f",England,Argentina,{START_TEXT},{market},{number},{selection},{prob},{rest}\n"


def test_a_strike_named_by_its_id() -> None:
    assert read("strike_id,prob\nabc,0.55\n").direct == {StrikeId("abc"): Stated(0.55, 0.04, None)}


def test_a_line_named_by_its_game() -> None:
    feed = read(
        HEADER
        + a_row("total", 2.5, "Under", 0.6, "0.1,2027-01-15T07:59:58Z")
        + a_row("spread", -1.5, "Argentina", 0.3)
        + a_row("moneyline", "", "England", 0.7)
    )
    (event,) = feed.events
    assert (event.teams, event.start_ns) == (("England", "Argentina"), START)
    total, spread, moneyline = event.lines
    assert (total.number, total.sides) == (2.5, ("over", "under"))
    assert total.said == Stated(1 - 0.6, 0.1, NOW - 2 * SECOND)
    assert (spread.number, spread.sides) == (1.5, ("england", "argentina"))
    assert spread.said == Stated(1 - 0.3, 0.04, None)
    assert moneyline.said == Stated(0.7, 0.04, None)
    assert feed.skipped == {}


def test_json_says_the_same_as_csv() -> None:
    row = {
        "home": "England", "away": "Argentina", "start": START_TEXT,
        "market": "total", "number": 2.5, "selection": "over", "prob": 0.4,
    }  # fmt: skip
    assert read(json.dumps([row])) == read(HEADER + a_row("total", 2.5, "over", 0.4))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (a_row("total", 2.5, "over", 1.2), "prob"),
        (a_row("total", 2.5, "over", "x"), "prob"),
        (a_row("total", 2.5, "over", ""), "prob"),
        (a_row("total", 2.5, "over", 0.5, "-1,"), "sd_logit"),
        (a_row("total", 2.5, "over", 0.5, ",noon"), "source_ts"),
        (a_row("total", 2, "over", 0.5), "not_a_half_line"),
        (a_row("total", "", "over", 0.5), "not_a_half_line"),
        (a_row("total", 2.5, "England", 0.5), "selection"),
        (a_row("moneyline", "", "Spain", 0.5), "selection"),
        (a_row("corners", 2.5, "over", 0.5), "market"),
        (",,,,total,2.5,over,0.5,,\n", "event"),
    ],
)
def test_a_bad_row_is_counted_and_costs_only_itself(row: str, reason: str) -> None:
    feed = read(HEADER + row + "good,,,,,,,0.5,,\n")
    assert feed.skipped == {reason: 1}
    assert list(feed.direct) == ["good"]
    assert feed.events == ()


def test_a_line_said_twice_is_not_used() -> None:
    over, under = a_row("total", 2.5, "over", 0.6), a_row("total", 2.5, "under", 0.6)
    feed = read(HEADER + over + under + "s1,,,,,,,0.5,,\ns1,,,,,,,0.6,,\n")
    assert (feed.events, dict(feed.direct)) == ((), {})
    assert feed.skipped == {"line_twice": 2}


def test_a_value_without_a_stamp_ends_with_the_validity_of_its_file() -> None:
    text = "strike_id,prob,source_ts\na,0.5,\nb,0.5,2027-01-15T07:59:58Z\n"
    assert set(read(text, age_s=3_600).direct) == {"a", "b"}
    late = read(text, age_s=3_601)
    assert set(late.direct) == {"b"}  # its own stamp ages instead
    assert late.skipped == {"expired": 1}


@pytest.mark.parametrize("text", ["strike_id,value\na,0.5\n", "[{}]", "[1", '[{"p":1}]'])
def test_a_file_without_probabilities_is_refused_whole(text: str) -> None:
    with pytest.raises(UnreadableFeed):
        read(text)


def test_an_empty_file_says_nothing() -> None:
    assert read("") == read("[]") == read("strike_id,prob\n") == Feed()
