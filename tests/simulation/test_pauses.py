"""What the day pauses it opens again: else it would judge a market that nobody can quote."""

from __future__ import annotations

from dataclasses import replace

from mmbot.app.simulate_day import run_day
from mmbot.app.simulate_moments import Moment
from mmbot.app.simulate_plan import Scenario, draw
from tests.simulation.days import plain


# faults: E8
def test_the_game_that_was_paused_is_the_one_that_reopens_when_another_was_listed() -> None:
    """A chance names one of the games, and another one once there are more (seeds 686, 899)."""
    box = {"latency_profile": "loopback", "events": {"count": 1}}
    rules = replace(plain(12.0, 5.0), strategy="restless")  # quotes only where others do
    listed = '{"action": "list", "lines": 3, "start_after_s": 86400.0}'
    moments = (
        Moment(4.0, "suspend", 0.9),
        Moment(6.0, "do", ask=listed),
        Moment(8.0, "reopen", 0.9),
    )
    report = run_day(replace(draw(3, Scenario(box, rules, ())), moments=moments))
    assert report.findings == []
