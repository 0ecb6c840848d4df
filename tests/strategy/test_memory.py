"""What a strategy may remember: bounded, and moved only by the views it is given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmbot.domain.ids import LineId, SportEventId, StrikeId
from mmbot.domain.price import Price
from mmbot.domain.quote import Quote
from mmbot.domain.view import MarketView
from mmbot.strategy import jump, steady
from mmbot.strategy.fair_value import Patience, blended
from mmbot.strategy.jump import JumpRules, JumpWatch
from mmbot.strategy.steady import Steady
from tests.strategy.views import EVENT, LINE, NOW_NS, S, a_fair, a_view, later

QUOTES = (Quote(StrikeId("over"), Price(105), 2_500),)


def on_line(name: str) -> MarketView:
    return replace(a_view(), line=replace(LINE, line_id=LineId(name)))


def test_an_answer_is_repeated_until_an_input_has_moved_too_far() -> None:
    memory = Steady((0.02, 1.0))
    assert memory.last(a_view(), (0.0, 0.0)) is None
    assert memory.keep(a_view(), (0.0, 0.0), QUOTES) == QUOTES
    assert memory.last(a_view(), (0.02, -1.0)) == QUOTES
    assert memory.last(a_view(), (0.021, 0.0)) is None
    assert memory.last(a_view(), (0.0, 1.1)) is None
    assert memory.last(on_line("other"), (0.0, 0.0)) is None


def test_the_line_that_was_answered_longest_ago_is_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(steady, "LINES_MAX", 2)
    memory = Steady((1.0,))
    for name in ("a", "b", "a", "c"):
        memory.keep(on_line(name), (0.0,), QUOTES)
    assert [memory.last(on_line(name), (0.0,)) for name in "abc"] == [QUOTES, None, QUOTES]


def walk(watch: JumpWatch, *steps: tuple[float, float]) -> list[float | None]:
    return [watch.widening(later(a_view(), at_s), x) for at_s, x in steps]


def test_a_slow_drift_is_no_jump() -> None:
    steps = [(float(t), 0.0015 * t) for t in range(600)]
    assert set(walk(JumpWatch(JumpRules()), *steps)) == {1.0}


def test_a_jump_in_small_steps_is_still_a_jump() -> None:
    steps = [(t / 10, 0.001 * t) for t in range(150)]
    answers = walk(JumpWatch(JumpRules()), *steps)
    assert answers[100] == 1.0
    assert answers[102:] == [None] * 48


def test_after_a_jump_away_then_wide_then_normal() -> None:
    watch = JumpWatch(JumpRules())
    times = (0.0, 1.0, 30.9, 31.0, 330.9, 331.0)
    steps = [(at_s, 0.0 if at_s == 0 else 0.4) for at_s in times]
    assert walk(watch, *steps) == [1.0, None, None, 2.0, 2.0, 1.0]


def test_the_number_of_watched_events_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jump, "EVENTS_MAX", 2)
    watch = JumpWatch(JumpRules())

    def seen(event: int, x: float) -> float | None:
        fixture = replace(EVENT, event_id=SportEventId(event))
        return watch.widening(replace(a_view(), event=fixture), x)

    for event in (1, 2, 3):
        assert seen(event, 0.0) == 1.0
    assert seen(3, 1.0) is None, "the newest is remembered"
    assert seen(1, 1.0) == 1.0, "the oldest is forgotten"


def test_the_age_is_that_of_the_sources_with_half_of_the_weight() -> None:
    old_sharp = a_fair(0.5, sd=0.02, age_s=100.0, source="sharp")
    new_soft = a_fair(0.5, sd=0.20, age_s=1.0, source="soft")
    mixed = blended(a_view(fairs=(new_soft, old_sharp)), Patience())
    assert mixed is not None
    assert mixed.age_s == 100.0
    assert mixed.valid_until_ns == NOW_NS + 500 * S


def test_a_withdrawn_or_impossible_fair_value_does_not_count() -> None:
    withdrawn = replace(a_fair(0.9, source="gone"), source_ns=0, received_ns=0)
    certain = a_fair(1.0, source="settled")
    good = a_fair(0.5)
    alone = blended(a_view(fairs=(good,)), Patience())
    assert blended(a_view(fairs=(withdrawn, certain, good)), Patience()) == alone
    assert blended(a_view(fairs=(withdrawn, certain)), Patience()) is None
