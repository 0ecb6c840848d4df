"""A short run of the fuzz; the checklist gives it five minutes with FULL=1."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from tests.fuzz.__main__ import Fuzz, main

LIVES = 60


def test_nothing_escapes_and_the_watcher_agrees() -> None:
    # faults: A13 E14
    found = Fuzz(seed=1).lives(range(LIVES))
    assert found.lives == LIVES == 4 * found.feeds
    assert found.frames > LIVES * 20
    assert found.messages > found.odd > LIVES


def test_a_life_can_be_lived_again() -> None:
    once, again = Fuzz(seed=5), Fuzz(seed=5)
    for fuzz in (once, again):
        fuzz.lives(range(7, 9))  # a connection, and a feed
    assert asdict(once.tally) == asdict(again.tally)


def test_it_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "5", "--life", "7", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["lives"] == 1
    assert found["frames"] > 0
