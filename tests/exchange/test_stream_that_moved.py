"""A stream that moves house: it closes what is open, then it does not know the old key."""
# faults: E6 E14

from __future__ import annotations

from mmbot.exchange.pauses import Pauses, PauseSettings


def test_the_first_refusal_waits_little_whatever_failed_before_it() -> None:
    pauses = Pauses(PauseSettings(), lambda: 1.0)
    assert [pauses.after(code) for code in (4200, 4001, 4001)] == [0, 0.5, 30]
    pauses.over()
    assert [pauses.after(code) for code in (1006, 4001)] == [0.5, 0.5]
