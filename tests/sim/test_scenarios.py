"""The shipped scenarios: each says what it shows, runs to its end, and does what it names."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from mmbot.sim.box import Box
from mmbot.sim.http.server import main, options_from
from mmbot.sim.scenario import (
    SCENARIOS,
    BoxOptions,
    ScenarioError,
    load_scenario,
    shipped_scenarios,
)
from mmbot.sim.timeline.entries import ACTIONS
from tests.sim.builders import NS, START_NS, Client

NAMES = [name for name, _ in shipped_scenarios()]
PROMISED = {"quiet", "sunday", "go_live", "chaos", "cluster_move", "maintenance", "token_storm"}


def _box(name: str, **changes: object) -> Box:
    options = load_scenario(Path(name), BoxOptions())
    return Box(dataclasses.replace(options, **changes), START_NS)  # type: ignore[arg-type]  # tests


def test_ten_are_shipped() -> None:
    assert len(NAMES) >= 10
    assert set(NAMES) >= PROMISED


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_it_shows_and_what_a_good_maker_does(name: str) -> None:
    text = (SCENARIOS / f"{name}.toml").read_text(encoding="utf-8")
    head = text[: text.index("\n\n")]
    assert all(line.startswith("#") for line in head.splitlines())
    assert "# Shows: " in head
    assert "# A good maker: " in head


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"sunday"}))
def test_each_runs_to_the_end_of_its_timeline(name: str) -> None:
    box = _box(name)
    last_s = max((_last_s(step.when) for step in box.options.timeline), default=60.0)
    for second in range(1, int(last_s) + 2):
        box.advance(START_NS + second * NS)
    done = Counter(str(one["action"]) for one in box.moves.done)
    wanted: Counter[str] = Counter()
    for step in box.options.timeline:
        wanted[next(n for n, kind in ACTIONS.items() if type(step.action) is kind)] += (
            step.when.times
        )
    assert done == wanted
    # nobody but the box trades here, so there is no fill to bust
    refused = [one for one in box.moves.done if one["refused"]]
    assert not refused
    assert box.exchange.fills_count > 0


def _last_s(when: object) -> float:
    at_s, every_s, times = (getattr(when, one) for one in ("at_s", "every_s", "times"))
    return float(at_s + every_s * (times - 1))


def test_together_they_show_the_whole_life_of_a_game_and_of_the_stream() -> None:
    # faults: F1 F2 F3 F5 F6 F8 F11 D2 D3 D4 D13 D14 D16 E6 E14
    shown = {
        type(step.action)
        for name in NAMES
        for step in load_scenario(Path(name), BoxOptions()).timeline
    }
    wanted = (
        "news suspend reopen go_live end list unlist relist move_start move_line settle void push"
        " reverse bust switch close_sockets refuse_sockets move_stream expire_tokens"
    )
    assert {ACTIONS[name] for name in wanted.split()} <= shown


def test_sunday_has_16_games_400_lines_and_300_props() -> None:
    box = _box("sunday", speed=10.0)  # the half hour of it: tests/bench/sunday.py
    listing = box.exchange.listing
    props = [line for line in listing.lines if line.sub_type.startswith("player_")]
    assert (len(listing.events), len(listing.lines) - len(props), len(props)) == (16, 400, 300)
    starts = sorted({event.start_ns for event in listing.events.values()})
    assert [(one - START_NS) / NS for one in starts] == [360.0, 1440.0, 2520.0]
    assert 2 <= sum(not event.live_disabled for event in listing.events.values()) <= 12
    client = Client(box)
    client.wait(4)
    resting = {account.name for account in box.exchange.accounts.values() if account.alive}
    takers = {fill.taker.account.name for fill in box.exchange.fills}
    assert resting == {"rival", "steps", "joiner", "backstop", "skewed"}
    assert {"takers", "informed"} <= takers
    assert box.exchange.fills_count > 80


def test_one_seed_is_one_sunday() -> None:
    def first_seconds(seed: int) -> list[tuple[int, int, int]]:
        box = _box("sunday", seed=seed, speed=10.0)
        box.advance(START_NS + 2 * NS)
        return [(fill.at_ns, fill.taker_price, fill.taker_cents) for fill in box.exchange.fills]

    assert first_seconds(1) == first_seconds(1)
    assert first_seconds(1) != first_seconds(2)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "none"])
def test_the_venue_is_the_latency_of_scenarios_and_the_command_line_wins(name: str) -> None:
    assert options_from(["--scenario", name], {}).latency_profile == "venue"
    given = options_from(["--scenario", name, "--latency", "loopback", "--speed", "4"], {})
    assert (given.latency_profile, given.speed) == ("loopback", 4.0)
    assert options_from([], {}).latency_profile == "loopback"


def test_the_command_line_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-scenarios"]) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()] == NAMES


def test_a_name_that_nobody_ships_is_told_the_names_there_are() -> None:
    with pytest.raises(ScenarioError, match="neither a file nor one of chaos, cluster_move"):
        load_scenario(Path("sonday"), BoxOptions())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("speed = 0", "speed must be between 0.01 and 1000, not 0.0"),
        ("speed = inf", "speed must be between"),
        ("[takers]\narrivals = 2", "unknown key takers.arrivals (did you mean arrivals_per_s?)"),
        ("[rival]\nhalf_spread_min = 0.2", "rival.half_spread_min is above rival.half_spread_max"),
        ("[events]\ncount = 2\nlines = 1.5", "events.lines must be int, not 1.5"),
        ("[[makers]]\nlines_share = 0.5", "makers[1].style is missing"),
        ('[[makers]]\nstyle = "loud"', "makers[1].style must be one of ladder, joiner"),
        ("[makers]\nstyle = 1", "makers must be a list"),
        ("timeline = 3", "timeline must be a list of tables ([[timeline]])"),
        ('[[timeline]]\nat_s = 1\naction = "fly"', "timeline[1].action must be one of news"),
        ('[[timeline]]\naction = "news"', "timeline[1].at_s is missing"),
        ('[[timeline]]\nat_s = -1\naction = "news"', "timeline[1].at_s must be between 0 and"),
        ('[[timeline]]\nat_s = 1\naction = "go_live"', "timeline[1].event is missing"),
        (
            '[[timeline]]\nat_s = 1\naction = "go_live"\nevent = 9',
            "timeline[1].event: there are 3 events, not 9",
        ),
        (
            '[[timeline]]\nat_s = 1\naction = "news"\nshift_logit = 3',
            "timeline[1].shift_logit must be between -2 and 2, not 3",
        ),
        (
            '[[timeline]]\nat_s = 1\naction = "switch"\nset = { place = true }',
            "timeline[1].set: no switch 'place' with this value",
        ),
        (
            '[[timeline]]\nat_s = 1\naction = "cash"\nusd = 5\naccount = "nobody"',
            "timeline[1].account: no account 'nobody'",
        ),
        (
            '[[timeline]]\nat_s = 1\naction = "faults"\nrules = [{ fault = "rain", rate = 1 }]',
            "timeline[1].rules[1].fault must be one of reply_reset",
        ),
        ('[[faults]]\nfault = "slow"', "faults[1].rate is missing"),
        ('[[faults]]\nfault = "slow"\nrate = 2', "rate must be from 0 to 1"),
        ("[rules]\nfee_bps = -1", "rules.fee_bps must be between 0 and 10000, not -1"),
    ],
)
def test_a_mistake_is_one_line_with_file_table_and_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    assert main(["--port", "0", "--scenario", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert str(path) in lines[0]
    assert said in lines[0]


def test_a_sunday_keeps_only_what_is_alive() -> None:
    # faults: H15; the half hour itself is measured by tests/bench/sunday.py
    rules = dataclasses.replace(BoxOptions().rules, fills_kept_max=50)
    box = _box("sunday", rules=rules, speed=10.0)
    for second in range(1, 8):
        box.advance(START_NS + second * NS)
    exchange = box.exchange
    assert exchange.fills_count > 150
    assert len(exchange.fills) <= 100
    alive = sum(len(account.alive) for account in exchange.accounts.values())
    assert len(exchange.orders) <= alive + 10
    for account in exchange.accounts.values():
        assert not account.fills
        assert not account.transactions
        assert not account.filled
