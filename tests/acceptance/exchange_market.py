"""Life in the market, walked from outside: a Sunday at ten times speed, scenarios, mistakes."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from mmbot.sim.box import Box
from mmbot.sim.core.prices import implied, logit
from mmbot.sim.scenario import BoxOptions, load_scenario
from tests.acceptance.doors import inside, mmbot
from tests.acceptance.exchange_wire import Caller, a_process
from tests.app import stage
from tests.sim.builders import NS, START_NS

WAIT_S = 30.0
SUNDAY_TRADERS = {
    "takers", "informed", "snipers", "crowd", "rival", "steps", "joiner", "backstop", "skewed",
}  # fmt: skip


def walk_market(folder: Path) -> None:
    listed = mmbot("exchange", "--list-scenarios").stdout.split("\n")
    names = {line.split()[0] for line in listed if line}
    assert len(names) >= 10
    assert names >= {"quiet", "sunday", "go_live", "chaos", "cluster_move", "maintenance"}
    with a_process("--scenario", "sunday", "--speed", "10", "--latency", "loopback") as caller:
        _sunday_lives(caller)
    assert _first_fills(1) == _first_fills(1) != _first_fills(2)
    _timeline_happens(folder)
    _mistakes_are_named(folder)


def _until(caller: Caller, enough: int) -> dict[str, Any]:
    """The state of the box once a strike in so many has something to take."""
    state: dict[str, Any] = {}

    def offered() -> bool:
        state.update(caller.call("GET", "/_box/state")[1])
        strikes = [strike for line in state["lines"] for strike in line["strikes"]]
        return len([one for one in strikes if one["taker_price"]]) >= enough and state["trades"]

    stage.until(offered, WAIT_S, f"{enough} strikes are offered")
    return state


def _sunday_lives(caller: Caller) -> None:
    """16 games, 700 lines, nine traders, books around a fair value near the bookmakers'."""
    state = _until(caller, 1000)
    assert (len(state["events"]), len(state["lines"])) == (16, 700)
    assert {one["name"] for one in state["accounts"] if one["internal"]} == SUNDAY_TRADERS
    assert len({trade["taker"] for trade in state["trades"]}) >= 1
    costs = [
        logit(implied(strike["taker_price"])) - logit(strike["fair"])
        for line in state["lines"]
        for strike in line["strikes"]
        if strike["taker_price"] is not None
    ]
    assert 0.01 < statistics.median(costs) < 0.15  # a taker pays for convenience, and not much
    _, feed = caller.call("GET", "/_feed/odds")
    fairs = {
        (line["event"], line["market"]): line["strikes"][0]["fair"]
        for line in state["lines"]
        if line["market"] == "moneyline"
    }
    apart = []
    for game in feed:
        fair = fairs[f"{game['away_team']} at {game['home_team']}", "moneyline"]
        for shop in game["bookmakers"]:
            [market] = [one for one in shop["markets"] if one["key"] == "h2h"]
            first, second = (implied(one["price"]) for one in market["outcomes"])
            apart.append(abs(logit(first / (first + second)) - logit(fair)))
    assert statistics.median(apart) < 0.1


def _first_fills(seed: int) -> list[tuple[int, str, int]]:
    options = load_scenario(Path("snipers"), BoxOptions(seed=seed))
    box = Box(options, START_NS)
    box.advance(START_NS + 60 * NS)
    return [(fill.at_ns, fill.taker.account.name, fill.taker_cents) for fill in box.exchange.fills]


def _timeline_happens(folder: Path) -> None:
    """What a file of one's own says happens on real sockets, N times faster."""
    path = folder / "mine.toml"
    path.write_text(
        'speed = 20\n[events]\ncount = 2\nlines = 6\n[[makers]]\nstyle = "ladder"\n'
        '[[timeline]]\nat_s = 20\naction = "go_live"\nevent = 2\n',
        encoding="utf-8",
    )
    with a_process("--scenario", str(path)) as caller:

        def live() -> bool:
            events = caller.call("GET", "/_box/state")[1]["events"]
            return [event["status"] for event in events] == ["not_started", "live"]

        stage.until(live, WAIT_S, "the second game is live, and only that")


def _mistakes_are_named(folder: Path) -> None:
    path = folder / "wrong.toml"
    for text, said in (
        ("[takers]\narrivals = 1", "unknown key takers.arrivals"),
        ("[snipers]\nedge = 3", "snipers.edge must be between 0 and 1"),
        ('[[timeline]]\nat_s = 1\naction = "go_live"\nevent = 9', "timeline[1].event"),
        ("speed = fast", "Invalid value"),
    ):
        path.write_text(text, encoding="utf-8")
        done = inside("exchange", "--port", "0", "--scenario", str(path))
        assert done.returncode == 2
        [line] = done.stderr.splitlines()
        assert str(path) in line
        assert said in line
