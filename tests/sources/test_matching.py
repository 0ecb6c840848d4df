"""Matching: the right game, the right side, or nothing at all."""

from __future__ import annotations

import pytest

from mmbot.domain.catalog import Catalog, SportEvent
from mmbot.sources.feed import Family, FeedEvent, FeedLine, Stated
from mmbot.sources.matching import Listed, MatchRules, match_events, match_line, normalised
from tests.sources.listings import SECOND, START, a_catalog, a_line, a_sport_event, a_total

MINUTE = 60 * SECOND
RULES = MatchRules()


def said(
    family: Family = "total",
    number: float | None = 2.5,
    sides: tuple[str, str] = ("over", "under"),
) -> FeedLine:
    return FeedLine(family, number, sides, Stated(0.5, 0.05, None))


def a_fixture(
    home: str = "England", away: str = "Argentina", start_ns: int = START, feed_id: str = "f1"
) -> FeedEvent:
    return FeedEvent(feed_id, (home, away), start_ns, ())


def listed(*events: SportEvent, rules: MatchRules = RULES) -> Listed:
    return Listed.of(a_catalog(events=events), rules)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("São Paulo F.C.", "Sao Paulo FC"),
        ("Brighton & Hove Albion", "brighton and hove albion"),
        ("Paris Saint-Germain", "Paris Saint Germain"),
        ("  St. Louis   Blues", "St Louis Blues"),
        ("Hawai'i", "Hawai’i"),
        ("Malmö", "malmo"),
        ("Bodø/Glimt", "Bodo Glimt"),
    ],
)
def test_spellings_of_one_name_compare_equal(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


def test_names_that_differ_stay_different() -> None:
    assert normalised("Manchester City") != normalised("Manchester United")


@pytest.mark.parametrize("teams", [("England", "Argentina"), ("Argentina", "England")])
def test_home_and_away_may_be_swapped(teams: tuple[str, str]) -> None:
    found = match_events([a_fixture(*teams)], listed(a_sport_event()))
    assert list(found.found) == [1]
    assert found.unmatched == ()


@pytest.mark.parametrize(
    ("fixture", "why"),
    [
        (a_fixture(home="Spain"), "no_such_teams"),
        (a_fixture(start_ns=START + 91 * MINUTE), "other_time"),
        (a_fixture(start_ns=START - 91 * MINUTE), "other_time"),
        (a_fixture(home="Argentina"), "unnamed"),
        (a_fixture(home="..."), "unnamed"),
    ],
)
def test_what_is_not_listed_is_named_with_its_reason(fixture: FeedEvent, why: str) -> None:
    found = match_events([fixture], listed(a_sport_event()))
    assert dict(found.found) == {}
    assert [(one.feed_id, one.why) for one in found.unmatched] == [("f1", why)]


def test_ninety_minutes_apart_is_still_the_same_game() -> None:
    found = match_events([a_fixture(start_ns=START + 90 * MINUTE)], listed(a_sport_event()))
    assert list(found.found) == [1]


def test_a_doubleheader_goes_to_the_nearest_start() -> None:
    games = listed(a_sport_event(1), a_sport_event(2, start_ns=START + 60 * MINUTE))
    found = match_events(
        [
            a_fixture(feed_id="late", start_ns=START + 50 * MINUTE),
            a_fixture(feed_id="early", start_ns=START + 5 * MINUTE),
        ],
        games,
    )
    assert {event_id: event.feed_id for event_id, event in found.found.items()} == {
        1: "early", 2: "late",
    }  # fmt: skip


def test_a_tie_between_two_games_is_ambiguous() -> None:
    games = listed(a_sport_event(1), a_sport_event(2, start_ns=START + 60 * MINUTE))
    found = match_events([a_fixture(start_ns=START + 30 * MINUTE)], games)
    assert [one.why for one in found.unmatched] == ["ambiguous"]


def test_two_feed_events_for_one_game() -> None:
    near, far = a_fixture(feed_id="near"), a_fixture(feed_id="far", start_ns=START + MINUTE)
    found = match_events([far, near], listed(a_sport_event()))
    assert found.found[a_sport_event().event_id] is near
    assert [(one.feed_id, one.why) for one in found.unmatched] == [("far", "nearer_rival")]
    tied = match_events([near, a_fixture(feed_id="twin")], listed(a_sport_event()))
    assert dict(tied.found) == {}
    assert [one.why for one in tied.unmatched] == ["ambiguous", "ambiguous"]


def test_an_alias_bridges_two_spellings() -> None:
    rules = MatchRules.with_aliases({"L.A. Lakers": "Los Angeles Lakers"})
    games = listed(a_sport_event(1, "Los Angeles Lakers", "Boston Celtics"), rules=rules)
    found = match_events([a_fixture("Boston Celtics", "LA Lakers")], games)
    assert list(found.found) == [1]


def test_an_event_without_competitors_is_read_from_its_name() -> None:
    plain = SportEvent(
        a_sport_event().event_id, "Argentina at England", 53, "Cup", START, "not_started"
    )
    assert list(match_events([a_fixture()], listed(plain)).found) == [1]


def test_sides_are_found_by_name_not_by_position() -> None:
    event = a_sport_event()
    usual, turned = a_total(event, 2.5), a_total(event, 3.5, under_first=True)
    both = Listed.of(a_catalog(usual, turned, events=(event,)), RULES)
    assert match_line(event.event_id, said(number=2.5), both) == (usual, 0)
    assert match_line(event.event_id, said(number=3.5), both) == (turned, 1)
    assert match_line(event.event_id, said(number=4.5), both) is None


@pytest.mark.parametrize("numbered", [True, False])
def test_a_spread_is_mapped_by_team_and_signed_number(numbered: bool) -> None:
    event = a_sport_event(1, "Schalke 04", "Philadelphia 76ers")
    names = ("Philadelphia 76ers", "Schalke 04")
    shown = ("Philadelphia 76ers +4.5", "Schalke 04 -4.5") if numbered else names
    line = a_line(event, "spread", shown, (4.5, -4.5))
    games = Listed.of(a_catalog(line, events=(event,)), RULES)
    teams = ("schalke 04", "philadelphia 76ers")
    assert match_line(event.event_id, said("spread", -4.5, teams), games) == (line, 1)
    assert match_line(event.event_id, said("spread", 4.5, teams[::-1]), games) == (line, 0)
    assert match_line(event.event_id, said("spread", 4.5, teams), games) is None


def test_a_moneyline_is_mapped_by_team() -> None:
    event = a_sport_event(1, "Schalke 04", "Bayern")
    line = a_line(event, "moneyline", ("Bayern", "Schalke 04"))
    games = Listed.of(a_catalog(line, events=(event,)), RULES)
    found = match_line(event.event_id, said("moneyline", None, ("schalke 04", "bayern")), games)
    assert found == (line, 1)


@pytest.mark.parametrize("sub_type", ["first_half_total", "", "player_total_hits"])
def test_the_family_alone_is_not_the_full_game(sub_type: str) -> None:
    event = a_sport_event()
    half = a_line(event, "total", ("over 2.5", "under 2.5"), (2.5, 2.5), sub_type)
    games = Listed.of(a_catalog(half, events=(event,)), RULES)
    assert match_line(event.event_id, said(), games) is None


@pytest.mark.parametrize(
    ("family", "names", "numbers", "sides"),
    [
        ("total", ("over 2.5", "exactly 2"), (2.5, 2.5), ("over", "under")),
        ("total", ("over 2.5", "under 3.5"), (2.5, 3.5), ("over", "under")),
        ("spread", ("England", "Argentina"), (2.5, 2.5), ("england", "argentina")),
        ("spread", ("England", "England"), (2.5, -2.5), ("england", "argentina")),
    ],
)
def test_a_line_whose_other_side_is_not_the_opposite_is_not_priced(
    family: Family,
    names: tuple[str, str],
    numbers: tuple[float, float],
    sides: tuple[str, str],
) -> None:
    event = a_sport_event()
    odd = a_line(event, family, names, numbers)
    games = Listed.of(a_catalog(odd, events=(event,)), RULES)
    assert match_line(event.event_id, said(family, 2.5, sides), games) is None


def test_a_line_listed_twice_is_not_priced() -> None:
    event = a_sport_event()
    one = a_total(event, 2.5)
    twin = a_line(event, "total", ("Over 2.5", "Under 2.5"), (2.5, 2.5))
    other_ident = type(one.line_id)("1/999/2.5")
    games = Listed.of(
        Catalog({event.event_id: event}, {one.line_id: one, other_ident: twin}, {}),
        RULES,
    )
    assert match_line(event.event_id, said(), games) is None
