"""What is listed: real odds of past games, relisted, with ids that stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmbot.sim.box import DATA
from mmbot.sim.core.lifecycle import Listing, fair_points
from mmbot.sim.core.prices import DataError, sigmoid
from mmbot.sim.games.odds_files import load_games
from tests.sim.builders import NS, START_NS, Client, a_box

GAMES = load_games(DATA / "odds")
HEADER = (
    "game_date,sport_key,home_team,away_team,source,commence_time,home_ml,away_ml,home_spread,"
    "away_spread,home_spread_ml,away_spread_ml,home_score,away_score,result\n"
)


def test_the_three_games_give_fourteen_lines_with_opposite_strikes() -> None:
    listing = Listing(GAMES, START_NS, 7200)
    assert len(listing.lines) == 14
    assert len(listing.strikes) == 28
    kinds = [line.kind for line in listing.lines]
    assert (kinds.count("moneyline"), kinds.count("spread"), kinds.count("total")) == (1, 1, 12)
    spread = next(line for line in listing.lines if line.kind == "spread")
    assert [strike.number for strike in spread.strikes] == [4.5, -4.5]
    assert all(len(strike_id) == 32 for strike_id in listing.strikes)
    assert all(line.number % 1 == 0.5 for line in listing.lines if line.kind == "total")


def test_ids_do_not_depend_on_time_or_seed() -> None:
    one, two = Listing(GAMES, START_NS, 7200), Listing(GAMES, START_NS + 10**15, 9999)
    assert list(one.strikes) == list(two.strikes)
    assert list(one.events) == list(two.events)


def test_starts_are_at_least_two_hours_ahead() -> None:
    listing = Listing(GAMES, START_NS, 7200)
    assert all(event.start_ns >= START_NS + 7200 * NS for event in listing.events.values())
    assert {event.tournament.id for event in listing.events.values()} == {31, 53}


def test_aggregate_rows_and_whole_numbers_are_left_out() -> None:
    bowl = next(game for game in GAMES if game.sport_key == "americanfootball_nfl")
    books = {book.key for book in bowl.bookmakers}
    assert not books & {"opening_line", "closing_line"}
    assert bowl.score == (13, 29)
    assert set(fair_points(bowl)) == {("moneyline", 0.0), ("spread", 4.5)}


def test_totals_fall_with_the_number() -> None:
    for game in GAMES:
        totals = {n: p for (kind, n), p in fair_points(game).items() if kind == "total"}
        assert list(totals.values()) == sorted(totals.values(), reverse=True)


def test_fair_starts_at_the_consensus() -> None:
    box = a_box()
    line = next(line for line in box.exchange.listing.lines if line.kind == "moneyline")
    assert box.fair.probability(line.index) == pytest.approx(sigmoid(line.base_logit), abs=0.01)
    assert 0.30 < sigmoid(line.base_logit) < 0.36


def _other_odds(folder: Path, *, spoil: bool = False) -> Path:
    row = "2025-01-05,basketball_nba,Hometown Hawks,Visitor Vipers,book{},,{},{},{},{},{},{},,,\n"
    rows = [row.format(i, -150 - i, 130 + i, -2.5, 2.5, -110, -110) for i in range(3)]
    (folder / "mine.csv").write_text(HEADER + "".join(rows))
    outcome = [{"name": "Over", "price": -105, "point": 211.5}]
    outcome.append({"name": "Under", "price": -115, "point": 211.5})
    market = {"key": "totals", "outcomes": outcome}
    event = {
        "id": "e1",
        "sport_key": "basketball_nba",
        "commence_time": "2025-02-02T20:00:00Z",
        "home_team": "Other Owls",
        "away_team": "More Moose",
        "bookmakers": [{"key": "one", "markets": [market]}],
    }
    if spoil:
        del event["id"]
    (folder / "mine.json").write_text(json.dumps([event]))
    return folder


def test_other_odds_of_the_same_form_work_and_are_drawn(tmp_path: Path) -> None:
    box = a_box(data_dir=str(_other_odds(tmp_path)))
    listing = box.exchange.listing
    assert sorted(line.kind for line in listing.lines) == ["moneyline", "spread", "total"]
    assert {event.tournament.id for event in listing.events.values()} == {132}
    client = Client(box)
    status, feed = client.call("GET", "/_feed/odds")
    assert status == 200
    assert {event["home_team"] for event in feed} == {"Hometown Hawks", "Other Owls"}
    _, answer = client.call("POST", "/_box/settle")
    assert {result["how"] for result in answer["results"]} == {"drawn"}


def test_bad_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        load_games(tmp_path / "missing")
    with pytest.raises(DataError, match="no games"):
        load_games(tmp_path)
    _other_odds(tmp_path, spoil=True)
    with pytest.raises(DataError, match=r"mine\.json"):
        load_games(tmp_path)
    (tmp_path / "mine.json").write_text("{")
    with pytest.raises(DataError, match=r"mine\.json"):
        load_games(tmp_path)
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"mine\.csv: column"):
        load_games(tmp_path)
