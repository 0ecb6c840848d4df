"""Connections, and whole feeds, on a hostile exchange, one after the other: nothing may escape.

    python -m tests.fuzz --seconds 60 --seed 1 --json

Each life is drawn from the seed and its number. What escapes, or what the watcher objects to, ends
the run with its traceback and exit code 1: it is the life with the number of `lives` lived whole,
and `--life N` lives it again.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from mmbot.exchange.listing import Listing
from tests.exchange.parts import run, seeded
from tests.fuzz import feed_life
from tests.fuzz.frames import Frames, examples
from tests.fuzz.life import Life

FEED_EVERY: Final = 4


@dataclass(slots=True)
class Tally:
    seed: int
    lives: int = 0
    frames: int = 0
    messages: int = 0
    odd: int = 0
    feeds: int = 0  # of the lives


class Fuzz:
    def __init__(self, seed: int) -> None:
        self.tally = Tally(seed)
        self._corpus = examples()

    def life(self, number: int) -> None:
        draw = random.Random(f"{self.tally.seed}/{number}")
        if number % FEED_EVERY == 0:
            self.tally.frames += run(feed_life.live(draw, self._corpus))
            self.tally.feeds += 1
        else:
            self._connection(draw)
        self.tally.lives += 1

    def _connection(self, draw: random.Random) -> None:
        life = Life(draw, Frames(draw, self._corpus), seeded(Listing()))
        life.live()
        self.tally.frames += life.frames
        self.tally.messages += life.messages
        self.tally.odd += life.odd

    def lives(self, numbers: range, until_s: float = math.inf) -> Tally:
        """All these lives, or as many as fit before that time of the process' clock."""
        for number in numbers:
            if time.monotonic() >= until_s:
                break
            self.life(number)
        return self.tally


def main(argv: Sequence[str] | None = None) -> int:
    given = _arguments(argv)
    fuzz = Fuzz(given.seed)
    try:
        if given.life is not None:
            fuzz.life(given.life)
        else:
            fuzz.lives(range(sys.maxsize), time.monotonic() + given.seconds)
    finally:
        _show(asdict(fuzz.tally), as_json=given.json)
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--life", type=int, help="this one alone")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


def _show(found: dict[str, int], *, as_json: bool) -> None:
    words = (f"{name} {value}" for name, value in found.items())
    print(json.dumps(found) if as_json else ", ".join(words))


if __name__ == "__main__":
    sys.exit(main())
