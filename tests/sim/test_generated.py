"""Games made from a seed: so many as asked for, priced as the odds files' bookmakers price."""

from __future__ import annotations

import statistics
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbot.sim.core.prices import implied
from mmbot.sim.games.fixtures import specs_of
from mmbot.sim.games.generated import generated_games, habits_of
from mmbot.sim.games.odds_files import Game
from mmbot.sim.games.props import prop_specs
from mmbot.sim.market.options import EventOptions
from tests.sim.test_listing import GAMES

SUNDAY = EventOptions(count=16, lines=400, props=300, in_play_share=0.33)


def _sunday(seed: str = "s") -> tuple[Game, ...]:
    return generated_games(SUNDAY, habits_of(GAMES), Random(seed))


def test_a_sunday_is_16_games_400_lines_and_300_props() -> None:
    games = _sunday()
    assert len(games) == len({game.key for game in games}) == 16
    assert sum(len(specs_of(game)) for game in games) == 400
    props = [spec for game in games for spec in prop_specs(game)]
    assert len(props) == 300
    assert all(spec.sub_type.startswith("player_total_") and spec.label for spec in props)
    assert len({spec.sub_type for spec in props}) == 6
    assert len({game.start_offset_s for game in games}) == 3
    assert 0 < sum(game.in_play for game in games) < 16


def test_one_seed_is_one_sunday_and_another_is_another() -> None:
    assert _sunday() == _sunday()
    assert _sunday() != _sunday("t")


def test_the_shops_take_what_the_bookmakers_of_the_odds_files_take() -> None:
    habits = habits_of(GAMES)
    assert 0.02 < habits.overround < 0.06
    assert 0.005 < habits.disagreement_logit < 0.06
    assert 8 < habits.margin_sd < 14
    margins = []
    for game in _sunday():
        for book in game.bookmakers:
            for market in book.markets:
                pairs = zip(market.outcomes[::2], market.outcomes[1::2], strict=True)
                margins += [implied(a.price) + implied(b.price) - 1 for a, b in pairs]
    assert statistics.median(margins) == pytest.approx(habits.overround, abs=0.003)


def test_the_chance_falls_with_the_number_within_a_market() -> None:
    for game in _sunday():
        for kind in ("spread", "total"):
            specs = sorted(
                (spec for spec in specs_of(game) if spec.kind == kind), key=lambda s: s.number
            )
            fairs = [spec.fair for spec in specs]
            assert fairs == sorted(fairs, reverse=kind == "total")
            assert sum(spec.main for spec in specs) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(0, 300), st.integers(0, 300), st.integers())
def test_any_number_of_games_adds_up(count: int, lines: int, props: int, seed: int) -> None:
    options = EventOptions(count=count, lines=lines, props=props)
    games = generated_games(options, habits_of(GAMES), Random(seed))
    assert sum(len(specs_of(game)) for game in games) == lines
    found = [prop_specs(game) for game in games]
    assert sum(map(len, found)) == props
    for specs in found:
        keys = {(spec.label, spec.number): spec.market_id for spec in specs}
        assert len(keys) == len(specs)
        assert len({spec.market_id for spec in specs}) == len({spec.label for spec in specs})
